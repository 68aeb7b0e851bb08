"""Follow a workflow in a cluster: one snapshot, then the nodes that changed."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

from nbflow.clients.argo_nodes import (
    UNTAKEN,
    UNTAKEN_SECONDS,
    is_finished,
    is_untaken,
    name_of,
    nodes_of,
    typed,
)
from nbflow.clients.client import WorkflowUpdate
from nbflow.errors import NotFoundError
from nbflow.kube.api import Api
from nbflow.kube.resources import WORKFLOW, JSONObject
from nbflow.kube.watch import Change, Watch
from nbflow.spec.status import NodeStatus, WorkflowObject

_SECONDS_BETWEEN_UPDATES = 0.05
_WAITING_AT_MOST = 256


class WorkflowWatch:
    """nbflow.clients.Client.watch for a cluster. Each state of a node that the server tells of is in an update.

    A thread reads, so that `close` ends the watch at once wherever the caller waits.
    """

    def __init__(self, api: Api, name: str) -> None:
        self._name = name
        self._closed = threading.Event()
        self._watch = Watch(api, WORKFLOW, fields=f"metadata.name={name}")
        first = api.get(WORKFLOW, name)
        self._watch.know(first)
        self._uid = _uid(first)
        self._arrived: queue.Queue[Change | Exception | None] = queue.Queue(_WAITING_AT_MOST)
        self._updates = self._follow(first)

    def __iter__(self) -> Iterator[WorkflowUpdate]:
        return self

    def __next__(self) -> WorkflowUpdate:
        return next(self._updates)

    def close(self) -> None:
        """End the watch at once, from any thread."""
        self._closed.set()
        self._watch.close()

    def __del__(self) -> None:
        self.close()

    def _start(self) -> None:
        name = f"nbflow watch {self._name}"
        threading.Thread(
            target=_read, args=(self._watch, self._arrived, self._closed), name=name, daemon=True
        ).start()

    def _follow(self, first: JSONObject) -> Iterator[WorkflowUpdate]:
        try:
            yield WorkflowUpdate(0, typed(first))
            if not is_finished(first):
                self._start()
                yield from self._changes(first)
        finally:
            self.close()

    def _changes(self, first: JSONObject) -> Iterator[WorkflowUpdate]:
        """States that came together make one update, as long as no node changed twice in them."""
        known, version, sequence = nodes_of(first), _version(first), 0
        batch: dict[str, NodeStatus] = {}
        last = first
        for now in self._states(taken=not is_untaken(first)):
            if now is None:
                sequence += 1
                yield WorkflowUpdate(sequence, _untaken(last))
                continue
            if _version(now) != version:  # else it is the snapshot once more
                nodes = nodes_of(now) or known  # offloaded ones are not at hand: none of them changed, then
                changed = {
                    key: NodeStatus.from_dict(node) for key, node in nodes.items() if known.get(key) != node
                }
                if not batch.keys().isdisjoint(changed):
                    sequence += 1
                    yield WorkflowUpdate(sequence, typed(last, nodes=False), tuple(batch.values()))
                    batch = {}
                batch.update(changed)
                known, version, last = nodes, _version(now), now
                if self._arrived.empty() or is_finished(now):
                    sequence += 1
                    yield WorkflowUpdate(sequence, typed(now, nodes=False), tuple(batch.values()))
                    batch = {}
                    self._closed.wait(0 if is_finished(now) else _SECONDS_BETWEEN_UPDATES)
            if is_finished(now):
                return

    def _states(self, *, taken: bool) -> Iterator[JSONObject | None]:
        """Each state of the workflow, in order; None once if no controller takes it up for long.

        Raises NotFoundError if it is deleted, or replaced by a namesake.
        """
        end = time.monotonic() + UNTAKEN_SECONDS
        while not self._closed.is_set():
            try:
                arrived = self._arrived.get(timeout=0.5)
            except queue.Empty:
                if not taken and time.monotonic() > end:
                    taken = True
                    yield None
                continue
            if arrived is None:
                return
            if isinstance(arrived, Exception):
                raise arrived
            if arrived.deleted or _uid(arrived.object) != self._uid:
                raise NotFoundError(f'workflows.argoproj.io "{self._name}" was deleted')
            taken = taken or not is_untaken(arrived.object)
            yield arrived.object


def _untaken(workflow: JSONObject) -> WorkflowObject:
    found = typed(workflow, nodes=False)
    return replace(found, status=replace(found.status, message=UNTAKEN))


def _read(watch: Watch, arrived: queue.Queue[Change | Exception | None], closed: threading.Event) -> None:
    """Hand over what the watch tells, until somebody closes it. It does not hold the WorkflowWatch: that may go."""

    def put(item: Change | Exception | None) -> None:
        while not closed.is_set():
            try:
                arrived.put(item, timeout=0.5)
            except queue.Full:
                continue
            return

    try:
        for change in watch:
            put(change)
            if closed.is_set() or is_finished(change.object):
                break
        put(None)
    except Exception as error:  # noqa: BLE001  # raised again by who waits
        put(error)


def latest(listing: list[JSONObject]) -> JSONObject:
    """The newest of some workflows. Raises NotFoundError if there is none."""
    if not listing:
        raise NotFoundError("no workflows found", fix="submit one first")
    return max(listing, key=lambda one: (str(_metadata(one).get("creationTimestamp", "")), name_of(one)))


def _metadata(workflow: JSONObject) -> JSONObject:
    found = workflow.get("metadata")
    return found if isinstance(found, Mapping) else {}


def _uid(workflow: JSONObject) -> str:
    return str(_metadata(workflow).get("uid", ""))


def _version(workflow: JSONObject) -> str:
    return str(_metadata(workflow).get("resourceVersion", ""))
