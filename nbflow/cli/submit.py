"""`nbflow submit`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from nbflow.cli.console import Console, now, print_objects, print_workflows
from nbflow.cli.session import Session, no_color, on_target, output
from nbflow.commands.connecting import ClusterFlags
from nbflow.errors import NbflowError
from nbflow.revise.submit import SubmitOptions

if TYPE_CHECKING:
    from nbflow.commands.manifests import Manifest
    from nbflow.commands.submission import Prepared, Submission
    from nbflow.spec.status import WorkflowObject

OBJECTS = ("json", "yaml")


class SubmitCall(NamedTuple):
    """A `submit` as it was asked for.

    on: the target, None for the default. cluster: which one, with --on argo. source: KIND/NAME of a stored template to
    submit instead of files. server_dry_run: a dry run that the cluster checks. wait_given: whether `--wait` or
    `--no-wait` was said.
    """

    files: tuple[str, ...]
    options: SubmitOptions
    parameter_file: str = ""
    output: str = ""
    wait: bool = False
    wait_given: bool = False
    watch: bool = False
    log: bool = False
    dry_run: bool = False
    strict: bool = True
    status: str = ""
    node_field_selector: str = ""
    on: str | None = None
    cluster: ClusterFlags = ClusterFlags()
    server_dry_run: bool = False
    source: str = ""

    def check(self) -> None:
        """Raises NbflowError for flags that do not go together, in Argo's words."""
        if self.watch and self.wait:
            raise NbflowError("--wait cannot be combined with --watch", fix="--watch alone waits, too")
        for flag, given in (("--watch", self.watch), ("--wait", self.wait), ("--log", self.log)):
            if given and self.dry_run:
                raise NbflowError(f"{flag} cannot be combined with --dry-run", fix=f"leave out {flag}")
        if self.dry_run and not self.output:
            raise NbflowError("--dry-run should have an output option", fix="add -o yaml")
        if self.watch and self.output in OBJECTS:
            raise NbflowError(f"--watch cannot be combined with -o {self.output}", fix="use --wait")

    def with_parameter_file(self) -> SubmitOptions:
        """The options, the parameters of the file after those of -p. Raises NbflowError if it cannot be read."""
        if not self.parameter_file:
            return self.options
        from nbflow.commands.parameters import read_parameter_file

        read = read_parameter_file(self.parameter_file)
        return self.options._replace(parameters=(*self.options.parameters, *read))


@click.command("submit", short_help="submit a workflow")
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option("--name", default="", help="override metadata.name")
@click.option("--generate-name", default="", help="override metadata.generateName")
@click.option("--entrypoint", default="", help="override entrypoint")
@click.option(
    "-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="pass an input parameter"
)
@click.option(
    "-f", "--parameter-file", default="", metavar="FILE", help="pass a file containing all input parameters"
)
@click.option(
    "--serviceaccount", default="", help="run all pods using specified serviceaccount (kept for Kubernetes)"
)
@click.option("-l", "--labels", default="", help="Comma separated labels to apply to the workflow")
@click.option("--annotations", default="", help="Comma separated annotations to apply to the workflow")
@click.option(
    "--scheduled-time",
    default="",
    help="Override the workflow's scheduledTime parameter (useful for backfilling). The time must be RFC3339",
)
@click.option("--priority", type=int, default=None, help="workflow priority")
@click.option("-w", "--wait/--no-wait", default=None, help="wait for the workflow to complete")
@click.option("--watch", is_flag=True, help="watch the workflow until it completes")
@click.option("--log", is_flag=True, help="log the workflow until it completes")
@click.option("--dry-run", is_flag=True, help="modify the workflow on the client-side without creating it")
@click.option(
    "--server-dry-run",
    is_flag=True,
    help="let the cluster check it without creating it; elsewhere as --dry-run",
)
@click.option(
    "--from",
    "source",
    default="",
    metavar="KIND/NAME",
    help="Submit from an existing kind/name E.g., --from=cronwf/hello-world-cwf",
)
@click.option("--strict/--no-strict", default=True, help="perform strict workflow validation")
@click.option("--status", default="", help="Filter by status. Should only be used with --watch.")
@click.option("--node-field-selector", default="", help="selector of node to display, eg: phase=Failed")
@output("name", "json", "yaml", "wide")
@no_color
@on_target
@click.pass_context
def submit(ctx: click.Context, /, **_: object) -> int:
    """Submit the workflows in FILEs (`-` is standard input); other objects in them are created first.

    \b
    Examples:
      nbflow submit my-wf.yaml                       start it
      nbflow submit --watch my-wf.yaml               and watch it
      nbflow submit --wait -o json my-wf.yaml        wait, and print what became of it
      nbflow submit -p message=hello my-wf.yaml      with a parameter
    """
    return perform(ctx.obj, call_of(ctx))


COMMANDS = {"submit": submit}


def parse(argv: list[str]) -> SubmitCall:
    """The call that the words after `submit` stand for. Raises NbflowError if they cannot be read."""
    from nbflow.cli.app import translated

    found: list[SubmitCall] = []

    def read() -> None:
        session = Session(Console())
        with submit.make_context("submit", argv, obj=session) as ctx:
            found.append(call_of(ctx))

    translated(read)
    return found[0]


def call_of(ctx: click.Context) -> SubmitCall:
    """The parsed flags as data."""
    flags = ctx.params
    session: Session = ctx.obj
    options = SubmitOptions(
        name=flags["name"],
        generate_name=flags["generate_name"],
        entrypoint=flags["entrypoint"],
        parameters=tuple(flags["parameters"]),
        service_account=flags["serviceaccount"],
        labels=flags["labels"],
        annotations=flags["annotations"],
        priority=flags["priority"],
        scheduled_time=flags["scheduled_time"],
        namespace=session.namespace,
    )
    return SubmitCall(
        files=tuple(flags["files"]),
        options=options,
        parameter_file=flags["parameter_file"],
        output=flags["output"] or "",
        wait=bool(flags["wait"]),
        wait_given=flags["wait"] is not None,
        watch=flags["watch"],
        log=flags["log"],
        dry_run=flags["dry_run"] or flags["server_dry_run"],
        strict=flags["strict"],
        status=flags["status"],
        node_field_selector=flags["node_field_selector"],
        on=session.target,
        cluster=session.cluster,
        server_dry_run=flags["server_dry_run"],
        source=flags["source"],
    )


def perform(session: Session, call: SubmitCall) -> int:
    """Do what was asked for, and say what came of it."""
    from nbflow.commands.connecting import prepared_client
    from nbflow.commands.manifests import load_all
    from nbflow.commands.stored import from_stored, tried
    from nbflow.commands.submission import prepare, send

    call.check()
    if not call.files and not call.source:
        raise NbflowError("no manifest was given", fix="nbflow submit FILE, or `-` for standard input")
    if call.dry_run and not call.source and not (call.server_dry_run and call.on == "argo"):
        documents = load_all(call.files, strict=call.strict)
        return _show(session.console, prepare(documents, call.with_parameter_file()), call)
    with prepared_client(session.client) as client:
        manifests: list[Manifest] = [*call.files]
        if call.source:
            manifests.append(from_stored(client, call.source))
        documents = load_all(manifests, strict=call.strict)
        prepared = prepare(documents, call.with_parameter_file(), client)
        if call.dry_run:
            return _show(session.console, tried(prepared, client) if call.server_dry_run else prepared, call)
        if call.watch and len(prepared.workflows) > 1:
            raise NbflowError("cannot watch more than one workflow", fix="use --wait")
        submission = send(prepared, client, session.console.say)
        session.tell()
    _introduce(session, call, submission)
    return _accompany(session, call, submission)


def _show(console: Console, prepared: Prepared, call: SubmitCall) -> int:
    """What would be submitted."""
    for remark in (*(finding.render() for finding in prepared.warnings), *prepared.remarks):
        console.say(remark)
    if call.output in OBJECTS:
        print_objects(console, prepared.workflows, call.output)
        return 0
    from nbflow.spec.status import WorkflowObject

    print_created(
        console, [WorkflowObject.from_dict(workflow) for workflow in prepared.workflows], call.output
    )
    return 0


def _introduce(session: Session, call: SubmitCall, submission: Submission) -> None:
    """The workflows right after they were created; with -o json and --wait they are printed at the end instead."""
    later = call.output in OBJECTS and (call.wait or call.log)
    if not later and not call.watch:
        print_created(session.console, submission.workflows, call.output)
    session.console.flush()


def _accompany(session: Session, call: SubmitCall, submission: Submission) -> int:
    from nbflow.cli.waiting import exit_code, say_failures, wait_for

    console, client = session.console, session.client
    if call.watch:
        from nbflow.cli.watching import watch_workflow

        name = submission.workflow.name
        return watch_workflow(console, client, name, output=call.output, selector=selector_of(call))
    if call.log:
        from nbflow.cli.logs import follow_logs

        for name in submission.names:
            follow_logs(session, name, to_stderr=bool(call.output))
    if not (call.wait or call.log):
        return 0
    finished = wait_for(session, submission.names, quiet=call.output in (*OBJECTS, "name") or call.log)
    if call.output in OBJECTS:
        print_workflows(console, finished, call.output)
    say_failures(console, finished)
    return exit_code(finished)


def selector_of(call: SubmitCall) -> str:
    """Which nodes to show. Raises NbflowError if both ways to say it are used."""
    if call.status and call.node_field_selector:
        raise NbflowError("cannot use both --status and --node-field-selector", fix="leave one out")
    return f"phase={call.status}" if call.status else call.node_field_selector


def print_created(console: Console, workflows: Sequence[WorkflowObject], form: str) -> None:
    """Workflows as a submit prints them."""
    if form in OBJECTS:
        print_workflows(console, workflows, form)
        return
    from nbflow.views.tables import header

    for workflow in workflows:
        if form == "name":
            console.line(workflow.name or str(workflow.metadata.get("generateName", "")))
        else:
            console.write(header(workflow, now=now(), style=console.style))
