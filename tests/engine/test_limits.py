from datetime import timedelta

import pytest
from simulate import START, Simulation, fail, outputs, succeed

from nbflow.engine.decision import Started, UserAsked
from nbflow.engine.failures import CallError
from nbflow.spec.status import NodeType, Phase

POD = "\n- {name: p, container: {image: i}}\n- {name: bad, container: {image: i}}"


def rule(pod):
    return fail(pod) if pod.template == "bad" else succeed(pod)


def simulation(main, duration=None, **spec):
    extra = "".join(f"{key}: {value}\n" for key, value in spec.items())
    return Simulation(
        f"entrypoint: main\n{extra}templates:\n- name: main\n  {main}{POD}",
        rule,
        duration=duration or (lambda pod: 1.0),
    )


def run(main, duration=None, **spec):
    return simulation(main, duration, **spec).run()


def at(wf, seconds):
    """Start and go on until so many seconds have passed."""
    from nbflow.engine.decision import Started

    wf.observe(Started())
    wf.go_on(until=START + timedelta(seconds=seconds))
    wf.now = START + timedelta(seconds=seconds)
    return wf


NODE_NAME = "workflows.argoproj.io/node-name"
LOOP = "[[{name: a, template: p, withSequence: {count: 6}}]]"


@pytest.mark.parametrize(
    ("main", "spec", "most"),
    [
        (f"steps: {LOOP}", {}, 6),
        (f"steps: {LOOP}", {"parallelism": 2}, 2),
        (f"steps: {LOOP}\n  parallelism: 3", {}, 3),
        (f"steps: {LOOP}\n  parallelism: 3", {"parallelism": 1}, 1),
        ("dag: {tasks: [{name: a, template: p, withSequence: {count: 6}}]}\n  parallelism: 2", {}, 2),
        (
            "steps: [[{name: x, template: q, withItems: [1, 2]}]]\n  parallelism: 1\n- name: q\n  steps: "
            + LOOP,
            {},
            6,
        ),
    ],
)
def test_parallelism(main, spec, most):
    wf = run(main, **spec)
    assert (wf.phase, wf.most) == (Phase.SUCCEEDED, most)
    assert wf.progress in ("6/6", "12/12")


@pytest.mark.parametrize(
    ("main", "spec"),
    [
        ("dag: {tasks: [{name: a, template: p, withSequence: {count: 6}}]}\n  parallelism: 2", {}),
        (f"steps: {LOOP}\n  parallelism: 2", {}),
        (f"steps: {LOOP}", {"parallelism": 2}),
    ],
)
def test_parallelism_counts_the_attempts_of_retries(main, spec):
    wf = simulation(main, **spec, templateDefaults="{retryStrategy: {limit: 1}}")
    wf.rule = lambda pod: fail(pod) if "(0:0)(0)" in pod.annotations[NODE_NAME] else succeed(pod)
    assert (wf.run().phase, wf.most, len(wf.pods)) == (Phase.SUCCEEDED, 2, 7)


def test_a_retry_waits_for_its_turn_too():
    wf = run(
        "steps: [[{name: a, template: b}, {name: c, template: p}]]\n"
        "- {name: b, container: {image: i}, retryStrategy: {limit: 1, backoff: {duration: '2'}}}",
        lambda pod: 5.0 if pod.template == "p" else 1.0,
        parallelism=1,
    )
    assert (wf.phase, wf.most) == (Phase.SUCCEEDED, 1)


def test_fail_fast_of_a_template_lets_running_siblings_finish_and_starts_no_more():
    steps = "[[{name: a, template: bad}, {name: b, template: p}, {name: c, template: p}]]"
    wf = run(
        f"steps: {steps}\n  parallelism: 2\n  failFast: true", lambda pod: 3.0 if pod.template == "p" else 1.0
    )
    message = "template has failed or errored children and failFast enabled"
    assert wf.phases == {"wf": "Failed", "[0]": "Failed", "[0].a": "Failed", "[0].b": "Succeeded"}
    assert [wf.nodes["wf"].message, wf.nodes["wf[0]"].message, wf.message] == [message] * 3


def test_the_deadline_of_the_workflow_ends_its_pods_and_spares_the_exit_handler():
    wf = run(
        "steps: [[{name: a, template: p}], [{name: b, template: p}]]",
        lambda pod: 6.0,
        activeDeadlineSeconds=8,
        onExit="p",
    )
    assert wf.phases == {
        "wf": "Failed", "[0]": "Succeeded", "[0].a": "Succeeded", "[1]": "Failed", "[1].b": "Failed",
        ".onExit": "Succeeded",
    }  # fmt: skip
    assert wf.node("b").message == "Step exceeded its deadline"
    assert wf.node("b").finished_at == START + timedelta(seconds=8)
    assert wf.deleted == [wf.reconciler._run.tree.pod_of(wf.node("b"))]


def test_deadlines_of_templates_are_for_the_runtime():
    wf = run(
        "steps: [[{name: a, template: q}, {name: b, template: r}]]\n"
        "- {name: q, container: {image: i}, activeDeadlineSeconds: '{{=1+2}}'}\n"
        "- {name: r, script: {image: i, source: x}, timeout: 1m30s}"
    )
    assert [pod.deadline for pod in wf.pods.values()] == [timedelta(seconds=3), timedelta(seconds=90)]


def test_stop_ends_what_runs_and_runs_the_exit_handler():
    wf = at(
        simulation(
            "steps: [[{name: a, template: p}], [{name: b, template: p}]]", lambda pod: 10.0, onExit="p"
        ),
        5,
    )
    wf.observe(UserAsked("stop"))
    wf.go_on()
    assert wf.phases == {"wf": "Failed", "[0]": "Failed", "[0].a": "Failed", ".onExit": "Succeeded"}
    assert wf.node("a").message == "workflow shutdown with strategy:  Stop"
    assert (wf.phase, wf.message) == (Phase.FAILED, "Stopped with strategy 'Stop'")


def test_terminate_runs_no_exit_handler():
    wf = at(
        simulation(
            "dag: {tasks: [{name: a, template: p}, {name: b, template: p}]}", lambda pod: 10.0, onExit="p"
        ),
        5,
    )
    wf.observe(UserAsked("terminate"))
    wf.go_on()
    assert wf.phases == {"wf": "Failed", ".a": "Failed", ".b": "Failed"}
    assert (wf.phase, wf.message, len(wf.deleted)) == (Phase.FAILED, "Stopped with strategy 'Terminate'", 2)


def test_a_stop_outlives_the_controller():
    wf = at(
        simulation(
            "steps: [[{name: a, template: p, continueOn: {failed: true}}], [{name: b, template: p}]]",
            lambda pod: 10.0,
        ),
        5,
    )
    wf.observe(UserAsked("suspend"))
    wf.observe(UserAsked("stop"))
    wf.crash()
    wf.observe(UserAsked("resume"))
    wf.go_on()
    assert wf.phases["[1].b"] == "Failed"
    assert wf.node("b").message == "workflow shutdown with strategy: Stop"


def test_suspend_holds_what_comes_next_and_resume_lets_it_go():
    wf = at(simulation("steps: [[{name: a, template: p}], [{name: b, template: p}]]", lambda pod: 10.0), 5)
    wf.observe(UserAsked("suspend"))
    wf.go_on()
    assert wf.phases == {"wf": "Running", "[0]": "Running", "[0].a": "Succeeded"}
    assert wf.stored.status.suspended
    wf.crash()
    assert set(wf.phases) == {"wf", "[0]", "[0].a"}
    wf.observe(UserAsked("resume"))
    assert not wf.stored.status.suspended
    wf.go_on()
    assert (wf.phase, wf.progress) == (Phase.SUCCEEDED, "2/2")


def test_a_workflow_may_be_suspended_from_the_start():
    wf = run("steps: [[{name: a, template: p}]]", suspend="true")
    assert (wf.phase, wf.phases) == (Phase.RUNNING, {})
    wf.observe(UserAsked("resume"))
    assert wf.go_on().phase is Phase.SUCCEEDED


PAUSE = """steps: [[{name: s, template: pause}], [{name: b, template: p}]]
- name: pause
  inputs: {parameters: [{name: y, default: from-input}]}
  suspend: {%s}
  outputs: {parameters: [{name: x, valueFrom: {supplied: {}%s}}, {name: y, valueFrom: {supplied: {}}}]}"""


def test_a_suspend_node_ends_by_itself_and_takes_defaults():
    wf = run(PAUSE % ("duration: '20'", ", default: '5'"))
    s = wf.node("s")
    assert (s.type, s.phase, s.progress) == (NodeType.SUSPEND, Phase.SUCCEEDED, "1/1")
    assert s.outputs == {"parameters": [{"name": "x", "value": "5"}, {"name": "y", "value": "from-input"}]}
    assert s.finished_at == START + timedelta(seconds=20)


def test_a_suspend_node_that_times_out_without_a_default_fails():
    wf = run(PAUSE % ("duration: '20'", ""))
    assert wf.node("s").phase is Phase.ERROR
    assert wf.message.endswith("raw output parameter 'x' has not been set and does not have a default value")


def test_node_set_supplies_outputs_and_resume_goes_on():
    wf = run(PAUSE % ("", ""))
    assert wf.phases == {"wf": "Running", "[0]": "Running", "[0].s": "Running"}
    with pytest.raises(CallError, match="raw output parameter 'x' has not been set"):
        wf.observe(UserAsked("resume"))
    s = wf.node("s")
    with pytest.raises(CallError, match="node is not expecting output parameter 'z'"):
        wf.observe(UserAsked("set", nodes=(s.id,), outputs={"parameters": [{"name": "z", "value": "1"}]}))
    with pytest.raises(CallError, match="no suspend nodes matching"):
        wf.observe(UserAsked("set", nodes=("nobody",), phase=Phase.SUCCEEDED))
    wf.observe(UserAsked("set", nodes=(s.id,), outputs={"parameters": [{"name": "x", "value": "1"}]}))
    assert wf.node("s").phase is Phase.RUNNING
    wf.observe(UserAsked("resume", nodes=(s.id,), message="by me"))
    assert wf.node("s").message == "by me"
    assert wf.node("s").outputs["parameters"][0] == {"name": "x", "value": "1"}
    assert wf.go_on().phase is Phase.SUCCEEDED


def test_stop_with_nodes_fails_these_only():
    wf = run(
        "steps: [[{name: s, template: q, continueOn: {failed: true}}], [{name: b, template: p}]]\n"
        "- {name: q, suspend: {}}"
    )
    wf.observe(UserAsked("stop", nodes=(wf.node("s").id,), message="no"))
    wf.go_on()
    assert (wf.node("s").phase, wf.node("s").message, wf.phase) == (Phase.FAILED, "no", Phase.SUCCEEDED)


def test_a_deadline_ends_a_suspended_node():
    wf = run("steps: [[{name: s, template: q}]]\n- {name: q, suspend: {}}", activeDeadlineSeconds=3)
    assert (wf.node("s").phase, wf.node("s").message) == (Phase.FAILED, "Step exceeded its deadline")


def test_daemons_go_on_until_the_template_around_them_ends():
    wf = run(
        "steps: [[{name: d, template: d}], [{name: b, template: use, "
        "arguments: {parameters: [{name: ip, value: '{{steps.d.ip}}'}]}}]]\n"
        "- {name: d, daemon: true, container: {image: i}}\n"
        "- {name: use, inputs: {parameters: [{name: ip}]}, container: {image: i, args: ['{{inputs.parameters.ip}}']}}"
    )
    d = wf.node("d")
    assert wf.phases == dict.fromkeys(["wf", "[0]", "[0].d", "[1]", "[1].b"], "Succeeded")
    assert (d.daemoned, d.extra["podIP"]) == (False, "10.0.0.1")
    assert list(wf.pods.values())[1].main.args == ("10.0.0.1",)
    assert wf.deleted == [next(iter(wf.pods))]


def test_a_daemon_that_is_the_whole_workflow_ends_it_once_it_is_up():
    """workflow/controller/operator.go, markWorkflowPhase: daemons are ended first, and then it succeeded."""
    wf = Simulation("entrypoint: d\ntemplates:\n- {name: d, daemon: true, container: {image: i}}\n").run()
    assert (wf.phase, wf.message, wf.phases) == (Phase.SUCCEEDED, "", {"wf": "Succeeded"})
    assert wf.deleted == list(wf.pods)


def test_container_sets_have_a_node_per_container():
    wf = Simulation(
        """
entrypoint: main
templates:
- name: main
  containerSet:
    volumeMounts: [{name: v, mountPath: /w}]
    containers:
    - {name: a, image: i}
    - {name: b, image: i, dependencies: [a]}
    - {name: main, image: i, dependencies: [b]}
volumes: [{name: v, emptyDir: {}}]
""",
        lambda pod: __import__("dataclasses").replace(
            outputs(), containers={"a": (Phase.SUCCEEDED, ""), "b": (Phase.SUCCEEDED, "")}
        ),
    ).run()
    assert {name: node.type for name, node in wf.nodes.items()} == {
        "wf": NodeType.POD, "wf.a": NodeType.CONTAINER, "wf.b": NodeType.CONTAINER, "wf.main": NodeType.CONTAINER,
    }  # fmt: skip
    assert wf.edges() == {("wf", "wf.a"), ("wf.a", "wf.b"), ("wf.b", "wf.main")}
    assert (set(wf.phases.values()), wf.progress) == ({"Succeeded"}, "4/4")
    (pod,) = wf.pods.values()
    assert [c.name for c in pod.containers] == ["a", "b", "main"]
    assert pod.volumes == ({"name": "v", "emptyDir": {}},)
    assert pod.containers[1].dependencies == ("a",)


TIMED = """
entrypoint: main
templates:
- name: main
  {kind}
- name: other
  synchronization: {{mutexes: [{{name: m}}]}}
  {timeout}
  container: {{image: i}}
"""
STEPS_OF_TWO = (
    "steps: [[{name: a, template: other}, {name: b, template: other}], [{name: c, template: other}]]"
)
TASKS_OF_TWO = "dag: {tasks: [{name: a, template: other}, {name: b, template: other}]}"


@pytest.mark.parametrize("timeout", ["timeout: 5s", "pendingTimeout: 5s"])
def test_a_node_that_is_pending_for_too_long_fails(timeout):
    run = Simulation(TIMED.format(kind=STEPS_OF_TWO, timeout=timeout), duration=lambda pod: 20.0).run()
    assert (run.phase, run.message) == (Phase.FAILED, "timeout")
    assert (run.node("b").phase, run.node("b").message) == (Phase.FAILED, "timeout")
    assert (run.node("[0]").phase, run.node("[0]").message) == (Phase.FAILED, "timeout")
    assert run.node("b").finished_at - START == timedelta(seconds=5)
    assert [pod.template for pod in run.pods.values()] == ["other"]


def test_a_task_that_is_pending_for_too_long_fails_alone():
    run = Simulation(
        TIMED.format(kind=TASKS_OF_TWO, timeout="pendingTimeout: 5s"), duration=lambda pod: 20.0
    ).run()
    assert (run.phase, run.message) == (Phase.FAILED, "")
    assert (run.node("a").phase, run.node("b").phase) == (Phase.SUCCEEDED, Phase.FAILED)
    assert run.node("b").message == "timeout"


def test_a_pod_that_never_starts_is_deleted_when_its_time_is_up():
    run = Simulation(
        "entrypoint: main\ntemplates:\n- {name: main, pendingTimeout: 3s, container: {image: i}}\n"
    )
    run.observe(Started())
    (name,) = run.pods
    run._queue.clear()  # it waits for room
    run.go_on()
    assert (run.phase, run.message) == (Phase.ERROR, "error in entry template execution: timeout")
    assert run.deleted == [name]
    assert run.nodes["wf"].phase is Phase.FAILED


def test_a_pod_that_started_in_time_is_left_alone():
    text = "entrypoint: main\ntemplates:\n- {name: main, pendingTimeout: 3s, container: {image: i}}\n"
    assert Simulation(text, duration=lambda pod: 20.0).run().phase is Phase.SUCCEEDED


def test_a_timeout_takes_the_place_of_the_deadline_of_the_pod():
    text = "{name: main, activeDeadlineSeconds: 2, timeout: 30s, container: {image: i}}"
    run = Simulation(f"entrypoint: main\ntemplates:\n- {text}\n").run()
    assert [pod.deadline for pod in run.pods.values()] == [timedelta(seconds=30)]


def test_the_pods_of_a_restarted_controller_time_out_too():
    run = Simulation(
        TIMED.format(kind=STEPS_OF_TWO, timeout="pendingTimeout: 5s"),
        duration=lambda pod: 20.0,
        crash_every=1,
    ).run()
    assert (run.phase, run.message) == (Phase.FAILED, "timeout")
