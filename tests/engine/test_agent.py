"""Templates that nbflow itself carries out: what is ordered, and how their nodes end."""

import json
from datetime import timedelta

import pytest
from simulate import START, Simulation, fail, succeed

from nbflow.engine.decision import Started, UserAsked
from nbflow.spec.agent import agent_kind
from nbflow.spec.pod import PodOutcome
from nbflow.spec.status import NodeType, Phase

HTTP = "http: {url: 'http://host/{{inputs.parameters.path}}', method: POST}"
ANSWER = PodOutcome(Phase.SUCCEEDED, outputs={"result": "said"})
REFUSAL = PodOutcome(Phase.FAILED, "received non-2xx response code: 404", outputs={"result": "not here"})


def simulation(template, outcome=ANSWER, *, top="", more="", duration=5.0, caller=""):
    """A step `a` that asks, and a step `b` that is told what came of it."""
    text = f"""
entrypoint: main
{top}
templates:
- name: main
  steps:
  - - name: a
      template: ask
      arguments: {{parameters: [{{name: path, value: x}}]}}
      {caller}
  - - name: b
      template: tell
      arguments: {{parameters: [{{name: said, value: "{{{{steps.a.outputs.result}}}}"}}]}}
- name: ask
  inputs: {{parameters: [{{name: path}}]}}
  {template}
  {more}
- name: tell
  inputs: {{parameters: [{{name: said}}]}}
  container: {{image: i, args: ["{{{{inputs.parameters.said}}}}"]}}
"""
    answers = outcome if callable(outcome) else (lambda pod: outcome)
    return Simulation(
        text,
        lambda pod: answers(pod) if agent_kind(pod.main.image) else succeed(pod),
        duration=lambda pod: duration,
    )


def order(wf):
    [pod] = [pod for pod in wf.pods.values() if agent_kind(pod.main.image)]
    return pod, json.loads(pod.main.source or "")


def test_an_http_node_has_no_pod_and_its_answer_as_result():
    wf = simulation(HTTP).run()
    node = wf.node("a")
    assert (node.type, node.phase, node.outputs, node.progress) == (
        NodeType.HTTP,
        Phase.SUCCEEDED,
        {"result": "said"},
        "1/1",
    )
    assert wf.progress == "2/2"
    pod, said = order(wf)
    assert said == {
        "pod": pod.name,
        "uid": "uid-1",
        "workflow": "wf",
        "http": {"url": "http://host/x", "method": "POST"},
    }
    assert wf.pods[wf.reconciler._run.tree.pod_of(wf.node("b"))].main.args == ("said",)


def test_it_is_pending_until_it_is_answered():
    wf = simulation(HTTP)
    wf.observe(Started())
    wf.go_on(until=START + timedelta(seconds=2))
    assert (wf.node("a").phase, wf.progress) == (Phase.PENDING, "0/1")


def test_a_refusal_fails_with_its_answer_kept():
    wf = simulation(HTTP, REFUSAL).run()
    node = wf.node("a")
    assert (node.phase, node.message, node.outputs) == (Phase.FAILED, REFUSAL.message, {"result": "not here"})
    assert (wf.phase, wf.message) == (Phase.FAILED, f"child '{node.id}' failed")


def test_it_is_tried_again():
    answers = iter([REFUSAL, REFUSAL, ANSWER])
    wf = simulation(HTTP, lambda pod: next(answers), more="retryStrategy: {limit: 2}").run()
    assert wf.phases["[0].a"] == "Succeeded"
    assert wf.node("a").outputs == {"result": "said"}
    attempts = [wf.nodes[f"wf[0].a({number})"] for number in range(3)]
    assert [(node.type, node.phase) for node in attempts] == [
        (NodeType.HTTP, Phase.FAILED),
        (NodeType.HTTP, Phase.FAILED),
        (NodeType.HTTP, Phase.SUCCEEDED),
    ]


def test_failing_may_be_no_obstacle():
    wf = simulation(HTTP, REFUSAL, caller="continueOn: {failed: true}").run()
    assert wf.phase is Phase.SUCCEEDED
    assert wf.phases["[1].b"] == "Succeeded"


def test_hooks_may_ask():
    text = """
entrypoint: main
hooks:
  exit: {template: ask}
  running: {expression: workflow.status == "Running", template: ask}
templates:
- {name: main, container: {image: i}}
- {name: ask, http: {url: http://host/}}
"""
    wf = Simulation(text, lambda pod: ANSWER if agent_kind(pod.main.image) else succeed(pod)).run()
    assert wf.phase is Phase.SUCCEEDED
    assert (wf.nodes["wf.onExit"].type, wf.nodes["wf.hooks.running"].type) == (NodeType.HTTP, NodeType.HTTP)


def test_its_pod_fields_do_not_count_but_timeout_does():
    wf = simulation(HTTP, more="activeDeadlineSeconds: 1\n  timeout: 3s").run()
    assert order(wf)[0].deadline == timedelta(seconds=3)
    assert simulation(HTTP, more="activeDeadlineSeconds: 1").run().phase is Phase.SUCCEEDED


@pytest.mark.parametrize("verb", ["stop", "terminate"])
def test_a_shutdown_ends_it(verb):
    wf = simulation(HTTP)
    wf.observe(Started())
    wf.go_on(until=START + timedelta(seconds=2))
    wf.observe(UserAsked(verb))
    wf.go_on()
    assert (wf.node("a").phase, wf.node("a").message) == (
        Phase.FAILED,
        f"Stopped with strategy '{verb.capitalize()}'",
    )
    assert wf.deleted == list(wf.pods)
    assert wf.phase is Phase.FAILED


def test_the_deadline_of_the_workflow_ends_it():
    wf = simulation(HTTP, top="activeDeadlineSeconds: 2").run()
    assert (wf.node("a").phase, wf.node("a").message) == (Phase.FAILED, "Step exceeded its deadline")
    assert wf.deleted == list(wf.pods)


def test_it_does_not_count_as_a_pod():
    text = """
entrypoint: main
parallelism: 1
templates:
- name: main
  steps: [[{name: a, template: ask, withSequence: {count: 4}}]]
- {name: ask, http: {url: http://host/}}
"""
    wf = Simulation(text, lambda pod: PodOutcome(Phase.SUCCEEDED, outputs={"result": "1"})).run()
    assert (wf.phase, wf.most) == (Phase.SUCCEEDED, 4)


def test_it_survives_its_controller():
    wf = simulation(HTTP)
    wf.crash_every = 1
    wf.run()
    assert wf.phase is Phase.SUCCEEDED
    assert len(wf.pods) == 2


def test_a_data_node_is_a_pod():
    data = "data: {source: {artifactPaths: {name: '', s3: {key: a}}}, transformation: [{expression: data}]}"
    wf = simulation(data, PodOutcome(Phase.SUCCEEDED, exit_code=0, outputs={"result": "[]"})).run()
    node = wf.node("a")
    assert (node.type, node.phase, node.outputs) == (
        NodeType.POD,
        Phase.SUCCEEDED,
        {"result": "[]", "exitCode": "0"},
    )
    assert next(iter(wf.pods.values())).wants_result  # whoever asks for it, or nobody: Argo's executeData
    assert order(wf)[1]["data"] == {
        "source": {"artifactPaths": {"name": "", "s3": {"key": "a"}}},
        "transformation": [{"expression": "data"}],
    }


def test_a_data_node_that_fails():
    data = "data: {source: {}, transformation: []}"
    wf = simulation(data, fail).run()
    assert wf.node("a").phase is Phase.FAILED


def test_a_plugin_is_told_the_whole_template():
    told = PodOutcome(
        Phase.SUCCEEDED, "Hello!", outputs={"parameters": [{"name": "foo", "value": "bar"}], "result": "r"}
    )
    wf = simulation("plugin: {hello: {to: '{{inputs.parameters.path}}'}}", told).run()
    node = wf.node("a")
    assert (node.type, node.phase, node.message, node.outputs) == (
        NodeType.PLUGIN,
        Phase.SUCCEEDED,
        "Hello!",
        told.outputs,
    )
    said = order(wf)[1]
    assert said["plugin"] == {"hello": {"to": "x"}}
    assert said["namespace"] == "default"
    assert said["template"] == {
        "name": "ask",
        "inputs": {"parameters": [{"name": "path", "value": "x"}]},
        "plugin": {"hello": {"to": "x"}},
    }


def test_the_order_of_a_resource_says_where_its_manifest_is():
    text = """
entrypoint: main
templates:
- name: main
  inputs: {artifacts: [{name: m, path: /m.yaml, raw: {data: "{}"}}]}
  outputs: {parameters: [{name: p, valueFrom: {jsonPath: "{.a}"}}]}
  resource: {action: create, manifestFrom: {artifact: {name: m}}}
"""
    wf = Simulation(text).run()
    pod, said = order(wf)
    assert said == {
        "pod": pod.name,
        "uid": "uid-1",
        "workflow": "wf",
        "resource": {"action": "create", "manifestFrom": {"artifact": {"name": "m"}}},
        "parameters": [{"name": "p", "valueFrom": {"jsonPath": "{.a}"}}],
        "paths": {"m": "/m.yaml"},
    }


def test_answers_are_remembered():
    text = """
entrypoint: main
templates:
- name: main
  steps:
  - - {name: a, template: ask}
  - - {name: b, template: ask}
- name: ask
  http: {url: http://host/}
  memoize: {key: k, maxAge: 1h, cache: {configMap: {name: cache}}}
"""
    wf = Simulation(text, lambda pod: ANSWER).run()
    assert wf.phase is Phase.SUCCEEDED
    assert len(wf.pods) == 1
    assert [(wf.node(name).outputs, wf.node(name).extra["memoizationStatus"]["hit"]) for name in "ab"] == [
        ({"result": "said"}, False),
        ({"result": "said"}, True),
    ]


@pytest.mark.parametrize(("verb", "asks"), [("", True), ("stop", True), ("terminate", False)])
def test_exit_handlers_ask_after_a_deadline_and_a_stop(verb, asks):
    text = f"""
entrypoint: main
activeDeadlineSeconds: {1 if not verb else 100}
hooks: {{exit: {{template: handler}}}}
templates:
- {{name: main, steps: [[{{name: sleep, template: sleep}}]]}}
- {{name: sleep, container: {{image: i}}}}
- {{name: handler, steps: [[{{name: ask, template: ask}}]]}}
- {{name: ask, http: {{url: http://host/}}}}
"""
    wf = Simulation(
        text, lambda pod: ANSWER, duration=lambda pod: 1.0 if agent_kind(pod.main.image) else 50.0
    )
    wf.observe(Started())
    wf.go_on(until=START + timedelta(seconds=0.5))
    if verb:
        wf.observe(UserAsked(verb))
    wf.go_on()
    assert wf.phase is Phase.FAILED
    ends = {node.display_name: node.phase for node in wf.nodes.values()}
    assert ends.get("wf.onExit") is (Phase.SUCCEEDED if asks else None)
    assert ends.get("ask") is (Phase.SUCCEEDED if asks else None)


def test_plugins_that_a_workflow_brings_are_sidecars_of_its_plugin_nodes():
    sidecar = "name: p, image: python, command: [python, s.py], ports: [{containerPort: 4356}]"
    told = PodOutcome(Phase.SUCCEEDED, "Hello!")
    wf = simulation(
        "plugin: {hello: {to: '{{inputs.parameters.path}}'}}",
        told,
        top=f"executorPlugins: [{{metadata: {{name: p}}, spec: {{sidecar: {{container: {{{sidecar}}}}}}}}}]",
    ).run()
    assert (wf.node("a").type, wf.node("a").phase, wf.node("a").message) == (
        NodeType.PLUGIN,
        Phase.SUCCEEDED,
        "Hello!",
    )
    pod, said = order(wf)
    assert said["addresses"] == ["http://localhost:4356"]
    assert said["request"]["workflow"] == {"metadata": {"name": "wf", "namespace": "default", "uid": "uid-1"}}
    assert said["request"]["template"]["plugin"] == {"hello": {"to": "x"}}
    assert (pod.sidecars, pod.wants_result, pod.outputs) == (("p",), True, {})
    assert [(c.name, c.command[0] if c.command else "") for c in (*pod.init_containers, *pod.containers)] == [
        ("token", "sh"),
        ("main", ""),
        ("p", "python"),
    ]
    token = {"name": "var-run-argo", "mountPath": "/var/run/argo"}
    assert all(token in c.volume_mounts for c in (*pod.init_containers, *pod.containers))
    assert pod.volumes == ({"name": "var-run-argo", "emptyDir": {}},)
