"""What completion offers in a manifest."""

from __future__ import annotations

import time

import pytest

from nbflow.commands.manifests import load
from nbflow.lint import lint_documents
from nbflow.notebook.completion.candidates import complete

MANIFEST = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  generateName: a-
  labels: {team: blue}
spec:
  entrypoint: main
  onExit: bye
  priority: 5
  arguments:
    parameters:
    - {name: lr, value: "0.1"}
  volumes:
  - {name: data, emptyDir: {}}
  templates:
  - name: main
    inputs: {parameters: [{name: depth, value: "3"}]}
    dag:
      tasks:
      - {name: load, template: load}
      - {name: check, template: echo, arguments: {parameters: [{name: text, value: x}]}}
      - name: train
        template: echo
        dependencies: [load]
        withItems: [{size: 1, name: a}, {size: 2, name: b}]
        arguments:
          parameters:
          - {name: text, value: "hello"}
      - name: late
        template: group
        depends: train.Succeeded
  - name: group
    steps:
    - - name: first
        template: load
      - name: beside
        template: load
    - - name: second
        template: echo
        arguments: {parameters: [{name: text, value: "world"}]}
    outputs:
      parameters:
      - name: rows
        valueFrom: {parameter: "{{steps.first.outputs.parameters.rows}}"}
  - name: load
    container:
      image: busybox
      command: [sh, -c, "echo 5 > /tmp/rows; echo ok"]
    outputs:
      parameters: [{name: rows, valueFrom: {path: /tmp/rows}, globalName: all-rows}]
      artifacts: [{name: table, path: /tmp/table}]
  - name: echo
    retryStrategy: {limit: 2}
    inputs:
      parameters:
      - {name: text, enum: [hello, world]}
      - {name: times, default: "1", description: how often}
    script:
      image: python
      command: [python]
      source: |
        print("source")
  - name: bye
    container: {image: busybox, command: [echo, "bye"]}
"""


def offered(before: str, line: str, **more) -> list[str]:
    """The texts offered at ▮ in a line that stands in place of another."""
    text = MANIFEST.replace(before, line, 1)
    assert text != MANIFEST
    cursor = text.index("▮")
    return [one.text for one in complete(text.replace("▮", ""), cursor, **more).candidates]


def test_every_candidate_says_what_it_is():
    text = MANIFEST.replace("    script:", "    ▮\n    script:")
    found = complete(text.replace("▮", ""), text.index("▮")).candidates
    told = {one.text: one.about for one in found}
    assert told["timeout: "] == "text · fail if it takes longer, waiting included, such as 1h"
    assert told["volumes:"] == "list of Volume · volumes that containers can mount"
    assert [text for text, about in told.items() if not about] == []


def test_fields_that_are_there_are_not_offered_again():
    found = offered("    script:", "    ▮\n    script:")
    assert "timeout: " in found
    assert not {"name: ", "inputs:", "script:", "retryStrategy:"} & set(found)


def test_what_only_a_controller_writes_is_not_offered():
    assert offered("kind: Workflow", "▮\nkind: Workflow") == []
    assert offered("kind: Workflow\n", "▮\n") == ["kind: "]


@pytest.mark.parametrize(
    ("before", "line", "texts"),
    [
        ("  entrypoint: main", "  entry▮", ["entrypoint: "]),
        ("  entrypoint: main", "  ENTRY▮", ["entrypoint: "]),
        ("  entrypoint: main", "  entry▮point: main", ["entrypoint"]),
        ("  entrypoint: main", "  entrypoint: ▮", ["main", "group", "load", "echo", "bye"]),
        ("template: load}", "template: l▮", ["load"]),
        ("template: load}", "templ▮", ["template: ", "templateRef:"]),
        ("dependencies: [load]", "dependencies: [▮]", ["load", "check", "late"]),
        ("dependencies: [load]", "depends: load.Succ▮", ["load.Succeeded"]),
        ("dependencies: [load]", 'depends: "load && !check.F▮"', ["check.Failed"]),
        ('- {name: text, value: "hello"}', "- {name: ▮}", ["text", "times"]),
        ('- {name: text, value: "hello"}', "- {name: text, value: ▮}", ["hello", "world"]),
        ("    retryStrategy: {limit: 2}", "    retryStrategy: {retryPolicy: On▮}",
         ["OnFailure", "OnError", "OnTransientError"]),
        ("    script:", "    daemon: ▮\n    script:", ["true", "false"]),
        ("      image: python", "      volumeMounts: [{name: ▮}]", ["data"]),
        ("kind: Workflow", "kind: Cron▮", ["CronWorkflow"]),
        ("apiVersion: argoproj.io/v1alpha1", "apiVersion: ▮", ["argoproj.io/v1alpha1"]),
        ("      image: python", "      imagePullP▮", ["imagePullPolicy: "]),
        ("      image: python", "      imagePullPolicy: A▮", ["Always"]),
        ("      image: python", "      resources: {limits: {me▮}}", ["memory: "]),
        ('valueFrom: {parameter: "{{steps.first.outputs.parameters.rows}}"}', "valueFrom: {parameter: ▮}",
         ['"{{steps.first.outputs.result}}"', '"{{steps.first.outputs.parameters.rows}}"',
          '"{{steps.first.outputs.artifacts.table}}"', '"{{steps.beside.outputs.result}}"',
          '"{{steps.beside.outputs.parameters.rows}}"', '"{{steps.beside.outputs.artifacts.table}}"',
          '"{{steps.second.outputs.result}}"']),
    ],
)  # fmt: skip
def test_what_fits_at_a_place(before, line, texts):
    found = offered(before, line)
    assert sorted(found) == sorted(texts)


def test_parameters_tell_their_defaults_and_descriptions():
    text = MANIFEST.replace('- {name: text, value: "hello"}', "- {name: ti▮}")
    found = complete(text.replace("▮", ""), text.index("▮")).candidates
    assert [(one.text, one.about) for one in found] == [("times", "how often · 1 if it is not given")]


def test_stored_objects_are_offered_by_name():
    env = "env: [{name: A, valueFrom: {secretKeyRef: {name: ▮}}}]"
    known = {"Secret": ["my-secret"], "WorkflowTemplate": ["shared"]}
    assert offered("      image: python", f"      {env}", stored=known.get) == ["my-secret"]
    assert offered("template: load}", "templateRef: {name: ▮}}", stored=known.get) == ["shared"]


def test_templates_of_another_document_are_offered():
    other = "kind: WorkflowTemplate\nmetadata: {name: lib}\nspec: {templates: [{name: shout}]}\n---\n"
    text = other + MANIFEST.replace("template: load}", "templateRef: {name: lib, template: ▮}}", 1)
    found = complete(text.replace("▮", ""), text.index("▮"))
    assert [one.text for one in found.candidates] == ["shout"]


TAGS = {
    "task": ('value: "hello"', 'value: "{{▮}}"'),
    "group": ('value: "world"', 'value: "{{▮}}"'),
    "script": ('print("source")', 'print("{{▮}}")'),
    "exit": ('[echo, "bye"]', '[echo, "{{▮}}"]'),
    "outputs": ("steps.first.outputs.parameters.rows", "▮"),
}


@pytest.mark.parametrize("place", TAGS)
def test_every_variable_that_is_offered_passes_lint(place):
    """Completion and lint agree: what is offered resolves at that place."""
    before, line = TAGS[place]
    found = offered(before, line)
    assert len(found) > 10
    refused = {}
    for name in found:
        text = MANIFEST.replace(before, line.replace("▮", name), 1)
        problems = [f for f in lint_documents(load(text)) if f.rule == "NBF130"]
        if problems:
            refused[name] = problems[0].problem
    assert refused == {}


@pytest.mark.parametrize(
    ("place", "there", "not_there"),
    [
        (
            "task",
            {"inputs.parameters.depth", "item.size", "tasks.load.outputs.parameters.rows", "workflow.parameters.lr",
             "tasks.load.outputs.result", "workflow.labels.team", "tasks.load.status"},
            {"tasks.check.outputs.result", "tasks.late.status", "item", "steps.first.id", "workflow.failures",
             "retries", "inputs.parameters.text", "tasks.load.ip"},
        ),
        (
            "group",
            {"steps.first.outputs.parameters.rows", "steps.beside.status", "workflow.outputs.parameters.all-rows"},
            {"steps.second.status", "tasks.load.status", "inputs.parameters", "item.size"},
        ),
        (
            "script",
            {"inputs.parameters.text", "inputs.parameters.times", "retries", "lastRetry.exitCode", "pod.name"},
            {"inputs.parameters.depth", "steps.first.status", "item"},
        ),
        ("exit", {"workflow.failures", "workflow.status", "pod.name"}, {"retries", "inputs.parameters"}),
    ],
)  # fmt: skip
def test_variables_are_those_of_the_place(place, there, not_there):
    found = set(offered(*TAGS[place]))
    assert there <= found
    assert not_there & found == set()


def test_variables_are_told_by_their_meaning():
    before, line = TAGS["script"]
    text = MANIFEST.replace(before, line.replace("▮", "lastRetry.e▮"))
    found = complete(text.replace("▮", ""), text.index("▮"))
    assert [(one.text, one.about) for one in found.candidates] == [
        ("lastRetry.exitCode", "exit code of the attempt before, -1 if unknown")
    ]
    assert found.fragment == "lastRetry.e"


def test_an_expression_spells_names_with_dashes_in_brackets():
    found = offered(TAGS["script"][0], 'print("{{=workflow.outputs.parameters[\'all▮}}")')
    assert found == ["workflow.outputs.parameters['all-rows']"]


def test_conditions_of_a_cron_workflow_know_its_variables():
    text = "kind: CronWorkflow\nspec:\n  stopStrategy:\n    expression: '{{cronworkflow.f▮}}'\n"
    found = complete(text.replace("▮", ""), text.index("▮"))
    assert [one.text for one in found.candidates] == ["cronworkflow.failed"]


def test_a_long_manifest_is_answered_within_a_blink():
    tasks = "".join(
        f"      - name: t{i}\n        template: echo\n        dependencies: [t{i - 1}]\n"
        f'        arguments: {{parameters: [{{name: text, value: "{{{{tasks.t{i - 1}.outputs.result}}}}"}}]}}\n'
        for i in range(500)
    )
    text = MANIFEST.replace("      - name: late\n", f"{tasks}      - name: late\n").replace(
        "depends: train.Succeeded", "depends: t499\n        when: '{{tasks.t4▮}}'"
    )
    cursor = text.index("▮")
    assert text.count("\n") > 2000
    complete(text.replace("▮", ""), cursor)
    spent = []
    for _ in range(5):
        began = time.process_time()
        found = complete(text.replace("▮", ""), cursor)
        spent.append(time.process_time() - began)
    assert found.candidates[0].text == "tasks.t4.id"
    # Measured at 25 ms; ten times that means that something grows with the square of the text.
    assert min(spent) < 0.25
