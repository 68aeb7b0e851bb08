from datetime import timedelta
from xml.etree import ElementTree as ET

from nbflow.spec.status import Phase, WorkflowObject
from nbflow.views.timeline import MOST, bars, timeline, timeline_svg
from tests.views.conftest import START


def test_bars_are_what_ran_itself_in_order_of_start(dag):
    found = bars(dag)
    started = {
        n.name for n in dag.status.nodes.values() if n.type.value in ("Pod", "Suspend") and n.started_at
    }
    assert {bar.node.name for bar in found} == started
    assert [bar.start for bar in found] == sorted(bar.start for bar in found)


def test_what_still_runs_ends_at_the_moment_that_was_asked_about(builder):
    made = builder()
    made.add("wf", "DAG", "Running")
    made.add("wf.a", phase="Running", boundary="wf")
    workflow = made.build()
    (bar,) = bars(workflow, START + timedelta(seconds=61))
    assert bar.length == timedelta(seconds=60)
    assert timeline(workflow, START + timedelta(seconds=61)) == (
        "NODE  START  DURATION\n● a   +0s    1m        ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━\n"
    )


def test_bars_stand_where_their_time_is(builder):
    made = builder()
    made.add("wf", "Steps", at=START)
    made.add("wf.a", boundary="wf")
    made.add("wf.b", "Pod", "Failed", boundary="wf")
    text = timeline(made.build("Failed"))
    assert text.splitlines()[1:] == [
        "✔ a   +0s    3s        ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━",
        "✖ b   +1s    3s                    ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━",
    ]


def test_nothing_has_started():
    workflow = WorkflowObject({"name": "wf"}, {})
    assert timeline(workflow) == "nothing of workflow wf has started yet\n"
    assert timeline_svg(workflow) == ""


def test_a_hostile_name_is_text_in_the_drawing(builder):
    made = builder()
    made.add("wf", "DAG")
    made.add("wf.x", display='</text><script>alert(1)</script>"\x1b', boundary="wf")
    root = ET.fromstring(timeline_svg(made.build("Succeeded")))
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
        "svg", "title", "g", "text", "tspan", "rect", "line",
    }  # fmt: skip
    assert "</text><script>alert(1)…" in "".join(root.itertext()) or "<script>" in "".join(root.itertext())


def test_many_bars_are_cut(builder):
    made = builder()
    made.add("wf", "DAG")
    for number in range(MOST + 5):
        made.add(f"wf.n{number}", boundary="wf")
    workflow = made.build("Succeeded")
    assert len(bars(workflow)) == MOST + 5
    assert timeline(workflow).splitlines()[-1] == "and 5 more nodes"
    assert timeline_svg(workflow).count("<rect") == MOST
    assert Phase.SUCCEEDED in {bar.node.phase for bar in bars(workflow)}
