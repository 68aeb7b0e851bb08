"""`nbflow template`, `cluster-template`, and what `cron` shares with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import click

from nbflow.cli.console import now, print_data, print_objects
from nbflow.cli.session import Session, on_target, output
from nbflow.commands.linting import lint_parsed, object_name, refuse_errors
from nbflow.errors import ConflictError, NbflowError
from nbflow.spec.status import parse_time

Command = TypeVar("Command", bound=Callable[..., object])
JSONObject = Mapping[str, object]

FILES = click.argument("files", nargs=-1, required=True, metavar="FILE...")
NAMES = click.argument("names", nargs=-1, required=True, metavar="NAME...")
STRICT = click.option("--strict/--no-strict", default=True, help="perform strict workflow validation")
CRON = "CronWorkflow"


@click.group("template", short_help="manipulate workflow templates")
def template() -> None:
    """Workflow templates: what workflows of a namespace refer to."""


@click.group("cluster-template", short_help="manipulate cluster workflow templates")
def cluster_template() -> None:
    """Cluster workflow templates: what workflows of all namespaces refer to."""


def create_all(session: Session, group: str, manifests: Sequence[JSONObject], form: str) -> int:
    """Store objects that are not there yet, and print them. Raises ConflictError if one is."""
    for manifest in manifests:
        stored = session.client.create(manifest)
        if stored.existed:
            raise ConflictError(f'{stored.kind} "{stored.name}" already exists', fix=f"nbflow {group} update")
        print_details(session, [stored.object], stored.kind, form)
    return 0


def update_all(session: Session, group: str, manifests: Sequence[JSONObject], form: str) -> int:
    """Replace objects that are there, and print them."""
    from nbflow.commands.again import replacing

    client = replacing(session.client, f"{group} update")
    for manifest in manifests:
        client.replace(manifest)
        kind = str(manifest.get("kind"))
        print_details(session, [session.client.get_object(kind, object_name(manifest))], kind, form)
    return 0


def say_of_crons(session: Session) -> None:
    """What people should know who let cron workflows run here."""
    from nbflow.commands.stored import word_on_crons

    if word := word_on_crons(session.client):
        session.console.say(word)


def add_update(group: click.Group, kind: str) -> None:
    """`update`."""

    @group.command("update", help=f"Update {kind}s from manifests.")
    @FILES
    @STRICT
    @output("name", "json", "yaml", "wide")
    @on_target
    @click.pass_obj
    def update(session: Session, files: Sequence[str], strict: bool, output: str | None) -> int:
        manifests = checked(session, files, kind, strict=strict)
        return update_all(session, str(group.name), manifests, output or "")


def add_delete(group: click.Group, kind: str) -> None:
    """`delete`."""

    @group.command("delete", help=f"Delete {kind}s.")
    @click.argument("names", nargs=-1, metavar="NAME...")
    @click.option("--all", "everything", is_flag=True, help=f"Delete all {kind}s")
    @on_target
    @click.pass_obj
    def delete(session: Session, names: Sequence[str], everything: bool) -> int:  # click's signature
        if not names and not everything:
            raise NbflowError(
                f"requires the name of a {kind}, or --all", fix=f"nbflow {group.name} delete NAME"
            )
        chosen = [object_name(one) for one in session.client.objects(kind)] if everything else names
        for name in chosen:
            session.client.delete_object(kind, name)
            session.console.line(f"{kind} '{name}' deleted")
        return 0


def add_get(group: click.Group, kind: str) -> None:
    """`get`."""

    @group.command("get", help=f"Display details about {kind}s.")
    @NAMES
    @output("name", "json", "yaml", "wide")
    @on_target
    @click.pass_obj
    def get(session: Session, names: Sequence[str], output: str | None) -> int:
        print_details(session, [session.client.get_object(kind, name) for name in names], kind, output or "")
        return 0


def add_list(group: click.Group, kind: str) -> None:
    """`list`."""

    @group.command("list", help=f"List {kind}s.")
    @_everywhere(kind)
    @click.option("-l", "--selector", default="", help="Selector (label query) to filter on")
    @output("name", "json", "yaml", "wide")
    @on_target
    @click.pass_obj
    def list_(session: Session, selector: str, output: str | None, all_namespaces: bool = False) -> int:
        from nbflow.clients.client import Selection
        from nbflow.commands.objects import list_objects

        selection = Selection(labels=selector, all_namespaces=all_namespaces)
        found = list_objects(session.client, kind, selection)
        if output in {"json", "yaml"}:
            print_data(session.console, [dict(one) for one in found], str(output))
        elif output == "name":
            session.console.write("".join(f"{object_name(one)}\n" for one in found))
        else:
            local = session.client.target != "argo"
            session.console.write(_table(found, kind, namespaces=all_namespaces, local=local))
        return 0


def _everywhere(kind: str) -> Callable[[Command], Command]:
    """`-A`, for kinds that live in namespaces."""
    if kind.startswith("Cluster"):
        return lambda command: command
    return click.option("-A", "--all-namespaces", is_flag=True, help=f"Show {kind}s from all namespaces")


def add_lint(group: click.Group, kind: str) -> None:
    """`lint`."""

    @group.command("lint", help=f"Validate files of {kind}s.")
    @FILES
    @STRICT
    @output("pretty", "simple")
    @on_target
    @click.pass_obj
    def lint(
        session: Session, files: Sequence[str], strict: bool, output: str | None
    ) -> int:  # click's signature
        from nbflow.cli.lint import report

        return report(session, files, [kind], strict=strict, output=output or "pretty")


def _add_create(group: click.Group, kind: str) -> None:
    @group.command("create", help=f"Create {kind}s from manifests.")
    @FILES
    @STRICT
    @output("name", "json", "yaml", "wide")
    @on_target
    @click.pass_obj
    def create(session: Session, files: Sequence[str], strict: bool, output: str | None) -> int:
        manifests = checked(session, files, kind, strict=strict)
        return create_all(session, str(group.name), manifests, output or "")


for _group, _kind in ((template, "WorkflowTemplate"), (cluster_template, "ClusterWorkflowTemplate")):
    for _add in (_add_create, add_update, add_delete, add_get, add_list, add_lint):
        _add(_group, _kind)

COMMANDS: dict[str, click.Command] = {"template": template, "cluster-template": cluster_template}


def checked(session: Session, files: Sequence[str], kind: str, *, strict: bool) -> list[JSONObject]:
    """The manifests of that kind. Raises ManifestError or NbflowError before anything is created."""
    from nbflow.commands.manifests import expand, load_all
    from nbflow.commands.support import check_created

    documents = load_all(expand(files), strict=strict)
    chosen = [document for document in documents if document.kind == kind]
    if not chosen:
        raise NbflowError(f"No {kind} found in given files", fix=f"a manifest to create has `kind: {kind}`")
    for finding in refuse_errors(lint_parsed(documents, client=session.client, kinds=[kind])):
        session.console.say(finding.render())
    for remark in check_created(chosen, session.client):
        session.console.say(remark)
    return [document.data for document in chosen]


def print_details(session: Session, found: Sequence[JSONObject], kind: str, form: str) -> None:
    """Objects in full."""
    local = session.client.target != "argo"
    if form in {"json", "yaml"}:
        print_objects(session.console, found, form)
        return
    for one in found:
        if form == "name":
            session.console.line(object_name(one))
        else:
            session.console.write(_details(one, kind, local=local))


def _details(one: JSONObject, kind: str, *, local: bool) -> str:
    from nbflow.views.crons import cron_details
    from nbflow.views.durations import timestamp

    if kind == CRON:
        return cron_details(one, now=now(), local=local)
    metadata = one.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    created = parse_time(metadata.get("creationTimestamp"))
    rows = (
        ("Name:", metadata.get("name")),
        ("Namespace:", metadata.get("namespace")),
        ("Created:", timestamp(created, now()) if created else ""),
    )
    return "".join(f"{label:<20} {value}\n" for label, value in rows if value)


def _table(found: Sequence[JSONObject], kind: str, *, namespaces: bool, local: bool) -> str:
    from nbflow.views.crons import cron_table
    from nbflow.views.text import clean, columns

    if not found:
        return "No resources found\n"
    if kind == CRON:
        return cron_table(found, now=now(), namespaces=namespaces, local=local)
    names = ["NAME", *(clean(object_name(one)) for one in found)]
    if not namespaces:
        return "".join(f"{name}\n" for name in names)
    spaces = ["NAMESPACE", *(clean(_namespace(one)) for one in found)]
    return "\n".join(columns(list(zip(spaces, names, strict=True)), 3)) + "\n"


def _namespace(one: JSONObject) -> str:
    metadata = one.get("metadata")
    return str(metadata.get("namespace") or "") if isinstance(metadata, Mapping) else ""
