"""Kubernetes' three ways to change an object: strategic, merge and json. Pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

from nbflow.errors import NbflowError

Json = dict[str, object]

_MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "ports": "containerPort",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "hostAliases": "ip",
    "ownerReferences": "uid",
    "conditions": "type",
}
"""Lists of Kubernetes whose items are merged by a key of theirs."""


def merge_patch(target: object, patch: object) -> object:
    """RFC 7386: null removes, objects merge, all else replaces."""
    if not isinstance(patch, Mapping):
        return copy.deepcopy(patch)
    found: Json = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = merge_patch(found.get(key), value)
    return found


def strategic_patch(target: object, patch: object, field: str = "") -> object:
    """As merge, but known lists merge by the key of their items, and `$patch` says delete or replace."""
    if isinstance(patch, Mapping):
        if patch.get("$patch") == "replace":
            return {key: copy.deepcopy(value) for key, value in patch.items() if key != "$patch"}
        found: Json = dict(target) if isinstance(target, Mapping) else {}
        for key, value in patch.items():
            if value is None or (isinstance(value, Mapping) and value.get("$patch") == "delete"):
                found.pop(key, None)
            elif not str(key).startswith("$"):
                found[key] = strategic_patch(found.get(key), value, key)
        return found
    key = _MERGE_KEYS.get(field)
    if key and isinstance(patch, list) and all(isinstance(item, Mapping) for item in patch):
        return _merged_list(target if isinstance(target, list) else [], patch, key)
    return copy.deepcopy(patch)


def _merged_list(old: Sequence[object], patch: Sequence[Mapping[str, object]], key: str) -> list[object]:
    if any(item.get("$patch") == "replace" for item in patch):
        return [copy.deepcopy(item) for item in patch if "$patch" not in item]
    found = list(old)
    for item in patch:
        place = next(
            (n for n, o in enumerate(found) if isinstance(o, Mapping) and o.get(key) == item.get(key)), None
        )
        if item.get("$patch") == "delete":
            if place is not None:
                del found[place]
        elif place is None:
            found.append(copy.deepcopy(dict(item)))
        else:
            found[place] = strategic_patch(found[place], item)
    return found


def json_patch(target: object, operations: object) -> object:
    """RFC 6902. Raises NbflowError, naming the operation that does not fit."""
    if not isinstance(operations, list):
        raise NbflowError(
            "a json patch is a list of operations", fix="use mergeStrategy: merge for an object"
        )
    found: object = copy.deepcopy(target)
    for operation in operations:
        fields = operation if isinstance(operation, Mapping) else {}
        try:
            found = _applied(found, fields)
        except (KeyError, IndexError, ValueError, TypeError):
            said = f"{fields.get('op')} {fields.get('path')}"
            raise NbflowError(f"the json patch does not fit the object: {said}") from None
    return found


def _applied(root: object, operation: Mapping[str, object]) -> object:
    path = _parts(str(operation["path"]))
    match operation["op"]:
        case "test":
            if _at(root, path) != operation["value"]:
                raise ValueError
            return root
        case "remove":
            return _without(root, path)
        case "add":
            return _with(root, path, operation["value"], add=True)
        case "replace":
            _at(root, path)
            return _with(root, path, operation["value"], add=False)
        case "copy":
            return _with(root, path, copy.deepcopy(_at(root, _parts(str(operation["from"])))), add=True)
        case "move":
            source = _parts(str(operation["from"]))
            value = _at(root, source)
            return _with(_without(root, source), path, value, add=True)
    raise ValueError


def _parts(path: str) -> list[str]:
    if path and not path.startswith("/"):
        raise ValueError(path)
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _at(value: object, parts: Sequence[str]) -> object:
    for part in parts:
        if isinstance(value, list):
            value = value[_index(part)]
        elif isinstance(value, Mapping):
            value = value[part]
        else:
            raise KeyError(part)
    return value


def _index(part: str) -> int:
    if not part.isdigit():
        raise ValueError(part)
    return int(part)


def _with(root: object, parts: Sequence[str], value: object, *, add: bool) -> object:
    if not parts:
        return value
    owner, last = _at(root, parts[:-1]), parts[-1]
    if isinstance(owner, list):
        if add:
            place = len(owner) if last == "-" else _index(last)
            if place > len(owner):
                raise IndexError
            owner.insert(place, value)
        else:
            owner[_index(last)] = value
    elif isinstance(owner, dict):
        owner[last] = value
    else:
        raise TypeError
    return root


def _without(root: object, parts: Sequence[str]) -> object:
    owner = _at(root, parts[:-1])
    if isinstance(owner, list):
        del owner[_index(parts[-1])]
    elif isinstance(owner, dict):
        del owner[parts[-1]]
    return root
