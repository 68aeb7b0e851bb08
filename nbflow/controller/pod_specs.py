"""Pods of Kubernetes, as Jobs have them, as pods that a runtime can start."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import cast

from nbflow.errors import NbflowError
from nbflow.spec.pod import ContainerSpec, Pod

Json = dict[str, object]

_READ = ("name", "image", "command", "args", "env", "envFrom", "workingDir", "volumeMounts")
_KEPT = ("serviceAccountName", "hostNetwork", "securityContext", "terminationGracePeriodSeconds", "dnsPolicy")


def pod_of(
    name: str, template: Json, owner: str, uid: str, annotations: Mapping[str, str], env: Mapping[str, str]
) -> Pod:
    """A pod by its template (`metadata`, `spec`). env: variables besides. Raises NbflowError for what is no pod."""
    spec = mapping(template, "spec")
    containers = items(spec, "containers")
    if not containers:
        raise NbflowError("spec.containers of the pod is required")
    metadata, deadline = mapping(template, "metadata"), spec.get("activeDeadlineSeconds")
    return Pod(
        name=name,
        workflow=owner,
        uid=uid,
        node_id=name,
        template=name,
        containers=tuple(_container(container, env) for container in containers),
        init_containers=tuple(_container(container, env) for container in items(spec, "initContainers")),
        volumes=tuple(items(spec, "volumes")),
        deadline=timedelta(seconds=deadline) if isinstance(deadline, int) else None,
        labels={key: str(value) for key, value in mapping(metadata, "labels").items()},
        annotations={**{k: str(v) for k, v in mapping(metadata, "annotations").items()}, **annotations},
        extra={key: spec[key] for key in _KEPT if key in spec},
    )


def _container(container: Json, env: Mapping[str, str]) -> ContainerSpec:
    more = [{"name": name, "value": value} for name, value in env.items()]
    return ContainerSpec(
        name=str(container.get("name") or "main"),
        image=str(container.get("image") or ""),
        command=_texts(container, "command"),
        args=_texts(container, "args"),
        env=(*items(container, "env"), *more),
        env_from=tuple(items(container, "envFrom")),
        working_dir=str(container.get("workingDir") or ""),
        volume_mounts=tuple(items(container, "volumeMounts")),
        extra={key: value for key, value in container.items() if key not in _READ},
    )


def mapping(owner: Mapping[str, object], name: str) -> Json:
    """An object in an object, empty if there is none."""
    value = owner.get(name)
    return cast("Json", value) if isinstance(value, dict) else {}


def items(owner: Mapping[str, object], name: str) -> list[Json]:
    """The objects of a list, empty if there is none."""
    value = owner.get(name)
    return [cast("Json", item) for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(owner: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = owner.get(name)
    return tuple(map(str, value)) if isinstance(value, list) else ()


def number(owner: Mapping[str, object], name: str, default: int) -> int:
    """A whole number, or what it is if there is none."""
    value = owner.get(name)
    return value if isinstance(value, int) else default
