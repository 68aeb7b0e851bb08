"""Notebooks and reports, from what clients and files have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nbflow.commands.manifests import read_bytes
from nbflow.errors import NbflowError, NotFoundError

if TYPE_CHECKING:
    from nbflow.clients.client import Client
    from nbflow.documents.report import Log
    from nbflow.spec.status import WorkflowObject

_LOGS = 100
"""The logs of so many pods are in a report: those of failed ones first."""


def notebook_text(paths: Sequence[str]) -> str:
    """A notebook with the manifests in these files, as text. Raises NbflowError if one cannot be read."""
    from nbflow.documents.notebooks import Part, notebook_of, write_notebook

    parts = [Part(Path(path).stem if path != "-" else "workflow", _text(path)) for path in paths]
    return write_notebook(notebook_of(parts))


def manifests_in(path: str) -> str:
    """The manifests of a notebook's cells, as one text. Raises NbflowError if it has none."""
    from nbflow.documents.notebooks import manifest_text, manifests_of, read_notebook

    return manifest_text(manifests_of(read_notebook(read_bytes(path), path)))


def report(client: Client, name: str, to_yaml: Callable[[object], str]) -> tuple[str, str]:
    """The name of a workflow, and its report as HTML. Raises NotFoundError."""
    from nbflow.documents.report import report as write

    workflow = client.get(name)
    manifest = {
        "apiVersion": workflow.api_version,
        "kind": workflow.kind,
        "metadata": dict(workflow.metadata),
        "spec": dict(workflow.spec),
    }
    return workflow.name, write(workflow, _logs(client, workflow), to_yaml(manifest), datetime.now(UTC))


def _logs(client: Client, workflow: WorkflowObject) -> Iterator[Log]:
    from nbflow.clients.client import LogOptions
    from nbflow.documents.report import LINES, Log
    from nbflow.spec.status import NodeType

    pods = [n for n in workflow.status.nodes.values() if n.type is NodeType.POD and n.started_at]
    bad = [node for node in pods if node.phase and node.phase.bad]
    for node in [*bad, *(node for node in pods if node not in bad)][:_LOGS]:
        try:
            lines = [
                line.text for line in client.logs(workflow.name, LogOptions(pods=(node.id,), tail=LINES))
            ]
        except NotFoundError:
            continue
        if lines:
            yield Log(node, lines)


def _text(path: str) -> str:
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise NbflowError("this is no text in UTF-8", where=path) from error
