"""What the live view is told, and when: changes in batches, numbered, whole again on request.

Three daemon threads: the run's follower reads the workflow, `_read_logs` reads its log, `_pump` tells the
page. None of them prints or displays: output of a background thread lands in whichever cell runs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypedDict

from nbflow.clients.client import Client, LogOptions
from nbflow.errors import NbflowError
from nbflow.notebook.follow import Follower
from nbflow.notebook.logbook import Entry, Logbook
from nbflow.notebook.nodes import pods_below
from nbflow.notebook.picture import Picture
from nbflow.notebook.rows import Header, Row, header, millis, parents_of, rows
from nbflow.spec.status import NodeStatus, WorkflowObject
from nbflow.views.podnames import pod_name

PACE = 0.1
"""Seconds between two messages: the server drops messages, all kinds of them, above 1,000 a second."""
LINES = 1_000
"""So many log lines travel in one message; the page shows that more were left out."""
KEEP_ALIVE = 1.0
"""Seconds between two whole messages as long as no page has answered."""
PATIENCE = 30
"""So many of them are sent without any news; a page that comes later asks by itself."""
SNAPSHOT = 5.0
"""Seconds between two snapshots while the workflow runs."""

Line = tuple[str, str]
"""Display name of the node, text."""


class Graph(TypedDict, total=False):
    """svg: the drawing, left out where the page has it; problem: why there is none. places: see `Picture`."""

    svg: str
    problem: str
    places: Mapping[str, str]


class Log(TypedDict):
    """Lines of the selected node ("": of all). reset: they replace what the page has. skipped: lines left out."""

    of: str
    reset: bool
    skipped: int
    lines: list[Line]


class Message(TypedDict, total=False):
    """One batch. full: nodes, graph and log are everything there is. ended: the last one."""

    seq: int
    now: int | None
    full: bool
    header: Header
    nodes: list[Row]
    graph: Graph
    log: Log
    ended: bool
    lost: str


class Feed:
    """Keeps a page current with a workflow.

    send: gives a message to all pages that show it; called from one thread at a time.
    keep: takes a snapshot of the workflow as it is; called every few seconds and at the end.
    """

    def __init__(
        self,
        client: Client,
        follower: Follower,
        send: Callable[[Message], None],
        keep: Callable[[WorkflowObject], None],
    ) -> None:
        self._client, self._follower, self._send, self._keep = client, follower, send, keep
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._book = Logbook()
        self._picture = Picture()
        self._changed: dict[str, NodeStatus] = {}
        self._parents: dict[str, str] = {}
        self._ids: set[str] = set()
        self._names: dict[str, str] = {}
        self._sent = ""
        self._logs_open = self._over = False
        self._first: WorkflowObject | None = None
        self._answered = False
        self._unanswered, self._last_whole = 0, 0.0
        self._seq = 0
        self._selected, self._cursor, self._reset = "", 0, True
        self._last_keep = time.monotonic()
        self.done = threading.Event()

    def opening(self, workflow: WorkflowObject) -> Message:
        """The first message, to be there before any is sent."""
        self._first = workflow
        self._learn(workflow, tuple(workflow.status.nodes.values()))
        self._picture.update(workflow)
        return self._whole(workflow)

    def start(self, workflow: WorkflowObject) -> None:
        """From now on send what changes."""
        self._follower.listen(self._heard)
        self._logs_open = True
        self._follower.start()
        for name, target, args in (("log", self._read_logs, (workflow.name,)), ("view", self._pump, ())):
            threading.Thread(target=target, args=args, name=f"nbflow {name}", daemon=True).start()

    def hello(self) -> None:
        """A page has come, or lost a message: it gets everything."""
        with self._lock:
            self._answered = True
            workflow = self._known()
            if workflow is not None:
                self._send(self._whole(workflow))

    def select(self, node: str) -> None:
        """From now on send the lines of that node; "" for all nodes."""
        with self._lock:
            self._selected, self._cursor, self._reset = node, 0, True
            if self._over:
                self.hello()
        self._wake.set()

    def _heard(self, nodes: tuple[NodeStatus, ...]) -> None:
        with self._lock:
            if self._first is not None:
                self._learn(self._first, nodes)
            self._changed.update((node.id, node) for node in nodes)
            self._picture.due = self._picture.due or bool(nodes)
        self._wake.set()

    def _read_logs(self, name: str) -> None:
        try:
            for line in self._client.logs(name, LogOptions(follow=True)):
                self._book.add(line)
                self._wake.set()
        except NbflowError:
            return  # the watch meets the same trouble, and tells
        finally:
            self._logs_open = False
            self._wake.set()

    def _pump(self) -> None:
        try:
            while self._follower.reading or self._logs_open:
                self._wake.wait(self._patience())
                self._wake.clear()
                self._tell(ended=False)
                time.sleep(PACE)
        finally:
            self._tell(ended=True)
            self.done.set()

    def _patience(self) -> float | None:
        """How long to sleep when nothing happens: for ever, unless something is still owed."""
        if self._picture.due:
            return PACE
        return KEEP_ALIVE if not self._answered and self._unanswered < PATIENCE else None

    def _tell(self, *, ended: bool) -> None:
        workflow = self._known()
        if workflow is None:
            return
        drawn = self._picture.update(workflow, final=ended)
        with self._lock:
            self._over = ended
            if self._answered:
                self._send(self._part(workflow, drawn=drawn, ended=ended))
            elif ended or time.monotonic() - self._last_whole >= KEEP_ALIVE:
                self._unanswered += 1
                self._send(self._whole(workflow, ended=ended))
        self._snapshot(workflow, ended=ended)

    def _known(self) -> WorkflowObject | None:
        return self._follower.workflow() or self._first

    def _snapshot(self, workflow: WorkflowObject, *, ended: bool) -> None:
        now = time.monotonic()
        if ended or now - self._last_keep >= SNAPSHOT:
            self._last_keep = now
            with suppress(NbflowError):  # the next one may succeed; the live view goes on
                self._keep(workflow)

    def _whole(self, workflow: WorkflowObject, *, ended: bool = False) -> Message:
        self._last_whole = time.monotonic()
        self._cursor, self._reset = 0, True
        self._changed.clear()
        message = self._begin(workflow, ended=ended or self._over)
        message["full"] = True
        message["nodes"] = rows(workflow.status.nodes.values(), self._parents)
        message["graph"] = self._graph()
        message["log"] = self._log(workflow)
        return message

    def _part(self, workflow: WorkflowObject, *, drawn: bool, ended: bool) -> Message:
        message = self._begin(workflow, ended=ended)
        if self._changed:
            message["nodes"] = rows(self._changed.values(), self._parents)
            self._changed.clear()
        if drawn:
            message["graph"] = self._graph(again=False)
        log = self._log(workflow)
        if log["reset"] or log["lines"] or log["skipped"]:
            message["log"] = log
        return message

    def _begin(self, workflow: WorkflowObject, *, ended: bool) -> Message:
        self._seq += 1
        head = header(workflow, self._client.target)
        message = Message(seq=self._seq, now=millis(datetime.now(UTC)), header=head)
        if ended:
            message["ended"], message["lost"] = True, _why(self._follower.failure)
        return message

    def _graph(self, *, again: bool = True) -> Graph:
        """again: with the drawing, whether the page has it or not."""
        picture = self._picture
        if not again and picture.svg == self._sent:
            return Graph(places=picture.places)
        self._sent = picture.svg
        return Graph(svg=picture.svg, problem=picture.problem, places=picture.places)

    def _log(self, workflow: WorkflowObject) -> Log:
        nodes = workflow.status.nodes
        chosen = nodes.get(self._selected)
        pods = (
            None
            if chosen is None
            else frozenset(pod_name(workflow, pod) for pod in pods_below(workflow, chosen))
        )
        before, reset = self._cursor, self._reset
        entries, self._cursor = self._book.since(before, pods, LINES)
        entries = self._named(entries, before)
        self._reset = False
        skipped = _skipped(entries, before) if pods is None else 0
        lines = [(self._names.get(entry.pod, entry.pod), entry.text) for entry in entries]
        return Log(of=self._selected, reset=reset, skipped=skipped, lines=lines)

    def _named(self, entries: list[Entry], before: int) -> list[Entry]:
        """The entries after `before` up to one whose node is not known yet: the log may be ahead of the watch."""
        if not self._follower.reading:
            return entries
        for index, entry in enumerate(entries):
            if entry.pod not in self._names:
                self._cursor = entries[index - 1].number if index else before
                return entries[:index]
        return entries

    def _learn(self, workflow: WorkflowObject, nodes: Sequence[NodeStatus]) -> None:
        """Take in what a page needs of other nodes than the one it shows."""
        self._parents.update(parents_of(nodes))
        for node in nodes:
            if node.id not in self._ids:
                self._ids.add(node.id)
                self._names[pod_name(workflow, node)] = node.display_name


def _skipped(entries: list[Entry], before: int) -> int:
    """How many lines of all pods came after `before` and are not among the entries."""
    return entries[0].number - before - 1 if entries else 0


def _why(failure: Exception | None) -> str:
    return "" if failure is None else str(failure)
