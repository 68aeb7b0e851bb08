"""What users own beside workflows: secrets, config maps, claims, templates, by kind and name."""

from __future__ import annotations

import base64
import binascii
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from nbflow.errors import NbflowError, NotFoundError
from nbflow.store.connection import translated
from nbflow.store.home import Home
from nbflow.store.rows import JsonObject, decode, encode
from nbflow.store.statements import SQL

_IDENTITY = ("uid", "creationTimestamp", "namespace")
SECRET_FIELDS = ("data", "stringData")
VERBS = {
    "Secret": "secret",
    "ConfigMap": "configmap",
    "PersistentVolumeClaim": "volume",
    "WorkflowTemplate": "template",
    "ClusterWorkflowTemplate": "cluster-template",
    "CronWorkflow": "cron",
}
"""Kind -> the verb that handles it; other kinds have none."""


class ObjectStore:
    """Objects of users. Runtimes look up through it what pods name, from any thread."""

    def __init__(self, home: Home, connection: sqlite3.Connection) -> None:
        self._home = home
        self._connection = connection
        self._lock = threading.Lock()

    def create(self, kind: str, name: str, data: JsonObject) -> bool:
        """Store an object; False, and nothing changed, if there is one of that kind and name."""
        return self._run("insert_object", kind, name, encode(dict(data))).rowcount == 1

    def replace(self, kind: str, name: str, data: JsonObject) -> None:
        """Store an object in place of the one of that kind and name, if there is one."""
        self._run("put_object", kind, name, encode(dict(data)))

    def change(self, kind: str, name: str, change: Callable[[JsonObject], JsonObject]) -> JsonObject:
        """Read, change and write an object in one step; what it is now. Raises NotFoundError."""
        with translated(self._home), self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                row = self._connection.execute(SQL["object"], (kind, name)).fetchone()
                if row is None:
                    raise object_not_found(kind, name)
                changed = change(decode(row[0]))
                self._connection.execute(SQL["put_object"], (kind, name, encode(dict(changed))))
            finally:
                self._connection.execute("COMMIT")
        return changed

    def get(self, kind: str, name: str) -> JsonObject | None:
        """The whole object, a Secret's data included; None if there is none."""
        row = self._run("object", kind, name).fetchone()
        return None if row is None else decode(row[0])

    def list(self, kind: str) -> Sequence[JsonObject]:
        """All objects of a kind, by name. The data of secrets is left out."""
        found = [decode(text) for (text,) in self._run("list_objects", kind).fetchall()]
        return [without_secrets(item) for item in found]

    def delete(self, kind: str, name: str) -> None:
        """Raises NotFoundError."""
        if self._run("delete_object", kind, name).rowcount == 0:
            raise object_not_found(kind, name)

    # --- runtimes.Objects ---

    def secret(self, name: str) -> Mapping[str, bytes] | None:
        """Key -> value of a Secret, None if there is none. Raises NbflowError if a value is not base64."""
        found = self.get("Secret", name)
        return None if found is None else secret_values(found)

    def config_map(self, name: str) -> Mapping[str, str] | None:
        """Key -> value of a ConfigMap, None if there is none."""
        found = self.get("ConfigMap", name)
        return None if found is None else {key: str(value) for key, value in _mapping(found, "data").items()}

    def claim(self, name: str) -> JsonObject | None:
        """A PersistentVolumeClaim, None if there is none."""
        return self.get("PersistentVolumeClaim", name)

    def _run(self, statement: str, *values: object) -> sqlite3.Cursor:
        with translated(self._home), self._lock:
            return self._connection.execute(SQL[statement], values)


def secret_values(secret: JsonObject) -> dict[str, bytes]:
    """What is in a Secret: `data` decoded, `stringData` over it. Raises NbflowError, which shows no value."""
    values: dict[str, bytes] = {}
    for key, text in _mapping(secret, "data").items():
        try:
            values[key] = base64.b64decode(str(text or ""), validate=True)
        except (binascii.Error, ValueError):
            name = _mapping(secret, "metadata").get("name", "")
            raise NbflowError(
                f"the value of {key!r} is not base64",
                where=f"Secret {name}",
                fix="encode it, or use stringData",
            ) from None
    values.update({key: str(text).encode() for key, text in _mapping(secret, "stringData").items()})
    return values


def replaced(manifest: JsonObject) -> Callable[[JsonObject], JsonObject]:
    """What puts a manifest in place of an object; who it is and what became of it stay."""

    def replace(old: JsonObject) -> JsonObject:
        kept = {key: _mapping(old, "metadata")[key] for key in _IDENTITY if key in _mapping(old, "metadata")}
        status = {"status": old["status"]} if "status" in old else {}
        return {**manifest, "metadata": {**_mapping(manifest, "metadata"), **kept}, **status}

    return replace


def merged(old: JsonObject, patch: JsonObject) -> JsonObject:
    """The object with some of its fields changed: a JSON merge patch."""
    changed = dict(old)
    for key, value in patch.items():
        if value is None:
            changed.pop(key, None)
        elif isinstance(value, Mapping):
            changed[key] = merged(_mapping(changed, key), value)
        else:
            changed[key] = value
    return changed


def without_secrets(item: JsonObject) -> JsonObject:
    """The object as it may be shown."""
    if item.get("kind") != "Secret":
        return item
    return {key: value for key, value in item.items() if key not in SECRET_FIELDS}


def _mapping(item: JsonObject, key: str) -> Mapping[str, object]:
    value = item.get(key)
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


def object_not_found(kind: str, name: str) -> NotFoundError:
    """Who says so also says what shows those there are."""
    fix = f"`nbflow {VERBS[kind]} list` shows those there are" if kind in VERBS else ""
    return NotFoundError(f'{kind} "{name}" not found', fix=fix)
