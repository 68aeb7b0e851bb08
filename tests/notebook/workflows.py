"""Workflows that tests of the notebook share, and the script that runs a diamond by hand."""

from __future__ import annotations

import time

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


def end(run: FakeRun, **outcomes: Phase) -> None:
    """All nodes end as `outcomes` says, Succeeded where it says nothing."""
    name = run.workflow.name
    below = {"A": ("B", "C"), "B": ("D",), "C": ("D",), "D": ()}
    nodes = [
        node(
            f"{name}.{letter}", outcomes.get(letter, P.SUCCEEDED), boundary=name, children=ids(run, *children),
            message="Error (exit code 3)" if outcomes.get(letter) is P.FAILED else "",
            outputs={"parameters": [{"name": "size", "value": letter}], "exitCode": "0"} if letter not in outcomes else None,
        )
        for letter, children in below.items()
    ]  # fmt: skip
    phase = P.FAILED if outcomes else P.SUCCEEDED
    root = node(
        name, phase, type=NodeType.DAG, template="main", children=ids(run, "A"),
        outputs=None if outcomes else {"parameters": [{"name": "total", "value": "12"}]},
    )  # fmt: skip
    run.change(*nodes, root, phase=phase, finished_at=START, progress="4/4")


def play(pace: float):
    """A script: the diamond runs, `pace` seconds a step, until it is done or somebody stops it."""

    def script(run: FakeRun) -> None:
        name = run.workflow.name
        start(run)
        run.say(f"{name}.A", "A: first line")
        time.sleep(pace)
        run.change(node(f"{name}.A", P.SUCCEEDED, boundary=name, children=ids(run, "B", "C")))
        run.change(*(node(f"{name}.{x}", P.RUNNING, boundary=name) for x in "BC"), progress="1/3")
        for count in range(20):
            run.say(f"{name}.B", f"B: line {count}")
            run.say(f"{name}.C", f"C: line {count} <img src=x onerror=window.hacked=1>")
            time.sleep(pace / 10)
        end(run)

    return script
