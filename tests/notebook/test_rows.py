"""The tree of rows that the live view and the snapshot show."""

from __future__ import annotations

from dataclasses import replace

from nbflow.notebook.nodes import pods_below
from nbflow.notebook.rows import Filing, ordered, rows
from nbflow.notebook.snapshot import node_table
from nbflow.spec.status import NodeType, Phase, WorkflowObject, WorkflowStatus
from tests.notebook.fake_client import node
from tests.notebook.workflows import diamond

STEPS, GROUP = NodeType.STEPS, NodeType.STEP_GROUP


def loop(count: int, **bad: str) -> WorkflowObject:
    """Steps whose first group is a loop beside a step, and whose second one is a step. bad: round -> message."""
    turns = [
        node(
            f"wf[0].each({i}:{i})",
            Phase.FAILED if f"r{i}" in bad else Phase.SUCCEEDED,
            boundary="wf",
            message=bad.get(f"r{i}", ""),
        )
        for i in range(count)
    ]
    beside = node("wf[0].other", Phase.SUCCEEDED, boundary="wf")
    first = node(
        "wf[0]", Phase.SUCCEEDED, type=GROUP, boundary="wf", children=(*(t.id for t in turns), beside.id)
    )
    nodes = [
        node("wf", Phase.SUCCEEDED, type=STEPS),
        *(replace(one, display_name=f"[{index}]") for index, one in enumerate((first, second()))),
        *turns,
        beside,
        node("wf[1].after", Phase.SUCCEEDED, boundary="wf"),
    ]
    return replace(
        diamond("wf"), status=WorkflowStatus(Phase.SUCCEEDED, nodes={one.id: one for one in nodes})
    )


def second():
    return node("wf[1]", Phase.SUCCEEDED, type=GROUP, boundary="wf")


def test_the_rounds_of_a_loop_of_steps_stand_under_a_row_of_its_name():
    found = [(depth, one.display_name) for depth, one in ordered(loop(2))]
    assert found == [(0, "wf"), (1, "each"), (2, "each(0:0)"), (2, "each(1:1)"), (1, "other"), (1, "after")]


def test_a_row_is_filed_as_soon_as_its_group_is_known():
    nodes = list(loop(2).status.nodes.values())
    filing = Filing()
    shown = []
    for batch in (nodes[:3], nodes[1:4], nodes[4:]):
        filing.learn(batch)
        shown.append([(row["name"], row["parent"] != nodes[0].id) for row in rows(batch, filing)])
    assert shown == [
        [("wf", True)],
        [("each", False), ("each(0:0)", True)],
        [("each(1:1)", True), ("other", False), ("after", False)],
    ]


def test_a_loop_has_the_pods_of_its_rounds():
    workflow = loop(2)
    group = next(one for one in workflow.status.nodes.values() if one.name == "wf[0]")
    assert [one.display_name for one in pods_below(workflow, group)] == ["each(0:0)", "each(1:1)"]


def test_the_table_folds_a_large_loop_and_keeps_what_failed():
    workflow = loop(1000, r7="out of memory")
    found = [(depth, one.display_name, one.message) for depth, one in ordered(workflow, crowd=20)]
    assert found == [
        (0, "wf", ""),
        (1, "each", "✔ 999  ✖ 1"),
        (2, "each(7:7)", "out of memory"),
        (1, "other", ""),
        (1, "after", ""),
    ]
    assert node_table(workflow).count("<tr>") == 1 + len(found)
