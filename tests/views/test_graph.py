from xml.etree import ElementTree as ET

import pytest

from nbflow import render
from nbflow.spec.status import Phase, WorkflowObject, WorkflowStatus
from nbflow.views.graph import dot, scene
from nbflow.views.graph.scene import Fold, Group, Kind, Shape
from nbflow.views.graph.write import write


def without_status(workflow):
    return WorkflowObject({"name": "wf"}, workflow.spec)


def shapes(workflow, **limits):
    return {shape.title: shape for shape in scene(workflow, **limits).shapes()}


def flat(found):
    """Titles of shapes that an edge joins."""
    titles = {shape.name: shape.title for shape in found.shapes()}
    return sorted((titles.get(edge.tail, ""), titles.get(edge.head, "")) for edge in found.edges)


def test_from_templates_alone(dag, golden):
    golden("graph-plan.dot", dot(without_status(dag)))


def test_live(dag, golden):
    golden("graph-live.dot", dot(dag))


def test_nodes_keep_their_ids_and_phases(dag):
    found = shapes(dag)
    ids = {node.name: node.id for node in dag.status.nodes.values()}
    assert (found["gen"].key, found["gen"].phase) == (ids["wf.gen"], Phase.SUCCEEDED)
    assert (found["approve"].key, found["approve"].kind, found["approve"].waiting) == (
        ids["wf.approve"],
        Kind.SUSPEND,
        True,
    )
    assert (found["flaky"].key, found["flaky"].note) == (ids["wf.flaky"], "attempt 2")
    assert (found["report"].key, found["report"].phase) == ("plan:.report", None)


def test_a_loop_is_one_stack_before_it_runs(dag):
    found = shapes(without_status(dag))
    assert (found["fan ×n"].kind, found["small ×2"].kind) == (Kind.STACK, Kind.STACK)


def test_a_large_fan_out_is_one_stack_with_counts(dag):
    stack = shapes(dag)["fan ×14"]
    assert (stack.key, stack.phase, stack.note) == ("stack:.fan", Phase.FAILED, "● 4  ✔ 9  ✖ 1")


def test_a_small_fan_out_is_drawn_in_full(dag):
    assert {"small(0:a)", "small(1:<b>)"} < set(shapes(dag))
    assert {"fan(0:item0)", "fan(13:item13)"} < set(shapes(dag, fan_out=14))


def test_a_loop_that_is_opened_shows_its_turns_in_a_box(dag):
    found = scene(dag, folds={".fan": 100})
    box = next(one for one in found.members if isinstance(one, Group) and one.title == "fan ×14")
    assert (box.path, box.fold, len(box.members)) == (".fan", Fold.OPEN, 14)
    assert [one.title for one in box.members[:2]] == ["fan(0:item0)", "fan(1:item1)"]
    assert box.row == [one.name for one in box.members[:4]]
    assert [(e.head_group, e.hidden) for e in found.edges if e.head == box.members[1].name] == [
        (box.name, False)
    ]
    assert render.svg(write(found, horizontal=False)).startswith("<svg")


def test_of_a_very_large_loop_a_part_is_shown_and_the_rest_is_a_stack(dag):
    box = next(m for m in scene(dag, folds={".fan": 5}).members if m.title == "fan ×14")
    more = box.members[-1]
    assert [one.title for one in box.members] == [*(f"fan({i}:item{i})" for i in range(5)), "9 more"]
    assert (more.path, more.fold, more.note) == (".fan", Fold.MORE, "● 4  ✔ 4  ✖ 1")


def test_what_is_open_can_be_shut(dag):
    found = shapes(dag, folds={".small": 0, ".flip": 0})
    assert (found["small ×2"].kind, found["small ×2"].fold) == (Kind.STACK, Fold.SHUT)
    assert (found["flip"].kind, found["flip"].fold) == (Kind.GROUP, Fold.SHUT)
    assert "heads" not in found


def test_a_retry_opens_to_its_attempts(dag):
    assert shapes(dag)["flaky"].fold is Fold.SHUT
    found = scene(dag, folds={".flaky": 100})
    box = next(m for m in found.members if m.title == "flaky")
    assert [(one.title, one.phase) for one in box.members] == [
        ("attempt 1", Phase.FAILED),
        ("attempt 2", Phase.RUNNING),
    ]
    assert (box.members[0].name, box.members[1].name) in [(e.tail, e.head) for e in found.edges]


def test_a_loop_over_groups_opens_to_a_group_a_turn():
    call = {"name": "each", "template": "inner", "withSequence": {"count": "20"}}
    inner = {"name": "inner", "dag": {"tasks": [{"name": "x", "template": "echo"}]}}
    spec = {
        "entrypoint": "m",
        "templates": [{"name": "m", "steps": [[call]]}, inner, {"name": "echo", "container": {}}],
    }
    status = WorkflowStatus.from_dict(
        {
            "nodes": {
                name: {"id": name, "name": name, "displayName": name, "type": kind, "phase": "Running"}
                for i in range(20)
                for name, kind in (
                    ("wf", "Steps"),
                    (f"wf[0].each({i}:{i})", "DAG"),
                    (f"wf[0].each({i}:{i}).x", "Pod"),
                )
            }
        }
    )
    wf = WorkflowObject({"name": "wf"}, spec, status)
    (merged,) = scene(wf).members
    assert (merged.title, merged.fold, [m.title for m in merged.members]) == ("each ×20", Fold.SHUT, ["x"])
    (opened,) = scene(wf, folds={"[0].each": 100, "[0].each(3:3)": 0}).members
    assert [type(m) for m in opened.members] == [Group] * 3 + [Shape] + [Group] * 16


def test_no_more_is_opened_than_a_person_can_read():
    work = [{"name": f"w{i}", "template": "echo"} for i in range(5000)]
    spec = {
        "entrypoint": "m",
        "templates": [{"name": "m", "dag": {"tasks": work}}, {"name": "echo", "script": {}}],
    }
    found = scene(WorkflowObject({"name": "wf"}, spec), folds={".w0…": 10_000})
    assert (len(found.shapes()), found.shapes()[-1].title) == (301, "4700 more")


def test_recursion_is_drawn_as_deep_as_it_went(dag):
    planned, live = scene(without_status(dag)), scene(dag)
    assert [s.title for s in planned.shapes() if s.kind is Kind.RECURSION] == ["tails"]
    assert [s.title for s in live.shapes()].count("flip-coin") == 2
    assert [s.note for s in live.shapes() if s.kind is Kind.RECURSION] == ["↻ coin"]


def test_the_exit_handler_stands_aside(dag):
    found = scene(dag)
    assert [(e.tail, e.head) for e in found.edges if e.aside] == [
        (next(s.name for s in found.shapes() if s.title == "report"), found.shapes()[-1].name)
    ]


def test_steps_that_all_wait_for_all_meet_in_a_joint():
    call = [{"name": name, "template": "echo"} for name in "abc"]
    spec = {
        "entrypoint": "m",
        "templates": [{"name": "m", "steps": [call, call]}, {"name": "echo", "container": {}}],
    }
    assert len(scene(WorkflowObject({"name": "wf"}, spec)).edges) == 6


def test_tasks_that_are_alike_are_one_stack():
    work = [{"name": f"w{i}", "template": "echo", "dependencies": ["first"]} for i in range(40)]
    tasks = [
        {"name": "first", "template": "echo"},
        *work,
        {"name": "last", "template": "echo", "dependencies": [task["name"] for task in work]},
    ]
    spec = {
        "entrypoint": "m",
        "templates": [{"name": "m", "dag": {"tasks": tasks}}, {"name": "echo", "script": {}}],
    }
    found = scene(WorkflowObject({"name": "wf"}, spec))
    assert flat(found) == [("first", "w0 … w39 ×40"), ("w0 … w39 ×40", "last")]


def test_templates_that_multiply_do_not_fill_the_memory():
    levels = [
        {"name": f"l{i}", "steps": [[{"name": f"s{k}", "template": f"l{i + 1}"} for k in range(10)]]}
        for i in range(12)
    ]
    spec = {"entrypoint": "l0", "templates": [*levels, {"name": "l12", "container": {}}]}
    found = scene(WorkflowObject({"name": "wf"}, spec))
    assert len(found.shapes()) < 500
    assert Kind.GROUP in {shape.kind for shape in found.shapes()}


def test_a_run_without_its_templates(dag):
    bare = WorkflowObject(dag.metadata, {}, dag.status)
    assert {"gen", "approve", "flip-coin", "heads"} < set(shapes(bare))
    assert [m.title for m in scene(bare).members if isinstance(m, Group)] == ["flip", "small ×2"]


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"entrypoint": 3, "templates": [1, {"name": None, "steps": [3, [{"name": 1}]]}]},
        {"entrypoint": "m", "templates": [{"name": "m", "dag": {"tasks": {"a": 1}}}]},
        {"templates": "x"},
        {
            "entrypoint": "m",
            "templates": [
                {
                    "name": "m",
                    "dag": {
                        "tasks": [{"name": "a", "depends": "b"}, {"name": "b", "depends": "a && b && c"}]
                    },
                }
            ],
        },
    ],
)
def test_a_manifest_that_lint_would_refuse_is_drawn_as_far_as_it_goes(spec):
    assert render.svg(dot(WorkflowObject({}, spec))).startswith("<svg")


def test_hostile_names_stay_text():
    name = 'x"]; evil [URL="javascript:alert(1)"] \\N \\G &lt;<script>\x1b[31m'
    spec = {"entrypoint": name, "templates": [{"name": name, "container": {}}]}
    drawn = render.svg(dot(WorkflowObject({"name": "wf"}, spec)))
    assert 'href="javascript' not in drawn
    assert "<script" not in drawn
    assert 'class="node Pending pod"' in drawn
    assert drawn.count('class="node') == 1
    assert "⧵N" in drawn


@pytest.mark.parametrize(
    "name", ["\x00\x1b[31m", "\ufffe\uffff", "a\nb", "back\\slash \\N", 'q"uote', "<b>&amp;", "ü✔"]
)
def test_a_shape_is_found_by_its_key_whatever_it_is_called(name):
    tasks = [{"name": name, "template": name}]
    spec = {"entrypoint": "m", "templates": [{"name": "m", "dag": {"tasks": tasks}}]}
    found = scene(WorkflowObject({"name": "wf"}, spec))
    drawn = ET.fromstring(render.svg(write(found, horizontal=False)))
    assert found.shapes()[0].key in [one.get("id") for one in drawn.iter()]
