"""Copy output artifacts to a folder: `cp`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from nbflow.errors import NbflowError, NotFoundError
from nbflow.spec.status import NodeStatus, WorkflowObject, artifacts_by_name

if TYPE_CHECKING:
    from nbflow.clients.client import Client

PLACES = "{namespace}/{workflowName}/{nodeId}/outputs/{artifactName}"


@runtime_checkable
class Copying(Protocol):
    """A client that can copy an artifact without holding it in memory."""

    def copy_artifact(self, name: str, node_id: str, artifact: str, target: Path) -> None:
        """Put it there, a file or a folder; what is there goes."""


class Wanted(NamedTuple):
    """Which artifacts to copy; "" for all."""

    node: str = ""
    template: str = ""
    artifact: str = ""


def copy_artifacts(
    client: Client, name: str, folder: Path, wanted: Wanted = Wanted(), places: str = PLACES
) -> Iterator[Path]:
    """Copy output artifacts of a workflow below `folder`, and say where each is.

    places: the folder of each, with {namespace}, {workflowName}, {nodeId}, {templateName} and {artifactName}.
    Raises NotFoundError if there is none.
    """
    workflow = client.get(name)
    found = list(_chosen(workflow, wanted))
    if not found:
        raise NotFoundError(f"no such artifact in workflow {workflow.name!r}", fix=_known(workflow))
    for node, artifact in found:
        target = folder / _filled(places, workflow, node, artifact) / _file_name(artifact)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            copy_artifact(client, workflow.name, node.id, str(artifact["name"]), target)
        except OSError as error:
            raise NbflowError(f"cannot be written: {error.strerror}", where=str(target)) from error
        yield target


def _chosen(workflow: WorkflowObject, wanted: Wanted) -> Iterator[tuple[NodeStatus, Mapping[str, object]]]:
    for node in workflow.status.nodes.values():
        if wanted.node not in ("", node.id) or wanted.template not in ("", _template(node)):
            continue
        for name, artifact in artifacts_by_name(node.outputs).items():
            if wanted.artifact in ("", name):
                yield node, artifact


def _template(node: NodeStatus) -> str:
    reference = node.extra.get("templateRef")
    return str(reference.get("template", "")) if isinstance(reference, Mapping) else node.template_name


def _filled(places: str, workflow: WorkflowObject, node: NodeStatus, artifact: Mapping[str, object]) -> str:
    known = {
        "templateName": _template(node),
        "namespace": workflow.namespace or "default",
        "workflowName": workflow.name,
        "nodeId": node.id,
        "artifactName": str(artifact["name"]),
    }
    for key, value in known.items():
        places = places.replace(f"{{{key}}}", value, 1)
    return places


def _file_name(artifact: Mapping[str, object]) -> str:
    """The last part of the artifact's key; its name where it has no key."""
    keys = (place.get("key") for place in artifact.values() if isinstance(place, Mapping))
    key = next((str(key) for key in keys if key), "")
    last = key.rstrip("/").rpartition("/")[2]
    return last if last not in ("", ".", "..") else str(artifact["name"])


def copy_artifact(client: Client, name: str, node_id: str, artifact: str, target: Path) -> None:
    """Put an artifact, as it is stored, at `target`: a file or a folder."""
    if isinstance(client, Copying):
        client.copy_artifact(name, node_id, artifact, target)
    else:
        target.write_bytes(client.artifact(name, node_id, artifact))


def _known(workflow: WorkflowObject) -> str:
    names = {name for node in workflow.status.nodes.values() for name in artifacts_by_name(node.outputs)}
    return f"it has: {', '.join(sorted(names))}" if names else "it has no output artifacts"
