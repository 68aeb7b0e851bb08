"""A client whose workflows are what a test says, and the command line on top of it."""

import io
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from nbflow import cli
from nbflow.clients.client import LogLine, Selection, Stored, WorkflowUpdate
from nbflow.clients.selectors import labels_of, parse_selector
from nbflow.errors import NotFoundError
from nbflow.spec.status import NodeStatus, NodeType, Phase, WorkflowObject, WorkflowStatus
from nbflow.views.podnames import pod_name

START = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)


@dataclass
class MemoryClient:
    """Every workflow has one pod and ends in `phase`; what it was asked for is kept."""

    target: str = "sandbox"
    phase: Phase = Phase.SUCCEEDED
    workflows: dict = field(default_factory=dict)
    stored: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    lines: tuple = ("hello world",)
    interrupt: bool = False

    def submit(self, workflow):
        metadata = dict(workflow["metadata"])
        metadata.setdefault("name", f"{metadata.get('generateName', '')}{len(self.workflows)}")
        metadata |= {"uid": f"uid-{metadata['name']}", "creationTimestamp": "2024-05-01T12:00:00Z"}
        made = WorkflowObject(metadata, workflow["spec"], WorkflowStatus(started_at=START))
        self.workflows[made.name] = made
        return made

    def finish(self, made):
        end = START + timedelta(seconds=3)
        message = "" if self.phase is Phase.SUCCEEDED else "Error (exit code 1)"
        node = NodeStatus(
            made.name,
            made.name,
            made.name,
            NodeType.POD,
            "main",
            phase=self.phase,
            started_at=START,
            finished_at=end,
        )
        node = replace(node, message=message)
        status = WorkflowStatus(self.phase, message, START, end, "1/1", {node.id: node})
        self.workflows[made.name] = replace(made, status=status)
        return self.workflows[made.name]

    def get(self, name):
        if name == "@latest" and self.workflows:
            return list(self.workflows.values())[-1]
        if name not in self.workflows:
            raise NotFoundError(f'workflows.argoproj.io "{name}" not found')
        return self.workflows[name]

    def list(self, selection=Selection()):
        found = [w for w in reversed(self.workflows.values()) if w.name.startswith(selection.prefix)]
        return found[: selection.limit]

    def watch(self, name):
        made = self.get(name)
        yield WorkflowUpdate(0, made)
        if self.interrupt:
            raise KeyboardInterrupt
        done = self.finish(made)
        bare = replace(done, status=replace(done.status, nodes={}))
        yield WorkflowUpdate(1, bare, tuple(done.status.nodes.values()))

    def logs(self, name, options=None):
        self.asked.append(options)
        done = self.finish(self.get(name))
        for node in done.status.nodes.values():
            yield from (LogLine(pod_name(done, node), "main", line, START) for line in self.lines)

    def ask(self, name, request):
        self.asked.append((name, request))
        return self.get(name)

    def delete(self, name):
        self.get(name)
        del self.workflows[name]

    def create(self, manifest):
        key = (manifest["kind"], manifest["metadata"]["name"])
        existed = key in self.stored
        self.stored.setdefault(key, manifest)
        return Stored(*key, existed=existed)

    def objects(self, kind, selection=Selection()):
        meets = parse_selector(selection.labels)
        return [s for (found, _), s in self.stored.items() if found == kind and meets(labels_of(s))]

    def get_object(self, kind, name):
        if (kind, name) not in self.stored:
            raise NotFoundError(f'{kind} "{name}" not found')
        return self.stored[kind, name]

    def delete_object(self, kind, name):
        if (kind, name) not in self.stored:
            raise NotFoundError(f'{kind} "{name}" not found')
        del self.stored[kind, name]


@dataclass
class Done:
    """What a command line came to."""

    code: int
    out: str
    err: str


@pytest.fixture
def client():
    return MemoryClient()


@pytest.fixture
def nbflow(client, tmp_path, monkeypatch):
    """Runs a command line in this process; errors raise."""
    monkeypatch.setenv("NBFLOW_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def run(*argv, asked=None):
        out, err = io.StringIO(), io.StringIO()
        code = cli.run([str(word) for word in argv], out=out, err=err, client=asked or client)
        return Done(code, out.getvalue(), err.getvalue())

    return run


HELLO = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  generateName: hello-
spec:
  entrypoint: main
  arguments:
    parameters:
    - name: message
      value: hello world
  templates:
  - name: main
    inputs:
      parameters:
      - name: message
    container:
      image: alpine
      command: [echo]
      args: ["{{inputs.parameters.message}}"]
"""


@pytest.fixture
def hello(tmp_path):
    path = tmp_path / "hello.yaml"
    path.write_text(HELLO)
    return path
