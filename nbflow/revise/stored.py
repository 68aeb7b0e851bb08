"""The Workflow that a stored template or cron workflow stands for, as `argo submit --from` makes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from nbflow.revise.submit import JSONObject

_PREFIX = "workflows.argoproj.io/"
_VERSION = "argoproj.io/v1alpha1"


def from_template(name: str, *, cluster_scope: bool) -> dict[str, object]:
    """A Workflow that refers to a template."""
    label = "cluster-workflow-template" if cluster_scope else "workflow-template"
    reference: dict[str, object] = {"name": name} | ({"clusterScope": True} if cluster_scope else {})
    return {
        "apiVersion": _VERSION,
        "kind": "Workflow",
        "metadata": {"generateName": f"{name}-", "labels": {_PREFIX + label: name}},
        "spec": {"workflowTemplateRef": reference},
    }


def from_cron_workflow(cron: JSONObject, now: datetime, *, scheduled: bool = False) -> dict[str, object]:
    """The Workflow that a cron workflow starts, owned by it. now: with the zone of who asks.

    scheduled: its time has come; the name tells the time then, so that no time has two.
    """
    old, spec = _mapping(cron.get("metadata")), _mapping(cron.get("spec"))
    name, extra = str(old.get("name", "")), _mapping(spec.get("workflowMetadata"))
    labels = {_PREFIX + "cron-workflow": name, **_mapping(extra.get("labels"))}
    instance = _mapping(old.get("labels")).get(f"{_PREFIX}controller-instanceid")
    if instance:
        labels[f"{_PREFIX}controller-instanceid"] = instance
    annotations = {
        _PREFIX + "scheduled-time": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        **_mapping(extra.get("annotations")),
    }
    owner = {
        "apiVersion": _VERSION,
        "kind": "CronWorkflow",
        "name": name,
        "uid": old.get("uid", ""),
        "controller": True,
        "blockOwnerDeletion": True,
    }
    named = {"name": f"{name}-{int(now.timestamp())}"} if scheduled else {"generateName": f"{name}-"}
    metadata: dict[str, object] = {
        **named,
        "labels": labels,
        "annotations": annotations,
        "ownerReferences": [owner],
    }
    if extra.get("finalizers"):
        metadata["finalizers"] = extra["finalizers"]
    workflow_spec = dict(_mapping(spec.get("workflowSpec")))
    return {"apiVersion": _VERSION, "kind": "Workflow", "metadata": metadata, "spec": workflow_spec}


def _mapping(value: object) -> JSONObject:
    return value if isinstance(value, Mapping) else {}
