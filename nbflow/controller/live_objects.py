"""Pods and workflows that run, as objects of Kubernetes, for templates that look at or label their own.

What the controller stores of a pod stays as it is; labels and annotations that a patch gives it are kept beside it, in
an object that goes with the workflow. Of a Workflow they are its metadata, which no controller writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from nbflow.errors import NbflowError
from nbflow.spec.pod import Pod
from nbflow.store import Store

Json = dict[str, object]
_OURS = "nbflow.dev/"
_CHANGEABLE = ("labels", "annotations")


def read_pod(store: Store, name: str) -> Json | None:
    """A Pod by its name: one that a workflow runs now, or one that a resource template made."""
    kept = store.objects.get("Pod", name)
    pod = store.live_pod(name)
    if pod is None:
        return None if kept is None else dict(kept)
    found = _object(pod)
    if kept is not None:
        changed = cast("Mapping[str, object]", kept["metadata"])
        metadata = cast("Json", found["metadata"])
        metadata |= {key: changed[key] for key in _CHANGEABLE if key in changed}
    return found


def change_pod(store: Store, old: Json, new: Json, kind: str = "Pod") -> None:
    """Keep what a patch of a Pod or Job changed. Raises NbflowError if it is more than labels and annotations."""
    name = _only_marks(kind, old, new)
    if not store.objects.create(kind, name, new):
        store.objects.replace(kind, name, new)


def change_workflow(store: Store, old: Json, new: Json) -> None:
    """Store what a patch changed. Raises NbflowError if it is more than labels and annotations."""
    name = _only_marks("Workflow", old, new)
    metadata = cast("Json", new["metadata"])
    store.mark(name, {key: metadata.get(key) or {} for key in _CHANGEABLE})


def _only_marks(kind: str, old: Json, new: Json) -> str:
    name = str(cast("Json", old["metadata"])["name"])
    if _without_marks(old) != _without_marks(new):
        raise NbflowError(
            f"of {kind} {name}, which runs, only labels and annotations can be changed on this target",
            fix="delete it and create it anew, or submit with --on argo",
        )
    return name


def _without_marks(item: Json) -> Json:
    metadata = cast("Json", item.get("metadata") or {})
    return {**item, "metadata": {k: v for k, v in metadata.items() if k not in _CHANGEABLE}}


def _object(pod: Pod) -> Json:
    owner = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": pod.workflow, "uid": pod.uid}
    containers = [
        {
            "name": container.name,
            "image": container.image,
            "command": list(container.command),
            "args": list(container.args),
        }
        for container in pod.containers
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": pod.name,
            "namespace": "default",
            "labels": dict(pod.labels),
            "annotations": {k: v for k, v in pod.annotations.items() if not k.startswith(_OURS)},
            "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}],
        },
        "spec": {"containers": containers},
        "status": {"phase": "Running"},
    }
