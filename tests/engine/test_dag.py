import pytest
from simulate import Simulation, fail, outputs, result, succeed

from nbflow.spec.pod import PodOutcome
from nbflow.spec.status import NodeType, Phase

LEAVES = """
- name: ok
  inputs: {parameters: [{name: m, default: none}]}
  container: {image: i, args: ["{{inputs.parameters.m}}"]}
  outputs: {parameters: [{name: o, valueFrom: {path: /tmp/o}}]}
- name: bad
  container: {image: i}
- name: broken
  container: {image: i}
"""


def rule(pod):
    if pod.template == "bad":
        return fail(pod)
    if pod.template == "broken":
        return PodOutcome(Phase.ERROR, "no such image")
    return outputs(o=pod.main.args[0]) if pod.outputs else succeed(pod)


def run(tasks, *, dag="", more="", on=rule, **spec):
    extra = "".join(f"{key}: {value}\n" for key, value in spec.items())
    body = "\n".join(f"    - {{{task}}}" for task in tasks)
    return Simulation(
        f"entrypoint: main\n{extra}templates:\n- name: main\n  dag:\n    {dag}\n    tasks:\n{body}\n{more}{LEAVES}",
        on,
    ).run()


def test_the_tree_of_a_diamond():
    wf = run(
        [
            "name: A, template: ok",
            "name: B, template: ok, depends: A",
            "name: C, template: ok, dependencies: [A]",
            "name: D, template: ok, depends: B && C",
        ]
    )
    assert wf.phases == dict.fromkeys(["wf", ".A", ".B", ".C", ".D"], "Succeeded")
    assert wf.edges() == {
        ("wf", "wf.A"), ("wf.A", "wf.B"), ("wf.A", "wf.C"), ("wf.B", "wf.D"), ("wf.C", "wf.D"),
    }  # fmt: skip
    assert wf.nodes["wf"].outbound_nodes == (wf.node("D").id,)
    assert (wf.progress, wf.most) == ("4/4", 2)


@pytest.mark.parametrize(
    ("depends", "phase"),
    [
        ("good", "Succeeded"),
        ("good.Succeeded", "Succeeded"),
        ("bad", "Omitted"),
        ("bad.Failed", "Succeeded"),
        ("broken.Errored", "Succeeded"),
        ("broken.Failed", "Omitted"),
        ("skipped", "Succeeded"),
        ("skipped.Skipped", "Succeeded"),
        ("omitted", "Omitted"),
        ("omitted.Omitted", "Succeeded"),
        ("good && bad", "Omitted"),
        ("good || bad", "Succeeded"),
        ("!good", "Omitted"),
        ("kept", "Succeeded"),
        ("loop.AnySucceeded", "Succeeded"),
        ("loop.AllFailed", "Omitted"),
    ],
)
def test_depends(depends, phase):
    wf = run(
        [
            "name: good, template: ok",
            "name: bad, template: bad",
            "name: broken, template: broken",
            "name: skipped, template: ok, when: 1 == 2",
            "name: omitted, template: ok, depends: bad",
            "name: kept, template: bad, continueOn: {failed: true}",
            "name: loop, template: ok, withItems: [1, 2]",
            f"name: X, template: ok, depends: '{depends}'",
        ],
        dag="failFast: false",
    )
    assert wf.phases[".X"] == phase
    message = "omitted: depends condition not met" if phase == "Omitted" else ""
    assert wf.node("X").message == message


def test_only_leaves_decide_and_an_omitted_leaf_inherits():
    failed = ["name: A, template: bad", "name: B, template: ok, depends: A"]
    assert (run(failed).phase, run(failed).message) == (Phase.FAILED, "")
    saved = ["name: A, template: bad", "name: B, template: ok, depends: A.Failed"]
    assert run(saved).phase is Phase.SUCCEEDED
    assert run(["name: A, template: bad, continueOn: {failed: true}"]).phase is Phase.SUCCEEDED
    assert run(["name: A, template: broken"]).phase is Phase.ERROR


def test_target_runs_only_what_it_needs():
    wf = run(
        ["name: A, template: ok", "name: B, template: ok, depends: A", "name: C, template: bad"],
        dag="target: B",
    )
    assert wf.phases == {"wf": "Succeeded", ".A": "Succeeded", ".B": "Succeeded"}


def test_outputs_of_tasks_and_of_loops():
    wf = run(
        [
            "name: A, template: ok, withItems: [x, y], arguments: {parameters: [{name: m, value: '{{item}}'}]}",
            (
                "name: B, template: ok, depends: A,"
                " arguments: {parameters: [{name: m, value: '{{tasks.A.outputs.parameters.o}}'}]}"
            ),
            (
                "name: C, template: ok, depends: B,"
                " arguments: {parameters: [{name: m, value: '{{tasks.A.outputs.parameters}}'}]}"
            ),
        ]
    )
    assert wf.node("B").inputs["parameters"][0]["value"] == '["x","y"]'
    assert wf.node("C").inputs["parameters"][0]["value"] == '[{"o":"x"},{"o":"y"}]'
    group = wf.node("A")
    assert (group.type, group.phase, group.template_name) == (NodeType.TASK_GROUP, Phase.SUCCEEDED, "ok")
    assert {("wf", "wf.A"), ("wf.A", "wf.A(0:x)"), ("wf.A(0:x)", "wf.B"), ("wf.A(1:y)", "wf.B")} <= wf.edges()


def test_a_loop_without_items_is_one_skipped_node_and_the_dag_goes_on():
    wf = run(["name: A, template: ok, withParam: '[]'", "name: B, template: ok, depends: A"])
    a = wf.node("A")
    assert (a.type, a.phase, a.message) == (NodeType.SKIPPED, Phase.SKIPPED, "Skipped, empty params")
    assert wf.phases[".B"] == "Succeeded"


def test_a_failed_round_fails_its_group():
    wf = run(["name: A, template: bad, withItems: [1, 2]", "name: B, template: ok, depends: A.Failed"])
    assert wf.phases == {
        "wf": "Succeeded", ".A": "Failed", ".A(0:1)": "Failed", ".A(1:2)": "Failed", ".B": "Succeeded",
    }  # fmt: skip


def test_absent_outputs_of_a_skipped_task():
    more = """
- name: maker
  container: {image: i}
  outputs: {parameters: [{name: o, valueFrom: {path: /tmp/o}}]}
"""
    skipped = "name: S, template: maker, when: 1 == 2"
    reference = "'{{tasks.S.outputs.parameters.o}}'"
    wf = run(
        [
            skipped,
            f"name: B, template: ok, depends: S, arguments: {{parameters: [{{name: m, value: {reference}}}]}}",
        ],
        more=more,
    )
    assert wf.node("B").inputs == {"parameters": [{"name": "m", "default": "none", "value": "none"}]}
    wf = run(
        [
            skipped,
            (
                "name: B, template: ok, depends: S,"
                """ arguments: {parameters: [{name: m, value: "{{=tasks.S.outputs.parameters.o ?? 'fallback'}}"}]}"""
            ),
        ],
        more=more,
    )
    assert wf.node("B").inputs["parameters"][0]["value"] == "fallback"
    wf = run(
        [
            skipped,
            (
                "name: B, template: ok, depends: S, arguments: {parameters: "
                "[{name: m, value: 'x-{{tasks.S.outputs.parameters.o}}'}]}"
            ),
        ],
        more=more,
    )
    assert (wf.phase, wf.node("B").phase) == (Phase.ERROR, Phase.ERROR)
    assert "absent optional" in wf.node("B").message


def test_artifacts_go_from_task_to_task():
    more = """
- name: maker
  container: {image: i}
  outputs: {artifacts: [{name: file, path: /tmp/made}]}
- name: taker
  inputs: {artifacts: [{name: got, path: /tmp/got, mode: 420}]}
  container: {image: i}
"""
    made = {"artifacts": [{"name": "file", "path": "/tmp/made", "s3": {"key": "wf/made.tgz"}}]}
    argument = (
        "arguments: {artifacts: [{name: got, from: '{{tasks.A.outputs.artifacts.file}}', subPath: below}]}"
    )
    wf = run(
        ["name: A, template: maker", f"name: B, template: taker, depends: A, {argument}"],
        more=more,
        on=lambda pod: PodOutcome(Phase.SUCCEEDED, outputs=made) if pod.template == "maker" else succeed(pod),
    )
    staged = {"name": "got", "path": "/tmp/got", "mode": 420, "s3": {"key": "wf/made.tgz/below"}}
    assert wf.node("B").inputs == {"artifacts": [staged]}
    assert [pod.inputs for pod in wf.pods.values()] == [(), (staged,)]


def test_a_task_that_cannot_start_is_an_error_with_its_name():
    wf = run(["name: A, templateRef: {name: nobody, template: t}"])
    assert wf.node("A").message == "task 'wf.A' errored: workflow template nobody not found"
    assert wf.phase is Phase.ERROR


def test_a_cycle_that_lint_did_not_see_is_an_error():
    wf = run(
        ["name: A, template: ok, depends: B", "name: B, template: ok, depends: A", "name: C, template: ok"]
    )
    assert wf.phase is Phase.ERROR
    assert "dependency cycle" in wf.message


def test_a_result_is_captured_only_if_something_refers_to_it():
    wf = run(
        [
            "name: A, template: ok",
            (
                "name: B, template: ok, depends: A, arguments: {parameters: "
                "[{name: m, value: \"{{=tasks['A'].outputs.result}}\"}]}"
            ),
        ],
        on=result("r"),
    )
    assert [pod.wants_result for pod in wf.pods.values()] == [True, False]
    assert wf.node("B").inputs["parameters"][0]["value"] == "r"
