"""The names of objects: what Kubernetes would take."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nbflow.errors import NbflowError

if TYPE_CHECKING:
    from nbflow.spec.yaml import Document

CREATED_FIRST = (
    "Secret",
    "ConfigMap",
    "PersistentVolumeClaim",
    "WorkflowTemplate",
    "ClusterWorkflowTemplate",
)
"""The kinds that a submit creates before the workflows of the same file."""

_LONGEST = 253
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")


def check_name(name: str, kind: str, *, where: str = "") -> None:
    """Raises NbflowError unless Kubernetes would take the name."""
    if not _NAME.match(name) or len(name) > _LONGEST:
        raise NbflowError(
            f"{name!r} is no name for a {kind}" if name else f"the {kind} has no name",
            where=where,
            fix="lower case letters, digits, '-' and '.', for example my-secret",
        )


def check_named(document: Document) -> None:
    """Raises NbflowError if an object that would be created has no name that can be taken."""
    if document.kind in CREATED_FIRST:
        check_name(document.name, document.kind, where=str(document.position(("metadata", "name"))))
    elif document.kind == "Workflow" and not (document.name or _prefix(document)):
        raise NbflowError(
            "metadata.name or metadata.generateName is required",
            where=str(document.position(("metadata",))),
            fix="add `generateName: my-workflow-` to metadata, or give --name",
        )


def _prefix(document: Document) -> object:
    metadata = document.data.get("metadata")
    return metadata.get("generateName") if isinstance(metadata, dict) else None
