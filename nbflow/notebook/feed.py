"""What the live view is told, and when: changes in batches, numbered, whole again on request.

Three daemon threads: the run's follower reads the workflow, the `LogFeed` reads its log, `_pump` tells the page. None
of them prints or displays: output of a background thread lands in whichever cell runs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypedDict

from nbflow.clients.client import Client
from nbflow.errors import NbflowError
from nbflow.notebook.estimate import Estimate, estimate
from nbflow.notebook.follow import Follower, finished
from nbflow.notebook.logfeed import Log, LogFeed
from nbflow.notebook.nodes import pods_below
from nbflow.notebook.picture import Mark, Picture
from nbflow.notebook.rows import Filing, Header, Row, header, millis, rows
from nbflow.spec.status import NodeStatus, WorkflowObject
from nbflow.views.podnames import pod_names

PACE = 0.1
"""Seconds between two messages: the server drops messages, all kinds of them, above 1,000 a second."""
KEEP_ALIVE = 1.0
"""Seconds between two whole messages as long as no page has answered."""
PATIENCE = 30
"""So many of them are sent without any news; a page that comes later asks by itself."""
SNAPSHOT = 5.0
"""Seconds between two snapshots while the workflow runs, at least."""
SNAPSHOT_SHARE = 0.02
"""This part of the time goes into snapshots at the most: those of thousands of nodes come less often."""


class Graph(TypedDict, total=False):
    """svg: the drawing, left out where the page has it; problem: why there is none.

    marks: what stands at its shapes; with svg all of them, else those that changed.
    """

    svg: str
    problem: str
    marks: Mapping[str, Mark]


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
        self._picture = Picture()
        self._logs: LogFeed | None = None
        self._changed: dict[str, NodeStatus] = {}
        self._filing = Filing()
        self._ids: set[str] = set()
        self._names: dict[str, str] = {}
        self._sent_svg = ""
        self._sent_marks: Mapping[str, Mark] = {}
        self._over = False
        self._first: WorkflowObject | None = None
        self._estimate: Estimate | None = None
        self._answered = False
        self._unanswered, self._last_whole = 0, 0.0
        self._seq = 0
        self._more = self._stale = False
        self._keep_at = time.monotonic() + SNAPSHOT
        self.done = threading.Event()
        follower.listen(self._heard)

    def opening(self, workflow: WorkflowObject) -> Message:
        """The first message, to be there before any is sent."""
        self._first = workflow
        self._learn(workflow, tuple(workflow.status.nodes.values()))
        self._picture.update(workflow)
        return self._whole(workflow)

    def start(self, workflow: WorkflowObject) -> None:
        """From now on send what changes; once more after a finished workflow was taken up again."""
        with self._lock:
            self._first, self._over, self._unanswered = workflow, False, 0
            self._picture.due = self._stale = True
            if self._logs is None:
                self._logs = LogFeed(self._client, workflow.name, self._wake.set)
            self.done.clear()
            self._logs.start()
            self._follower.start()
        for name, work in (("view", self._pump), ("estimate", self._look_back)):
            threading.Thread(target=work, name=f"nbflow {name}", daemon=True).start()

    def hello(self) -> None:
        """A page has come, or lost a message: it gets everything."""
        with self._lock:
            self._answered = True
            workflow = self.workflow
            if workflow is not None:
                self._send(self._whole(workflow))
            if self._over and self._more:
                threading.Thread(target=self._send_rest, name="nbflow rest", daemon=True).start()

    def select(self, node: str) -> None:
        """From now on send the lines of that node; "" for all nodes."""
        with self._lock:
            if self._logs is not None:
                self._logs.choose(node, lambda: self._pods_of(node))
            if self._over:
                self.hello()
        self._wake.set()

    def fold(self, path: str, now: str) -> None:
        """Open or close a part of the graph. now: how the person saw it."""
        with self._lock:
            workflow = self.workflow
            self._picture.fold(path, now)
            if workflow is not None and self._picture.update(workflow, final=True):
                self._send(self._part(workflow, drawn=True, ended=self._over))

    @property
    def sequence(self) -> int:
        """The number of the last message."""
        return self._seq

    @property
    def workflow(self) -> WorkflowObject | None:
        """As last heard of."""
        return self._follower.workflow() or self._first

    def _heard(self, nodes: tuple[NodeStatus, ...]) -> None:
        with self._lock:
            if self._first is not None:
                self._learn(self._first, nodes)
            self._changed.update((node.id, node) for node in nodes)
            self._picture.due = self._picture.due or bool(nodes)
        self._wake.set()

    def _look_back(self) -> None:
        """How long it may take, once: asking for earlier runs takes its time."""
        if self._first is not None and self._estimate is None and not finished(self._first):
            self._estimate = estimate(self._client, self._first)
            self._wake.set()

    def _pump(self) -> None:
        try:
            while self._follower.reading or (self._logs is not None and self._logs.reading):
                self._wake.wait(self._patience())
                self._wake.clear()
                self._tell(ended=False)
                time.sleep(PACE)
        finally:
            while self._answered and self._more:
                self._tell(ended=False)
                time.sleep(PACE)
            self._tell(ended=True)
            self.done.set()

    def _patience(self) -> float | None:
        """How long to sleep when nothing happens: for ever, unless something is still owed."""
        if self._picture.due:
            return PACE
        return KEEP_ALIVE if not self._answered and self._unanswered < PATIENCE else None

    def _send_rest(self) -> None:
        """The lines that one message does not hold, where nothing else is to be sent any more."""
        while self._more and self._over:
            time.sleep(PACE)
            with self._lock:
                workflow = self.workflow
                if workflow is not None:
                    self._send(self._part(workflow, drawn=False, ended=self._over))

    def _tell(self, *, ended: bool) -> None:
        workflow = self.workflow
        if workflow is None:
            return
        with self._lock:
            drawn = self._picture.update(workflow, final=ended)
            self._over = ended
            if self._answered and not (self._stale and self._follower.workflow()):
                self._send(self._part(workflow, drawn=drawn, ended=ended))
            elif self._answered or ended or time.monotonic() - self._last_whole >= KEEP_ALIVE:
                self._unanswered += 1
                self._send(self._whole(workflow, ended=ended))
            if self._more:
                self._wake.set()
        self._snapshot(workflow, ended=ended)

    def _snapshot(self, workflow: WorkflowObject, *, ended: bool) -> None:
        begin = time.monotonic()
        if ended or begin >= self._keep_at:
            with suppress(NbflowError):  # the next one may succeed; the live view goes on
                self._keep(workflow)
            end = time.monotonic()
            self._keep_at = end + pause_after(end - begin)

    def _whole(self, workflow: WorkflowObject, *, ended: bool = False) -> Message:
        self._last_whole = time.monotonic()
        if self._logs is not None:
            self._logs.rewind()
        self._stale = self._stale and self._follower.workflow() is None
        self._changed.clear()
        self._sent_svg, self._sent_marks = "", {}
        message = self._begin(workflow, ended=ended or self._over)
        message["full"] = True
        message["nodes"] = rows(workflow.status.nodes.values(), self._filing)
        message["graph"] = self._graph()
        self._add_log(message)
        return message

    def _part(self, workflow: WorkflowObject, *, drawn: bool, ended: bool) -> Message:
        message = self._begin(workflow, ended=ended)
        if self._changed:
            message["nodes"] = rows(self._changed.values(), self._filing)
            self._changed.clear()
        if drawn:
            message["graph"] = self._graph()
        self._add_log(message)
        return message

    def _begin(self, workflow: WorkflowObject, *, ended: bool) -> Message:
        self._seq += 1
        head = header(workflow, self._client, self._estimate)
        message = Message(seq=self._seq, now=millis(datetime.now(UTC)), header=head)
        if ended:
            message["ended"], message["lost"] = True, _why(self._follower.failure)
        return message

    def _graph(self) -> Graph:
        """What the page does not have yet."""
        picture, before = self._picture, self._sent_marks
        self._sent_marks = picture.marks
        if picture.svg and picture.svg == self._sent_svg:
            return Graph(marks={key: mark for key, mark in picture.marks.items() if before.get(key) != mark})
        self._sent_svg = picture.svg
        return Graph(svg=picture.svg, problem=picture.problem, marks=picture.marks)

    def _add_log(self, message: Message) -> None:
        if self._logs is None:
            return
        log, self._more = self._logs.next(self._names, all_known=not self._follower.reading)
        if log is not None:
            message["log"] = log

    def _pods_of(self, node: str) -> frozenset[str] | None:
        """The pods that a node consists of now; None for all."""
        workflow = self.workflow
        chosen = workflow.status.nodes.get(node) if workflow else None
        if workflow is None or chosen is None:
            return None
        return frozenset(name for pod in pods_below(workflow, chosen) for name in pod_names(workflow, pod))

    def _learn(self, workflow: WorkflowObject, nodes: Sequence[NodeStatus]) -> None:
        """Take in what a page needs of other nodes than the one it shows."""
        self._filing.learn(nodes)
        for node in nodes:
            if node.id not in self._ids:
                self._ids.add(node.id)
                self._names.update(dict.fromkeys(pod_names(workflow, node), node.display_name))


def pause_after(took: float) -> float:
    """Seconds until the next snapshot, where the last one took so many."""
    return max(SNAPSHOT, took / SNAPSHOT_SHARE)


def _why(failure: Exception | None) -> str:
    return "" if failure is None else str(failure)
