"""Manifests that are one step away from good ones, with what Argo says to them."""

from __future__ import annotations

import pytest

from nbflow.errors import Severity
from nbflow.lint import NothingToLint, lint_texts

FRAME = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: changed-}
spec:
  entrypoint: main
"""
ACCEPTED = {
    "an empty enum in the arguments of a step": """
  templates:
  - name: main
    steps:
    - - name: one
        template: echo
        arguments: {parameters: [{name: a, value: x, enum: []}]}
  - name: echo
    container: {image: "alpine:3.23"}
""",
    "a quantity that is null": """
  templates:
  - name: main
    container: {image: "alpine:3.23", resources: {requests: {memory: null}}}
""",
    "an unknown tag in an input that the argument takes the place of": """
  arguments: {parameters: [{name: a, value: x}]}
  templates:
  - name: main
    inputs: {parameters: [{name: a, valueFrom: {configMapKeyRef: {name: "{{workflow.parameters.no}}", key: k}}}]}
    container: {image: "alpine:3.23"}
""",
    "a dynamic templateRef beside an empty inline template": """
  templates:
  - name: main
    steps:
    - - name: one
        templateRef: {name: "{{item.of}}", template: "{{item.named}}"}
        withItems: [{of: a, named: b}]
        inline: {}
""",
    "a global name that an expression makes": """
  templates:
  - name: main
    container: {image: "alpine:3.23"}
    outputs: {parameters: [{name: a, globalName: "{{=1+1}}", valueFrom: {path: /a}}]}
""",
    "a target that an expression names": """
  arguments: {parameters: [{name: target, value: one}]}
  templates:
  - name: main
    dag:
      target: "{{=workflow.parameters.target}}"
      tasks: [{name: one, template: echo}]
  - name: echo
    container: {image: "alpine:3.23"}
""",
    "a template that an expression names": """
  templates:
  - name: main
    steps: [[{name: one, template: "{{='ec' + 'ho'}}"}]]
  - name: echo
    container: {image: "alpine:3.23"}
""",
    "an output of steps that are none": """
  templates:
  - name: main
    steps: []
    outputs: {parameters: [{name: a, valueFrom: {path: /a}}]}
""",
    "a task named after the inputs that are none": """
  templates:
  - name: main
    dag: {tasks: [{name: "{{inputs.parameters}}", template: echo}]}
  - name: echo
    container: {image: "alpine:3.23"}
""",
    "an input of the template around an inline one": """
  templates:
  - name: main
    inputs: {parameters: [{name: a, value: x}]}
    dag:
      tasks:
      - name: one
        inline: {container: {image: "alpine:3.23", args: ["{{ inputs.parameters.a }}"]}}
""",
    "an open tag in a templateRef": """
  templates:
  - name: main
    steps:
    - - name: one
        templateRef: {name: "a{{", template: b}
        arguments: {parameters: [{name: a, value: "{{workflow.name}}"}]}
""",
    "an argument named by a tag": """
  templates:
  - name: main
    steps:
    - - name: one
        template: echo
        arguments: {parameters: [{name: "{{workflow.uid}}", value: x}]}
  - name: echo
    container: {image: "alpine:3.23"}
""",
    "a config map with labels that are none": """
  templates:
  - name: main
    container: {image: "alpine:3.23"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: a, labels: [b]}
""",
    "a name on a line of its own in a tag, which is another name": """
  templates:
  - name: main
    container: {image: "alpine:3.23", args: ["{{\\n inputs.parameters.no \\n}}", "{{\\tworkflow.no}}"]}
""",
    "an expression among the dependencies": """
  templates:
  - name: main
    dag:
      tasks:
      - {name: A, template: echo}
      - {name: B, template: echo}
      - {name: C, template: echo, dependencies: ["A || B"]}
  - name: echo
    container: {image: "alpine:3.23"}
""",
    "an open tag that the braces of the resources close": """
  templates:
  - name: main
    container: {image: "alpine:3.23", args: ["{{"]}
""",
}
REFUSED = {
    "an inline template with no steps": """
  templates:
  - name: main
    steps:
    - - name: one
        inline: {steps: []}
""",
    "a field that came to Kubernetes later": """
  templates:
  - name: main
    container:
      image: alpine:3.23
      volumeMounts: [{name: v, mountPath: /v, bindMountOptions: []}]
""",
    "a plugin that is two": """
  templateDefaults: {plugin: {a: {}, b: {}}}
  templates:
  - name: main
    container: {image: "alpine:3.23"}
""",
    "a plugin that is a text": """
  templateDefaults: {plugin: x}
  templates:
  - name: main
    container: {image: "alpine:3.23"}
""",
    "an open tag that begins as an input that is there": """
  templates:
  - name: main
    inputs: {parameters: [{name: a, value: x}]}
    container: {image: "alpine:3.23", args: ["{{inputs.parameters.a"]}
""",
    "a step that an expression without a value names": """
  templates:
  - name: main
    steps: [[{name: "{{=item}}", template: echo, withItems: [a]}]]
  - name: echo
    container: {image: "alpine:3.23"}
""",
    "a limit of steps that are none": """
  templates:
  - name: main
    parallelism: 1
    steps: []
""",
    "an artifact without a name for a manifest": """
  templates:
  - name: main
    resource: {action: create, manifestFrom: {artifact: {}}}
""",
    "a quantity that ends its line": """
  templates:
  - name: main
    container: {image: "alpine:3.23", resources: {requests: {memory: "64Mi\\n"}}}
""",
    "a body that is no base64": """
  templates:
  - name: main
    http: {url: "http://127.0.0.1/", bodyFrom: {bytes: x}}
""",
    "a binary text that is none": """
  templates:
  - name: main
    container: {image: !!binary alpine}
""",
    "an open tag in the outputs": """
  templates:
  - name: main
    container: {image: "alpine:3.23"}
    outputs: {exitCode: "{{"}
""",
    "an open tag behind all braces": """
  templates:
  - name: main
    container: {image: "alpine:3.23"}
    timeout: "{{"
""",
}


def _errors(spec: str) -> list[str]:
    findings = lint_texts([("changed.yaml", FRAME + spec.lstrip("\n"))])
    return [finding.problem for finding in findings if finding.severity is Severity.ERROR]


@pytest.mark.parametrize("change", ACCEPTED)
def test_accepted(change: str) -> None:
    assert _errors(ACCEPTED[change]) == []


@pytest.mark.parametrize("change", REFUSED)
def test_refused(change: str) -> None:
    assert len(_errors(REFUSED[change])) >= 1


def test_templates_of_the_cluster_have_their_defaults_at_home() -> None:
    text = """apiVersion: argoproj.io/v1alpha1
kind: ClusterWorkflowTemplate
metadata: {name: shared}
spec:
  templateDefaults: {container: {image: "alpine:3.23"}}
  templates:
  - name: main
    container: {command: ["true"]}
"""
    call = FRAME.replace(
        "  entrypoint: main\n", "  workflowTemplateRef: {name: shared, clusterScope: true}\n"
    )
    call += "  entrypoint: main\n"
    assert lint_texts([("shared.yaml", text)]) == []
    findings = lint_texts([("shared.yaml", text), ("call.yaml", call)])
    assert [finding.problem for finding in findings] == ["templates.main.container.image may not be empty"]


def test_an_api_version_is_a_group_and_a_version() -> None:
    text = FRAME.replace("argoproj.io/v1alpha1", "a/b/c") + "  templates: [{name: main, suspend: {}}]\n"
    (finding,) = lint_texts([("changed.yaml", text)])
    assert (finding.rule, finding.problem) == ("NBF103", "apiVersion 'a/b/c' is not a group and a version")


def test_json_has_no_integers_with_a_fraction() -> None:
    text = (
        '{"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "x"}, "spec":'
        ' {"entrypoint": "main", "parallelism": 1.0, "templates": [{"name": "main", "suspend": {}}]}}'
    )
    (finding,) = lint_texts([("changed.json", text)])
    assert finding.problem == "spec.parallelism must be an integer, not a number"


def test_a_faulty_config_map_alone_is_nothing_to_lint() -> None:
    with pytest.raises(NothingToLint):
        lint_texts([("map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: [b]}\n")])


def test_argo_looks_no_further_than_an_enum_without_a_value() -> None:
    spec = """
  arguments: {parameters: [{name: a, enum: [x]}], artifacts: [{name: b}]}
  templates: [{name: main, container: {image: "alpine:3.23"}}]
"""
    assert _errors(spec) == []
    assert len(_errors(spec.replace("enum: [x]", "enum: [x], value: x"))) == 1


def test_names_of_fields_of_steps_are_looked_at_even_without_strict() -> None:
    spec = "  templates: [{name: main, steps: [[{name: a, template: b, failed: true}]]}, {name: b, suspend: {}}]\n"
    findings = lint_texts([("changed.yaml", FRAME + spec)], strict=False)
    assert [(finding.rule, finding.problem) for finding in findings] == [
        ("NBF102", 'unknown field "spec.templates[0].steps[0][0].failed"')
    ]


def test_a_target_with_a_backslash_is_told_as_it_is() -> None:
    spec = """
  templates:
  - name: main
    dag: {target: "a\\\\\\\\d{{workflow.name}}", tasks: [{name: one, template: main}]}
"""
    assert "templates.main.targets: target 'a\\\\d{{workflow.name}}' is not defined" in _errors(spec)
