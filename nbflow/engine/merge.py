"""Kubernetes' strategic merge, as far as workflows use it: maps merge, lists of named things merge by name."""

from __future__ import annotations

from collections.abc import Mapping

_KEYS = {
    "parameters": "name",
    "artifacts": "name",
    "templates": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "volumeClaimTemplates": "name",
    "ports": "containerPort",
    "initContainers": "name",
    "sidecars": "name",
    "containers": "name",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
}
"""Lists whose items are matched by one of their fields; all other lists are replaced."""


def merge(base: Mapping[str, object], over: Mapping[str, object]) -> dict[str, object]:
    """`over` on top of `base`: what both have, `over` decides."""
    merged = dict(base)
    for key, value in over.items():
        merged[key] = _merged(key, merged[key], value) if key in merged else value
    return merged


def _merged(key: str, base: object, over: object) -> object:
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return merge(base, over)
    if key in _KEYS and isinstance(base, list) and isinstance(over, list):
        return _merged_list(_KEYS[key], base, over)
    return over


def _merged_list(key: str, base: list[object], over: list[object]) -> list[object]:
    """Items of `over` first, in its order, then those that only `base` has, as Kubernetes orders them."""
    known = {_name(item, key): item for item in base}
    merged = []
    for item in over:
        below = known.pop(_name(item, key), None)
        both = isinstance(below, Mapping) and isinstance(item, Mapping)
        merged.append(merge(below, item) if both else item)  # type: ignore[arg-type]
    return merged + list(known.values())


def _name(item: object, key: str) -> object:
    return item.get(key) if isinstance(item, Mapping) else item
