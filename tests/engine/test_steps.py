from simulate import Simulation, fail, outputs, result, succeed

from nbflow.spec.status import NodeStatus, NodeType, Phase

ECHO = """
- name: echo
  inputs: {parameters: [{name: m, default: none}]}
  container: {image: i, args: ["{{inputs.parameters.m}}"]}
  outputs: {parameters: [{name: o, valueFrom: {path: /tmp/o}}]}
"""


def run(templates, rule=succeed, **spec):
    extra = "".join(f"{key}: {value}\n" for key, value in spec.items())
    return Simulation(f"entrypoint: main\n{extra}templates:\n{templates}{ECHO}", rule).run()


def args(simulation):
    return {
        simulation.stored.by_id[pod.node_id].display_name: pod.main.args for pod in simulation.pods.values()
    }


def test_the_tree_of_a_steps_template():
    wf = run(
        """
- name: main
  steps:
  - [{name: a, template: echo}, {name: b, template: echo}]
  - [{name: c, template: echo}]
"""
    )
    assert wf.phases == dict.fromkeys(["wf", "[0]", "[0].a", "[0].b", "[1]", "[1].c"], "Succeeded")
    assert wf.edges() == {
        ("wf", "wf[0]"),
        ("wf[0]", "wf[0].a"),
        ("wf[0]", "wf[0].b"),
        ("wf[0].a", "wf[1]"),
        ("wf[0].b", "wf[1]"),
        ("wf[1]", "wf[1].c"),
    }
    c = wf.node("c")
    assert c == NodeStatus(
        id=c.id,
        name="wf[1].c",
        display_name="c",
        type=NodeType.POD,
        template_name="echo",
        template_scope="local/wf",
        phase=Phase.SUCCEEDED,
        boundary_id="wf",
        started_at=c.started_at,
        finished_at=wf.now,
        progress="1/1",
        inputs={"parameters": [{"name": "m", "default": "none", "value": "none"}]},
        outputs={"exitCode": "0"},
    )
    root = wf.nodes["wf"]
    assert (root.type, root.outbound_nodes, root.finished_at) == (NodeType.STEPS, (c.id,), wf.now)
    assert (wf.phase, wf.message, wf.progress) == (Phase.SUCCEEDED, "", "3/3")


def test_results_and_parameters_go_from_step_to_step():
    wf = run(
        """
- name: main
  steps:
  - [{name: a, template: echo}]
  - - {name: b, template: echo, arguments: {parameters: [{name: m, value: "{{steps.a.outputs.result}}"}]}}
    - {name: c, template: echo, arguments: {parameters: [{name: m, value: "{{=steps.a.outputs.result + '!'}}"}]}}
""",
        result("hello"),
    )
    assert args(wf) == {"a": ("none",), "b": ("hello",), "c": ("hello!",)}
    assert [pod.wants_result for pod in wf.pods.values()] == [True, False, False]


def test_a_failed_step_fails_its_group_and_the_steps_with_its_message():
    wf = run("- {name: main, steps: [[{name: a, template: echo}], [{name: b, template: echo}]]}", fail)
    message = f"child '{wf.node('a').id}' failed"
    assert wf.phases == {"wf": "Failed", "[0]": "Failed", "[0].a": "Failed"}
    assert [wf.nodes["wf[0]"].message, wf.nodes["wf"].message, wf.message] == [message] * 3


def test_continue_on_goes_on():
    wf = run(
        """
- name: main
  steps:
  - [{name: a, template: echo, continueOn: {failed: true}}]
  - [{name: b, template: echo}]
""",
        lambda pod: succeed(pod) if "echo-" in pod.name and pod.node_id == pod_b(pod) else fail(pod),
    )
    assert wf.phases == {
        "wf": "Succeeded", "[0]": "Succeeded", "[0].a": "Failed", "[1]": "Succeeded", "[1].b": "Succeeded",
    }  # fmt: skip
    assert wf.progress == "1/2"


def pod_b(pod):
    from nbflow.engine.names import node_id

    return node_id("wf", "wf[1].b")


def test_a_false_when_skips_before_anything_is_resolved():
    wf = run(
        """
- name: main
  steps:
  - - name: a
      template: echo
      when: "1 == 2"
      arguments: {parameters: [{name: m, value: "{{steps.nobody.outputs.result}}"}]}
"""
    )
    a = wf.node("a")
    assert (a.type, a.phase, a.message) == (NodeType.SKIPPED, Phase.SKIPPED, "when '1 == 2' evaluated false")
    assert (wf.phase, wf.progress) == (Phase.SUCCEEDED, "0/0")


def test_a_when_that_is_no_condition_is_an_error_of_the_group_and_a_failure_of_the_steps():
    wf = run("- {name: main, steps: [[{name: a, template: echo, when: '1 ='}]]}")
    assert wf.phases == {"wf": "Failed", "[0]": "Error"}
    assert "Invalid 'when' expression '1 ='" in wf.message


def test_steps_are_started_one_by_one_up_to_the_first_that_cannot_be():
    """workflow/controller/steps.go, executeStepGroup: one loop evaluates `when` and starts the step."""
    wf = run(
        """
- name: main
  steps:
  - - {name: a, template: echo}
    - {name: b, template: echo, when: "false"}
    - {name: c, template: echo, when: "{{item}} > 1", withItems: [x]}
    - {name: d, template: echo}
"""
    )
    problem = (
        "Failed to evaluate 'when' expresion 'x > 1': Value 'x' cannot be used with the comparator '>', "
        "it is not a number"
    )
    assert {name.removeprefix("wf"): node.message for name, node in wf.nodes.items()} == {
        "": problem, "[0]": problem, "[0].a": "main: Error (exit code 143)",
        "[0].b": "when 'false' evaluated false", "[0].c(0:x)": problem,
    }  # fmt: skip
    assert [child for parent, child in wf.stored.edges if parent == wf.node("[0]").id] == [
        wf.node(name).id for name in ("a", "b", "c(0:x)")
    ]


def test_outputs_of_a_template_come_from_its_steps():
    wf = run(
        """
- name: main
  steps: [[{name: a, template: inner}]]
  outputs:
    parameters:
    - {name: x, valueFrom: {parameter: "{{steps.a.outputs.parameters.y}}"}, globalName: x}
    - {name: z, valueFrom: {expression: "steps.a.outputs.parameters.y + '!'"}}
    - {name: d, valueFrom: {parameter: "{{steps.a.outputs.parameters.nothing}}", default: "7"}}
    - {name: l, valueFrom: {expression: "[1.5, 'a', {'k': true}]"}}
- name: inner
  steps: [[{name: b, template: echo}]]
  outputs: {parameters: [{name: y, valueFrom: {parameter: "{{steps.b.outputs.parameters.o}}"}}]}
""",
        lambda pod: outputs(o="v"),
    )
    assert wf.nodes["wf"].outputs == {
        "parameters": [
            {"name": "x", "globalName": "x", "value": "v"},
            {"name": "z", "value": "v!"},
            {"name": "d", "value": "7"},
            {"name": "l", "value": "[1.5 a map[k:true]]"},  # pkg/apis: AnyStringPtr prints with %v
        ]
    }
    assert wf.stored.status.outputs == {"parameters": [{"name": "x", "value": "v"}]}


def test_outputs_that_nothing_gave_are_an_error_of_the_caller():
    wf = run(
        """
- name: main
  steps: [[{name: a, template: inner}]]
- name: inner
  steps: [[{name: b, template: echo}]]
  outputs: {parameters: [{name: y, valueFrom: {parameter: "{{steps.b.outputs.parameters.nothing}}"}}]}
"""
    )
    problem = 'Unable to resolve: "steps.b.outputs.parameters.nothing"'
    assert wf.node("a").phase is Phase.ERROR
    assert wf.node("a").message == problem
    assert wf.message == f"step group deemed errored due to child wf[0].a error: {problem}"


def test_an_unknown_template_at_run_time_is_an_error():
    wf = run('- {name: main, steps: [[{name: a, template: \'{{="gh" + "ost"}}\'}]]}')
    assert wf.message == "step group deemed errored due to child wf[0].a error: template ghost not found"
    assert wf.node("a").type is NodeType.SKIPPED


def test_a_global_output_is_seen_by_later_steps_and_by_the_exit_handler():
    wf = run(
        """
- name: main
  steps:
  - [{name: a, template: giver}]
  - [{name: b, template: echo, arguments: {parameters: [{name: m, value: "{{workflow.outputs.parameters.g}}"}]}}]
- name: giver
  container: {image: i}
  outputs: {parameters: [{name: o, globalName: g, valueFrom: {path: /tmp/o}}]}
- name: bye
  container: {image: i, args: ["{{workflow.status}} {{workflow.outputs.parameters.g}}"]}
""",
        lambda pod: (
            outputs(o="v")
            if pod.template != "giver"
            else __import__("dataclasses").replace(
                outputs(), outputs={"parameters": [{"name": "o", "globalName": "g", "value": "v"}]}
            )
        ),
        onExit="bye",
    )
    assert args(wf)["b"] == ("v",)
    assert args(wf)["wf.onExit"] == ("Succeeded v",)


def test_recursion_ends_in_an_error_that_says_so():
    wf = run("- {name: main, steps: [[{name: a, template: main}]]}")
    deepest = max(wf.nodes.values(), key=lambda node: len(node.name))
    assert len([n for n in wf.nodes.values() if n.type is NodeType.STEPS]) == 99
    assert deepest.phase is Phase.ERROR
    url = "https://argo-workflows.readthedocs.io/en/latest/scaling/#maximum-recursion-depth"
    assert deepest.message == f"Maximum recursion depth exceeded. See {url} (main -> main has no end)"
    assert wf.phase is Phase.FAILED


def test_recursion_without_end_is_not_tried_again_at_each_depth():
    wf = run("- {name: main, steps: [[{name: a, template: main}]]}", retryStrategy="{limit: 2}")
    assert (wf.phase, len([n for n in wf.nodes.values() if n.type is NodeType.STEPS])) == (Phase.FAILED, 99)


def test_recursion_names_the_templates_of_its_circle():
    wf = run(
        """
- {name: main, steps: [[{name: a, template: a}]]}
- {name: a, dag: {tasks: [{name: b, template: b}]}}
- {name: b, steps: [[{name: x, template: echo}, {name: c, template: c}]]}
- {name: c, dag: {tasks: [{name: d, template: a}]}}
"""
    )
    found = {node.display_name: node.message for node in wf.nodes.values() if node.phase is Phase.ERROR}
    assert {name: message.rpartition(" (")[2] for name, message in found.items()} == {
        "x": "b -> c -> a -> b has no end)",
        "c": "c -> a -> b -> c has no end)",
    }


def test_inputs_are_taken_from_the_caller_then_from_the_default():
    wf = run(
        """
- name: main
  steps: [[{name: a, template: t, arguments: {parameters: [{name: x, value: "{{workflow.name}}"}]}}]]
- name: t
  inputs: {parameters: [{name: x, value: own}, {name: y, default: "{{inputs.parameters.x}}+"}, {name: z, value: "3"}]}
  container:
    image: i
    args: ["{{inputs.parameters.x}} {{inputs.parameters.y}} {{pod.name}} {{steps.name}} {{node.name}}"]
"""
    )
    (pod,) = wf.pods.values()
    assert pod.main.args == (f"wf wf+ {pod.name} a wf[0].a",)
    assert wf.node("a").inputs == {
        "parameters": [
            {"name": "x", "value": "wf"},
            {"name": "y", "default": "wf+", "value": "wf+"},
            {"name": "z", "value": "3"},
        ]
    }


def test_a_missing_input_is_an_error_that_names_it():
    wf = run(
        "- {name: main, steps: [[{name: a, template: t}]]}\n"
        "- {name: t, inputs: {parameters: [{name: x}]}, container: {image: i}}"
    )
    assert wf.node("a").message == "inputs.parameters.x was not supplied"
