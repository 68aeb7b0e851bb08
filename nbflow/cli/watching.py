"""Watch a workflow: the tree redrawn in place on a terminal, one line a change elsewhere."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nbflow.cli.console import Console
from nbflow.cli.describing import describe
from nbflow.cli.process import INTERRUPTED
from nbflow.cli.waiting import exit_code, say_detached, say_failures
from nbflow.commands import reading
from nbflow.spec.status import NodeStatus, NodeType, Phase, WorkflowObject
from nbflow.views.phases import sign
from nbflow.views.selector import matches, parse_selector
from nbflow.views.text import clean, shorten

if TYPE_CHECKING:
    from nbflow.clients.client import Client
    from nbflow.commands.advice import Adviser

_TICK = 1.0  # seconds between redraws when nothing happens: durations grow
_RARELY = 20
"""So many times as long as drawing takes is waited before it is done only for the clock."""
_QUIET = (NodeType.STEP_GROUP, NodeType.TASK_GROUP)


def watch_workflow(
    console: Console, client: Client, name: str, *, output: str = "", selector: str = ""
) -> int:
    """Show a workflow until it is finished, and return the exit code. An interrupt leaves it running."""
    parse_selector(selector)
    last = None
    show = _Screen(console, output, selector).show if console.redraws else _Journal(console, selector).show
    try:
        for workflow in (
            _ticking(reading.follow(client, name)) if console.redraws else reading.follow(client, name)
        ):
            last = workflow
            show(workflow)
    except KeyboardInterrupt:
        say_detached(console, [name])
        return INTERRUPTED
    if last is None:
        return 1
    if not console.redraws:
        console.write("\n" + describe(console, last, output, selector))
    say_failures(console, [last], advise=False)
    return exit_code([last])


class _Journal:
    """One line for each change of a node."""

    def __init__(self, console: Console, selector: str) -> None:
        self.console, self.terms = console, parse_selector(selector)
        self.seen: dict[str, Phase | None] = {}
        self.advised: Adviser | None = None

    def show(self, workflow: WorkflowObject) -> None:
        style = self.console.style
        for node in sorted(workflow.status.nodes.values(), key=lambda node: _is_last(workflow, node)):
            if (
                node.type in _QUIET
                or self.seen.get(node.id, "") == node.phase
                or not matches(self.terms, node)
            ):
                continue
            self.seen[node.id] = node.phase
            message = f": {clean(node.message)}" if node.message else ""
            phase = node.phase.value if node.phase else Phase.PENDING.value
            self.console.write(f"{sign(node, style)} {clean(node.display_name)} {phase}{message}\n")
        self._advise(workflow)
        self.console.flush()

    def _advise(self, workflow: WorkflowObject) -> None:
        """What is in the way of a pod that waits, once: nothing else would be seen until somebody mends it."""
        status = workflow.status
        waiting = any(node.phase is Phase.PENDING and node.message for node in status.nodes.values())
        if not waiting and (status.phase is not None or not status.message):
            return
        from nbflow.commands.advice import Adviser

        self.advised = self.advised or Adviser()
        for text in self.advised.news(workflow, status.nodes.values()):
            self.console.say("\n".join(map(clean, text.split("\n"))))


def _is_last(workflow: WorkflowObject, node: NodeStatus) -> bool:
    """The workflow's own node ends when those inside it have."""
    return node.name == workflow.name and node.phase is not None and node.phase.finished


class _Screen:
    """The tree, drawn over the one before without clearing the screen in between."""

    def __init__(self, console: Console, output: str, selector: str) -> None:
        self.console, self.output, self.selector = console, output, selector
        self.height = 0

    def show(self, workflow: WorkflowObject) -> None:
        finished = workflow.status.finished_at is not None
        lines = describe(self.console, workflow, self.output, self.selector).splitlines()
        if not finished:
            width, height = self.console.size
            lines = [shorten(line, width) for line in fit(lines, height - 1)]
        up = f"\x1b[{self.height}A" if self.height else ""
        self.console.write(up + "".join(f"\r{line}\x1b[K\n" for line in lines) + "\x1b[J")
        self.console.flush()
        self.height = len(lines)


def fit(lines: Sequence[str], height: int) -> list[str]:
    """At most `height` lines: the top goes first, then what is done; what runs and what failed stays."""
    if len(lines) <= height:
        return list(lines)
    blank = lines.index("") if "" in lines else 0
    head, body = list(lines[:blank]), list(lines[blank + 1 :])
    kept = [line for line in head if line.startswith(("Name:", "Status:", "Duration:", "Progress:"))]
    room = max(height - len(kept) - 2, 1)
    if len(body) <= room:
        return [*kept, "", *body][-height:]
    lively = {i for i, line in enumerate(body) if i == 0 or any(mark in line for mark in "●✖⚠ǁ")}
    chosen = set(sorted(lively)[:room])
    for index in reversed(range(len(body))):
        if len(chosen) >= room:
            break
        chosen.add(index)
    hidden = len(body) - len(chosen)
    return [*kept, "", *(body[i] for i in sorted(chosen)), f"   … {hidden} more"][-height:]


def _ticking(updates: Iterator[WorkflowObject]) -> Iterator[WorkflowObject]:
    """The updates, and the last one again each second: read beside, so that the clock goes on."""
    arrived: queue.Queue[WorkflowObject | BaseException | None] = queue.Queue()

    def read() -> None:
        try:
            for update in updates:
                arrived.put(update)
            arrived.put(None)
        except BaseException as error:  # noqa: BLE001  # raised again by who waits
            arrived.put(error)

    threading.Thread(target=read, name="watch", daemon=True).start()
    last: WorkflowObject | None = None
    pause = _TICK
    while True:
        try:
            items = [arrived.get(timeout=pause)]
        except queue.Empty:
            items = []
        while not arrived.empty():
            items.append(arrived.get())
        found = [item for item in items if isinstance(item, WorkflowObject)]
        last = found[-1] if found else last
        if last is not None:
            began = time.thread_time()
            yield last
            pause = max(_TICK, _RARELY * (time.thread_time() - began))
        for item in items:
            if isinstance(item, BaseException):
                raise item
            if item is None:
                return
