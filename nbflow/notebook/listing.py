"""The live table of workflows: looked at again as long as somebody sees it, and told what changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypedDict

from nbflow.clients.client import Client
from nbflow.errors import NbflowError
from nbflow.notebook.desk import Content, Reply
from nbflow.notebook.feed import Message
from nbflow.notebook.follow import Follower
from nbflow.notebook.live import Live
from nbflow.notebook.rich import table
from nbflow.notebook.rows import millis
from nbflow.notebook.snapshot import pair_rule
from nbflow.spec.status import WorkflowObject, parameter_values
from nbflow.views import durations
from nbflow.views.phases import SIGNS, status_text
from nbflow.views.tables import created_at, spec_of

EVERY = 2.0
"""Seconds between two looks."""
SEEN = 25.0
"""So many seconds after the page last said that somebody sees it, the looking ends: what nobody sees costs nothing."""
ROWS = 500
"""So many workflows are shown; the flags of `list` choose others."""
_SAVED = 50
_TEXT = 200

Look = Callable[[], Sequence[WorkflowObject]]


class ListRow(TypedDict):
    """One workflow. Times are milliseconds since 1970, None where unknown."""

    name: str
    phase: str
    status: str
    created: int | None
    started: int | None
    finished: int | None
    progress: str
    message: str
    parameters: str


class Listing:
    """The workflows that `look` gives.

    reply: sends to the page. A request with `run` is for the live view of that workflow, which opens inside the table.
    chosen: `look` gives only those that somebody asked for.
    """

    def __init__(self, client: Client, look: Look, reply: Reply, *, chosen: bool = False) -> None:
        self._client, self._look, self._reply, self._chosen = client, look, reply, chosen
        self._lock = threading.Lock()
        self._rows: dict[str, ListRow] = {}
        self._until = 0.0
        self._looking = False
        self._seq = 0
        self._open: dict[str, Live] = {}

    def opening(self, workflows: Sequence[WorkflowObject]) -> dict[str, object]:
        """The first message."""
        self._rows = _rows(workflows)
        return self._message(list(self._rows.values()), full=True, more=len(workflows) - len(self._rows))

    def take(self, request: Content) -> None:
        """What the page asks; nothing here waits."""
        if "run" in request:
            self._take_for(str(request["run"]), request)
        elif request.get("do") in ("hello", "look"):
            self._reply({"pong": True})
            self._see(hello=request.get("do") == "hello")
        elif request.get("do") == "ping":
            self._reply({"pong": True, "seq": self._seq})

    def _take_for(self, name: str, request: Content) -> None:
        if name in self._open:
            self._open[name].take(request)
        elif request.get("do") == "hello":
            threading.Thread(target=self._show, args=(name,), name="nbflow open", daemon=True).start()

    def _show(self, name: str) -> None:
        """Open the live view of a workflow inside the table."""
        live = Live(
            self._client, lambda message: self._pass(name, message), self._answer(name), lambda _: None
        )
        try:
            workflow = self._client.get(name)
        except NbflowError as error:
            self._reply({"problem": str(error)})
            return
        live.opening(workflow, Follower(self._client, name))
        self._open[name] = live
        live.start()
        live.take({"do": "hello"})

    def _pass(self, name: str, message: Message) -> None:
        self._reply({"run": name, "told": message})

    def _answer(self, name: str) -> Reply:
        def answer(content: Content, buffers: list[bytes] | None = None) -> None:
            self._reply({"run": name, "told": dict(content)}, buffers)

        return answer

    def _see(self, *, hello: bool) -> None:
        """Somebody looks at the table."""
        with self._lock:
            self._until = time.monotonic() + SEEN
            start, self._looking = not self._looking, True
        if start or hello:
            if hello:
                self._rows.clear()
            threading.Thread(target=self._watch, args=(start,), name="nbflow list", daemon=True).start()

    def _watch(self, go_on: bool) -> None:
        self._tell()
        while go_on:
            time.sleep(EVERY)
            with self._lock:
                if time.monotonic() > self._until:
                    self._looking = False
                    return
            self._tell()

    def _tell(self) -> None:
        """Send what is different."""
        try:
            workflows = self._look()
        except NbflowError as error:
            self._reply({"problem": str(error)})
            return
        with self._lock:
            before, self._rows = self._rows, _rows(workflows)
            changed = [row for name, row in self._rows.items() if before.get(name) != row]
            gone = [name for name in before if name not in self._rows]
            if not changed and not gone and before:
                return
            message = self._message(changed, full=not before, more=len(workflows) - len(self._rows))
        self._reply({**message, "gone": gone, "problem": ""})

    def _message(self, rows: list[ListRow], *, full: bool, more: int) -> dict[str, object]:
        self._seq += 1
        return {
            "seq": self._seq,
            "now": int(time.time() * 1000),
            "chosen": self._chosen,
            "rows": rows,
            "full": full,
            "more": more,
        }


def saved(workflows: Sequence[WorkflowObject], *, text: str, pair: str) -> dict[str, str]:
    """The table as it stays in a saved notebook. text: for front ends that show nothing else."""
    head = ["Name", "Status", "Duration", "Progress", "Message"]
    rows = [_saved_row(workflow) for workflow in workflows[:_SAVED]]
    more = f"<div>and {len(workflows) - _SAVED} more</div>" if len(workflows) > _SAVED else ""
    body = table(head, rows) if rows else "No workflows found"
    html = f'<div class="nbflow-snap" data-nbflow-snap="{pair}">{body}{more}{pair_rule()}</div>'
    return {"text/plain": text, "text/html": html}


def _saved_row(workflow: WorkflowObject) -> list[str]:
    status = workflow.status
    over = status.started_at is not None and status.finished_at is not None
    took = status.finished_at - status.started_at if status.finished_at and status.started_at else None
    return [
        workflow.name,
        f"{SIGNS[status.phase]} {status_text(workflow)}",
        durations.short(took) if over and took is not None else "",
        status.progress,
        status.message[:_TEXT],
    ]


def _rows(workflows: Sequence[WorkflowObject]) -> dict[str, ListRow]:
    return {workflow.name: _row(workflow) for workflow in workflows[:ROWS]}


def _row(workflow: WorkflowObject) -> ListRow:
    status = workflow.status
    given = spec_of(workflow).get("arguments")
    values = parameter_values(given if isinstance(given, Mapping) else None)
    return ListRow(
        name=workflow.name,
        phase=str(status.phase or "Pending"),
        status=status_text(workflow),
        created=millis(created_at(workflow)),
        started=millis(status.started_at),
        finished=millis(status.finished_at),
        progress=status.progress,
        message=status.message[:_TEXT],
        parameters=", ".join(f"{name}={value}" for name, value in values.items())[:_TEXT],
    )
