"""Manifests that are one step away from good ones, with what Argo says to them."""

from __future__ import annotations

import pytest

from nbflow.errors import Severity
from nbflow.lint import lint_texts

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
    "a plugin that is a text": """
  templateDefaults: {plugin: x}
  templates:
  - name: main
    container: {image: "alpine:3.23"}
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
