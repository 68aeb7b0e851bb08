"""What stands behind the test API: objects with versions, and the history that watches are fed from."""

from __future__ import annotations

import copy
import threading
import uuid
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
LETTERS = "bcdfghjklmnpqrstvwxz2456789"


class Refused(Exception):
    """An answer of the API that is none of 2xx."""

    def __init__(
        self, code: int, reason: str, message: str, details: dict | None = None, headers: dict | None = None
    ):
        super().__init__(message)
        self.code, self.headers = code, headers or {}
        self.body = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "details": details or {},
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
                if not metadata.get("generateName"):
                    raise invalid(
                        kind, "", "metadata.name", "Required value: name or generateName is required"
                    )
                raw = uuid.uuid4().bytes
                metadata["name"] = metadata["generateName"] + "".join(
                    LETTERS[b % len(LETTERS)] for b in raw[:5]
                )
            name = metadata["name"]
            if (kind, namespace, name) in self.objects:
                raise Refused(
                    409,
                    "AlreadyExists",
                    f'{full_name(kind)} "{name}" already exists',
                    {"name": name, "group": group(kind), "kind": kind[1]},
                )
            metadata.update(uid=str(uuid.uuid4()), creationTimestamp=moment(), generation=1)
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
                raise Refused(
                    409,
                    "Conflict",
                    f'Operation cannot be fulfilled on {full_name(kind)} "{name}": the object has been modified; '
                    "please apply your changes to the latest version and try again",
                    {"name": name, "group": group(kind), "kind": kind[1]},
                )
            for key in ("uid", "creationTimestamp", "namespace"):
                if key in old["metadata"]:
                    new["metadata"][key] = old["metadata"][key]
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


def not_found(kind, name):
    details = {"name": name, "group": group(kind), "kind": kind[1]}
    return Refused(404, "NotFound", f'{full_name(kind)} "{name}" not found', details)


def expired(version, oldest):
    return Refused(410, "Expired", f"too old resource version: {version} ({oldest})")


def invalid(kind, name, place, message):
    causes = [{"reason": "FieldValueInvalid", "message": message, "field": place}]
    details = {"name": name, "kind": KINDS[kind][0], "causes": causes}
    return Refused(
        422, "Invalid", f'{KINDS[kind][0]}.{group(kind)} "{name}" is invalid: {place}: {message}', details
    )


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
    result = copy.deepcopy(target)
    for operation in operations:
        *path, last = [p.replace("~1", "/").replace("~0", "~") for p in operation["path"].split("/")[1:]]
        place = result
        for part in path:
            place = place[int(part)] if isinstance(place, list) else place[part]
        if isinstance(place, list):
            at = len(place) if last == "-" else int(last)
            if operation["op"] == "add":
                place.insert(at, operation["value"])
            elif operation["op"] == "remove":
                del place[at]
            else:
                place[at] = operation["value"]
        elif operation["op"] == "remove":
            del place[last]
        elif operation["op"] == "test":
            if place.get(last) != operation["value"]:
                raise Refused(
                    422, "Invalid", f"the server rejected our request: testing {operation['path']} failed"
                )
        else:
            place[last] = operation["value"]
    return result
