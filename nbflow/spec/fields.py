"""Which fields each type of a manifest has, and of what type they are: Argo's types and those of Kubernetes.

argo.json is kept by hand, kubernetes.json is written by scripts/kubernetes_fields.py. A type is `string`, `integer`
(of 64 bits), `int32`, `number`, `boolean`, `any`, `bytes` (base64), `time`, `quantity`, `int-or-string`, `any-string`
(Argo turns numbers and booleans into texts), the name of another type, `[]` and a type, or `map ` and the type of its
values.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

Fields = dict[str, str]

KINDS = frozenset(
    {"Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow", "WorkflowEventBinding"}
)
"""Argo's own kinds."""

OBJECTS = {
    "Secret": "V1Secret",
    "ConfigMap": "V1ConfigMap",
    "PersistentVolumeClaim": "V1PersistentVolumeClaim",
}
"""Kinds of Kubernetes that come along with workflows -> their types; documents of other kinds are not looked at."""

BASES = {
    "Artifact": "ArtifactLocation",
    "ArtifactPaths": "Artifact",
    "ContainerNode": "V1Container",
    "ScriptTemplate": "V1Container",
    "UserContainer": "V1Container",
}
"""Type -> the type whose fields it takes over, `...` in argo.json."""

RENAMED = {
    ("CronWorkflowSpec", "schedule"): "use `schedules`, a list, since v4",
    ("Synchronization", "mutex"): "use `mutexes`, a list, since v4",
    ("Synchronization", "semaphore"): "use `semaphores`, a list, since v4",
    ("WorkflowSpec", "podPriority"): "use `podPriorityClassName`, since v4",
    ("Template", "priority"): "use `priorityClassName`, since v4",
    ("Template", "template"): "call it from a step or task: `template: NAME`",
    ("Template", "templateRef"): "call it from a step or task with `templateRef`",
    (
        "Template",
        "arguments",
    ): "a template has `inputs`; `arguments` belong to the step or task that calls it",
    ("Template", "resubmitPendingPods"): "use `retryStrategy`, since v3",
    ("WorkflowSpec", "ttlSecondsAfterFinished"): "use `ttlStrategy.secondsAfterCompletion`, since v3",
    ("WorkflowTemplateSpec", "workflowMetadata"): "use `workflowMetadata` of the spec",
}
"""(type, field) that Argo no longer knows, or that people put in the wrong place -> what to write instead."""


@cache
def table() -> dict[str, Fields]:
    """All types by name; what a type takes over from another one is in it."""
    here = Path(__file__).parent
    types: dict[str, Fields] = json.loads((here / "kubernetes.json").read_text(encoding="utf-8"))
    types |= json.loads((here / "argo.json").read_text(encoding="utf-8"))
    for fields in types.values():
        while "..." in fields:
            fields.update(types[fields.pop("...")] | fields)
    return types
