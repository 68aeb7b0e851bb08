from datetime import timedelta

import pytest

from nbflow.errors import NbflowError
from nbflow.views.text import Style
from nbflow.views.tree import rows, tree


def walkthrough(builder):
    """The steps of the walk-through: one step, then two at a time."""
    made = builder()
    made.add("wf", "Steps", template="hello-hello-hello", children=["wf-1"])
    made.add("wf[0]", "StepGroup", template="", boundary="wf", children=["wf-2"], display="[0]")
    made.add("wf[0].hello1", template="whalesay", boundary="wf", children=["wf-3"])
    made.add("wf[1]", "StepGroup", template="", boundary="wf", children=["wf-4", "wf-5"], display="[1]")
    made.add("wf[1].hello2a", template="whalesay", boundary="wf")
    made.add("wf[1].hello2b", template="whalesay", boundary="wf")
    return made.build("Succeeded")


def test_steps(builder, golden):
    golden("tree-steps.txt", tree(walkthrough(builder)))


def test_steps_in_ascii(builder, golden):
    golden("tree-steps-ascii.txt", tree(walkthrough(builder), style=Style(utf8=False)))


def test_everything(dag, golden):
    golden("tree-dag.txt", tree(dag))


def test_wide(dag, golden):
    golden("tree-dag-wide.txt", tree(dag, output="wide"))


def test_what_runs_takes_as_long_as_now_says(builder):
    made = builder()
    made.add("wf", phase="Running")
    workflow = made.build()
    start = workflow.status.started_at
    assert start is not None
    assert tree(workflow, now=start + timedelta(seconds=75)) == (
        "STEP   TEMPLATE  PODNAME  DURATION  MESSAGE\n ● wf  echo      wf       1m\n"
    )


def test_no_nodes_no_tree(builder):
    assert tree(builder().build()) == ""


def test_only_nodes_that_match(dag):
    shown = [row.node.display_name for row in rows(dag, selector="phase=Failed")]
    assert shown == ["fan(9:item9)", "flaky(0)"]
    assert [row.node.name for row in rows(dag, selector="templateName=wait,phase!=Failed")] == ["wf.approve"]


def test_a_selector_that_cannot_be_read(dag):
    with pytest.raises(NbflowError, match="the selector 'phase' cannot be read"):
        tree(dag, selector="phase")


def test_a_retry_with_one_attempt_has_no_line(builder):
    made = builder()
    made.add("wf", "Retry", children=["wf-1"])
    made.add("wf(0)", display="wf(0)")
    assert [row.node.name for row in rows(made.build())] == ["wf(0)"]


def test_omitted_nodes_have_no_line(builder):
    made = builder()
    made.add("wf", "DAG")
    made.add("wf.a", "Skipped", "Omitted", boundary="wf")
    made.add("wf.b", "Skipped", "Skipped", boundary="wf")
    assert [row.node.display_name for row in rows(made.build())] == ["wf", "b"]


def test_depth_is_no_problem(builder):
    made = builder()
    boundary = made.add("wf", "Steps")
    name = "wf"
    for _ in range(3000):
        name += "[0].again"
        boundary = made.add(name, "Steps", boundary=boundary)
    assert len(rows(made.build())) == 3001


def test_colours_do_not_move_columns(builder):
    workflow = walkthrough(builder)
    plain, colored = tree(workflow), tree(workflow, style=Style(color=True))
    assert colored.replace("\x1b[32m", "").replace("\x1b[0m", "") == plain
    assert colored.count("\x1b[32m✔\x1b[0m") == 4
