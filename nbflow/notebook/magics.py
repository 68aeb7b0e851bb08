"""`%%workflow` and `%workflow`: parse with the commands of the shell, do, and show it in the cell."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from nbflow import cli
from nbflow.errors import ManifestError, NbflowError
from nbflow.notebook import words
from nbflow.notebook.display import show
from nbflow.notebook.failure import DetachedError, RefusedError, VerbFailedError, marks
from nbflow.notebook.flags import CellFlags, take_flags
from nbflow.notebook.follow import finished
from nbflow.notebook.near import near
from nbflow.notebook.presence import Presence, cell_id, cell_text, presence
from nbflow.notebook.results import Run
from nbflow.notebook.start import attach
from nbflow.notebook.telling import telling

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nbflow.cli.submit import SubmitCall
    from nbflow.clients.client import Client
    from nbflow.commands.submission import Prepared
    from nbflow.notebook.rich import Rich
    from nbflow.spec.yaml import Document

MAGIC = "%%workflow"
SOURCE = "cell"
"""What positions call the manifest."""
_TEXT_ONLY = {
    "watch": {"-h", "--help", "--status", "--node-field-selector"},
    "list": {"-h", "--help", "-o", "--output", "--no-headers"},
}
"""Flags of what only a text can be."""
_STORED = ("WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow")
"""Kinds that hold a workflow and are no run by themselves."""
_ON_THE_SHELL = re.compile(r"`(?:nbflow |(?=submit ))")


def cell_magic(shell: InteractiveShell, line: str, cell: str) -> Run | None:
    """Run the manifest in `cell`. The run; None for a dry run."""
    flags, rest = take_flags(words.split(line, shell.user_ns), shell.user_ns)
    name, rest = words.take_name(rest)
    call = _parse(rest)
    if call.files:
        problem = f"{call.files[0]!r} is one word too many: the cell is the manifest"
        raise NbflowError(problem, fix=f"{MAGIC} NAME FLAGS")
    runs = _submit(call, flags, _numbered_as_shown(shell, cell))
    if runs:
        _remember(shell, name, runs[0])
    return _accompany(shell, call, runs, check=flags.check)


def line_magic(shell: InteractiveShell, line: str) -> object:
    """Do what a verb of the command line does; `submit`, `watch` and `graph` show what they do as a cell does."""
    argv = words.split(line, shell.user_ns)
    if argv[:1] == ["submit"] and not {"-h", "--help", "-o", "--output"} & set(argv):
        return _submit_files(shell, argv[1:])
    if argv[:1] == ["watch"] and not _TEXT_ONLY["watch"] & set(argv):
        return _watch(argv)
    if argv[:1] == ["list"] and presence(shell) is Presence.NOTEBOOK and not _TEXT_ONLY["list"] & set(argv):
        _list(argv)
        return None
    if argv[:1] == ["graph"] and len(argv) == 2 and not argv[1].startswith("-"):
        return _graph(argv[1])
    with _advice_for_notebooks():
        code = cli.run(argv, out=sys.stdout, err=sys.stderr)
    if code:
        raise VerbFailedError(line, code)
    return None


def _watch(argv: list[str]) -> Run:
    """The live view of a run, the newest one if none is named."""
    with _advice_for_notebooks():
        try:
            session, flags = cli.read(argv)
        except NbflowError as error:
            if not error.problem.startswith("Missing argument"):
                raise
            session, flags = cli.read([*argv, "@latest"])
        with telling(session.client):
            run = attach(str(flags["name"]), client=session.client)
    show(run)
    return run


def _list(argv: list[str]) -> None:
    """The live table of workflows; as text it is what the command line prints."""
    from nbflow.cli.look import listed
    from nbflow.notebook.display import show_list

    text = io.StringIO()
    with _advice_for_notebooks():
        cli.run(argv, out=text, err=sys.stderr)
        session, flags = cli.read(argv)
        chosen = len(argv) > 1
        show_list(session.client, lambda: listed(session, flags), text.getvalue(), chosen=chosen)


def _graph(what: str) -> object:
    """The graph of a file or workflow as a picture."""
    from IPython.display import SVG

    from nbflow.commands.connecting import connect
    from nbflow.commands.drawing import find_drawable, render
    from nbflow.views.graph import dot

    return SVG(render(dot(find_drawable(connect(), what)), "svg"))  # type: ignore[no-untyped-call]


def _submit_files(shell: InteractiveShell, argv: list[str]) -> Run | None:
    flags, rest = take_flags(argv, shell.user_ns)
    call = _parse(rest)
    if not call.files and not call.source:
        raise NbflowError(
            "no manifest was given", fix="%workflow submit FILE, or a cell that begins with %%workflow"
        )
    return _accompany(shell, call, _submit(call, flags, *call.files), check=flags.check)


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


_LAST_OF_CELLS: dict[str, Run] = {}
"""Cell -> the run that it started last."""


def _remember(shell: InteractiveShell, name: str, run: Run) -> None:
    """Keep the run, and tell of the one before: it goes on when its cell runs again, and nobody would see it."""
    cell = cell_id(shell)
    before = [shell.user_ns.get(name) if name else None, _LAST_OF_CELLS.get(cell)]
    for one in dict.fromkeys(value.name for value in before if isinstance(value, Run)):
        with suppress(NbflowError):  # it may be deleted
            if not finished(run.client.get(one)):
                _say(f"workflow {one} of before goes on; `%workflow stop {one}` ends it")
    if name:
        shell.user_ns[name] = run
    if cell:
        _LAST_OF_CELLS[cell] = run


def _submit(call: SubmitCall, flags: CellFlags, *manifests: str) -> list[Run]:
    """Check the manifests and start their workflows; a dry run starts none."""
    from nbflow.commands.connecting import connect, prepared_client
    from nbflow.commands.handing import handed_over
    from nbflow.commands.stored import tried
    from nbflow.commands.submission import send

    with prepared_client(connect(call.on, call.cluster)) as client, telling(client):
        documents = _read(call, manifests, client)
        with handed_over(flags.artifacts, documents, client) as (changed, store):
            prepared = _checked(
                call, flags, changed, "" if call.files or call.source else manifests[0], client
            )
            if call.dry_run:
                _print_dry(tried(prepared, client) if call.server_dry_run else prepared, call.output)
                return []
            if prepared.warnings:
                _display(marks(prepared.warnings, "" if call.files or call.source else manifests[0]))
            store()
            submission = send(prepared._replace(warnings=()), client, _say)
    return [Run(client, name) for name in submission.names]


def _read(call: SubmitCall, manifests: tuple[str, ...], client: Client) -> list[Document]:
    """The documents of the cell, of files, or of what is stored."""
    from nbflow.commands.manifests import load, load_all
    from nbflow.commands.stored import from_stored

    if call.source:
        return load_all([from_stored(client, call.source)], strict=call.strict)
    if call.files:
        return load_all(manifests, strict=call.strict)
    documents = load(manifests[0], source=SOURCE, strict=call.strict)
    try:
        _refuse_other_kinds(documents)
    except ManifestError as error:
        raise RefusedError(error.findings, manifests[0]) from None
    return documents


def _checked(
    call: SubmitCall, flags: CellFlags, documents: Sequence[Document], cell: str, client: Client
) -> Prepared:
    """The manifests after lint, with the flags in them. Raises RefusedError if one is refused."""
    from nbflow.commands.submission import prepare
    from nbflow.commands.values import texts
    from nbflow.revise.submit import split_parameter

    options = call.with_parameter_file()
    given = {split_parameter(text)[0] for text in options.parameters}
    more = texts({name: value for name, value in flags.parameters.items() if name not in given})
    try:
        return prepare(documents, options._replace(parameters=(*options.parameters, *more)), client)
    except ManifestError as error:
        raise RefusedError(error.findings, cell) from None


def _refuse_other_kinds(documents: Sequence[Document]) -> None:
    """A cell without any workflow is a slip of the pen in its `kind`."""
    if not documents or any(one.kind == "Workflow" or one.findings for one in documents):
        return
    first = documents[0]
    problem = f"there is no workflow to run: kind is {first.kind!r}"
    meant = near(first.kind, ["Workflow"]).startswith("did")
    fix = "did you mean `Workflow`?" if meant else "a cell that runs has `kind: Workflow`"
    if first.kind in _STORED:
        from nbflow.store.objects import VERBS

        stored = f"`%workflow {VERBS[first.kind]} create FILE`"
        fix = f"write it above a Workflow in the same cell, or store it by {stored}"
    raise ManifestError((first.finding("NBF103", ("kind",), problem, fix=fix),))


def _accompany(shell: InteractiveShell, call: SubmitCall, runs: list[Run], *, check: bool) -> Run | None:
    """Show the runs, and wait in the cell where that was asked for, or where nobody would see how they go on.

    check: a failed workflow fails its cell. An interrupt ends the waiting, whenever it comes: the workflows are on
    their way.
    """
    wait = call.wait or call.watch or (not call.wait_given and presence(shell) is not Presence.NOTEBOOK)
    try:
        for run in runs:
            show(run)
        for run in runs if wait else ():
            run.finish()
            _ = run.wait(check=check)  # which is awaitable, too
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


def _display(thing: Rich) -> None:
    from IPython.display import display

    display(thing)  # type: ignore[no-untyped-call]


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201  # the cell is where the person looks


def _print_dry(prepared: Prepared, form: str) -> None:
    from nbflow.cli.console import Console, print_data

    for workflow in prepared.workflows:
        print_data(Console(sys.stdout, sys.stderr), workflow, form)
