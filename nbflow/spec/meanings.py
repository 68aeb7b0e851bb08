"""What the fields of Argo's types are for, in a line each: for completion and `explain`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from nbflow.spec.fields import table

_CALLS = ("WorkflowStep", "DAGTask")
_ANY = "*"

BOOLEANS = ("true", "false")
VALUES: dict[tuple[str, str], tuple[str, ...]] = {
    ("ArtifactGC", "strategy"): ("OnWorkflowCompletion", "OnWorkflowDeletion", "Never"),
    ("CronWorkflowSpec", "concurrencyPolicy"): ("Allow", "Forbid", "Replace"),
    ("Gauge", "operation"): ("Set", "Add", "Sub"),
    ("HTTP", "method"): ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"),
    ("PodGC", "strategy"): (
        "OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion", "OnWorkflowSuccess",
    ),
    ("ResourceTemplate", "action"): ("get", "create", "apply", "delete", "replace", "patch"),
    ("ResourceTemplate", "mergeStrategy"): ("strategic", "merge", "json"),
    ("RetryStrategy", "retryPolicy"): ("OnFailure", "OnError", "OnTransientError", "Always"),
    ("V1Container", "imagePullPolicy"): ("IfNotPresent", "Always", "Never"),
    ("VolumeClaimGC", "strategy"): ("OnWorkflowCompletion", "OnWorkflowSuccess"),
    ("WorkflowLevelArtifactGC", "strategy"): ("OnWorkflowCompletion", "OnWorkflowDeletion", "Never"),
    ("WorkflowSpec", "shutdown"): ("Stop", "Terminate"),
}  # fmt: skip
"""(type, field) -> the values that it may have."""


@cache
def _texts() -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = json.loads(
        Path(__file__).with_name("meanings.json").read_text(encoding="utf-8")
    )
    return texts


def meaning_of_type(type_name: str) -> str:
    """What a type of Argo's is; "" if nothing is written down."""
    return _texts().get(type_name, {}).get("", "")


def meaning_of_field(type_name: str, field: str) -> str:
    """What a field of one of Argo's types is for; "" if nothing is written down."""
    texts = _texts()
    owners = (type_name, *(("+Call",) if type_name in _CALLS else ()), *_PARENTS.get(type_name, ()), _ANY)
    return next((texts[owner][field] for owner in owners if field in texts.get(owner, ())), "")


_PARENTS = {"Artifact": ("ArtifactLocation",), "ArtifactPaths": ("Artifact", "ArtifactLocation")}
"""Whose fields a type takes over."""


def values_of(type_name: str, field: str) -> tuple[str, ...]:
    """The values that a field may have; empty if they are many."""
    if table().get(type_name, {}).get(field) == "boolean":
        return BOOLEANS
    return VALUES.get((type_name, field)) or (
        VALUES.get(("V1Container", field), ()) if type_name in _CONTAINERS else ()
    )


_CONTAINERS = ("ScriptTemplate", "UserContainer", "ContainerNode")
