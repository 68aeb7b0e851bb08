"""Whether a tag that its text leaves open is closed by chance.

Argo looks for tags in the JSON text of a whole step or task, so that the braces at the end of an object may close
what a text began; then it sees a tag with a strange name and lets it pass.
"""

from __future__ import annotations

import json

from nbflow.lint.filling import Values, fill
from nbflow.lint.objects import TYPES, Json

_TYPES = frozenset(TYPES)
_CONTAINERS = frozenset({"container", "script", "containers", "initContainers", "sidecars"})
_ORDER = (
    # containers, and templates from `inputs` on
    "name", "image", "command", "args", "workingDir", "ports", "envFrom", "env", "resources", "resizePolicy",
    "restartPolicy", "restartPolicyRules", "volumeMounts", "volumeDevices", "livenessProbe", "readinessProbe",
    "startupProbe", "lifecycle", "terminationMessagePath", "terminationMessagePolicy", "imagePullPolicy", "inputs",
    "outputs", "nodeSelector", "affinity", "metadata", "daemon", "steps", "container", "containerSet", "script",
    "resource", "dag", "suspend", "data", "http", "plugin", "volumes", "initContainers", "sidecars",
    "archiveLocation", "activeDeadlineSeconds", "retryStrategy", "parallelism", "failFast", "tolerations",
    "schedulerName", "priorityClassName", "serviceAccountName", "automountServiceAccountToken", "executor",
    "hostAliases", "securityContext", "stdin", "stdinOnce", "tty", "source", "podSpecPatch", "metrics",
    "synchronization", "memoize", "timeout", "annotations", "labels", "pendingTimeout", "podResources",
    "resourceClaims",
    # steps and tasks
    "template", "inline", "arguments", "templateRef", "dependencies", "withItems", "withParam", "withSequence",
    "when", "continueOn", "onExit", "depends", "hooks",
    # inputs, outputs and arguments
    "parameters", "artifacts", "path", "mode", "from", "archiveLogs", "s3", "git", "artifactory", "hdfs", "raw",
    "oss", "gcs", "azure", "archive", "optional", "subPath", "recurseMode", "fromExpression", "jsonPath", "jqFilter",
    "event", "parameter", "supplied", "configMapKeyRef", "default", "expression", "value", "valueFrom", "globalName",
    "enum", "description", "result", "exitCode",
    # resources
    "action", "mergeStrategy", "manifest", "manifestFrom", "setOwnerReference", "successCondition",
    "failureCondition", "flags",
)  # fmt: skip
"""In which Argo writes the fields; others come last."""


def is_closed(value: object, text: str, values: Values) -> bool:
    """Whether the JSON of `value` has }} behind the last {{ of `text`, which is one of its texts.

    values: what is filled in before Argo looks.
    """
    whole = json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"))
    begun = json.dumps(text, ensure_ascii=False)
    start = whole.find(begun)
    return start < 0 or "}}" in fill(whole[start + begun.rfind("{{") :], values)


def _ordered(value: object, inside: str = "") -> object:
    """The value with its fields in Argo's order, and the empty mappings that it writes. inside: the field above."""
    if isinstance(value, list):
        return [_ordered(item, inside) for item in value]
    if not isinstance(value, dict):
        return value
    fields: Json = value
    if inside in _CONTAINERS:
        fields = {"resources": {}, **value}
    elif "template" in value or "templateRef" in value:
        fields = {"arguments": {}, **value}
    elif not inside and not _TYPES.isdisjoint(value):
        fields = {"inputs": {}, "outputs": {}, "metadata": {}, **value}
    names = sorted(fields, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    return {name: _ordered(fields[name], name) for name in names}
