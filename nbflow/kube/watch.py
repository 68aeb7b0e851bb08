"""Follow objects of a kind: the list, then each change in order, whatever becomes of the connection meanwhile."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nbflow.errors import NbflowError
from nbflow.kube.api import Api, Pauses
from nbflow.kube.decoding import decoded
from nbflow.kube.refusals import Asked, ExpiredError, UnavailableError, refusal
from nbflow.kube.resources import JSONObject, Resource
from nbflow.kube.transport import HTTPStream, Query

_WINDOW_SECONDS = 50
"""So long is one connection: the server ends it, and the next one goes on from there."""
_SILENCE_SECONDS = 65.0
"""A connection that is silent for longer is dead: a laptop slept, a firewall forgot it."""
_PATIENCE_SECONDS = 300.0
"""So long may the API server be away (it restarts, the network is down) before the watch gives up."""


@dataclass(frozen=True, slots=True)
class Change:
    """What an object is now. deleted: it is gone, and `object` is what it was last."""

    object: JSONObject
    deleted: bool = False


class Watch:
    """The objects that the selectors choose: those there are, then their changes.

    A connection that ends or breaks is made again, from the version seen last: the server tells what happened
    meanwhile, each change. Where it has forgotten (410), the objects are listed again, so the latest state is never
    missed. Iterate in one thread; `close` may be called from any and ends it at once. Raises NbflowError if the
    server refuses, or is away for longer than `patience` seconds.
    """

    def __init__(
        self,
        api: Api,
        resource: Resource,
        *,
        labels: str = "",
        fields: str = "",
        patience: float = _PATIENCE_SECONDS,
    ) -> None:
        self._api, self._resource = api, resource
        self._labels, self._fields, self._patience = labels, fields, patience
        self._version = ""
        self._known: dict[tuple[str, str], JSONObject] = {}
        self._closed = threading.Event()
        self._stream: HTTPStream | None = None
        self._lock = threading.Lock()
        self._pauses = Pauses(first=0.05, longest=5.0)
        self._away_since: float | None = None

    def know(self, item: JSONObject) -> None:
        """An object that was read before: what became of it until the watch begins is told, too, also if it went."""
        self._known[_key(item)] = {"metadata": item.get("metadata")}

    def close(self) -> None:
        """End it at once."""
        self._closed.set()
        with self._lock:
            if self._stream is not None:
                self._stream.close()

    def __iter__(self) -> Iterator[Change]:
        while not self._closed.is_set():
            try:
                if not self._version:
                    yield from self._listed()
                    self._is_back()
                yield from self._watched()
            except ExpiredError:
                self._version = ""
                self._wait()
            except UnavailableError as error:
                self._away(error)

    def _listed(self) -> list[Change]:
        """What differs from what is known already."""
        listing = self._api.list(self._resource, labels=self._labels, fields=self._fields)
        found = {_key(item): item for item in listing.items}
        gone = [Change(item, deleted=True) for key, item in self._known.items() if key not in found]
        news = [
            Change(item)
            for key, item in found.items()
            if key not in self._known or _version(self._known[key]) != _version(item)
        ]
        self._known = {key: {"metadata": item.get("metadata")} for key, item in found.items()}
        self._version = listing.version
        return [*gone, *news]

    def _watched(self) -> Iterator[Change]:
        """One connection."""
        query: Query = {
            "watch": True,
            "resourceVersion": self._version,
            "allowWatchBookmarks": True,
            "timeoutSeconds": _WINDOW_SECONDS,
            "labelSelector": self._labels,
            "fieldSelector": self._fields,
        }
        stream = self._api.stream(self._resource, query, silence=_SILENCE_SECONDS)
        with self._lock:
            self._stream = stream
        if self._closed.is_set():
            stream.close()
        opened = time.monotonic()
        try:
            for line in stream.lines():
                event = _parsed(line)
                self._is_back()
                change = self._taken(event)
                if change is not None:
                    yield change
        finally:
            stream.close()
        if time.monotonic() - opened < 1.0 and not self._closed.is_set():
            self._wait()  # a server, or a proxy before it, that hangs up at once is not to be hammered
        else:
            self._pauses.reset()

    def _taken(self, event: JSONObject) -> Change | None:
        found = event.get("object")
        item: JSONObject = found if isinstance(found, Mapping) else {}
        kind = event.get("type")
        if kind == "ERROR":
            code = item.get("code")
            asked = Asked(
                "watch", self._resource, namespace=self._api.namespace, where=self._api.access.where
            )
            raise refusal(code if isinstance(code, int) else 500, json.dumps(item).encode(), asked)
        self._version = _version(item) or self._version
        if kind == "BOOKMARK":
            return None
        if kind == "DELETED":
            self._known.pop(_key(item), None)
        else:
            self._known[_key(item)] = {"metadata": item.get("metadata")}
        return Change(item, deleted=kind == "DELETED")

    def _is_back(self) -> None:
        self._away_since = None
        self._pauses.reset()

    def _away(self, error: NbflowError) -> None:
        now = time.monotonic()
        self._away_since = self._away_since or now
        if now - self._away_since > self._patience:
            raise error
        self._wait()

    def _wait(self) -> None:
        self._closed.wait(self._pauses.next())


def _parsed(line: bytes) -> JSONObject:
    """An event. A line that was cut off is a connection that broke."""
    try:
        found = decoded(line)
    except ValueError as error:
        raise UnavailableError("the connection to the API server broke in the middle of an event") from error
    return found if isinstance(found, Mapping) else {}


def _key(item: JSONObject) -> tuple[str, str]:
    metadata = _metadata(item)
    return str(metadata.get("name", "")), str(metadata.get("uid", ""))


def _version(item: JSONObject) -> str:
    return str(_metadata(item).get("resourceVersion") or "")


def _metadata(item: JSONObject) -> JSONObject:
    found = item.get("metadata")
    return found if isinstance(found, Mapping) else {}
