"""What stands behind the test API: objects with versions, and the history that watches are fed from."""

from __future__ import annotations

import copy
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

KINDS = {
    ("argoproj.io/v1alpha1", "workflows"): ("Workflow", True, ["wf"]),
    ("argoproj.io/v1alpha1", "workflowtemplates"): ("WorkflowTemplate", True, ["wftmpl"]),
    ("argoproj.io/v1alpha1", "cronworkflows"): ("CronWorkflow", True, ["cwf"]),
    ("argoproj.io/v1alpha1", "clusterworkflowtemplates"): ("ClusterWorkflowTemplate", False, ["cwft"]),
    ("v1", "pods"): ("Pod", True, ["po"]),
    ("v1", "secrets"): ("Secret", True, []),
    ("v1", "configmaps"): ("ConfigMap", True, ["cm"]),
    ("v1", "persistentvolumeclaims"): ("PersistentVolumeClaim", True, ["pvc"]),
    ("v1", "namespaces"): ("Namespace", False, ["ns"]),
    ("authorization.k8s.io/v1", "selfsubjectaccessreviews"): ("SelfSubjectAccessReview", False, []),
}
GENERATIONS = {"workflows", "workflowtemplates", "cronworkflows", "clusterworkflowtemplates", "pods"}
"""The kinds whose objects count how often they changed."""
MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"
LETTERS = "bcdfghjklmnpqrstvwxz2456789"


class Refused(Exception):
    """An answer of the API that is none of 2xx."""

    def __init__(
        self, code: int, reason: str, message: str, details: dict | None = None, headers: dict | None = None
    ):
        super().__init__(message)
        self.code, self.headers = code, headers or {}
        said = {"reason": reason or None, "details": details}
        self.body = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            **{key: value for key, value in said.items() if value is not None},
            "code": code,
        }


@dataclass
class Happening:
    """One change. `before` tells a watch with a selector whether the object left what it sees."""

    version: int
    type: str
    kind: tuple[str, str]
    object: dict
    before: dict | None = None


@dataclass
class Storage:
    """All objects of a cluster. Every access holds `news`, which is notified of changes."""

    news: threading.Condition = field(default_factory=lambda: threading.Condition(threading.RLock()))
    objects: dict[tuple, dict] = field(default_factory=dict)
    history: list[Happening] = field(default_factory=list)
    version: int = 1000
    oldest: int = 0
    clock: Callable[[], str] = field(default_factory=lambda: moment)

    def get(self, kind, namespace, name):
        with self.news:
            found = self.objects.get((kind, namespace, name))
            if found is None:
                raise not_found(kind, name)
            return copy.deepcopy(found)

    def list(self, kind, namespace):
        """The objects of all namespaces if `namespace` is None, by name, and the version."""
        with self.news:
            found = [
                copy.deepcopy(o)
                for (k, ns, _), o in sorted(self.objects.items(), key=lambda pair: pair[0][1:])
                if k == kind and namespace in (None, ns)
            ]
            return found, self.version

    def create(self, kind, namespace, given, dry_run=False):
        with self.news:
            obj = copy.deepcopy(given)
            metadata = obj.setdefault("metadata", {})
            if not metadata.get("name"):
                raw = uuid.uuid4().bytes
                metadata["name"] = metadata["generateName"] + "".join(
                    LETTERS[b % len(LETTERS)] for b in raw[:5]
                )
            name = metadata["name"]
            if (kind, namespace, name) in self.objects:
                raise Refused(
                    409, "AlreadyExists", f'{full_name(kind)} "{name}" already exists', named(kind, name)
                )
            metadata.update(uid=str(uuid.uuid4()), creationTimestamp=self.clock())
            if kind[1] in GENERATIONS:
                metadata["generation"] = 1
            if KINDS[kind][1]:
                metadata["namespace"] = namespace
            if not dry_run:
                self._store("ADDED", kind, namespace, name, obj)
            return copy.deepcopy(obj)

    def replace(self, kind, namespace, name, given):
        with self.news:
            old = self.get(kind, namespace, name)
            new = copy.deepcopy(given)
            asked = new.setdefault("metadata", {}).get("resourceVersion")
            if asked and asked != old["metadata"]["resourceVersion"]:
                raise conflict(kind, name, MODIFIED)
            if new["metadata"].get("uid", old["metadata"]["uid"]) != old["metadata"]["uid"]:
                raise conflict(
                    kind, name, f"Precondition failed: UID in precondition: {new['metadata']['uid']}"
                )
            for key in ("uid", "creationTimestamp", "namespace", "generation", "resourceVersion"):
                if key in old["metadata"]:
                    new["metadata"][key] = old["metadata"][key]
            if new == old:
                return new
            if "generation" in new["metadata"] and {**new, "metadata": {}} != {**old, "metadata": {}}:
                new["metadata"]["generation"] += 1
            self._store("MODIFIED", kind, namespace, name, new, old)
            return copy.deepcopy(new)

    def delete(self, kind, namespace, name):
        with self.news:
            old = self.get(kind, namespace, name)
            del self.objects[kind, namespace, name]
            self._store("DELETED", kind, namespace, name, copy.deepcopy(old), old)
            return old

    def compact(self):
        """Forget the history: watches that ask for older versions get 410."""
        with self.news:
            self.history.clear()
            self.oldest = self.version

    def since(self, version):
        """What happened after `version`. Raises Refused if that is forgotten."""
        with self.news:
            if version < self.oldest:
                raise expired(version, self.oldest)
            return [h for h in self.history if h.version > version]

    def _store(self, type_, kind, namespace, name, obj, before=None):
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        if type_ != "DELETED":
            self.objects[kind, namespace, name] = copy.deepcopy(obj)
        self.history.append(Happening(self.version, type_, kind, copy.deepcopy(obj), before))
        self.news.notify_all()


def moment():
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def group(kind):
    return kind[0].split("/")[0] if "/" in kind[0] else ""


def full_name(kind):
    return f"{kind[1]}.{group(kind)}" if group(kind) else kind[1]


def named(kind, name, as_kind=""):
    """The details of an answer about one object. Nothing in them is empty."""
    details = {"name": name, "group": group(kind), "kind": as_kind or kind[1]}
    return {key: value for key, value in details.items() if value}


def whole(kind, obj):
    return {"apiVersion": kind[0], "kind": KINDS[kind][0], **obj}


def not_found(kind, name):
    return Refused(404, "NotFound", f'{full_name(kind)} "{name}" not found', named(kind, name))


def conflict(kind, name, why, as_kind=""):
    what = f"{as_kind}.{group(kind)}" if as_kind else full_name(kind)
    said = f'Operation cannot be fulfilled on {what} "{name}": {why}'
    return Refused(409, "Conflict", said, named(kind, name, as_kind))


def expired(version, oldest):
    return Refused(410, "Expired", f"too old resource version: {version} ({oldest})")


def too_large(asked, version):
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    said = f"Timeout: Too large resource version: {asked}, current: {version}"
    return Refused(504, "Timeout", said, {"causes": causes, "retryAfterSeconds": 1})


def invalid(kind, name, causes, as_kind=""):
    """causes: (field, reason, message)."""
    as_kind = as_kind or KINDS[kind][0]
    listed = [{"reason": reason, "message": message, "field": field} for field, reason, message in causes]
    details = {**named(kind, name, as_kind), "causes": listed}
    said = [f"{field}: {message}" for field, _, message in causes]
    text = said[0] if len(said) == 1 else f"[{', '.join(said)}]"
    what = f"{as_kind}.{group(kind)}" if group(kind) else as_kind
    return Refused(422, "Invalid", f'{what} "{name}" is invalid: {text}', details)


def merge_patch(target, patch):
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def json_patch(target, operations):
    """RFC 6902, the operations that clients use."""
    try:
        result = copy.deepcopy(target)
        for operation in operations:
            _operate(result, operation)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise Refused(
            422, "Invalid", "the server rejected our request due to an error in our request", {}
        ) from error
    return result


def _operate(place, operation):
    *path, last = [p.replace("~1", "/").replace("~0", "~") for p in operation["path"].split("/")[1:]]
    for part in path:
        place = place[int(part)] if isinstance(place, list) else place[part]
    if isinstance(place, list):
        last = len(place) if last == "-" else int(last)
    match operation["op"]:
        case "add" if isinstance(place, list):
            place.insert(last, operation["value"])
        case "add":
            place[last] = operation["value"]
        case "replace":
            place[last] = (place[last], operation["value"])[1]
        case "remove":
            del place[last]
        case "test" if place[last] != operation["value"]:
            raise ValueError(operation["path"])
