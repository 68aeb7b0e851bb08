"""The Kubernetes API: objects as plain JSON, read and changed; what fails for a moment is tried again."""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from nbflow.errors import NbflowError
from nbflow.kube.access import Access, Cluster, open_access
from nbflow.kube.refusals import (
    Asked,
    ExpiredError,
    ForbiddenError,
    NotInstalledError,
    UnauthorizedError,
    UnavailableError,
    not_installed,
)
from nbflow.kube.resources import ACCESS_REVIEW, ARGO, JSONObject, Resource
from nbflow.kube.transport import HTTPStream, Query, Transport

T = TypeVar("T")

_TRIES, _FIRST_PAUSE, _LONGEST_PAUSE = 5, 0.1, 3.0
_PAGE = 500
_DISCOVER = "discover"
_MERGE = "application/merge-patch+json"


@dataclass(frozen=True, slots=True)
class Listing:
    """Objects as they were at `version`, from which a watch goes on."""

    items: Sequence[JSONObject]
    version: str


class Api:
    """One cluster and one namespace of it, asked by one person.

    Reads, and changes that say which version they change, are tried again after a failure that passes (429, 5xx,
    a broken connection); a create whose answer got lost is not, since it may have been done.
    """

    def __init__(
        self, cluster: Cluster = Cluster(), *, namespace: str = "", transport: Transport | None = None
    ) -> None:
        self._cluster, self._namespace = cluster, namespace
        self._transport = transport or Transport(open_access(cluster))
        self._renewing = threading.Lock()

    def within(self, namespace: str) -> Api:
        """The same cluster, asked for another namespace."""
        return Api(self._cluster, namespace=namespace, transport=self._transport)

    @property
    def access(self) -> Access:
        """Which cluster, and who asks."""
        return self._transport.access

    @property
    def namespace(self) -> str:
        """The namespace that is asked."""
        return self._namespace or self.access.namespace

    def warnings(self) -> Sequence[str]:
        """What the server remarked beside its answers and was not given yet, in every namespace."""
        return self._transport.warnings.take()

    def get(self, resource: Resource, name: str) -> JSONObject:
        """One object. Raises NotFoundError."""
        asked = self._asked("get", resource, name)
        return self._send("GET", resource.path(self.namespace, name), asked)

    def list(
        self, resource: Resource, *, labels: str = "", fields: str = "", all_namespaces: bool = False
    ) -> Listing:
        """All objects that the selectors choose, fetched in pages."""
        query: dict[str, str | int | bool | None] = {
            "labelSelector": labels,
            "fieldSelector": fields,
            "limit": _PAGE,
        }
        path = resource.path("" if all_namespaces else self.namespace)
        asked = self._asked("list", resource, everywhere=all_namespaces)
        items: list[JSONObject] = []
        while True:
            try:
                page = self._send("GET", path, asked, query)
            except ExpiredError:
                if not query.get("continue"):
                    raise
                # The pages outlived their history: all at once, then.
                query["continue"], query["limit"], items = None, None, []
                continue
            found = page.get("items")
            items += [_whole(item, resource) for item in found] if isinstance(found, list) else []
            metadata = page.get("metadata")
            metadata = metadata if isinstance(metadata, Mapping) else {}
            query["continue"] = str(metadata.get("continue") or "")
            if not query["continue"]:
                return Listing(items, str(metadata.get("resourceVersion") or ""))

    def create(self, resource: Resource, manifest: JSONObject, *, dry_run: bool = False) -> JSONObject:
        """The object as it was stored. dry_run: checked by the server, and not stored. Raises ConflictError."""
        name = str(_metadata(manifest).get("name") or _metadata(manifest).get("generateName") or "")
        query = {"dryRun": "All"} if dry_run else {}
        asked = self._asked("create", resource, name)
        body = {**manifest, "apiVersion": resource.api_version, "kind": resource.kind}
        return self._send("POST", resource.path(self.namespace), asked, query, body)

    def replace(self, resource: Resource, changed: JSONObject) -> JSONObject:
        """Put an object in place of the one it was read from. Raises ConflictError if that changed since."""
        name = str(_metadata(changed).get("name", ""))
        asked = self._asked("update", resource, name)
        return self._send("PUT", resource.path(self.namespace, name), asked, {}, changed)

    def patch(self, resource: Resource, name: str, patch: object, how: str = _MERGE) -> JSONObject:
        """Change some fields of an object. how: the kind of patch, as a content type."""
        asked = self._asked("patch", resource, name)
        return self._send("PATCH", resource.path(self.namespace, name), asked, {}, patch, how)

    def delete(self, resource: Resource, name: str) -> None:
        """Delete an object, and in the background what belongs to it. Raises NotFoundError."""
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        asked = self._asked("delete", resource, name)
        self._send("DELETE", resource.path(self.namespace, name), asked, {}, options)

    def stream(
        self, resource: Resource, query: Query, *, name: str = "", part: str = "", silence: float = 75.0
    ) -> HTTPStream:
        """The lines of a watch (no name) or of a part of an object, as they come. Not tried again."""
        asked = self._asked("watch" if not name else "get", resource, name)
        path = resource.path(self.namespace, name, part)
        return self._renewed(lambda: self._transport.stream(path, asked, query, silence))

    def allowed(self, verb: str, resource: Resource, part: str = "") -> bool:
        """Whether who asks may do that, as the server says."""
        attributes = {"verb": verb, "group": resource.group, "resource": resource.plural, "subresource": part}
        if resource.namespaced:
            attributes["namespace"] = self.namespace
        answer = self.create(ACCESS_REVIEW, {"spec": {"resourceAttributes": attributes}})
        status = answer.get("status")
        return isinstance(status, Mapping) and status.get("allowed") is True

    def server_version(self) -> str:
        """Such as "v1.36.0"."""
        found = self._send("GET", "/version", Asked("get", None, where=self.access.where))
        return str(found.get("gitVersion", "unknown"))

    def discover(self, word: str, api_version: str = "") -> Resource | None:
        """The kind that manifests or kubectl call so, None if the cluster has none. api_version: "" for any."""
        plain, _, group = word.partition(".")
        known = ["v1", *self._group_versions(group)]
        for version in [api_version] if api_version in known else [] if api_version else known:
            for kind in self._kinds(version):
                names = (
                    kind.get("kind"),
                    kind.get("name"),
                    kind.get("singularName"),
                    *_items(kind.get("shortNames")),
                )
                if plain.lower() in {str(name).lower() for name in names} and "/" not in str(
                    kind.get("name")
                ):
                    own, _, number = version.rpartition("/")
                    whole = bool(kind.get("namespaced"))
                    return Resource(str(kind["kind"]), str(kind["name"]), own, number, whole)
        return None

    def _group_versions(self, group: str) -> Sequence[str]:
        asked = Asked("get", None, where=self.access.where)
        groups = _items(self._send("GET", "/apis", asked).get("groups"))
        found = [version for each in groups if isinstance(each, Mapping) for version in _versions(each)]
        return [version for version in found if not group or version.startswith(f"{group}/")]

    def _kinds(self, version: str) -> Sequence[JSONObject]:
        asked = Asked("get", None, where=self.access.where)
        root = "apis" if "/" in version else "api"
        found = self._send("GET", f"/{root}/{version}", asked).get("resources")
        return [kind for kind in _items(found) if isinstance(kind, Mapping)]

    def knows(self, resource: Resource) -> bool:
        """Whether the cluster has that kind of object."""
        asked = Asked(_DISCOVER, resource, where=self.access.where)
        try:
            found = self._send("GET", f"/apis/{resource.group}/{resource.version}", asked).get("resources")
        except NotInstalledError:
            return False
        kinds = found if isinstance(found, list) else ()
        return any(isinstance(kind, Mapping) and kind.get("name") == resource.plural for kind in kinds)

    def _asked(self, verb: str, resource: Resource, name: str = "", *, everywhere: bool = False) -> Asked:
        namespace = self.namespace if resource.namespaced and not everywhere else ""
        return Asked(verb, resource, name, namespace, self.access.where)

    def _send(
        self,
        method: str,
        path: str,
        asked: Asked,
        query: Query | None = None,
        body: object = None,
        kind: str = "",
    ) -> JSONObject:
        pauses = Pauses()
        while True:
            try:
                answer = self._renewed(
                    lambda: self._transport.send(method, path, asked, query or {}, body, kind)
                )
            except UnavailableError as error:
                if method == "POST" and "broke" in error.problem:
                    raise _in_doubt(error, asked) from error
                if pauses.taken >= _TRIES - 1:
                    raise
                time.sleep(pauses.next())
            except ForbiddenError:
                self._check_installed(asked)
                raise
            else:
                return answer if isinstance(answer, Mapping) else {}

    def _check_installed(self, asked: Asked) -> None:
        """Rights are looked at before kinds: who may do little in a cluster without Argo is told of rights only."""
        resource = asked.resource
        if resource is None or resource.group != ARGO or asked.verb == _DISCOVER:
            return
        with contextlib.suppress(ForbiddenError):
            if self.knows(resource):
                return
            raise not_installed(resource, asked.where)

    def _renewed(self, action: Callable[[], T]) -> T:
        """Do it; once more with credentials read anew if those at hand are not accepted any more."""
        before = self.access
        try:
            return action()
        except UnauthorizedError:
            with self._renewing:
                if self.access is before:
                    self._transport.renew(open_access(self._cluster))
            return action()


class Pauses:
    """Longer and longer pauses, each between half and all of its length: many clients do not come back at once."""

    def __init__(self, first: float = _FIRST_PAUSE, longest: float = _LONGEST_PAUSE) -> None:
        self._first, self._longest = first, longest
        self._random = random.Random(os.urandom(8))
        self.taken = 0

    def next(self) -> float:
        """Seconds to wait now."""
        length = min(self._first * 2**self.taken, self._longest)
        self.taken += 1
        return float(length * self._random.uniform(0.5, 1.0))

    def reset(self) -> None:
        """It works again."""
        self.taken = 0


def _in_doubt(error: NbflowError, asked: Asked) -> NbflowError:
    """A create whose answer is lost. Doing it again might do it twice."""
    kind = asked.resource.kind if asked.resource else "object"
    return NbflowError(
        f"{error.problem}; the {kind} {asked.name} may have been created nevertheless",
        where=error.where,
        fix="look with `nbflow list --on argo` before trying again",
    )


def _whole(item: object, resource: Resource) -> JSONObject:
    """An item of a list, which comes without its kind."""
    data = item if isinstance(item, Mapping) else {}
    return {"apiVersion": resource.api_version, "kind": resource.kind, **data}


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _versions(group: Mapping[str, object]) -> list[str]:
    """All versions of a group, the one that the cluster prefers first."""
    versions = [group.get("preferredVersion"), *_items(group.get("versions"))]
    found = (str(version.get("groupVersion", "")) for version in versions if isinstance(version, Mapping))
    return list(dict.fromkeys(found))


def _metadata(manifest: JSONObject) -> JSONObject:
    found = manifest.get("metadata")
    return found if isinstance(found, Mapping) else {}
