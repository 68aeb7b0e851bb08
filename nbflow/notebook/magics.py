"""`%%workflow` and `%workflow`: parse with the commands of the shell, do, and show it in the cell."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from nbflow import cli
from nbflow.errors import ManifestError, NbflowError
from nbflow.notebook import words
from nbflow.notebook.display import show
from nbflow.notebook.failure import RefusedError, VerbFailedError
from nbflow.notebook.presence import Presence, cell_text, presence
from nbflow.notebook.run import Run, attach

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nbflow.cli.submit import SubmitCall
    from nbflow.clients.client import Client

MAGIC = "%%workflow"
SOURCE = "cell"
"""What positions call the manifest."""


def cell_magic(shell: InteractiveShell, line: str, cell: str) -> Run | None:
    """Run the manifest in `cell`. The run; None for a dry run."""
    name, rest = words.take_name(words.split(line, shell.user_ns))
    call = cli.parse_submit(rest)
    call.check()
    if call.files:
        raise NbflowError(f"{call.files[0]!r} is one word too many: the cell is the manifest", fix=f"{MAGIC} NAME FLAGS")
    run = _submit(shell, call, _numbered_as_shown(shell, cell))
    if run is not None and name:
        shell.user_ns[name] = run
    return _accompany(shell, call, run)


def line_magic(shell: InteractiveShell, line: str) -> object:
    """Do what a verb of the command line does; `submit` and `watch` show the run as a cell does."""
    argv = words.split(line, shell.user_ns)
    if argv[:1] == ["submit"] and not {"-h", "--help", "-o", "--output"} & set(argv):
        return _submit_files(shell, argv[1:])
    if argv[:1] == ["watch"] and len(argv) < 3 and not argv[-1].startswith("-"):
        run = attach(argv[1] if len(argv) == 2 else "@latest", client=connect(None))
        show(run)
        return run
    code = cli.run(argv, out=sys.stdout, err=sys.stderr)
    if code:
        raise VerbFailedError(line, code)
    return None


def connect(target: str | None) -> Client:
    """The client of a target. Tests put their own here."""
    from nbflow.commands import connect as open_client

    return open_client(target)


def _submit_files(shell: InteractiveShell, argv: list[str]) -> Run | None:
    call = cli.parse_submit(argv)
    call.check()
    if not call.files:
        raise NbflowError("no manifest was given", fix="%workflow submit FILE, or a cell that begins with %%workflow")
    return _accompany(shell, call, _submit(shell, call, *call.files))


def _submit(shell: InteractiveShell, call: SubmitCall, *manifests: str) -> Run | None:
    """Check the manifests and start their workflows. The run of the first; None for a dry run."""
    from nbflow.commands.manifests import load
    from nbflow.commands.submission import prepare, send

    client = connect(call.on)
    try:
        in_cell = not call.files
        documents = [d for text in manifests for d in load(text, source=SOURCE if in_cell else "")]
        prepared = prepare(documents, call.with_parameter_file(), client)
    except ManifestError as error:
        raise RefusedError(error.findings, manifests[0] if not call.files else "") from None
    if call.dry_run:
        _print_dry(prepared.workflows, call.output)
        return None
    submission = send(prepared, client, _say)
    runs = [Run(client, name) for name in submission.names]
    for run in runs:
        show(run)
    return runs[0]


def _accompany(shell: InteractiveShell, call: SubmitCall, run: Run | None) -> Run | None:
    """Wait in the cell where that was asked for, or where nobody would see how it goes on."""
    if run is None:
        return None
    if call.wait or call.watch or (not call.wait_given and presence(shell) is not Presence.NOTEBOOK):
        run.finish()
        run.wait()
    return run


def _numbered_as_shown(shell: InteractiveShell, cell: str) -> str:
    """The manifest with as many empty lines in front as the cell has lines above it: positions are the cell's."""
    above = 1
    for number, line in enumerate(cell_text(shell).splitlines(), start=1):
        if line.lstrip().startswith(MAGIC):
            above = number
            break
    return "\n" * above + cell


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201  # the cell is where the person looks


def _print_dry(workflows: object, form: str) -> None:
    from nbflow.cli.console import Console, print_data

    for workflow in workflows:  # type: ignore[attr-defined]
        print_data(Console(sys.stdout, sys.stderr), workflow, form)
