"""What a submit adds to a manifest: name, uid, time of creation, who submits it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from nbflow.errors import NbflowError
from nbflow.spec.naming import is_run_name
from nbflow.spec.status import format_time
from nbflow.store.rows import Submitted, encode

PYTHON_ANNOTATION = "nbflow.dev/python"
TARGET_ANNOTATION = "nbflow.dev/target"

# Kubernetes leaves out vowels and look-alikes, so that no word appears in a name.
_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH = 5
_NAME_LENGTH = 63


def prepare_submit(
    workflow: Mapping[str, object], target: str, now: datetime, status: object = None
) -> Submitted:
    """The row of a new workflow. Raises NbflowError if it has no name.

    status: nodes that count as done already, None for a workflow that begins at its beginning.
    """
    given = workflow.get("metadata")
    metadata = dict(given) if isinstance(given, Mapping) else {}
    annotations = metadata.get("annotations")
    metadata["name"] = name = name_of(metadata)
    metadata["uid"] = uid = new_uid()
    metadata["creationTimestamp"] = format_time(now.astimezone(UTC))
    metadata.setdefault("namespace", "default")
    metadata["annotations"] = {
        PYTHON_ANNOTATION: sys.executable,
        **(annotations if isinstance(annotations, Mapping) else {}),
        TARGET_ANNOTATION: target,
    }
    spec = workflow.get("spec")
    return Submitted(
        key=0,
        uid=uid,
        name=name,
        target=target,
        seed=int.from_bytes(os.urandom(7)),
        metadata=encode(metadata),
        spec=encode(spec if isinstance(spec, Mapping) else {}),
        status=encode(status) if status else "",
    )


def name_suffix() -> str:
    """What Kubernetes adds to a generateName."""
    return "".join(_SUFFIX_LETTERS[byte % len(_SUFFIX_LETTERS)] for byte in os.urandom(_SUFFIX_LENGTH))


def name_of(metadata: Mapping[str, object]) -> str:
    """metadata.name, or generateName with the suffix that Kubernetes would add. Raises NbflowError without either,
    or if Kubernetes would not take it."""
    name = metadata.get("name")
    if name:
        return _checked(str(name))
    prefix = metadata.get("generateName")
    if not prefix:
        raise NbflowError(
            "name or generateName is required",
            where="metadata",
            fix="add `generateName: my-workflow-` to metadata",
        )
    return _checked(str(prefix)[: _NAME_LENGTH - _SUFFIX_LENGTH] + name_suffix())


def _checked(name: str) -> str:
    """Nobody gets past this: the name becomes part of paths."""
    if not is_run_name(name):
        fix = "lower case letters, digits, '-' and '.', for example my-workflow"
        raise NbflowError(f"{name!r} is no name for a Workflow", where="metadata", fix=fix)
    return name


def new_uid() -> str:
    """A random UUID (version 4). The `uuid` module would double what a start imports for it."""
    raw = bytearray(os.urandom(16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def with_ours(metadata: Mapping[str, object], target: str) -> dict[str, object]:
    """Metadata of a cron workflow, with who creates it: its workflows run with that Python, on that target."""
    annotations = metadata.get("annotations")
    given = annotations if isinstance(annotations, Mapping) else {}
    return {
        **metadata,
        "annotations": {PYTHON_ANNOTATION: sys.executable, TARGET_ANNOTATION: target, **given},
    }


def without_ours(metadata: object) -> dict[str, object]:
    """Metadata without what a submit added: who submits it again says anew which Python and which target."""
    found = dict(metadata) if isinstance(metadata, Mapping) else {}
    annotations = found.get("annotations")
    if isinstance(annotations, Mapping):
        found["annotations"] = {
            k: v for k, v in annotations.items() if k not in (PYTHON_ANNOTATION, TARGET_ANNOTATION)
        }
    return found
