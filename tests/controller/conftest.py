from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nbflow.clients.submitting import prepare_submit
from nbflow.controller.inbox import Inbox, Message, Rang
from nbflow.controller.kubelet import Kubelet, Place
from nbflow.controller.loop import Loop
from nbflow.controller.rehearsal import build_reconciler
from nbflow.controller.workers import Workers
from nbflow.runtimes.runtime import PodStatus
from nbflow.spec.pod import Pod, PodOutcome
from nbflow.spec.status import Phase, WorkflowObject
from nbflow.store import Home
from nbflow.store.ledger import Ledger

NOW = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)


@dataclass
class ToyRuntime:
    """Pods that end when the test says so. Outlives the controllers of a test, as real pods do."""

    pods: dict[str, tuple[str, PodStatus]] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    forgotten: list[tuple[str, bool]] = field(default_factory=list)
    refuse: dict[str, list[Exception]] = field(default_factory=dict)
    outcomes: dict[str, PodOutcome] = field(default_factory=dict)
    name: str = "toy"
    notice: str = ""
    by_itself: bool = False
    said: dict[str, str] = field(default_factory=dict)
    ends: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)

    # --- the executor ---

    def is_quick(self, pod: Pod) -> bool:
        return not pod.inputs

    def start(self, pod: Pod) -> None:
        for key, errors in self.refuse.items():
            if key in pod.name and errors:
                raise errors.pop(0)
        self.create_pod(pod)

    def progress(self, pod: Pod) -> str:
        return self.said.get(pod.name, "")

    def finish(self, pod: Pod, status: PodStatus) -> PodOutcome:
        if pod.name in self.outcomes:
            return self.outcomes[pod.name]
        if status.exit_code == 0:
            return PodOutcome(Phase.SUCCEEDED, exit_code=0, outputs={"exitCode": "0"})
        if status.exit_code is None:
            return PodOutcome(Phase.ERROR, "pod deleted")
        return PodOutcome(Phase.FAILED, f"Error (exit code {status.exit_code})", exit_code=status.exit_code)

    # --- the runtime ---

    def create_pod(self, pod: Pod) -> None:
        if pod.name not in self.pods:
            self.started.append(pod.name)
            self.pods[pod.name] = (pod.uid, PodStatus(pod.name, started_at=NOW, ready=pod.daemon))
            if self.by_itself:
                self.end(pod.name)

    def list_pods(self, workflow_uid: str) -> dict[str, PodStatus]:
        return {name: status for name, (uid, status) in self.pods.items() if uid == workflow_uid}

    def pod_status(self, workflow_uid: str, name: str) -> PodStatus | None:
        return self.list_pods(workflow_uid).get(name)

    def finished_pods(self, timeout: timedelta) -> list[str]:
        return [self.ends.get(timeout=timeout.total_seconds())]

    def delete_pod(self, name: str, *, grace: timedelta) -> None:
        self.deleted.append(name)
        self.end(name, 143)

    def path_of(self, name: str, container_path: str) -> Path:
        raise NotImplementedError

    def forget_pod(self, name: str, *, keep_root: bool) -> None:
        self.forgotten.append((name, keep_root))
        self.pods.pop(name, None)

    def end(self, name: str, exit_code: int | None = 0, *, tell: bool = True) -> None:
        uid, status = self.pods[name]
        self.pods[name] = uid, replace(status, finished=True, finished_at=NOW, exit_code=exit_code)
        if tell:
            self.ends.put(name)

    def running(self, part: str = "") -> list[str]:
        return [name for name, (_, status) in self.pods.items() if part in name and not status.finished]


class House:
    """A home with a controller's loop in this thread, over toy pods."""

    def __init__(self, root: Path) -> None:
        self.home = Home(root / "home")
        self.runtime = ToyRuntime()
        self.slots = 8
        self.parallelism: int | None = None
        self.build = build_reconciler
        self._open()

    def _open(self) -> None:
        self.inbox = Inbox()
        self.ledger = Ledger(self.home)
        self.kubelet = Kubelet(
            self.inbox, self.slots, lambda _: Place(self.runtime, self.runtime), Workers(2)
        )
        self.loop = Loop(
            self.ledger,
            self.kubelet,
            self.inbox,
            lambda *given: self.build(*given),  # noqa: PLW0108 - a test may replace it
            parallelism=self.parallelism,
        )

    def crash(self) -> None:
        """Another controller takes over; this one did not say goodbye."""
        self.ledger.close()
        self.runtime.ends = queue.SimpleQueue()  # the thread of the old one hears nothing any more
        self._open()
        self.loop.recover()

    def submit(self, templates: list[dict[str, object]], entrypoint: str = "main", **spec: object) -> str:
        manifest = {
            "metadata": {"generateName": "wf-"},
            "spec": {"entrypoint": entrypoint, "templates": templates, **spec},
        }
        row = prepare_submit(manifest, "toy", NOW)
        self.ledger.submit(row, "2024-05-01T12:00:00Z")
        self.inbox.put(Rang())
        return row.name

    def ask(self, name: str, verb: str, **body: object) -> int:
        key = self.ledger.request(self.ledger.find(name).key, verb, body)
        self.inbox.put(Rang())
        return key

    def tell(self, message: Message) -> None:
        self.inbox.put(message)

    def until(self, true: Callable[[], object], seconds: float = 120.0) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, "it did not happen"
            self.loop.turn(0.05)

    def get(self, name: str) -> WorkflowObject:
        snapshot, nodes = self.ledger.find_with_nodes(name)
        return snapshot.object(nodes)

    def phase(self, name: str) -> Phase | None:
        return self.get(name).status.phase

    def phases(self, name: str) -> dict[str, str]:
        return {node.display_name: str(node.phase) for node in self.get(name).status.nodes.values()}

    def settled(self, name: str) -> bool:
        return self.ledger.find(name).key not in self.loop.workflows.active and bool(self.phase(name))

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return self.ledger._connection.execute(sql).fetchall()

    def spoil(self, sql: str) -> None:
        self.ledger._connection.execute(sql)


def container(name: str) -> dict[str, object]:
    return {"name": name, "container": {"image": "alpine", "command": ["true"]}}


def dag(name: str, **tasks: tuple[str, ...]) -> dict[str, object]:
    """A DAG of one template: task -> what it depends on."""
    return {
        "name": name,
        "dag": {
            "tasks": [
                {"name": task, "template": "step", **({"dependencies": list(needs)} if needs else {})}
                for task, needs in tasks.items()
            ]
        },
    }


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path)
    yield made
    made.ledger.close()


@pytest.fixture
def make() -> dict[str, Callable[..., dict[str, object]]]:
    return {"container": container, "dag": dag}


def as_json(value: object) -> str:
    return json.dumps(value)
