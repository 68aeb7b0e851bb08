"""For the kernels of tests: `%%workflow` submits to a client that does what the cells of the test say."""

from __future__ import annotations

from dataclasses import replace

from IPython import get_ipython

from nbflow.clients.client import Request
from nbflow.commands import connecting
from nbflow.spec.status import NodeType
from tests.notebook import workflows
from tests.notebook.fake_client import FakeClient, FakeRun, node

client = FakeClient()
if get_ipython() is not None:  # in a kernel; a test that only borrows the texts keeps its own clients
    connecting.connect = lambda *_: client

DIAMOND = """%%workflow run
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: diamond}
spec:
  entrypoint: main
  templates:
  - name: main
    dag:
      tasks:
      - {name: A, template: echo}
      - {name: B, template: echo, dependencies: [A]}
      - {name: C, template: echo, dependencies: [A]}
      - {name: D, template: echo, dependencies: [B, C]}
  - name: echo
    container: {image: busybox, command: [echo, hi]}
"""


def newest() -> FakeRun:
    return list(client.runs.values())[-1]


def start() -> None:
    workflows.start(newest())


def say(letter: str, *texts: str) -> None:
    newest().say(f"diamond.{letter}", *texts)


def end() -> None:
    workflows.end(newest())


def stop_when_asked() -> None:
    """Wait for the click on Stop, and stop."""
    run = newest()
    with run.news:
        assert run.news.wait_for(lambda: run.asked, 60), "nobody asked for a stop"
    workflows.stopped(run)


def suspend() -> None:
    """The first node waits for somebody."""
    run = newest()
    start()
    run.change(node("diamond.A", workflows.P.RUNNING, type=NodeType.SUSPEND, boundary="diamond"))


def resume_when_asked() -> None:
    """Wait for the click on Resume, and go on."""
    run = newest()
    with run.news:
        assert run.news.wait_for(lambda: run.asked, 60), "nobody asked to go on"
        assert run.asked == [Request(verb="resume", nodes=workflows.ids(run, "A"))]
    run.change(node("diamond.A", workflows.P.SUCCEEDED, type=NodeType.SUSPEND, boundary="diamond"))


def evil(text: str) -> None:
    """A node with this name and message, a workflow with this message, and lines with it and with colours."""
    run = newest()
    bad = node("diamond.evil", workflows.P.RUNNING, boundary="diamond", message=text)
    run.change(replace(bad, display_name=text), message=text)
    run.say("diamond.evil", text, "plain \x1b[31mred\x1b[0m end")


def many(count: int) -> None:
    """Nodes and lines, more than fit into one message."""
    run = newest()
    names = [f"diamond.x({index}:{index})" for index in range(count)]
    run.change(*(node(name, workflows.P.RUNNING, boundary="diamond") for name in names))
    for name in names:
        run.say(name, *(f"{name} says {line}" for line in range(20)))


__all__ = [
    "DIAMOND",
    "client",
    "end",
    "evil",
    "many",
    "newest",
    "resume_when_asked",
    "say",
    "start",
    "stop_when_asked",
    "suspend",
]
