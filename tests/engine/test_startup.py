"""What a workflow is before its first node: its spec, its variables, its templates."""

import pytest
from simulate import Simulation, StaticWorld, succeed, workflow

from nbflow.engine.globals import merged_spec
from nbflow.spec.status import Phase
from nbflow.spec.workflow import WorkflowSpec

LABEL = "workflows.argoproj.io/configmap-type"


def config_map(data, label="Parameter"):
    return {"metadata": {"labels": {LABEL: label}}, "data": data}


def shown(text, spec="", world=None, **metadata):
    """What a container's only argument becomes, or how the workflow ended without one."""
    manifest = (
        f"entrypoint: main\n{spec}\ntemplates:\n- name: main\n  container: {{image: i, args: [{text!r}]}}"
    )
    wf = workflow(
        f"metadata: {metadata or '{}'}\nspec:\n" + "\n".join("  " + line for line in manifest.splitlines())
    )
    simulation = Simulation(wf, world=world).run()
    return next(
        (pod.main.args[0] for pod in simulation.pods.values()), (simulation.phase.value, simulation.message)
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{workflow.name}} {{workflow.namespace}} {{workflow.uid}}", "wf default uid-1"),
        ("{{workflow.mainEntrypoint}}", "main"),
        ("{{workflow.creationTimestamp}}", "2024-05-17T10:00:00Z"),
        (
            "{{workflow.creationTimestamp.s}} {{workflow.creationTimestamp.RFC3339}}",
            "1715940000 2024-05-17T10:00:00Z",
        ),
        ("{{workflow.creationTimestamp.Y}}-{{workflow.creationTimestamp.b}}", "2024-May"),
        ("<{{workflow.status}}> {{workflow.duration}}", "<> 0.000000"),
        ("{{user.name}} {{workflow.parameters.nobody}}", "{{user.name}} {{workflow.parameters.nobody}}"),
        ("{{pod.name}} {{node.name}}", "wf wf"),
    ],
)
def test_variables_of_the_workflow(text, expected):
    assert shown(text) == expected


def test_the_status_of_the_workflow_is_known_from_its_second_operation_on():
    """workflow/controller/operator.go, setGlobalRuntimeParameters: what the status was before."""
    wf = Simulation(
        "entrypoint: main\ntemplates:\n- {name: main, steps: [[{name: a, template: p}], [{name: b, template: p}]]}\n"
        "- {name: p, container: {image: i, args: ['{{workflow.status}}']}}\n"
    ).run()
    assert [pod.main.args for pod in wf.pods.values()] == [("",), ("Running",)]


def test_labels_annotations_priority_and_service_account():
    text = "{{workflow.labels.a}} {{workflow.annotations.b}} {{workflow.labels}} {{workflow.priority}}"
    text += " {{workflow.serviceAccountName}}"
    spec = "priority: 3\nserviceAccountName: me"
    assert shown(text, spec, labels={"a": "1"}, annotations={"b": "2"}) == '1 2 {"a":"1"} 3 me'


def test_parameters_of_the_workflow():
    spec = "arguments: {parameters: [{name: a, value: '{{workflow.name}}!'}, {name: b, value: 2}]}"
    assert shown("{{workflow.parameters.a}} {{workflow.parameters.b}}", spec) == "wf! 2"
    assert shown("{{workflow.parameters}}", spec) == '[{"name":"a","value":"wf!"},{"name":"b","value":"2"}]'
    problem = "either value or valueFrom must be specified in order to set global parameter a"
    missing = "arguments: {parameters: [{name: a}]}"
    assert shown("x", missing) == ("Failed", f"failed to set global parameters: {problem}")


SOURCE = "arguments: {parameters: [{name: a, valueFrom: {configMapKeyRef: {name: c, key: k}}}]}"
MISSING = (
    "ConfigMap 'c' does not exist. Please make sure it has the label"
    f" {LABEL}: Parameter to be detectable by the controller"
)


@pytest.mark.parametrize(
    ("found", "problem", "defaulted"),
    [
        ({"k": "v"}, "", "v"),
        ({}, "ConfigMap 'c' does not have the key 'k'", "d"),
        (None, MISSING, "d"),
    ],
)
def test_parameters_from_config_maps(found, problem, defaulted):
    world = StaticWorld({("ConfigMap", "c"): config_map(found)} if found is not None else {})
    prefix = "failed to set global parameters: failed to set global parameter a from configmap with name c and key k"
    text = "{{workflow.parameters.a}}"
    assert shown(text, SOURCE, world) == (("Failed", f"{prefix}: {problem}") if problem else "v")
    assert shown(text, SOURCE.replace("valueFrom: {", "valueFrom: {default: d, "), world) == defaulted


def test_a_config_map_without_the_label_is_not_read():
    world = StaticWorld({("ConfigMap", "c"): config_map({"k": "v"}, "Cache")})
    phase, message = shown("x", SOURCE.replace("valueFrom: {", "valueFrom: {default: d, "), world)
    assert phase == "Failed"
    assert message.endswith(f"ConfigMap 'c' needs to have the label {LABEL}: Parameter to load parameters")


def test_labels_that_the_workflow_computes():
    spec = """
workflowMetadata:
  labels: {fixed: x}
  labelsFrom: {made: {expression: "workflow.parameters.a + '-b'"}}
arguments: {parameters: [{name: a, value: v}]}
"""
    assert shown("{{workflow.labels.made}} {{workflow.labels.fixed}}", spec) == "v-b x"
    run = Simulation(f"entrypoint: p\n{spec}\ntemplates:\n- {{name: p, container: {{image: i}}}}").run()
    assert run.stored.status.labels == {
        "fixed": "x",
        "made": "v-b",
        "workflows.argoproj.io/phase": "Succeeded",
        "workflows.argoproj.io/completed": "true",
    }
    bad = spec.replace("workflow.parameters.a + '-b'", "1 + 1")
    phase, message = shown("x", bad)
    assert (phase, "must be a string" in message) == ("Error", True)


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        (
            "labels: {a: $no}",
            'invalid label value "$no" for label "a": a valid label must be an empty string or ',
        ),
        (
            f"labels: {{a: {'x' * 64}}}",
            f'invalid label value "{"x" * 64}" for label "a": must be no more than 63 characters',
        ),
        (
            "labelsFrom: {a: {expression: \"'b/c'\"}}",
            'invalid label value "b/c" for label "a" and expression "\'b/c\'": a valid label must be ',
        ),
    ],
)
def test_a_label_that_is_none_ends_the_workflow_before_it_starts(labels, problem):
    """workflow/controller/operator.go, updateWorkflowMetadata."""
    phase, message = shown("x", f"workflowMetadata: {{{labels}}}")
    assert (phase, message.startswith(problem)) == ("Error", True), message


TEMPLATE = {
    "spec": {
        "entrypoint": "main",
        "arguments": {"parameters": [{"name": "a", "value": "below"}, {"name": "b", "value": "kept"}]},
        "templates": [
            {"name": "main", "steps": [[{"name": "s", "template": "p"}]]},
            {
                "name": "p",
                "container": {"image": "i", "args": ["{{workflow.parameters.a}} {{workflow.parameters.b}}"]},
            },
        ],
        "podMetadata": {"labels": {"from": "template"}},
    }
}


def test_a_workflow_made_of_a_template():
    world = StaticWorld({("WorkflowTemplate", "t"): TEMPLATE})
    text = "workflowTemplateRef: {name: t}\narguments: {parameters: [{name: a, value: own}]}"
    wf = Simulation(text, world=world, crash_every=1).run()
    (pod,) = wf.pods.values()
    assert (wf.phase, pod.main.args, pod.labels["from"]) == (Phase.SUCCEEDED, ("own kept",), "template")
    assert wf.node("s").template_scope == "local/"
    assert wf.stored.status.labels["workflows.argoproj.io/workflow-template"] == "t"
    assert wf.stored.status.extra["storedWorkflowTemplateSpec"]["entrypoint"] == "main"


def test_what_a_template_becomes_later_does_not_matter():
    world = StaticWorld({("WorkflowTemplate", "t"): TEMPLATE})
    wf = Simulation("workflowTemplateRef: {name: t}", world=world)
    from nbflow.engine.decision import Started

    wf.observe(Started())
    wf.world = StaticWorld()
    wf.crash()
    assert wf.go_on().phase is Phase.SUCCEEDED


def test_a_template_that_is_not_there():
    wf = Simulation("workflowTemplateRef: {name: t, clusterScope: true}").run()
    assert (wf.phase, wf.message) == (Phase.ERROR, 'clusterworkflowtemplate.argoproj.io "t" not found')


def test_the_workflow_wins_over_its_template():
    world = StaticWorld({("WorkflowTemplate", "t"): TEMPLATE})
    spec = WorkflowSpec.from_dict(
        {
            "workflowTemplateRef": {"name": "t"},
            "entrypoint": "p",
            "arguments": {
                "parameters": [{"name": "a", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}]
            },
        }
    )
    merged = merged_spec(spec, None, world)
    assert merged.entrypoint == "p"
    assert [(p.name, p.value) for p in merged.arguments.parameters] == [("a", None), ("b", "kept")]


def test_templates_of_other_objects_are_kept_under_argos_keys():
    world = StaticWorld({("WorkflowTemplate", "t"): TEMPLATE})
    reference = "{name: t, template: main, clusterScope: false}"
    text = f"entrypoint: main\ntemplates:\n- {{name: main, steps: [[{{name: x, templateRef: {reference}}}]]}}"
    text += "\narguments: {parameters: [{name: a, value: 1}, {name: b, value: 2}]}"
    wf = Simulation(text, world=world, crash_every=1).run()
    assert wf.phase is Phase.SUCCEEDED
    assert set(wf.stored.status.extra["storedTemplates"]) == {"namespaced/t/main", "namespaced/t/p"}
    x, s = wf.node("x"), wf.node("s")
    assert (x.template_name, x.template_scope, x.extra) == (
        "", "local/wf", {"templateRef": {"name": "t", "template": "main"}},
    )  # fmt: skip
    assert (s.template_name, s.template_scope) == ("p", "namespaced/t")
    (pod,) = wf.pods.values()
    assert pod.name.startswith("wf-p-")


def test_template_defaults_fill_in_what_a_template_lacks():
    wf = Simulation(
        """
entrypoint: main
templateDefaults:
  container: {image: default, args: [a]}
  retryStrategy: {limit: 1}
  metadata: {labels: {l: v}}
templates:
- {name: main, container: {args: [own]}}
"""
    ).run()
    (pod,) = wf.pods.values()
    assert (pod.main.image, pod.main.args, pod.labels["l"]) == ("default", ("own",), "v")
    assert set(wf.phases) == {"wf", "(0)"}


def test_pods_carry_what_the_manifest_says():
    wf = Simulation(
        """
metadata: {annotations: {nbflow.dev/python: /py, other: x}}
spec:
  entrypoint: main
  volumes: [{name: v, persistentVolumeClaim: {claimName: "{{workflow.name}}-c"}}, {name: unused, emptyDir: {}}]
  volumeClaimTemplates: [{metadata: {name: w}}]
  serviceAccountName: me
  templates:
  - name: main
    nodeSelector: {a: b}
    initContainers: [{name: before, image: b}]
    sidecars: [{name: beside, image: s}]
    script:
      image: i
      command: [sh]
      source: "echo {{workflow.name}}"
      env: [{name: E, valueFrom: {secretKeyRef: {name: s, key: k}}}]
      envFrom: [{configMapRef: {name: c}}]
      workingDir: /work
      volumeMounts: [{name: v, mountPath: /v}, {name: w, mountPath: /w}]
      resources: {limits: {memory: 1Gi}}
    outputs:
      parameters: [{name: o, valueFrom: {path: /o, default: d}}]
      artifacts: [{name: x, path: /x, archive: {none: {}}}]
"""
    ).run()
    (pod,) = wf.pods.values()
    main, beside = pod.containers
    assert (main.name, main.command, main.source, main.working_dir) == ("main", ("sh",), "echo wf", "/work")
    assert main.env == ({"name": "E", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},)
    assert main.env_from == ({"configMapRef": {"name": "c"}},)
    assert main.extra == {"resources": {"limits": {"memory": "1Gi"}}}
    assert (beside.name, pod.init_containers[0].name) == ("beside", "before")
    assert pod.volumes == (
        {"name": "v", "persistentVolumeClaim": {"claimName": "wf-c"}},
        {"name": "w", "persistentVolumeClaim": {"claimName": "wf-w"}},
    )
    assert pod.outputs == {
        "parameters": [{"name": "o", "valueFrom": {"path": "/o", "default": "d"}}],
        "artifacts": [{"name": "x", "path": "/x", "archive": {"none": {}}}],
    }
    assert (pod.artifact_key, pod.extra) == (
        "wf/wf",
        {"serviceAccountName": "me", "nodeSelector": {"a": "b"}},
    )
    assert pod.annotations == {
        "nbflow.dev/python": "/py",
        "workflows.argoproj.io/node-name": "wf",
        "workflows.argoproj.io/node-id": "wf",
    }


def test_a_mount_without_a_volume_is_an_error():
    wf = Simulation(
        "entrypoint: main\ntemplates:\n- {name: main, container: {image: i, volumeMounts: [{name: v, mountPath: /v}]}}",
        succeed,
    ).run()
    assert wf.message == "error in entry template execution: volume 'v' not found in workflow spec"


def test_a_template_may_name_its_nodes():
    wf = Simulation(
        """
entrypoint: main
templates:
- name: main
  annotations: {workflows.argoproj.io/display-name: "shown-{{workflow.name}}"}
  container: {image: i}
"""
    ).run()
    assert wf.nodes["wf"].display_name == "shown-wf"


def test_inline_templates():
    wf = Simulation(
        """
entrypoint: main
arguments: {parameters: [{name: p, value: v}]}
templates:
- name: main
  inputs: {parameters: [{name: p}]}
  steps:
  - - name: a
      inline: {container: {image: i, args: ["{{inputs.parameters.p}} {{workflow.name}}"]}}
"""
    ).run()
    (pod,) = wf.pods.values()
    assert (pod.main.args, pod.name, wf.node("a").template_name) == (
        ("v wf",),
        f"wf-{wf.node('a').id.partition('-')[2]}",
        "",
    )
