"""Graph: the drawing of a manifest, or of a workflow that runs or ran."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nbflow.commands.linting import KINDS, refuse_errors
from nbflow.commands.manifests import Manifest, load
from nbflow.errors import NbflowError, NotFoundError
from nbflow.spec.status import WorkflowObject
from nbflow.views.graph import dot

if TYPE_CHECKING:
    from nbflow.clients.client import Client

FORMS = ("svg", "dot", "png")


def graph(client: Client, what: str) -> str:
    """The graph in DOT of a manifest (a path, "-") or of the workflow of that name.

    Raises NbflowError if it is neither.
    """
    return dot(find_drawable(client, what))


def find_drawable(client: Client, what: str) -> WorkflowObject:
    """The object that a path or a name stands for."""
    if what == "-" or what.startswith(("http://", "https://")) or Path(what).is_file():
        return object_of(what)
    try:
        return client.get(what)
    except NotFoundError as error:
        raise NotFoundError(
            f"there is no file and no workflow {what!r}",
            fix="name a manifest, or a workflow of `nbflow list`",
        ) from error


def object_of(manifest: Manifest) -> WorkflowObject:
    """The first workflow or template of a manifest, its status included where it has one.

    Raises ManifestError or NbflowError if there is nothing to draw.
    """
    documents = load(manifest)
    drawable = [document for document in documents if document.kind in KINDS or document.findings]
    if not drawable:
        raise NbflowError("there is no workflow in it to draw", fix=f"graph draws {', '.join(KINDS)} objects")
    first = drawable[0]
    refuse_errors(first.findings if not first.data else [])
    spec = first.data.get("spec")
    if first.kind == "CronWorkflow" and isinstance(spec, Mapping):
        return WorkflowObject.from_dict({**first.data, "spec": spec.get("workflowSpec")})
    return WorkflowObject.from_dict(first.data)


def render(drawing: str, form: str) -> bytes:
    """DOT as "svg", "png" or, as it is, "dot"."""
    from nbflow.render import png, svg

    if form == "png":
        return png(drawing)
    return (svg(drawing) + "\n" if form == "svg" else drawing).encode()
