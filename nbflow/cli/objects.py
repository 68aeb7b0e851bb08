"""`nbflow create`, `secret`, `configmap`, `volume`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import click

from nbflow.cli.console import now, print_data
from nbflow.cli.session import Session, on_target, output
from nbflow.commands import objects
from nbflow.commands.linting import object_name
from nbflow.spec.status import parse_time

Command = TypeVar("Command", bound=Callable[..., object])


@click.command("create", short_help="create what a manifest needs")
@click.option(
    "-f",
    "--filename",
    "files",
    multiple=True,
    required=True,
    metavar="FILE",
    help="a manifest; `-` is standard input",
)
@on_target
@click.pass_obj
def create(session: Session, files: Sequence[str]) -> int:
    """Create secrets, config maps, claims and templates from manifests; submit the workflows among them."""
    from nbflow.commands.manifests import expand, load_all
    from nbflow.commands.stored import word_on_crons
    from nbflow.commands.submission import prepare, send
    from nbflow.revise.submit import SubmitOptions

    documents = load_all(expand(files))
    if any(document.kind == "Workflow" for document in documents):
        prepared = prepare(documents, SubmitOptions(namespace=session.namespace), session.client)
        for name in send(prepared, session.client, session.console.say).names:
            session.console.line(f"workflow/{name} created")
        return 0
    stored, remarks = objects.create_all(documents, session.client)
    for remark in remarks:
        session.console.say(remark)
    for one in stored:
        end = "unchanged: it exists already" if one.existed else "created"
        session.console.line(f"{one.kind.lower()}/{one.name} {end}")
    if any(one.kind == "CronWorkflow" for one in stored) and (word := word_on_crons(session.client)):
        session.console.say(word)
    return 0


def _sources(command: Command) -> Command:
    """The three ways to give values, as kubectl has them."""
    for option in (
        click.option(
            "--from-env-file", "env_files", multiple=True, metavar="FILE", help="lines of KEY=VALUE"
        ),
        click.option("--from-file", "files", multiple=True, metavar="[KEY=]PATH", help="a file is a value"),
        click.option(
            "--from-literal", "literals", multiple=True, metavar="KEY=VALUE", help="a value as it is"
        ),
    ):
        command = option(command)
    return command


@click.group("secret", short_help="create, list and delete secrets")
def secret() -> None:
    """Secrets for the steps of workflows. Values are stored for their owner alone, and never shown."""


@secret.command("create")
@click.argument("name")
@_sources
@click.option("--type", "kind", default="Opaque", help="the type of secret")
@on_target
@click.pass_obj
def create_secret(
    session: Session,
    name: str,
    literals: Sequence[str],
    files: Sequence[str],
    env_files: Sequence[str],
    kind: str,
) -> int:
    """Create a secret: nbflow secret create my-secret --from-literal=password=..."""
    values = objects.collect(literals, files, env_files)
    objects.create_secret(session.client, name, values, kind=kind)
    session.console.line(f"secret/{name} created")
    return 0


@click.group("configmap", short_help="create, list and delete config maps")
def configmap() -> None:
    """Config maps for the steps of workflows."""


@configmap.command("create")
@click.argument("name")
@_sources
@click.option("-l", "--labels", default="", help="Comma separated labels")
@on_target
@click.pass_obj
def create_configmap(
    session: Session,
    name: str,
    literals: Sequence[str],
    files: Sequence[str],
    env_files: Sequence[str],
    labels: str,
) -> int:
    """Create a config map: nbflow configmap create settings --from-file=settings.ini

    Parameters that come from a config map need the label workflows.argoproj.io/configmap-type=Parameter.
    """
    from nbflow.revise.submit import parse_labels

    values = objects.collect(literals, files, env_files)
    objects.create_config_map(session.client, name, values, labels=parse_labels(labels))
    session.console.line(f"configmap/{name} created")
    return 0


@click.group("volume", short_help="create, list and delete volumes")
def volume() -> None:
    """Volumes that outlive workflows: persistent volume claims, here a folder each."""


@volume.command("create")
@click.argument("name")
@click.option("--size", default="1Gi", help="how much a cluster would reserve; not enforced here")
@on_target
@click.pass_obj
def create_volume(session: Session, name: str, size: str) -> int:
    """Create a claim that pods mount by name: nbflow volume create my-existing-volume"""
    objects.create_claim(session.client, name, size)
    session.console.line(f"volume/{name} created")
    return 0


def _add_list_and_delete(group: click.Group, kind: str, word: str) -> None:

    @group.command("list", help=f"List {word}s.")
    @output("name", "json", "yaml")
    @on_target
    @click.pass_obj
    def list_(session: Session, output: str | None) -> int:
        found = objects.list_objects(session.client, kind)
        _print(session, found, output or "")
        return 0

    @group.command("delete", help=f"Delete {word}s.")
    @click.argument("names", nargs=-1, required=True)
    @on_target
    @click.pass_obj
    def delete(session: Session, names: Sequence[str]) -> int:
        for name in names:
            session.client.delete_object(kind, name)
            session.console.line(f'{word} "{name}" deleted')
        return 0


_add_list_and_delete(secret, "Secret", "secret")
_add_list_and_delete(configmap, "ConfigMap", "configmap")
_add_list_and_delete(volume, "PersistentVolumeClaim", "volume")

COMMANDS: dict[str, click.Command] = {
    "create": create,
    "secret": secret,
    "configmap": configmap,
    "volume": volume,
}


def _print(session: Session, found: Sequence[Mapping[str, object]], form: str) -> None:
    from nbflow.views.durations import between, short
    from nbflow.views.text import clean, columns

    if form in ("json", "yaml"):
        print_data(session.console, [dict(one) for one in found], form)
        return
    names = [clean(object_name(one)) for one in found]
    if form == "name":
        session.console.write("".join(f"{name}\n" for name in names))
        return
    if not names:
        session.console.line("No resources found")
        return
    moment = now()
    ages = [short(between(_created(one), None, moment)) for one in found]
    rows = [("NAME", "DATA", "AGE"), *zip(names, map(_count, found), ages, strict=True)]
    session.console.write("\n".join(columns(rows, 3)) + "\n")


def _created(one: Mapping[str, object]) -> datetime | None:
    metadata = one.get("metadata")
    return parse_time(metadata.get("creationTimestamp")) if isinstance(metadata, Mapping) else None


def _count(one: Mapping[str, object]) -> str:
    """How many values there are, as far as the client tells."""
    parts = [one[key] for key in ("data", "stringData", "binaryData") if key in one]
    return str(sum(len(part) for part in parts if isinstance(part, Mapping))) if parts else "-"
