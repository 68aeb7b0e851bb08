"""The two entrances: documents and texts."""

import gc
import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbflow.errors import NbflowError, Severity
from nbflow.lint import lint_documents, lint_texts
from nbflow.spec.yaml import load_documents

GOOD = "kind: Workflow\nspec:\n  entrypoint: a\n  templates: [{name: a, container: {image: x}}]\n"
BAD = "kind: Workflow\nspec: {entrypoint: b, templates: [{name: a, suspend: {}}]}\n"
STORED = {
    ("WorkflowTemplate", "w"): {
        "metadata": {"name": "w"},
        "spec": {
            "arguments": {"parameters": [{"name": "p"}]},
            "entrypoint": "t",
            "templates": [
                {"name": "t", "inputs": {"parameters": [{"name": "p"}]}, "container": {"image": "x"}}
            ],
        },
    }
}


def problems(text, **options):
    return [
        f"{f.position.line}:{f.position.column} {f.problem}"
        for f in lint_documents(load_documents(text, "a"), **options)
    ]


def test_other_kinds_are_passed_over():
    assert problems("kind: Pod\nspec: 5\n---\n" + GOOD) == []


def test_kinds_choose_what_is_looked_at():
    text = GOOD + "---\nkind: WorkflowTemplate\nmetadata: {name: w}\nspec: {templates: [{}], foo: 1}\n"
    assert len(problems(text)) == 2
    assert problems(text, kinds=["workflows"]) == []
    with pytest.raises(NbflowError, match="unknown kind: pods"):
        lint_texts([("a", GOOD)], kinds=["pods"])


def test_nothing_to_lint_is_a_failure():
    with pytest.raises(NbflowError) as refused:
        lint_texts([("a.yaml", "kind: Secret\n")], kinds=["workflows"])
    assert str(refused.value) == (
        "found nothing to lint in the specified paths, failing...\n  fix: lint reads objects of Workflow"
    )


def test_findings_are_ordered_by_file_and_place():
    findings = lint_texts([("z.yaml", GOOD + "---\n" + BAD), ("a.yaml", BAD)])
    assert [str(f.position) for f in findings] == ["z.yaml:7:20", "a.yaml:2:20"]


def test_a_template_object_resolves_only_in_its_namespace():
    call = (
        "kind: Workflow\nmetadata: {namespace: team}\nspec: {entrypoint: m, templates: [{name: m, steps: "
        "[[{name: s, templateRef: {name: w, template: t}}]]}]}\n"
    )
    template = (
        "---\nkind: WorkflowTemplate\nmetadata: {name: w%s}\nspec: {templates: [{name: t, suspend: {}}]}\n"
    )
    assert problems(call + template % ", namespace: team") == []
    assert [p.split(" ", 2)[2] for p in problems(call + template % "")] == [
        'couldn\'t find workflow template "w" in namespace "team": "w" not found'
    ]


def test_a_submit_needs_values():
    head = "kind: Workflow\nspec: {entrypoint: a, arguments: {parameters: [{name: p}]}, "
    text = head + "templates: [{name: a, suspend: {}}]}\n"
    assert problems(text) == []
    assert problems(text, submit=True) == [
        "2:48 spec.arguments.p.value or spec.arguments.p.valueFrom is required"
    ]


def test_a_workflow_from_a_stored_template():
    text = "kind: Workflow\nspec:\n  workflowTemplateRef: {name: w}\n"
    given_value = text + "  arguments: {parameters: [{name: p, value: x}]}\n"
    assert problems(given_value, known=STORED, submit=True) == []
    assert problems(text, known=STORED) == ["2:1 templates.t inputs.parameters.p was not supplied"]
    assert "3:3 spec.arguments.p.value or spec.arguments.p.valueFrom is required" in problems(
        text, known=STORED, submit=True
    )


def test_faults_of_a_stored_template_show_at_the_call():
    stored = {
        ("WorkflowTemplate", "w"): {
            "metadata": {"name": "w"},
            "spec": {"templates": [{"name": "t", "container": {}}]},
        }
    }
    head = "kind: Workflow\nspec:\n  entrypoint: m\n  templates:\n  - name: m\n    steps:\n"
    text = head + "    - - name: s\n        templateRef: {name: w, template: t}\n"
    assert problems(text, known=stored) == [
        "7:9 templates.m.steps[0].s templates.t.container.image may not be empty"
    ]


def test_a_template_that_calls_itself_is_looked_at_once():
    text = (
        "kind: Workflow\nspec: {entrypoint: a, templates: [{name: a, steps: [[{name: s, template: a}]]}, "
        "{name: b, dag: {tasks: [{name: t, template: b}]}}]}\n"
    )
    assert problems(text) == []


def test_a_large_manifest_costs_little_more_than_reading_it():
    import yaml

    templates = "".join(
        f"  - name: t{n}\n    inputs: {{parameters: [{{name: p}}]}}\n    container:\n      image: x\n"
        f"      args: ['{{{{inputs.parameters.p}}}}', '{{{{workflow.name}}}}']\n"
        for n in range(500)
    )
    tasks = "".join(
        f"      - {{name: a{n}, template: t{n}, arguments: {{parameters: [{{name: p, value: x}}]}}"
        + (f", dependencies: [a{n - 1}]}}\n" if n else "}\n")
        for n in range(500)
    )
    head = "kind: Workflow\nspec:\n  entrypoint: main\n  templates:\n  - name: main\n    dag:\n      tasks:\n"
    text = head + tasks + templates
    gc.disable()
    try:
        ours = min(_seconds(lambda: problems(text)) for _ in range(3))
        parse = min(_seconds(lambda: yaml.load(text, yaml.CSafeLoader)) for _ in range(3))
    finally:
        gc.enable()
    assert problems(text) == []
    assert ours < 2.5 * parse


def _seconds(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


SCALARS = st.sampled_from(
    [
        None,
        True,
        5,
        -1.5,
        "",
        "a",
        "b",
        "{{item}}",
        "{{inputs.parameters.p}}",
        "{{workflow.{{x}}}}",
        "{{",
        "}}",
        "a.Failed",
        "\ufffc",
    ]
)
NAMES = st.sampled_from(
    [
        "name",
        "template",
        "templateRef",
        "inline",
        "steps",
        "dag",
        "tasks",
        "container",
        "containerSet",
        "containers",
        "script",
        "resource",
        "manifest",
        "image",
        "inputs",
        "outputs",
        "parameters",
        "artifacts",
        "arguments",
        "value",
        "valueFrom",
        "path",
        "from",
        "enum",
        "globalName",
        "depends",
        "dependencies",
        "withItems",
        "withParam",
        "withSequence",
        "when",
        "hooks",
        "onExit",
        "entrypoint",
        "templates",
        "metrics",
        "prometheus",
        "podGC",
        "workflowTemplateRef",
        "plugin",
        "suspend",
        "timeout",
        "activeDeadlineSeconds",
        "retryStrategy",
        "s3",
        "git",
        "hdfs",
        "volumeMounts",
        "templateDefaults",
        "podMetadata",
        "target",
        "schedules",
        "workflowSpec",
    ]
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=25,
)
TEMPLATES = st.lists(st.dictionaries(NAMES, ANYTHING, max_size=5), max_size=3)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow"]),
    st.dictionaries(NAMES, ANYTHING, max_size=4),
    TEMPLATES,
)
def test_no_manifest_makes_lint_crash(kind, spec, templates):

    spec = {**spec, "templates": [{"name": "ab"[n % 2], **template} for n, template in enumerate(templates)]}
    for finding in lint_texts([("a", json.dumps({"kind": kind, "spec": {**spec, "workflowSpec": spec}}))]):
        assert finding.rule
        assert finding.severity in Severity
        assert finding.render()


def argument(text):
    return json.dumps(
        {
            "kind": "Workflow",
            "spec": {
                "entrypoint": "a",
                "templates": [{"name": "a", "container": {"image": "x", "args": [text]}}],
            },
        }
    )


def manifest(**spec):
    return json.dumps({"kind": "Workflow", "spec": spec})


CHAIN = [{"name": f"t{n}", "steps": [[{"name": "s", "template": f"t{n + 1}"}]]} for n in range(1_000)]
RING = {"parameters": [{"name": f"p{n}", "value": "{{workflow.parameters.p0}}" * 200} for n in range(20)]}
GROWING = [{"name": "a", "container": {"image": "x", "args": ["{{ {{workflow.parameters.p0}} }}" * 500]}}]


@pytest.mark.parametrize(
    "text",
    [
        argument("{{" * 50_000),
        argument("{{=" * 33_000),
        argument("{{workflow.nope}}" * 6_000),
        argument("{{x" * 20_000 + "}}" * 20_000),
        argument("\ufffc" * 50_000),
        manifest(entrypoint="x" * 100_000, templates=[{"name": "y" * 100_000, "suspend": {}}]),
        manifest(entrypoint="t0", templates=[*CHAIN, {"name": "t1000", "container": {}}]),
        manifest(entrypoint="a", arguments=RING, templates=GROWING),
        manifest(
            entrypoint="a",
            templates=[
                {
                    "name": "a",
                    "steps": [[{"name": f"s{n}", "template": f"template-{n}x"} for n in range(1_000)]],
                },
                *({"name": f"template-{n}", "suspend": {}} for n in range(700)),
            ],
        ),
        manifest(**{f"field{n}": n for n in range(5_000)}),
        manifest(
            entrypoint="a",
            templates=[
                {
                    "name": "a",
                    "dag": {
                        "tasks": [
                            {
                                "name": f"t{n}",
                                "template": "b",
                                "dependencies": [f"t{n - 1}"] if n else [],
                                "when": f"{{{{tasks.t{n // 2}.status}}}}",
                            }
                            for n in range(800)
                        ]
                    },
                },
                {"name": "b", "suspend": {}},
            ],
        ),
        "kind: Workflow\nspec:\n" + "  a: 1\n" * 12_000,
        "kind: Workflow\n" + "---\n" * 25_000,
        "kind: Workflow\nspec: " + "9" * 100_000 + "\n",
        '{"kind": "Workflow", "spec": {"entrypoint": ' + "9" * 1_000 + "}}",
        "kind: Workflow\nspec: {" + ",".join(f"{{a{n}}}" for n in range(10_000)),
    ],
)
def test_no_manifest_makes_lint_hang(text):
    seconds = _seconds(lambda: [finding.render() for finding in lint_texts([("a", text)])])
    assert seconds < 60  # a second on a quiet machine; what this is for took minutes


def test_templates_deep_down_are_looked_at():
    text = manifest(entrypoint="t0", templates=[*CHAIN, {"name": "t1000", "container": {}}])
    (finding,) = lint_texts([("a", text)])
    assert finding.problem.endswith("templates.t1000.container.image may not be empty")


def test_a_malformed_document_beside_good_ones_is_left_out():
    text = GOOD + "---\nkind: Workflow\nspec: [\n"
    documents = load_documents(text, "a")
    assert [(f.rule, f.severity) for f in lint_documents(documents)] == [("NBF101", Severity.WARNING)]
    assert [(f.rule, f.severity) for f in lint_documents(documents, submit=True)] == [
        ("NBF101", Severity.ERROR)
    ]


def test_a_document_with_a_repeated_key_is_malformed_for_argo():
    twice = GOOD.replace("spec:", "spec:\n  entrypoint: a\n  entrypoint: b", 1)
    assert ("NBF101", Severity.ERROR) in [(f.rule, f.severity) for f in lint_texts([("a", twice)])]
    beside = lint_documents(load_documents(GOOD + "---\n" + twice, "a"))
    assert {(f.rule, f.severity) for f in beside} == {("NBF101", Severity.WARNING)}
    wrong = lint_documents(load_documents(f"{GOOD}---\n{twice}  templates: [[]]\n", "a"))
    assert ("NBF103", Severity.ERROR) in [(f.rule, f.severity) for f in wrong]
    loose = lint_texts([("a", GOOD.replace("kind:", "kind: Workflow\nkind:", 1))], strict=False)
    assert [(f.rule, f.severity) for f in loose] == [("NBF201", Severity.WARNING)]


def test_a_template_that_a_misspelt_name_may_mean_is_not_called_unused():
    text = BAD.replace("[{name: a", "[{name: b, steps: [[{name: s, template: aa}]]}, {name: a")
    problems = lint_documents(load_documents(text, "a"), advice=True)
    assert [(f.rule, f.problem) for f in problems if f.rule != "NBF113"] == []
    found = lint_documents(load_documents(text.replace("template: aa", "template: b"), "a"), advice=True)
    assert ["NBF220" in [f.rule for f in found]] == [True]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("b", ("NBF143", "a task has no outputs before it has run: name one that it waits for")),
        ("q", ("NBF130", "did you mean `tasks.a.outputs.result`?")),
    ],
)
def test_a_task_is_never_sent_to_its_own_outputs(name, said):
    argument = f"{{parameters: [{{name: x, value: '{{{{tasks.{name}.outputs.result}}}}'}}]}}"
    tasks = f"[{{name: a, template: t}}, {{name: b, template: t, depends: a, arguments: {argument}}}]"
    inputs = "inputs: {parameters: [{name: x, value: '1'}]}, script: {image: i, command: [c], source: ''}"
    templates = f"[{{name: main, dag: {{tasks: {tasks}}}}}, {{name: t, {inputs}}}]"
    text = f"kind: Workflow\nspec:\n  entrypoint: main\n  templates: {templates}\n"
    assert [(f.rule, f.fix) for f in lint_documents(load_documents(text, "a"))] == [said]


def test_settings_and_comments_silence_warnings_only():
    text = BAD.replace("suspend: {}", "container: {image: x}") + "# nbflow: ignore\n"
    documents = load_documents(text.replace("spec:", "# nbflow: ignore\nspec:"), "a")
    assert [f.rule for f in lint_documents(documents, advice=True)] == ["NBF113"]
    documents = load_documents(text, "a")
    assert [f.rule for f in lint_documents(documents, advice=True)] == ["NBF113", "NBF224"]
    assert [f.rule for f in lint_documents(documents, advice=True, ignored=["NBF2"])] == ["NBF113"]


def test_a_finding_about_a_secret_does_not_show_it():
    text = GOOD.replace("image: x", "image: 'x:1', env: [{name: API_TOKEN, value: hunter22}]")
    (finding,) = lint_documents(load_documents(text, "a"), advice=True)
    assert finding.rule == "NBF228"
    assert "hunter22" not in finding.render()


def test_no_finding_shows_a_secret():
    text = GOOD.replace("image: x", "image: 'x:1', env: [{name: API_TOKEN, value: hunter22, valeu: 1}]")
    text += "  arguments: {parameters: [{name: db-password, value: 012345}]}\n"
    findings = lint_documents(load_documents(text, "a"), advice=True)
    assert [f.rule for f in findings] == ["NBF228", "NBF102", "NBF221", "NBF228"]
    shown = "\n".join(finding.render() for finding in findings)
    assert "hunter22" not in shown
    assert "5349" not in shown
    assert "012345" not in shown
    refused = lint_documents(load_documents(text, "a"))
    assert [(f.rule, f.source_line) for f in refused] == [("NBF102", "")]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from(("{{item}}", "a")),
        lambda inner: st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                (
                    "name", "template", "steps", "dag", "tasks", "inputs", "parameters", "container", "script", "env",
                    "image", "args", "command", "source", "value", "when", "depends", "withItems", "target", "hooks",
                    "outputs", "containerSet", "containers", "inline", "arguments",
                )
            ),
            inner,
            max_size=5,
        ),
        max_leaves=40,
    )
)  # fmt: skip
def test_no_data_makes_advice_crash(data):
    text = json.dumps(
        {"kind": "Workflow", "spec": {"entrypoint": "a", "templates": [data], "arguments": data}}
    )
    lint_documents(load_documents(text, "a"), advice=True)


@pytest.mark.parametrize("word", ["a", "a-", "0x", "a.", "a && ", "(a || "])
def test_a_long_depends_is_looked_at_in_linear_time(word):
    tasks = [{"name": "a", "template": "b"}, {"name": "c", "template": "b", "depends": word * 20_000}]
    text = manifest(
        entrypoint="d", templates=[{"name": "d", "dag": {"tasks": tasks}}, {"name": "b", "suspend": {}}]
    )
    assert _seconds(lambda: lint_documents(load_documents(text, "a"), advice=True)) < 60
