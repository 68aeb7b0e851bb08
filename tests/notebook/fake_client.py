"""A client whose workflows do what a script says: for tests of what is shown, without anything that runs."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nbflow.clients.client import LogLine, LogOptions, Request, Selection, Stored, WorkflowUpdate
from nbflow.errors import ConflictError, NotFoundError
from nbflow.spec.status import NodeStatus, NodeType, Phase, WorkflowObject
from nbflow.views.podnames import pod_name

START = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)


def node(
    name: str,
    phase: Phase | None = Phase.PENDING,
    *,
    type: NodeType = NodeType.POD,  # noqa: A002
    template: str = "echo",
    boundary: str = "",
    **more: object,
) -> NodeStatus:
    """A node whose id is made of its name; its display name is the last part of it."""
    display = name.rpartition(".")[2]
    if display.startswith("["):
        display = display.partition("]")[2].lstrip(".") or display
    started = more.pop("started_at", START if phase else None)
    finished = more.pop("finished_at", START + timedelta(seconds=5) if phase and phase.finished else None)
    return NodeStatus(
        id=node_id(name),
        name=name,
        display_name=display,
        type=type,
        template_name=template,
        phase=phase,
        boundary_id=node_id(boundary) if boundary else "",
        started_at=started,
        finished_at=finished,
        **more,
    )


def node_id(name: str) -> str:
    root, dot, rest = name.partition(".")
    return root + (f"-{abs(hash_of(rest))}" if dot else "")


def hash_of(text: str) -> int:
    value = 2166136261
    for byte in text.encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


@dataclass
class FakeRun:
    """One workflow and its news. `change` and `say` are the script's verbs; everybody who watches hears of them."""

    workflow: WorkflowObject
    news: threading.Condition = field(default_factory=threading.Condition)
    updates: list[WorkflowUpdate] = field(default_factory=list)
    lines: list[LogLine] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)
    finished_meanwhile: bool = False

    def change(self, *nodes: NodeStatus, **status: object) -> None:
        with self.news:
            merged = {**self.workflow.status.nodes, **{n.id: n for n in nodes}}
            new = replace(self.workflow.status, nodes=merged, **status)
            self.workflow = replace(self.workflow, status=new)
            bare = replace(self.workflow, status=replace(new, nodes={}))
            self.updates.append(WorkflowUpdate(len(self.updates) + 1, bare, nodes))
            self.news.notify_all()

    def say(self, name: str, *texts: str) -> None:
        with self.news:
            pod = pod_name(self.workflow, self.workflow.status.nodes[node_id(name)])
            self.lines += [LogLine(pod, "main", text) for text in texts]
            self.news.notify_all()

    @property
    def finished(self) -> bool:
        phase = self.workflow.status.phase
        return phase is not None and phase.finished


Script = Callable[[FakeRun], None]


class FakeClient:
    """Implements clients.client.Client. script: what happens to a workflow once it is submitted, in a thread."""

    target = "fake"

    def __init__(self, script: Script | None = None) -> None:
        self.runs: dict[str, FakeRun] = {}
        self.script = script
        self.artifacts: dict[tuple[str, str], bytes] = {}
        self._counter = itertools.count(1)

    def add(self, workflow: WorkflowObject) -> FakeRun:
        run = FakeRun(workflow)
        self.runs[workflow.name] = run
        return run

    def submit(self, workflow: Mapping[str, object]) -> WorkflowObject:
        given = WorkflowObject.from_dict(workflow)
        name = given.name or f"{given.metadata.get('generateName', 'wf-')}{next(self._counter):05d}"
        if name in self.runs:
            raise ConflictError(f"workflow {name} exists already")
        metadata = {
            **given.metadata,
            "name": name,
            "uid": f"uid-{name}",
            "creationTimestamp": "2024-05-01T12:00:00Z",
        }
        run = self.add(replace(given, metadata=metadata))
        if self.script:
            threading.Thread(target=self.script, args=(run,), daemon=True).start()
        return run.workflow

    def get(self, name: str) -> WorkflowObject:
        return self._run(name).workflow

    def list(self, selection: Selection = Selection()) -> Sequence[WorkflowObject]:
        return [run.workflow for run in reversed(self.runs.values())]

    def watch(self, name: str) -> Iterator[WorkflowUpdate]:
        run = self._run(name)
        with run.news:
            seen, first, over = len(run.updates), run.workflow, run.finished
        yield WorkflowUpdate(seen, first)
        while not over:
            with run.news:
                run.news.wait_for(lambda seen=seen: len(run.updates) > seen)
                batch, seen, over = run.updates[seen:], len(run.updates), run.finished
            yield from batch

    def logs(self, name: str, options: LogOptions = LogOptions()) -> Iterator[LogLine]:
        run, sent = self._run(name), 0
        pods = {pod_name(run.workflow, n) for n in run.workflow.status.nodes.values() if n.id in options.pods}
        while True:
            with run.news:
                run.news.wait_for(
                    lambda sent=sent: len(run.lines) > sent or run.finished or not options.follow
                )
                batch, sent, over = run.lines[sent:], len(run.lines), run.finished or not options.follow
            wanted = [line for line in batch if not options.pods or line.pod in pods]
            yield from wanted[-options.tail :] if options.tail else wanted
            if over:
                return

    def ask(self, name: str, request: Request) -> WorkflowObject:
        run = self._run(name)
        with run.news:
            if run.finished or run.finished_meanwhile:
                raise ConflictError(f"workflow {name} is finished: {run.workflow.status.phase}")
            run.asked.append(request)
            run.news.notify_all()
        return run.workflow

    def delete(self, name: str) -> None:
        del self.runs[self._run(name).workflow.name]

    def create(self, manifest: Mapping[str, object]) -> Stored:
        return Stored(str(manifest["kind"]), "made")

    def objects(self, kind: str, selection: Selection = Selection()) -> Sequence[Mapping[str, object]]:
        return []

    def get_object(self, kind: str, name: str) -> Mapping[str, object]:
        raise NotFoundError(f"no {kind} {name}")

    def delete_object(self, kind: str, name: str) -> None:
        raise NotFoundError(f"no {kind} {name}")

    def artifact(self, name: str, node_id: str, artifact: str) -> bytes:
        raise NotFoundError(f"no artifact {artifact}")

    def copy_artifact(self, name: str, node_id: str, artifact: str, target: Path) -> None:
        if (node_id, artifact) not in self.artifacts:
            raise NotFoundError(f"no artifact {artifact}")
        target.write_bytes(self.artifacts[node_id, artifact])

    def _run(self, name: str) -> FakeRun:
        if name == "@latest" and self.runs:
            return list(self.runs.values())[-1]
        if name not in self.runs:
            raise NotFoundError(f"no workflow {name}")
        return self.runs[name]
