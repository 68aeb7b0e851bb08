"""`nbflow get`, `list`, `watch`, `wait`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from nbflow.cli.console import Console, now, print_data, print_workflows
from nbflow.cli.describing import describe
from nbflow.cli.session import FIELD_SELECTOR, Session, no_color, no_utf8, on_target, output
from nbflow.cli.waiting import exit_code, say_failures, wait_for
from nbflow.commands import reading
from nbflow.errors import NbflowError, NotFoundError
from nbflow.spec.status import WorkflowObject

if TYPE_CHECKING:
    from nbflow.clients.client import Selection


@click.command("get", short_help="display details about a workflow")
@click.argument("names", nargs=-1, required=True, metavar="WORKFLOW...")
@click.option(
    "--status", default="", help="Filter by status (Pending, Running, Succeeded, Skipped, Failed, Error)"
)
@click.option("--node-field-selector", default="", help="selector of node to display, eg: phase=Failed")
@output("name", "json", "yaml", "short", "wide")
@no_color
@no_utf8
@on_target
@click.pass_obj
def get(
    session: Session, names: Sequence[str], status: str, node_field_selector: str, output: str | None
) -> int:
    """Display details about workflows; `@latest` is the newest one."""
    if status and node_field_selector:
        raise NbflowError("cannot use both --status and --node-field-selector", fix="leave one out")
    selector = f"phase={reading.check_phases((status,))[0]}" if status else node_field_selector
    workflows = [reading.get(session.client, name) for name in names]
    if output in ("json", "yaml"):
        print_workflows(session.console, workflows, output)
        return 0
    for workflow in workflows:
        if output == "name":
            session.console.line(workflow.name)
        else:
            session.console.write(describe(session.console, workflow, output or "", selector))
    return 0


@click.command("list", short_help="list workflows")
@click.option("-A", "--all-namespaces", is_flag=True, help="Show workflows from all namespaces")
@click.option("--prefix", default="", help="Filter workflows by prefix")
@click.option(
    "--older", default="", help="List completed workflows finished before the duration (10m, 3h, 1d)"
)
@click.option("--since", default="", help="Show only workflows created within the duration (10m, 3h, 1d)")
@click.option("--status", multiple=True, help="Filter by status (comma separated)")
@click.option(
    "--completed", is_flag=True, help="Show completed workflows. Mutually exclusive with --running."
)
@click.option("--running", is_flag=True, help="Show running workflows. Mutually exclusive with --completed.")
@click.option("--resubmitted", is_flag=True, help="Show resubmitted workflows")
@click.option("--chunk-size", type=int, default=0, hidden=True)
@click.option("--no-headers", is_flag=True, help="Don't print headers (default print headers).")
@click.option(
    "-l", "--selector", default="", help="Selector (label query) to filter on, e.g. key1=value1,key2!=value2"
)
@FIELD_SELECTOR
@output("name", "json", "yaml", "wide")
@no_color
@on_target
@click.pass_obj
def list_(
    session: Session, /, all_namespaces: bool, no_headers: bool, output: str | None, **filters: object
) -> int:  # click's signature
    """List workflows."""
    workflows = listed(session, {**filters, "all_namespaces": all_namespaces, "output": output})
    _print_list(session.console, workflows, output or "", headers=not no_headers, namespaces=all_namespaces)
    return 0


def listed(session: Session, filters: Mapping[str, object]) -> Sequence[WorkflowObject]:
    """The workflows that the flags of `list` choose. Raises NbflowError if they make no sense."""
    selection, since, older = selection_of(filters)
    everywhere, whole = bool(filters.get("all_namespaces")), filters.get("output") in {"wide", "json", "yaml"}
    selection = replace(selection, all_namespaces=everywhere, whole=whole)
    workflows = _in_time(reading.list_workflows(session.client, selection), since, older)
    if session.namespace and not everywhere:
        workflows = [w for w in workflows if (w.namespace or "default") == session.namespace]
    return workflows


def selection_of(filters: Mapping[str, object]) -> tuple[Selection, datetime | None, datetime | None]:
    """Filter flags as a selection, and the times of --since and --older. Raises NbflowError if they make no sense."""
    from nbflow.clients.client import Selection

    if filters.get("completed") and filters.get("running"):
        raise NbflowError("--completed and --running cannot be used together", fix="leave one out")
    given = filters.get("status")
    phases = [part for text in given for part in str(text).split(",")] if isinstance(given, tuple) else []
    labels = [str(filters.get("selector") or "")]
    if filters.get("resubmitted"):
        labels.append("workflows.argoproj.io/resubmitted-from-workflow")
    selection = Selection(
        labels=",".join(label for label in labels if label),
        fields=str(filters.get("field_selector") or ""),
        phases=reading.check_phases(phases),
        running=bool(filters.get("running")),
        completed=bool(filters.get("completed")),
        prefix=str(filters.get("prefix") or ""),
    )
    return selection, _ago(filters.get("since")), _ago(filters.get("older"))


def _ago(text: object) -> datetime | None:
    return now() - parse_since(str(text)) if text else None


def parse_since(text: str) -> timedelta:
    """Such as "90s", "10m", "3h", "1h30m" or "2d". Raises NbflowError for anything else."""
    import re

    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|[smhdw])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise NbflowError(f"{text!r} is no duration", fix="write 30s, 10m, 3h or 1d")
    try:
        return timedelta(seconds=sum(float(number) * units[unit] for number, unit in parts))
    except OverflowError as error:
        raise NbflowError(f"{text!r} is too long a duration") from error


def _in_time(
    workflows: Sequence[WorkflowObject], since: datetime | None, older: datetime | None
) -> Sequence[WorkflowObject]:
    from nbflow.views.tables import created_at

    if since:
        workflows = [w for w in workflows if (at := created_at(w)) and at > since]
    if older:
        workflows = [w for w in workflows if (at := w.status.finished_at) and at < older]
    return workflows


def _print_list(
    console: Console, workflows: Sequence[WorkflowObject], form: str, *, headers: bool, namespaces: bool
) -> None:
    if form in ("json", "yaml"):
        print_data(console, [workflow.to_dict() for workflow in workflows], form)
    elif form == "name" and workflows:
        console.write("".join(f"{workflow.name}\n" for workflow in workflows))
    else:
        from nbflow.views.tables import table

        console.write(
            table(workflows, now=now(), wide=form == "wide", headers=headers, namespaces=namespaces)
        )


@click.command("watch", short_help="watch a workflow until it completes")
@click.argument("name", metavar="WORKFLOW")
@click.option(
    "--status", default="", help="Filter by status (Pending, Running, Succeeded, Skipped, Failed, Error)"
)
@click.option("--node-field-selector", default="", help="selector of node to display, eg: phase=Failed")
@no_color
@no_utf8
@on_target
@click.pass_obj
def watch(session: Session, name: str, status: str, node_field_selector: str) -> int:
    """Watch a workflow until it completes; `@latest` is the newest one. Ctrl-C leaves it running."""
    from nbflow.cli.watching import watch_workflow

    selector = f"phase={reading.check_phases((status,))[0]}" if status else node_field_selector
    found = reading.resolve(session.client, name)
    return watch_workflow(session.console, session.client, found, selector=selector)


@click.command("wait", short_help="wait for workflows to complete")
@click.argument("names", nargs=-1, required=True, metavar="WORKFLOW...")
@click.option("--ignore-not-found", is_flag=True, help="Ignore the wait if the workflow is not found")
@on_target
@click.pass_obj
def wait(session: Session, names: Sequence[str], ignore_not_found: bool) -> int:  # click's signature
    """Wait for workflows to complete; `@latest` is the newest one. Ctrl-C leaves them running."""
    found = [name for name in names if not ignore_not_found or _exists(session, name)]
    finished = wait_for(session, [reading.resolve(session.client, name) for name in found])
    say_failures(session.console, finished)
    return exit_code(finished)


COMMANDS = {"get": get, "list": list_, "watch": watch, "wait": wait}


def _exists(session: Session, name: str) -> bool:
    try:
        reading.get(session.client, name)
    except NotFoundError:
        return False
    return True
