"""Workflows to look at."""

from datetime import UTC, datetime, timedelta

import pytest

from nbflow.spec.status import NodeStatus, NodeType, Phase, WorkflowObject, WorkflowStatus

START = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)


class Builder:
    """Puts nodes into a workflow named wf; each starts a second after the one before and takes three."""

    def __init__(self, spec=None):
        self.spec = spec or {}
        self.nodes = {}

    def add(self, name, kind="Pod", phase="Succeeded", template="echo", boundary="", children=(), **more):
        at = START + timedelta(seconds=len(self.nodes))
        finished = phase not in ("Running", "Pending")
        node = NodeStatus(
            id="wf" if name == "wf" else f"wf-{len(self.nodes)}",
            name=name,
            display_name=more.pop("display", name.rpartition(".")[2]),
            type=NodeType(kind),
            phase=Phase(phase),
            template_name=template,
            boundary_id=boundary,
            children=tuple(children),
            started_at=more.pop("at", at),
            finished_at=at + timedelta(seconds=3) if finished else None,
            **more,
        )
        self.nodes[node.id] = node
        return node.id

    def build(self, phase="Running", **more):
        metadata = {"name": "wf", "namespace": "default", "creationTimestamp": "2024-05-01T11:59:59Z"}
        status = WorkflowStatus(phase=Phase(phase), started_at=START, nodes=self.nodes, **more)
        return WorkflowObject(metadata, self.spec, status)


@pytest.fixture
def builder():
    return Builder


@pytest.fixture
def dag():
    """A DAG with a loop, a retry, a suspended task, a recursion of steps, and an exit handler."""
    made = Builder(
        {
            "entrypoint": "main",
            "onExit": "bye",
            "arguments": {"parameters": [{"name": "message", "value": "hello\x1b[31m"}]},
            "templates": [
                {
                    "name": "main",
                    "dag": {
                        "tasks": [
                            {"name": "gen", "template": "echo"},
                            {"name": "flip", "template": "coin", "depends": "gen.Succeeded || gen.Failed"},
                            {"name": "fan", "template": "work", "depends": "gen", "withParam": "{{x}}"},
                            {
                                "name": "small",
                                "template": "work",
                                "depends": "gen",
                                "withItems": ["a", "<b>"],
                            },
                            {"name": "approve", "template": "wait", "depends": "fan && flip"},
                            {"name": "flaky", "template": "bad", "dependencies": ["fan"]},
                            {"name": "report", "template": "echo", "depends": "approve && small && flaky"},
                        ]
                    },
                },
                {"name": "echo", "container": {"image": "alpine"}},
                {"name": "work", "container": {"image": "alpine"}},
                {"name": "bad", "container": {"image": "alpine"}, "retryStrategy": {"limit": 2}},
                {"name": "wait", "suspend": {}},
                {"name": "bye", "container": {"image": "alpine"}},
                {
                    "name": "coin",
                    "steps": [
                        [{"name": "flip-coin", "template": "echo"}],
                        [
                            {"name": "heads", "template": "echo", "when": "{{x}} == heads"},
                            {"name": "tails", "template": "coin", "when": "{{x}} == tails"},
                        ],
                    ],
                },
            ],
        }
    )
    made.add("wf", "DAG", "Running", "main")
    made.add("wf.gen", boundary="wf")
    group = "wf-3"
    flip = made.add("wf.flip", "Steps", "Running", "coin", "wf", [group])
    made.add("wf.flip[0]", "StepGroup", template="", boundary=flip, children=["wf-4"], display="[0]")
    made.add("wf.flip[0].flip-coin", boundary=flip)
    made.add("wf.flip[1]", "StepGroup", "Running", "", flip, ["wf-6", "wf-7"], display="[1]")
    made.add(
        "wf.flip[1].heads", "Skipped", "Skipped", boundary=flip, message="when 'tails == heads' is false"
    )
    tails = made.add("wf.flip[1].tails", "Steps", "Running", "coin", flip, ["wf-8"])
    made.add("wf.flip[1].tails[0]", "StepGroup", "Running", "", tails, ["wf-9"], display="[0]")
    made.add("wf.flip[1].tails[0].flip-coin", phase="Running", boundary=tails)
    made.add("wf.fan", "TaskGroup", "Running", "work", "wf")
    for index, phase in enumerate(["Succeeded"] * 9 + ["Failed"] + ["Running"] * 4):
        made.add(f"wf.fan({index}:item{index})", phase=phase, template="work", boundary="wf", at=START)
    made.add("wf.small", "TaskGroup", "Succeeded", "work", "wf")
    made.add("wf.small(0:a)", template="work", boundary="wf")
    made.add("wf.small(1:<b>)", phase="Error", template="work", boundary="wf", message="no \x1b]0;title\x07")
    made.add("wf.approve", "Suspend", "Running", "wait", "wf")
    retry = made.add(
        "wf.flaky", "Retry", "Running", "bad", "wf", [f"wf-{len(made.nodes) + i}" for i in (1, 2)]
    )
    assert retry == f"wf-{len(made.nodes) - 1}"
    made.add("wf.flaky(0)", phase="Failed", template="bad", boundary="wf", message="Error (exit code 1)")
    made.add("wf.flaky(1)", phase="Running", template="bad", boundary="wf")
    made.add("wf.onExit", phase="Pending", template="bye")
    return made.build(progress="9/20")
