"""The environment of a container, resolved at its start: values, secrets, config maps, fields of the pod.

What is resolved lives in memory only: no stored pod, no command line, no log and no error holds a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from nbflow.runtimes.fields import field_of, resource_of
from nbflow.runtimes.runtime import Objects, PodRejected
from nbflow.spec.pod import ContainerSpec, JsonObject, Pod

_REFERENCE = re.compile(r"(\$?)\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)")
_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")


def resolve_environment(pod: Pod, container: ContainerSpec, objects: Objects) -> dict[str, str]:
    """Name -> value, in the order given; a later one wins. Raises PodRejected, naming what is missing."""
    env: dict[str, str] = {}
    for source in container.env_from:
        env |= _from_source(source, objects)
    for item in container.env:
        name = str(item.get("name", ""))
        value = _value(item, pod, container, objects)
        if value is not None:
            env[name] = expand(value, env) if "valueFrom" not in item else value
    return env


def expand(text: str, env: Mapping[str, str]) -> str:
    """Kubernetes' `$(NAME)`: replaced where the container has such a variable; `$$(NAME)` is the way to write it."""
    if "$(" not in text:
        return text
    return _REFERENCE.sub(lambda found: _expanded(found, env), text)


def _expanded(found: re.Match[str], env: Mapping[str, str]) -> str:
    if found[1]:
        return found[0][1:]
    return env.get(found[2], found[0])


def _value(item: JsonObject, pod: Pod, container: ContainerSpec, objects: Objects) -> str | None:
    source = item.get("valueFrom")
    if not isinstance(source, Mapping):
        value = item.get("value")
        return "" if value is None else str(value)
    for kind, reference in source.items():
        if kind == "secretKeyRef" and isinstance(reference, Mapping):
            secret = secret_key(reference, objects)
            return None if secret is None else secret.decode("utf-8", "surrogateescape")
        if kind == "configMapKeyRef" and isinstance(reference, Mapping):
            return config_map_key(reference, objects)
        if kind == "fieldRef" and isinstance(reference, Mapping):
            return field_of(str(reference.get("fieldPath", "")), pod)
        if kind == "resourceFieldRef" and isinstance(reference, Mapping):
            return resource_of(reference, pod, container)
    given = ", ".join(source) or "nothing"
    raise PodRejected(
        f"environment variable {item.get('name', '')} is taken from {given}, which local runs do not know",
        fix="use secretKeyRef, configMapKeyRef, fieldRef or resourceFieldRef",
    )


def secret_key(reference: JsonObject, objects: Objects) -> bytes | None:
    """The value of a key of a Secret; None if it is missing and optional. Raises PodRejected."""
    name, key, optional = _reference(reference)
    values = objects.secret(name)
    if values is None:
        _missing(f'secret "{name}" not found', _secret_fix(name, key), optional=optional)
        return None
    if key not in values:
        _missing(f'couldn\'t find key {key} in Secret "{name}"', _secret_fix(name, key), optional=optional)
    return values.get(key)


def config_map_key(reference: JsonObject, objects: Objects) -> str | None:
    """The value of a key of a ConfigMap; None if it is missing and optional. Raises PodRejected."""
    name, key, optional = _reference(reference)
    values = objects.config_map(name)
    fix = f"nbflow configmap create {name} --from-literal={key}=..."
    if values is None:
        _missing(f'configmap "{name}" not found', fix, optional=optional)
        return None
    if key not in values:
        _missing(f'couldn\'t find key {key} in ConfigMap "{name}"', fix, optional=optional)
    return values.get(key)


def whole_secret(name: str, objects: Objects, *, optional: bool) -> Mapping[str, bytes]:
    """All of a Secret; empty if it is missing and optional. Raises PodRejected."""
    values = objects.secret(name)
    if values is None:
        _missing(f'secret "{name}" not found', _secret_fix(name, "KEY"), optional=optional)
    return values or {}


def whole_config_map(name: str, objects: Objects, *, optional: bool) -> Mapping[str, str]:
    """All of a ConfigMap; empty if it is missing and optional. Raises PodRejected."""
    values = objects.config_map(name)
    if values is None:
        fix = f"nbflow configmap create {name} --from-literal=KEY=..."
        _missing(f'configmap "{name}" not found', fix, optional=optional)
    return values or {}


def _from_source(source: JsonObject, objects: Objects) -> dict[str, str]:
    prefix = str(source.get("prefix") or "")
    found: dict[str, str] = {}
    secret, config_map = source.get("secretRef"), source.get("configMapRef")
    if isinstance(secret, Mapping):
        values = whole_secret(str(secret.get("name", "")), objects, optional=bool(secret.get("optional")))
        found |= {key: value.decode("utf-8", "surrogateescape") for key, value in values.items()}
    if isinstance(config_map, Mapping):
        found |= whole_config_map(
            str(config_map.get("name", "")), objects, optional=bool(config_map.get("optional"))
        )
    return {prefix + key: value for key, value in found.items() if _NAME.fullmatch(prefix + key)}


def _reference(reference: JsonObject) -> tuple[str, str, bool]:
    return str(reference.get("name", "")), str(reference.get("key", "")), bool(reference.get("optional"))


def _missing(problem: str, fix: str, *, optional: bool) -> None:
    if not optional:
        raise PodRejected(problem, fix=fix)


def _secret_fix(name: str, key: str) -> str:
    return f"nbflow secret create {name} --from-literal={key}=..."
