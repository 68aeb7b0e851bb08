"""Workflows that tests of the notebook share, and the script that runs a diamond by hand."""

from __future__ import annotations

from nbflow.spec.status import NodeType, Phase, WorkflowObject
from tests.notebook.fake_client import START, FakeRun, node

P = Phase


def diamond(name: str = "diamond") -> WorkflowObject:
    tasks = [
        {"name": "A", "template": "echo"},
        {"name": "B", "template": "echo", "dependencies": ["A"]},
        {"name": "C", "template": "echo", "dependencies": ["A"]},
        {"name": "D", "template": "echo", "dependencies": ["B", "C"]},
    ]
    spec = {
        "entrypoint": "main",
        "templates": [
            {"name": "main", "dag": {"tasks": tasks}},
            {"name": "echo", "container": {"image": "busybox", "command": ["echo", "hi"]}},
        ],
    }
    metadata = {"name": name, "uid": f"uid-{name}", "creationTimestamp": "2024-05-01T12:00:00Z"}
    return WorkflowObject(metadata, spec)


def ids(run: FakeRun, *letters: str) -> tuple[str, ...]:
    return tuple(node(f"{run.workflow.name}.{letter}").id for letter in letters)


def start(run: FakeRun) -> None:
    """The root and A run."""
    name = run.workflow.name
    root = node(name, P.RUNNING, type=NodeType.DAG, template="main", children=ids(run, "A"))
    run.change(
        root, node(f"{name}.A", P.RUNNING, boundary=name), phase=P.RUNNING, started_at=START, progress="0/1"
    )


def outputs(letter: str) -> dict[str, object]:
    return {"parameters": [{"name": "size", "value": letter}], "exitCode": "0"}


def end(run: FakeRun, **outcomes: Phase) -> None:
    """All nodes end as `outcomes` says, Succeeded where it says nothing."""
    name = run.workflow.name
    below = {"A": ("B", "C"), "B": ("D",), "C": ("D",), "D": ()}
    nodes = [
        node(
            f"{name}.{letter}", outcomes.get(letter, P.SUCCEEDED), boundary=name, children=ids(run, *children),
            message="Error (exit code 3)" if outcomes.get(letter) is P.FAILED else "",
            outputs=None if letter in outcomes else outputs(letter),
        )
        for letter, children in below.items()
    ]  # fmt: skip
    phase = P.FAILED if outcomes else P.SUCCEEDED
    root = node(
        name, phase, type=NodeType.DAG, template="main", children=ids(run, "A"),
        outputs=None if outcomes else {"parameters": [{"name": "total", "value": "12"}]},
    )  # fmt: skip
    run.change(*nodes, root, phase=phase, finished_at=START, progress="4/4")


def stopped(run: FakeRun) -> None:
    """What is left of a diamond that somebody stopped while A ran."""
    name = run.workflow.name
    message = "Stopped with strategy 'Stop'"
    root = node(name, P.FAILED, type=NodeType.DAG, template="main", children=ids(run, "A"), message=message)
    run.change(
        root,
        node(f"{name}.A", P.FAILED, boundary=name, message="workflow shutdown with strategy:  Stop"),
        phase=P.FAILED,
        message=message,
        finished_at=START,
    )


def until_stopped(run: FakeRun) -> None:
    """A script: A runs until somebody asks for a stop."""
    start(run)
    with run.news:
        run.news.wait_for(lambda: run.asked)
    stopped(run)


def at_once(run: FakeRun) -> None:
    """A script: all is done at once."""
    start(run)
    run.say(f"{run.workflow.name}.A", "hello from A")
    end(run)


def fails(run: FakeRun) -> None:
    """A script: C fails."""
    start(run)
    end(run, C=P.FAILED, D=P.OMITTED)
    run.say(f"{run.workflow.name}.C", "ValueError: no data")
