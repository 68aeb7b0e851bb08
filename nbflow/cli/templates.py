"""`nbflow template`, `cluster-template`, `cron`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from nbflow.cli.console import now, print_data, print_objects
from nbflow.cli.session import Session, on_target, output
from nbflow.commands import objects
from nbflow.commands.again import replacing
from nbflow.commands.linting import lint_parsed, object_name, refuse_errors
from nbflow.commands.stored import find_object, word_on_crons
from nbflow.errors import ConflictError, NbflowError
from nbflow.spec.status import parse_time

_FILES = click.argument("files", nargs=-1, required=True, metavar="FILE...")
_NAMES = click.argument("names", nargs=-1, required=True, metavar="NAME...")


@click.group("template", short_help="manipulate workflow templates")
def template() -> None:
    """Workflow templates: what workflows of a namespace refer to."""


@click.group("cluster-template", short_help="manipulate cluster workflow templates")
def cluster_template() -> None:
    """Cluster workflow templates: what workflows of all namespaces refer to."""


@click.group("cron", short_help="manage cron workflows")
def cron() -> None:
    """Cron workflows: workflows that start at set times."""


def _add_changes(group: click.Group, kind: str) -> None:
    @group.command("create", help=f"Create {kind}s from manifests.")
    @_FILES
    @output("name", "json", "yaml")
    @on_target
    @click.pass_obj
    def create(session: Session, files: Sequence[str], output: str | None) -> int:
        for manifest in _checked(session, files, kind):
            stored = session.client.create(manifest)
            if stored.existed:
                raise ConflictError(
                    f'{kind} "{stored.name}" already exists', fix=f"nbflow {group.name} update"
                )
            _print(session, [stored.object], kind, output or "")
        _say_of_crons(session, kind)
        return 0

    @group.command("update", help=f"Update {kind}s from manifests.")
    @_FILES
    @output("name", "json", "yaml")
    @on_target
    @click.pass_obj
    def update(session: Session, files: Sequence[str], output: str | None) -> int:
        for manifest in _checked(session, files, kind):
            replacing(session.client, f"{group.name} update").replace(manifest)
            _print(session, [find_object(session.client, kind, object_name(manifest))], kind, output or "")
        return 0

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


def _add_looks(group: click.Group, kind: str) -> None:
    @group.command("get", help=f"Display details about {kind}s.")
    @_NAMES
    @output("name", "json", "yaml")
    @on_target
    @click.pass_obj
    def get(session: Session, names: Sequence[str], output: str | None) -> int:
        found = [find_object(session.client, kind, name) for name in names]
        if output in {"json", "yaml"}:
            print_objects(session.console, found, str(output))
            return 0
        _print(session, found, kind, output or "")
        return 0

    @group.command("list", help=f"List {kind}s.")
    @output("name", "json", "yaml", "wide")
    @on_target
    @click.pass_obj
    def list_(session: Session, output: str | None) -> int:
        found = objects.list_objects(session.client, kind)
        if output in {"json", "yaml"}:
            print_data(session.console, [dict(one) for one in found], str(output))
        else:
            _table(session, found, kind, names_only=output == "name")
        return 0

    @group.command("lint", help=f"Validate files of {kind}s.")
    @_FILES
    @click.option("--strict/--no-strict", default=True, help="perform strict workflow validation")
    @output("pretty", "simple")
    @on_target
    @click.pass_obj
    def lint(
        session: Session, files: Sequence[str], strict: bool, output: str | None
    ) -> int:  # click's signature
        from nbflow.cli.lint import report

        return report(session, files, [kind], strict=strict, output=output or "pretty")


for _group, _kind in (
    (template, "WorkflowTemplate"),
    (cluster_template, "ClusterWorkflowTemplate"),
    (cron, "CronWorkflow"),
):
    _add_changes(_group, _kind)
    _add_looks(_group, _kind)


def _add_switch(verb: str, done: str, *, suspend: bool) -> None:
    @cron.command(verb, help=f"{verb.capitalize()} cron workflows.")
    @_NAMES
    @on_target
    @click.pass_obj
    def switch(session: Session, names: Sequence[str]) -> int:
        for name in names:
            replacing(session.client, f"cron {verb}").merge(
                "CronWorkflow", name, {"spec": {"suspend": suspend}}
            )
            session.console.line(f"CronWorkflow '{name}' {done}")
        if not suspend:
            _say_of_crons(session, "CronWorkflow")
        return 0


_add_switch("suspend", "suspended", suspend=True)
_add_switch("resume", "resumed", suspend=False)

COMMANDS: dict[str, click.Command] = {
    "template": template,
    "cluster-template": cluster_template,
    "cron": cron,
}


def _say_of_crons(session: Session, kind: str) -> None:
    if kind == "CronWorkflow" and (word := word_on_crons(session.client)):
        session.console.say(word)


def _checked(session: Session, files: Sequence[str], kind: str) -> list[Mapping[str, object]]:
    """The manifests of that kind. Raises ManifestError or NbflowError before anything is created."""
    from nbflow.commands.manifests import expand, load_all
    from nbflow.commands.support import check_created

    documents = load_all(expand(files))
    chosen = [document for document in documents if document.kind == kind]
    if not chosen:
        raise NbflowError(f"No {kind} found in given files", fix=f"a manifest to create has `kind: {kind}`")
    for finding in refuse_errors(lint_parsed(documents, client=session.client, kinds=[kind])):
        session.console.say(finding.render())
    for remark in check_created(chosen, session.client):
        session.console.say(remark)
    return [document.data for document in chosen]


def _print(session: Session, found: Sequence[Mapping[str, object]], kind: str, form: str) -> None:
    if form in {"json", "yaml"}:
        print_objects(session.console, found, form)
        return
    for one in found:
        metadata = _mapping(one.get("metadata"))
        if form == "name":
            session.console.line(object_name(one))
            continue
        rows = [("Name:", metadata.get("name")), ("Namespace:", metadata.get("namespace"))]
        rows.append(("Created:", metadata.get("creationTimestamp")))
        if kind == "CronWorkflow":
            spec = _mapping(one.get("spec"))
            rows += [("Schedules:", _schedules(spec)), ("Suspended:", str(bool(spec.get("suspend"))).lower())]
        session.console.write("".join(f"{label:<30}{value}\n" for label, value in rows if value))


def _table(session: Session, found: Sequence[Mapping[str, object]], kind: str, *, names_only: bool) -> None:
    from nbflow.views.durations import between, short
    from nbflow.views.text import clean, columns

    names = [clean(object_name(one)) for one in found]
    if names_only:
        session.console.write("".join(f"{name}\n" for name in names))
        return
    if not names:
        session.console.line("No resources found")
        return
    if kind != "CronWorkflow":
        session.console.write("\n".join(columns([("NAME",), *((name,) for name in names)], 3)) + "\n")
        return
    rows = [("NAME", "AGE", "LAST RUN", "SCHEDULES", "TIMEZONE", "SUSPENDED")]
    for name, one in zip(names, found, strict=True):
        spec = _mapping(one.get("spec"))
        created = parse_time(_mapping(one.get("metadata")).get("creationTimestamp"))
        last = parse_time(_mapping(one.get("status")).get("lastScheduledTime"))
        age, ago = short(between(created, None, now())), short(between(last, None, now())) if last else "N/A"
        zone, off = str(spec.get("timezone") or ""), str(bool(spec.get("suspend"))).lower()
        rows.append((name, age, ago, _schedules(spec), zone, off))
    session.console.write("\n".join(columns(rows, 3)) + "\n")


def _schedules(spec: Mapping[str, object]) -> str:
    listed = spec.get("schedules")
    return ",".join(map(str, listed)) if isinstance(listed, list) else str(spec.get("schedule") or "")


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
