"""The names of objects: what Kubernetes would take."""

from __future__ import annotations

from nbflow.errors import NbflowError
from nbflow.revise.submit import SubmitOptions, parse_labels
from nbflow.spec.naming import (
    is_data_key,
    is_label_key,
    is_label_value,
    is_name,
    is_namespace,
    is_prefix,
)

CREATED_FIRST = (
    "Secret",
    "ConfigMap",
    "PersistentVolumeClaim",
    "WorkflowTemplate",
    "ClusterWorkflowTemplate",
)
"""The kinds that a submit creates before the workflows of the same file."""

CREATED = (*CREATED_FIRST, "CronWorkflow")
"""The kinds that are stored as they are."""

_NAME_FIX = "lower case letters, digits, '-' and '.', for example my-workflow"
_LABEL_FIX = "at most 63 letters, digits, '-', '_' and '.', the first and last one no mark"


def check_name(name: str, kind: str, *, where: str = "") -> None:
    """Raises NbflowError unless Kubernetes would take the name."""
    if not is_name(name):
        problem = f"{name!r} is no name for a {kind}" if name else f"the {kind} has no name"
        raise NbflowError(problem, where=where, fix=_NAME_FIX)


def check_data_key(key: str) -> None:
    """Raises NbflowError unless it can be a key of a Secret or ConfigMap."""
    if not is_data_key(key):
        raise NbflowError(f"{key!r} is no key", fix="keys are made of letters, digits, '-', '_' and '.'")


def check_options(options: SubmitOptions) -> None:
    """Raises NbflowError for a name or label among the options of a submit that Kubernetes would not take."""
    if options.name:
        check_name(options.name, "Workflow", where="--name")
    if options.generate_name and not is_prefix(options.generate_name):
        problem = f"{options.generate_name!r} begins no name for a Workflow"
        raise NbflowError(problem, where="--generate-name", fix=_NAME_FIX)
    if options.namespace and not is_namespace(options.namespace):
        problem = f"{options.namespace!r} is no name for a namespace"
        raise NbflowError(problem, where="--namespace", fix="lower case letters, digits and '-'")
    labels = parse_labels(options.labels)
    for key in labels:
        _check_key(key, "a label", "--labels")
    for key, value in labels.items():
        if not is_label_value(value):
            raise NbflowError(f"{value!r} is no value for label {key!r}", where="--labels", fix=_LABEL_FIX)
    for key in parse_labels(options.annotations, "annotations"):
        _check_key(key.lower(), "an annotation", "--annotations")


def _check_key(key: str, said: str, where: str) -> None:
    if not is_label_key(key):
        raise NbflowError(f"{key!r} is no name for {said}", where=where, fix=_LABEL_FIX)
