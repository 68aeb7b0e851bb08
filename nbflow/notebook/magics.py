"""`%%workflow` and `%workflow`: parse with the commands of the shell, do, and show it in the cell."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from nbflow import cli
from nbflow.errors import ManifestError, NbflowError
from nbflow.notebook import words
from nbflow.notebook.display import show
from nbflow.notebook.failure import DetachedError, RefusedError, VerbFailedError
from nbflow.notebook.follow import finished
from nbflow.notebook.near import near
from nbflow.notebook.presence import Presence, cell_text, presence
from nbflow.notebook.results import Run
from nbflow.notebook.start import attach

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nbflow.cli.submit import SubmitCall
    from nbflow.clients.client import Client
    from nbflow.commands.submission import Prepared
    from nbflow.spec.yaml import Document

MAGIC = "%%workflow"
SOURCE = "cell"
"""What positions call the manifest."""
_ON_THE_SHELL = re.compile(r"`(?:nbflow |(?=submit ))")


def cell_magic(shell: InteractiveShell, line: str, cell: str) -> Run | None:
    """Run the manifest in `cell`. The run; None for a dry run."""
    name, rest = words.take_name(words.split(line, shell.user_ns))
    call = _parse(rest)
    if call.files:
        problem = f"{call.files[0]!r} is one word too many: the cell is the manifest"
        raise NbflowError(problem, fix=f"{MAGIC} NAME FLAGS")
    runs = _submit(call, _numbered_as_shown(shell, cell))
    if runs and name:
        _tell_of_the_one_before(shell.user_ns.get(name))
        shell.user_ns[name] = runs[0]
    return _accompany(shell, call, runs)


def line_magic(shell: InteractiveShell, line: str) -> object:
    """Do what a verb of the command line does; `submit`, `watch` and `graph` show what they do as a cell does."""
    argv = words.split(line, shell.user_ns)
    if argv[:1] == ["submit"] and not {"-h", "--help", "-o", "--output"} & set(argv):
        return _submit_files(shell, argv[1:])
    if argv[:1] == ["watch"] and len(argv) < 3 and not argv[-1].startswith("-"):
        run = attach(argv[1] if len(argv) == 2 else "@latest")
        show(run)
        return run
    if argv[:1] == ["graph"] and len(argv) == 2 and not argv[1].startswith("-"):
        return _graph(argv[1])
    with _advice_for_notebooks():
        code = cli.run(argv, out=sys.stdout, err=sys.stderr)
    if code:
        raise VerbFailedError(line, code)
    return None


def _graph(what: str) -> object:
    """The graph of a file or workflow as a picture."""
    from IPython.display import SVG

    from nbflow.commands.connecting import connect
    from nbflow.commands.drawing import find_drawable, render
    from nbflow.views.graph import dot

    return SVG(render(dot(find_drawable(connect(), what)), "svg"))  # type: ignore[no-untyped-call]


def _submit_files(shell: InteractiveShell, argv: list[str]) -> Run | None:
    call = _parse(argv)
    if not call.files:
        raise NbflowError(
            "no manifest was given", fix="%workflow submit FILE, or a cell that begins with %%workflow"
        )
    return _accompany(shell, call, _submit(call, *call.files))


def _parse(argv: list[str]) -> SubmitCall:
    with _advice_for_notebooks():
        call = cli.parse_submit(argv)
        call.check()
    return call


@contextmanager
def _advice_for_notebooks() -> Iterator[None]:
    """What the command line advises, as it is typed in a cell."""
    try:
        yield
    except NbflowError as error:
        error.fix = _ON_THE_SHELL.sub("`%workflow ", error.fix)
        raise


def _tell_of_the_one_before(value: object) -> None:
    """A cell that runs again starts another workflow; the one before goes on, and nobody would see it."""
    if not isinstance(value, Run):
        return
    with suppress(NbflowError):  # it may be deleted
        if not finished(value.workflow):
            _say(f"workflow {value.name} of before goes on; `%workflow stop {value.name}` ends it")


def _submit(call: SubmitCall, *manifests: str) -> list[Run]:
    """Check the manifests and start their workflows; a dry run starts none."""
    from nbflow.commands.connecting import connect, prepared_client
    from nbflow.commands.submission import send

    with prepared_client(connect(call.on, call.cluster)) as client:
        prepared = _checked(call, manifests, client)
        if call.dry_run:
            _print_dry(prepared, call.output)
            return []
        submission = send(prepared, client, _say)
    return [Run(client, name) for name in submission.names]


def _checked(call: SubmitCall, manifests: tuple[str, ...], client: Client) -> Prepared:
    """The manifests after lint, with the flags in them. Raises RefusedError if one is refused."""
    from nbflow.commands.manifests import load
    from nbflow.commands.submission import prepare

    source = "" if call.files else SOURCE
    try:
        documents = [one for text in manifests for one in load(text, source=source, strict=call.strict)]
        if not call.files:
            _refuse_other_kinds(documents)
        return prepare(documents, call.with_parameter_file(), client)
    except ManifestError as error:
        raise RefusedError(error.findings, "" if call.files else manifests[0]) from None


def _refuse_other_kinds(documents: Sequence[Document]) -> None:
    """A cell without any workflow is a slip of the pen in its `kind`."""
    if not documents or any(one.kind == "Workflow" or one.findings for one in documents):
        return
    first = documents[0]
    problem = f"there is no workflow to run: kind is {first.kind!r}"
    meant = near(first.kind, ["Workflow"]).startswith("did")
    fix = "did you mean `Workflow`?" if meant else "a cell that runs has `kind: Workflow`"
    raise ManifestError((first.finding("NBF103", ("kind",), problem, fix=fix),))


def _accompany(shell: InteractiveShell, call: SubmitCall, runs: list[Run]) -> Run | None:
    """Show the runs, and wait in the cell where that was asked for, or where nobody would see how they go on.

    An interrupt ends the waiting, whenever it comes: the workflows are on their way.
    """
    wait = call.wait or call.watch or (not call.wait_given and presence(shell) is not Presence.NOTEBOOK)
    try:
        for run in runs:
            show(run)
        for run in runs if wait else ():
            run.finish()
            _ = run.wait()  # which is awaitable, too
    except KeyboardInterrupt:
        raise DetachedError(runs[0].name) from None
    return runs[0] if runs else None


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


def _print_dry(prepared: Prepared, form: str) -> None:
    from nbflow.cli.console import Console, print_data

    for workflow in prepared.workflows:
        print_data(Console(sys.stdout, sys.stderr), workflow, form)
