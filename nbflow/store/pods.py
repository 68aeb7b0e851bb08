"""A Pod as JSON text and back: what a controller needs to finish the pods of the one before it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import timedelta

from nbflow.spec.pod import ContainerSpec, Pod

_encode = json.JSONEncoder(separators=(",", ":")).encode


def pod_to_text(pod: Pod) -> str:
    """The pod without the fields that have their defaults."""
    data = _filled(pod)
    for key in ("containers", "init_containers"):
        if key in data:
            data[key] = [_filled(container) for container in getattr(pod, key)]
    if pod.deadline is not None:
        data["deadline"] = pod.deadline.total_seconds()
    return _encode(data)


def pod_from_text(text: str) -> Pod:
    """The pod that pod_to_text wrote, by this version or an earlier one."""
    data = json.loads(text)
    for key in ("containers", "init_containers"):
        data[key] = tuple(
            ContainerSpec(**_tuples(container))  # type: ignore[arg-type]
            for container in data.get(key, ())
        )
    if "deadline" in data:
        data["deadline"] = timedelta(seconds=data["deadline"])
    return Pod(**_tuples(data))  # type: ignore[arg-type]


def _defaults(kind: type[Pod | ContainerSpec]) -> dict[str, object]:
    made = {f.name: f.default_factory() for f in fields(kind) if f.default_factory is not MISSING}
    return {f.name: made.get(f.name, f.default) for f in fields(kind)}


_DEFAULTS = {Pod: _defaults(Pod), ContainerSpec: _defaults(ContainerSpec)}


def _filled(record: Pod | ContainerSpec) -> dict[str, object]:
    defaults = _DEFAULTS[type(record)]
    values = ((name, getattr(record, name)) for name in defaults)
    return {name: value for name, value in values if value != defaults[name]}


def _tuples(data: Mapping[str, object]) -> dict[str, object]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
