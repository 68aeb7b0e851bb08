"""One watch of a workflow, read in the background, for everybody in the kernel who wants to know.

Waiting in the main thread is waiting for a condition, which the notebook's interrupt button ends at once;
reading `Client.watch` there would depend on how each client waits.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from nbflow.clients.client import Client, WorkflowUpdate
from nbflow.spec.status import NodeStatus, WorkflowObject

Listener = Callable[[tuple[NodeStatus, ...]], None]
"""Called from the background thread with the nodes that changed; it must return at once."""


def finished(workflow: WorkflowObject) -> bool:
    """Whether nothing will change any more."""
    return workflow.status.phase is not None and workflow.status.phase.finished


class Follower:
    """What is known of a workflow, kept current by a daemon thread until it is finished.

    client, name: what to watch. Nothing is read before `start`.
    """

    def __init__(self, client: Client, name: str) -> None:
        self._client, self._name = client, name
        self._news = threading.Condition()
        self._reading = False
        self._listeners: list[Listener] = []
        self._workflow: WorkflowObject | None = None
        self._nodes: dict[str, NodeStatus] = {}
        self._failure: Exception | None = None

    def start(self) -> Follower:
        """Begin to read, or begin again if an earlier watch has ended. Safe to repeat."""
        with self._news:
            if not self._reading:
                self._reading, self._failure, self._workflow = True, None, None
                self._nodes = {}
                name = f"nbflow watch {self._name}"
                threading.Thread(target=self._read, name=name, daemon=True).start()
        return self

    def listen(self, listener: Listener) -> None:
        """Call `listener` on each change from now on, and once more when the watch has ended."""
        with self._news:
            self._listeners.append(listener)

    def workflow(self) -> WorkflowObject | None:
        """The workflow as last heard of, with all its nodes; None before the first word."""
        with self._news:
            return self._whole()

    @property
    def reading(self) -> bool:
        """Whether more news may come."""
        with self._news:
            return self._reading

    @property
    def failure(self) -> Exception | None:
        """Why the watch broke off; None if it did not."""
        with self._news:
            return self._failure

    def until(
        self, known: Callable[[WorkflowObject], bool], timeout: timedelta | None = None
    ) -> WorkflowObject:
        """Wait for a workflow of which `known` is true, or that is finished.

        Raises TimeoutError when `timeout` is over, and what the watch raised if that broke off.
        """
        self.start()
        seconds = None if timeout is None else timeout.total_seconds()
        with self._news:
            self._news.wait_for(lambda: not self._reading or self._is(known), seconds)
            whole = self._whole()
            if self._failure is not None:
                raise self._failure
            if whole is None or (self._reading and not known(whole)):
                raise TimeoutError
            return whole

    async def over(self) -> None:
        """Wait until the workflow is finished or the watch breaks off, and let the event loop go on meanwhile."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def hear(_: tuple[NodeStatus, ...]) -> None:
            if not self.reading:
                loop.call_soon_threadsafe(ended.set)

        self.listen(hear)
        self.start()
        try:
            await ended.wait()
        finally:
            with self._news:
                self._listeners.remove(hear)

    def _is(self, known: Callable[[WorkflowObject], bool]) -> bool:
        whole = self._whole()
        return whole is not None and known(whole)

    def _whole(self) -> WorkflowObject | None:
        if self._workflow is None:
            return None
        return replace(self._workflow, status=replace(self._workflow.status, nodes=dict(self._nodes)))

    def _read(self) -> None:
        failure: Exception | None = None
        try:
            for update in self._client.watch(self._name):
                self._take(update)
        except Exception as raised:  # noqa: BLE001  # whoever waits must hear of it, or the notebook would hang
            failure = raised
        with self._news:
            self._reading, self._failure = False, failure
        self._tell(())

    def _take(self, update: WorkflowUpdate) -> None:
        nodes = tuple(update.workflow.status.nodes.values()) + update.nodes
        with self._news:
            self._workflow = update.workflow
            self._nodes.update((node.id, node) for node in nodes)
        self._tell(nodes)

    def _tell(self, nodes: tuple[NodeStatus, ...]) -> None:
        with self._news:
            listeners = tuple(self._listeners)
            self._news.notify_all()
        for listener in listeners:
            listener(nodes)
