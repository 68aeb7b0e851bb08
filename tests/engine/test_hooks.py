import json

from simulate import Simulation, fail, outputs, succeed

from nbflow.spec.status import NodeType, Phase

LEAVES = """
- {name: ok, container: {image: i}}
- {name: slow, container: {image: i}}
- {name: bad, container: {image: i}}
- name: say
  inputs: {parameters: [{name: m}]}
  container: {image: i, args: ["{{inputs.parameters.m}}"]}
- name: made
  container: {image: i}
  outputs: {parameters: [{name: o, valueFrom: {path: /tmp/o}}]}
"""


def rule(pod):
    if pod.template == "bad":
        return fail(pod)
    return outputs(o="v") if pod.outputs else succeed(pod)


def run(text, on=rule):
    return Simulation(
        f"{text}\ntemplates:\n{LEAVES}" if "templates:" not in text else text + LEAVES,
        on,
        duration=lambda pod: 10.0 if pod.template == "slow" else 1.0,
    ).run()


def args(wf, name):
    node = wf.nodes[name]
    return next(pod.main.args for pod in wf.pods.values() if pod.node_id == node.id)


def test_the_exit_handler_sees_how_it_ended():
    wf = run(
        """
entrypoint: main
onExit: bye
templates:
- {name: main, steps: [[{name: a, template: bad}]]}
- {name: bye, container: {image: i, args: ["{{workflow.status}}", "{{workflow.failures}}", "{{workflow.duration}}"]}}
"""
    )
    status, failures, duration = args(wf, "wf.onExit")
    assert (status, duration) == ("Failed", "1.010000")
    a = wf.nodes["wf[0].a"]
    assert [f["displayName"] for f in json.loads(json.loads(failures))] == ["a", "[0]", "wf"]
    assert json.loads(json.loads(failures))[0] == {
        "displayName": "a",
        "message": "main: Error (exit code 1)",
        "templateName": "bad",
        "phase": "Failed",
        "podName": next(p.name for p in wf.pods.values() if p.node_id == a.id),
        "finishedAt": "2024-05-17T10:00:01Z",
    }
    assert (wf.phase, wf.message) == (Phase.FAILED, f"child '{a.id}' failed")
    assert wf.nodes["wf.onExit"].extra == {"nodeFlag": {"hooked": True}}


def test_a_failed_exit_handler_fails_a_workflow_that_succeeded():
    wf = run("entrypoint: ok\nonExit: bad")
    assert (wf.phase, wf.message, wf.progress) == (Phase.FAILED, "main: Error (exit code 1)", "1/2")


def test_a_step_is_done_after_its_exit_hook_and_hands_it_its_outputs():
    wf = run(
        """
entrypoint: main
templates:
- name: main
  steps:
  - - name: a
      template: made
      hooks:
        exit:
          template: say
          arguments: {parameters: [{name: m, value: "{{steps.a.status}} {{steps.a.outputs.parameters.o}}"}]}
  - [{name: b, template: ok}]
"""
    )
    assert args(wf, "wf[0].a.onExit") == ("Succeeded v",)
    assert wf.nodes["wf[1]"].started_at >= wf.nodes["wf[0].a.onExit"].finished_at
    assert ("wf[0].a", "wf[0].a.onExit") in wf.edges()
    assert wf.nodes["wf[0].a.onExit"].boundary_id == "wf"


def test_a_failed_exit_hook_of_a_step_does_not_fail_it():
    assert (
        run(
            "entrypoint: main\ntemplates:\n- {name: main, steps: [[{name: a, template: ok, onExit: bad}]]}"
        ).phase
        is Phase.SUCCEEDED
    )


def test_no_exit_hook_for_what_did_not_run():
    wf = run(
        "entrypoint: main\ntemplates:\n- {name: main, steps: [[{name: a, template: ok, onExit: bad, when: 1 == 2}]]}"
    )
    assert (wf.phase, set(wf.phases)) == (Phase.SUCCEEDED, {"wf", "[0]", "[0].a"})


def test_hooks_with_a_condition_run_once_when_it_first_holds():
    hooks = """
        running: {expression: "steps.a.status == 'Running'", template: slow}
        failed: {expression: "steps.a.status == 'Failed'", template: ok}
        succeeded: {expression: "steps.a.status == 'Succeeded'", template: ok}
"""
    wf = run(
        f"entrypoint: main\ntemplates:\n- name: main\n  steps:\n  - - name: a\n      template: bad\n      hooks:{hooks}"
    )
    assert wf.phases == {
        "wf": "Failed", "[0]": "Failed", "[0].a": "Failed",
        "[0].a.hooks.running": "Succeeded", "[0].a.hooks.failed": "Succeeded",
    }  # fmt: skip
    assert wf.nodes["wf[0]"].finished_at >= wf.nodes["wf[0].a.hooks.running"].finished_at


def test_dependents_wait_for_the_hooks_of_a_task():
    wf = run(
        """
entrypoint: main
templates:
- name: main
  dag:
    tasks:
    - {name: A, template: ok, onExit: slow, hooks: {h: {expression: "tasks.A.status == 'Succeeded'", template: slow}}}
    - {name: B, template: ok, depends: A}
"""
    )
    assert set(wf.phases) == {"wf", ".A", ".A.hooks.h", ".A.onExit", ".B"}
    assert wf.nodes["wf.B"].started_at >= wf.nodes["wf.A.onExit"].finished_at
    assert wf.nodes["wf.A.onExit"].started_at >= wf.nodes["wf.A.hooks.h"].finished_at


def test_each_round_of_a_loop_has_its_exit_hook():
    wf = run(
        "entrypoint: main\ntemplates:\n"
        "- {name: main, steps: [[{name: a, template: ok, withItems: [1, 2], onExit: ok}]]}"
    )
    assert {"[0].a(0:1).onExit", "[0].a(1:2).onExit"} <= set(wf.phases)


def test_workflow_hooks():
    wf = run(
        """
entrypoint: slow
hooks:
  running: {expression: "workflow.status == 'Running'", template: ok}
  failed: {expression: "workflow.status == 'Failed'", template: ok}
  done: {expression: "workflow.status == 'Succeeded'", template: slow}
  exit: {template: say, arguments: {parameters: [{name: m, value: "{{workflow.status}}"}]}}
"""
    )
    assert wf.phases == dict.fromkeys(["wf", ".hooks.running", ".hooks.done", ".onExit"], "Succeeded")
    assert args(wf, "wf.onExit") == ("Succeeded",)
    assert wf.nodes["wf.onExit"].started_at >= wf.nodes["wf.hooks.done"].finished_at
    assert ("wf", "wf.hooks.done") in wf.edges()
    assert wf.nodes["wf.hooks.done"].type is NodeType.POD


def test_a_hook_without_a_condition_is_an_error():
    wf = run(
        "entrypoint: main\ntemplates:\n- {name: main, steps: [[{name: a, template: ok, hooks: {h: {template: ok}}}]]}"
    )
    assert wf.message == "Expression required for hook wf[0].a.hooks.h"
