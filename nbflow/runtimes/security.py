"""securityContext: as whom a container runs, with which rights, and whether its root is read-only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nbflow.runtimes.runtime import PodRejected
from nbflow.spec.pod import ContainerSpec, JsonObject, Pod


@dataclass(frozen=True, slots=True)
class Security:
    """user, group: ids to run as, None for those that a pod has anyway. dropped, added: capabilities, without CAP_."""

    user: int | None = None
    group: int | None = None
    read_only_root: bool = False
    dropped: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()


def security_of(pod: Pod, container: ContainerSpec) -> Security:
    """What the container's own securityContext says, and else that of its pod. Raises PodRejected."""
    whole, own = _mapping(pod.extra.get("securityContext")), _mapping(container.extra.get("securityContext"))
    settings = {**whole, **own}
    user, group = _id(settings, "runAsUser", container), _id(settings, "runAsGroup", container)
    if settings.get("runAsNonRoot") is True and user == 0:
        raise PodRejected(f"container '{container.name}' has runAsNonRoot and runAsUser: 0, which is root")
    capabilities = _mapping(own.get("capabilities"))
    return Security(
        user=user,
        group=group if group is not None else None if user is None else 0,
        read_only_root=settings.get("readOnlyRootFilesystem") is True,
        dropped=_names(capabilities.get("drop")),
        added=_names(capabilities.get("add")),
    )


def _mapping(value: object) -> JsonObject:
    return value if isinstance(value, Mapping) else {}


def _id(settings: JsonObject, name: str, container: ContainerSpec) -> int | None:
    value = settings.get(name)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31:
        return value
    raise PodRejected(f"{name} of container '{container.name}' is no id: {value!r}")


def _names(value: object) -> frozenset[str]:
    return (
        frozenset(str(name).upper().removeprefix("CAP_") for name in value)
        if isinstance(value, list | tuple)
        else frozenset()
    )
