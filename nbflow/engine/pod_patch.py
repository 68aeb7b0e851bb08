"""podSpecPatch: a strategic merge patch of the pod that Kubernetes would get, brought back to the pod that we have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import cast

from nbflow.engine.failures import CallError
from nbflow.spec.patching import strategic_patch
from nbflow.spec.pod import ContainerSpec, JsonObject, Pod

Json = dict[str, object]

_FIELDS = {
    "name": "name",
    "image": "image",
    "command": "command",
    "args": "args",
    "env": "env",
    "envFrom": "env_from",
    "workingDir": "working_dir",
    "volumeMounts": "volume_mounts",
}
"""Fields of a Kubernetes container, and where a ContainerSpec has them; all others are in `extra`."""
_LISTS = ("command", "args", "env", "envFrom", "volumeMounts")
_ARGOS = ("wait", "init")
"""Containers of Argo's executor, which no pod has here."""


def patched(pod: Pod, patches: Iterable[str]) -> Pod:
    """The pod with patches in YAML or JSON, the later ones over the earlier. Raises CallError."""
    spec = _spec(pod)
    for text in patches:
        spec = cast("Json", strategic_patch(spec, _read(text)))
    return _pod(pod, spec)


def _read(text: str) -> Json:
    import yaml

    try:
        patch = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CallError(f"Error applying PodSpecPatch: {error}") from None
    if not isinstance(patch, dict):
        raise CallError(f'Error applying PodSpecPatch: "{text}" is no mapping')
    for key in ("containers", "initContainers", "volumes"):
        items = patch.get(key)
        if items is None and not (key in patch and key == "containers"):  # a pod without any is none
            continue
        if not isinstance(items, list) or not all(
            isinstance(item, dict) and item.get("name") for item in items
        ):
            raise CallError(
                f'Error applying PodSpecPatch: {key} of "{text}" is a list of objects with a name'
            )
    return cast("Json", patch)


def _spec(pod: Pod) -> Json:
    spec: Json = {
        key: value for key, value in pod.extra.items() if key not in ("containerSet", "podSpecPatch")
    }
    spec["containers"] = [_kubernetes(container) for container in pod.containers]
    if pod.init_containers:
        spec["initContainers"] = [_kubernetes(container) for container in pod.init_containers]
    if pod.volumes:
        spec["volumes"] = [dict(volume) for volume in pod.volumes]
    return spec


def _kubernetes(container: ContainerSpec) -> Json:
    found: Json = {key: getattr(container, field) for key, field in _FIELDS.items()}
    found = {key: list(value) if isinstance(value, tuple) else value for key, value in found.items() if value}
    return {**container.extra, **found}


def _pod(pod: Pod, spec: Json) -> Pod:
    before = {container.name: container for container in (*pod.init_containers, *pod.containers)}
    containers = tuple(_containers(spec.pop("containers"), before))
    added = tuple(container.name for container in containers if container.name not in before)
    inits, volumes = spec.pop("initContainers", None) or [], spec.pop("volumes", None) or []
    seconds = spec.pop("activeDeadlineSeconds", None)
    limits = [limit for limit in (pod.deadline, _seconds(seconds)) if limit is not None]
    kept = {key: value for key, value in pod.extra.items() if key in ("containerSet", "podSpecPatch")}
    return replace(
        pod,
        containers=containers,
        init_containers=tuple(_containers(inits, before)),
        volumes=tuple(cast("list[JsonObject]", volumes)),
        sidecars=(*(name for name in pod.sidecars if name in {c.name for c in containers}), *added),
        deadline=min(limits, default=None),
        extra={**kept, **spec},
    )


def _seconds(value: object) -> timedelta | None:
    return timedelta(seconds=value) if isinstance(value, int) else None


def _containers(items: object, before: Mapping[str, ContainerSpec]) -> Iterable[ContainerSpec]:
    for item in cast("list[Json]", items):
        name = str(item.get("name", ""))
        if name not in before and name in _ARGOS:
            continue
        found: Json = {field: item.pop(key) for key, field in _FIELDS.items() if item.get(key) is not None}
        for key in _LISTS:
            field = _FIELDS[key]
            if field in found:
                found[field] = tuple(cast("list[object]", found[field]))
        known = before.get(name, ContainerSpec(name=name, image=""))
        cleared = {
            "command": (),
            "args": (),
            "env": (),
            "env_from": (),
            "volume_mounts": (),
            "working_dir": "",
        }
        yield replace(known, **{**cleared, **found}, extra=item)  # type: ignore[arg-type]
