"""A controller in this process over pods that cost nothing: they end with success as soon as they are started."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from nbflow.clients.submitting import prepare_submit
from nbflow.controller.inbox import Inbox, Rang
from nbflow.controller.kubelet import Kubelet, Place
from nbflow.controller.loop import Loop
from nbflow.controller.rehearsal import build_reconciler
from nbflow.runtimes.runtime import PodStatus
from nbflow.spec.pod import Pod, PodOutcome
from nbflow.spec.status import Phase
from nbflow.store import Home, Store
from nbflow.store.ledger import Ledger

NOW = datetime(2024, 5, 17, tzinfo=UTC)
SLOTS = 4


def outcome_of(pod: Pod) -> PodOutcome:
    """A success with all that the pod is to leave."""
    wanted = pod.outputs.get("parameters")
    parameters = [{**one, "value": "5"} for one in wanted] if isinstance(wanted, list) else []
    outputs = {"result": "5"} if pod.wants_result else {"parameters": parameters} if parameters else None
    return PodOutcome(Phase.SUCCEEDED, exit_code=0, outputs=outputs)


class ToyRuntime:
    """Runtime and executor in one."""

    name = "toy"
    notice = ""

    def __init__(self) -> None:
        self._pods: dict[str, PodStatus] = {}
        self._ends: queue.SimpleQueue[str] = queue.SimpleQueue()

    def is_quick(self, pod: Pod) -> bool:  # noqa: ARG002
        return True

    def start(self, pod: Pod) -> None:
        self._pods[pod.name] = PodStatus(
            pod.name, started_at=NOW, finished=True, finished_at=NOW, exit_code=0
        )
        self._ends.put(pod.name)

    def finish(self, pod: Pod, status: PodStatus) -> PodOutcome:  # noqa: ARG002
        return outcome_of(pod)

    def progress(self, pod: Pod) -> str:  # noqa: ARG002
        return ""

    def pod_status(self, workflow_uid: str, name: str) -> PodStatus | None:  # noqa: ARG002
        return self._pods.get(name)

    def finished_pods(self, timeout: timedelta) -> list[str]:
        return [self._ends.get(timeout=timeout.total_seconds())]

    def forget_pod(self, name: str, *, keep_root: bool) -> None:  # noqa: ARG002
        self._pods.pop(name, None)


class House:
    """A home, its store and the controller's loop in this thread."""

    def __init__(self, folder: Path) -> None:
        home, toy = Home(folder / "home"), ToyRuntime()
        self._inbox, self._ledger, self._reader = Inbox(), Ledger(home), Store(home)
        kubelet = Kubelet(self._inbox, SLOTS, lambda _: Place(toy, toy))  # type: ignore[arg-type]
        self._loop = Loop(self._ledger, kubelet, self._inbox, build_reconciler)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ledger.close()
        self._reader.close()

    def run(self, manifest: dict[str, object]) -> tuple[float, int]:
        """CPU seconds of all threads, and nodes, of a run from the submit to the last row."""
        name = self._submit(manifest)
        start = time.process_time()
        for _ in self._turns():
            pass
        return time.process_time() - start, self._nodes(name)

    def watch(self, manifest: dict[str, object]) -> tuple[float, int]:
        """CPU seconds of a reader that takes in the changes of ten turns at a time, and nodes."""
        name = self._submit(manifest)
        key = self._reader.find(name).key
        seconds, sequence = 0.0, 0
        for turn in self._turns():
            if turn % 10 == 0:
                start = time.thread_time()
                found = self._reader.changes_since(key, sequence)
                sequence = found[0].sequence if found else sequence
                seconds += time.thread_time() - start
        return seconds, self._nodes(name)

    def _turns(self) -> Iterator[int]:
        self._loop.turn(0.05)
        turn = 0
        while self._loop.workflows.active:
            self._loop.turn(0.05)
            turn += 1
            yield turn

    def _submit(self, manifest: dict[str, object]) -> str:
        row = prepare_submit(manifest, "toy", NOW)
        self._ledger.submit(row, "2024-05-17T10:00:00Z")
        self._inbox.put(Rang())
        return row.name

    def _nodes(self, name: str) -> int:
        found = self._reader.find(name)
        assert found.standing.status.phase is Phase.SUCCEEDED
        return len(self._reader.nodes(found.key))
