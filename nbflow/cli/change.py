"""`nbflow stop`, `terminate`, `suspend`, `resume`, `delete`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import click

from nbflow.cli.look import selection_of
from nbflow.cli.session import FIELD_SELECTOR, Session, on_target
from nbflow.clients.client import Client, Selection
from nbflow.commands import changing
from nbflow.commands.connecting import within
from nbflow.errors import NbflowError, NotFoundError

_SELECTOR = click.option(
    "-l", "--selector", default="", help="Selector (label query), e.g. key1=value1,key2!=value2"
)
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Only print what would happen")
_NODES = click.option("--node-field-selector", default="", help="selector of nodes, eg: displayName=approve")


@click.command("stop", short_help="stop workflows, allowing all exit handlers to run")
@click.argument("names", nargs=-1, metavar="WORKFLOW...")
@click.option("--message", default="", help="Message to add to previously running nodes")
@_NODES
@_SELECTOR
@FIELD_SELECTOR
@_DRY_RUN
@on_target
@click.pass_obj
def stop(
    session: Session,
    names: Sequence[str],
    message: str,
    node_field_selector: str,
    selector: str,
    field_selector: str,
    dry_run: bool,  # click's signature
) -> int:
    """Stop workflows but still run their exit handlers."""
    for name in _chosen(session, names, selector, field_selector):
        if not dry_run:
            changing.stop(session.client, name, message=message, node_selector=node_field_selector)
        _say(session, f"workflow {name} stopped", dry_run=dry_run)
    return 0


@click.command("terminate", short_help="terminate workflows immediately")
@click.argument("names", nargs=-1, metavar="WORKFLOW...")
@_SELECTOR
@FIELD_SELECTOR
@_DRY_RUN
@on_target
@click.pass_obj
def terminate(
    session: Session, names: Sequence[str], selector: str, field_selector: str, dry_run: bool
) -> int:  # click's signature
    """Immediately stop workflows, without their exit handlers."""
    for name in _chosen(session, names, selector, field_selector):
        if not dry_run:
            changing.terminate(session.client, name)
        _say(session, f"workflow {name} terminated", dry_run=dry_run)
    return 0


@click.command("suspend", short_help="suspend workflows (opposite of resume)")
@click.argument("names", nargs=-1, required=True, metavar="WORKFLOW...")
@on_target
@click.pass_obj
def suspend(session: Session, names: Sequence[str]) -> int:
    """Start no more steps of these workflows until they are resumed."""
    for name in changing.choose(session.client, names, None):
        changing.suspend(session.client, name)
        session.console.line(f"workflow {name} suspended")
    return 0


@click.command("resume", short_help="resume workflows (opposite of suspend)")
@click.argument("names", nargs=-1, metavar="WORKFLOW...")
@_NODES
@on_target
@click.pass_obj
def resume(session: Session, names: Sequence[str], node_field_selector: str) -> int:
    """Go on with suspended workflows, or with their suspended steps."""
    if not names:
        raise NbflowError("requires a workflow", fix="nbflow resume WORKFLOW, or @latest")
    for name in changing.choose(session.client, names, None):
        changing.resume(session.client, name, node_selector=node_field_selector)
        session.console.line(f"workflow {name} resumed")
    return 0


@click.command("delete", short_help="delete workflows")
@click.argument("names", nargs=-1, metavar="WORKFLOW...")
@click.option("--all", "everything", is_flag=True, help="Delete all workflows")
@click.option("--completed", is_flag=True, help="Delete completed workflows")
@click.option("--resubmitted", is_flag=True, help="Delete resubmitted workflows")
@click.option("--prefix", default="", help="Delete workflows by prefix")
@click.option("--older", default="", help="Delete workflows finished before the duration (10m, 3h, 1d)")
@click.option("--status", multiple=True, help="Delete by status (comma separated)")
@click.option("--force", is_flag=True, help="Delete workflows also where finalizers hold them")
@click.option("-A", "--all-namespaces", is_flag=True, help="Delete workflows from all namespaces")
@click.option("--query-chunk-size", type=int, default=0, hidden=True)
@_SELECTOR
@FIELD_SELECTOR
@_DRY_RUN
@on_target
@click.pass_obj
def delete(
    session: Session, /, names: Sequence[str], dry_run: bool, force: bool, **filters: object
) -> int:  # click's signature
    """Delete workflows with their pods, logs and artifacts; what runs is ended first."""
    filters.pop("query_chunk_size")
    given = any(filters.values())
    if not names and not given:
        raise NbflowError(
            "requires either a workflow or other argument", fix="nbflow delete WORKFLOW, or --all"
        )
    chosen = _to_delete(session, names, filters if given else None)
    if not chosen:
        session.console.line("No resources found")
    missing = 0
    for client, name in chosen:
        try:
            found = name if dry_run else changing.delete(client, name, force=force)
        except NotFoundError:
            session.console.say(f"Workflow '{name}' not found")
            missing += 1
            continue
        _say(session, f"Workflow '{found}' deleted", dry_run=dry_run)
    return 2 if missing else 0


COMMANDS = {"stop": stop, "terminate": terminate, "suspend": suspend, "resume": resume, "delete": delete}


def _chosen(session: Session, names: Sequence[str], selector: str, fields: str) -> list[str]:
    if not names and not selector and not fields:
        raise NbflowError("requires either selector or workflow", fix="name a workflow, or @latest")
    chosen = Selection(labels=selector, fields=fields, running=True) if selector or fields else None
    return changing.choose(session.client, names, chosen)


def _to_delete(
    session: Session, names: Sequence[str], filters: dict[str, object] | None
) -> list[tuple[Client, str]]:
    """Each workflow once, with the client of its namespace."""
    chosen = [(session.client, name) for name in changing.choose(session.client, names, None)]
    if filters is None:
        return chosen
    everywhere = bool(filters.get("all_namespaces"))
    selection, _, older = selection_of(filters)
    listed = session.client.list(replace(selection, all_namespaces=everywhere))
    if older:
        listed = [w for w in listed if w.status.finished_at and w.status.finished_at < older]
    found = [(within(session.client, w.namespace) if everywhere else session.client, w.name) for w in listed]
    return [*chosen, *(one for one in found if one not in chosen)]


def _say(session: Session, text: str, *, dry_run: bool) -> None:
    session.console.line(f"{text} (dry-run)" if dry_run else text)
