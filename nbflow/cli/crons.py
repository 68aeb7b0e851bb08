"""`nbflow cron`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone

import click

from nbflow.cli.console import now
from nbflow.cli.session import Session, on_target, output
from nbflow.cli.templates import (
    CRON,
    FILES,
    NAMES,
    STRICT,
    Command,
    JSONObject,
    add_delete,
    add_get,
    add_lint,
    add_list,
    checked,
    create_all,
    say_of_crons,
    update_all,
)
from nbflow.errors import NbflowError

_RFC1123 = "Mon, 02 Jan 2006 15:04:05 MST"


@click.group("cron", short_help="manage cron workflows")
def cron() -> None:
    """Cron workflows: workflows that start at set times."""


for _add in (add_delete, add_get, add_list, add_lint):
    _add(cron, CRON)


def _overrides(command: Command) -> Command:
    """The flags of `create` and `update` that change what a manifest says."""
    for option in (
        click.option("--name", default="", help="override metadata.name"),
        click.option("--generate-name", default="", help="override metadata.generateName"),
        click.option("--entrypoint", default="", help="override entrypoint"),
        click.option("--serviceaccount", default="", help="run all pods using specified serviceaccount"),
        click.option(
            "-p",
            "--parameter",
            "parameters",
            multiple=True,
            metavar="NAME=VALUE",
            help="pass an input parameter",
        ),
        click.option(
            "-f",
            "--parameter-file",
            default="",
            metavar="FILE",
            help="pass a file containing all input parameters",
        ),
        click.option("-l", "--labels", default="", help="Comma separated labels to apply to the workflows"),
    ):
        command = option(command)
    return command


@cron.command("create")
@FILES
@_overrides
@click.option("--schedule", default="", help="override cron workflow schedule")
@STRICT
@output("name", "json", "yaml", "wide")
@on_target
@click.pass_obj
def create(
    session: Session, /, files: Sequence[str], strict: bool, output: str | None, **flags: object
) -> int:
    """Create CronWorkflows from manifests."""
    manifests = [_overridden(one, flags) for one in checked(session, files, CRON, strict=strict)]
    code = create_all(session, "cron", manifests, output or "")
    say_of_crons(session)
    return code


@cron.command("update")
@FILES
@_overrides
@STRICT
@output("name", "json", "yaml", "wide")
@on_target
@click.pass_obj
def update(
    session: Session, /, files: Sequence[str], strict: bool, output: str | None, **flags: object
) -> int:
    """Update CronWorkflows from manifests."""
    manifests = [_overridden(one, flags) for one in checked(session, files, CRON, strict=strict)]
    return update_all(session, "cron", manifests, output or "")


@cron.command("backfill")
@click.argument("name", metavar="CRONWORKFLOW")
@click.option("--name", "backfill_name", default="", help="Backfill name")
@click.option("--start", required=True, help="Start date, for example 'Mon, 01 Jan 2024 00:00:00 UTC'")
@click.option("--end", default="", help="End date; now if it is left out")
@click.option("--parallel", is_flag=True, help="Run all backfill workflows at once")
@click.option(
    "--argname",
    default="cronScheduleTime",
    help="Schedule time argument name for workflow",
    show_default=True,
)
@click.option(
    "--format", "layout", default=_RFC1123, help="Date format of --start and --end, as Go writes it"
)
@click.option(
    "--maxworkflowcount", type=click.IntRange(1), default=1000, help="How many one Workflow starts at most"
)
@on_target
@click.pass_obj
def backfill(
    session: Session,
    /,
    name: str,
    backfill_name: str,
    start: str,
    end: str,
    layout: str,
    **flags: object,
) -> int:
    """Run a cron workflow for the times between two dates at which it did not run."""
    from nbflow.clients.submitting import name_suffix
    from nbflow.revise.backfill import BackfillOptions, due_times
    from nbflow.revise.backfill import backfill as form
    from nbflow.spec.schedule import ScheduleError

    since, until = _moment(start, layout), _moment(end, layout) if end else now()
    found = session.client.get_object(CRON, name)
    try:
        times = due_times(found, since, until)
    except ScheduleError as error:
        raise NbflowError(
            f"cron workflow {name}: {error.problem}", fix="`nbflow cron update` with another schedule"
        ) from error
    if not times:
        session.console.line("There is no suitable scheduling time.")
        return 0
    most, parallel = flags["maxworkflowcount"], bool(flags["parallel"])
    assert isinstance(most, int)
    options = BackfillOptions(backfill_name or name_suffix(), str(flags["argname"]), parallel, most)
    created = [session.client.submit(one) for one in form(found, times, options, now())]
    session.console.line(f"Created {options.name} Backfill task for Cronworkflow {name}")
    session.console.line(
        f"Start Time : {start}\n  End Time : {end or until.strftime('%a, %d %b %Y %H:%M:%S %Z')}"
    )
    session.console.line(f"Total Backfill Schedule: {len(times)}\nBackfill Workflows:")
    for number, workflow in enumerate(created, 1):
        session.console.line(f"{number}. {workflow.namespace or 'default'}   {workflow.name}")
    return 0


def _add_switch(verb: str, done: str, *, suspend: bool) -> None:
    @cron.command(verb, help=f"{verb.capitalize()} cron workflows.")
    @NAMES
    @on_target
    @click.pass_obj
    def switch(session: Session, names: Sequence[str]) -> int:
        from nbflow.commands.again import replacing

        for name in names:
            replacing(session.client, f"cron {verb}").merge(CRON, name, {"spec": {"suspend": suspend}})
            session.console.line(f"CronWorkflow '{name}' {done}")
        if not suspend:
            say_of_crons(session)
        return 0


_add_switch("suspend", "suspended", suspend=True)
_add_switch("resume", "resumed", suspend=False)

COMMANDS: dict[str, click.Command] = {"cron": cron}


def _overridden(manifest: JSONObject, flags: dict[str, object]) -> JSONObject:
    """The manifest with the flags in it."""
    from nbflow.commands.parameters import read_parameter_file
    from nbflow.revise.submit import SubmitOptions, apply, parse_labels

    given = flags["parameters"]
    parameters = tuple(map(str, given)) if isinstance(given, tuple) else ()
    if flags["parameter_file"]:
        parameters += tuple(read_parameter_file(str(flags["parameter_file"])))
    options = SubmitOptions(
        entrypoint=str(flags["entrypoint"]),
        parameters=parameters,
        service_account=str(flags["serviceaccount"]),
    )
    metadata, spec = dict(_mapping(manifest.get("metadata"))), dict(_mapping(manifest.get("spec")))
    spec["workflowSpec"] = apply({"spec": spec.get("workflowSpec")}, options)["spec"]
    if flags["labels"]:
        own = _mapping(spec.get("workflowMetadata"))
        labels = {**_mapping(own.get("labels")), **parse_labels(str(flags["labels"]))}
        spec["workflowMetadata"] = {**own, "labels": labels}
    if flags.get("schedule"):
        spec["schedules"] = [flags["schedule"]]
        spec.pop("schedule", None)
    for flag, field, other in (("generate_name", "generateName", "name"), ("name", "name", "generateName")):
        if flags[flag]:
            metadata[field] = flags[flag]
            metadata.pop(other, None)
    return {**manifest, "metadata": metadata, "spec": spec}


def _moment(text: str, layout: str) -> datetime:
    """A time as Go reads it by its layout. Raises NbflowError."""
    from nbflow.templating.golang.layouts import parse_time
    from nbflow.templating.golang.values import Fault

    try:
        found = parse_time(text, layout)
    except Fault as error:
        raise NbflowError(str(error), fix=f"write it as {layout}, or give --format") from error
    seconds, name = found.offset()
    zone = timezone(timedelta(seconds=seconds), name)
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=found.nanoseconds // 1000)).astimezone(
        zone
    )


def _mapping(value: object) -> JSONObject:
    return value if isinstance(value, Mapping) else {}
