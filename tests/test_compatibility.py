"""docs/compatibility.md: every field of the schema has a verdict, and no field is ignored or refused in silence."""

import re
import runpy
from pathlib import Path

import pytest

from nbflow.commands.linting import lint_parsed
from nbflow.commands.support import check_support
from nbflow.errors import ManifestError, Severity
from nbflow.lint import lint_documents
from nbflow.lint.advice import Target
from nbflow.lint.advice.support import uses
from nbflow.lint.support import LOCAL, Effect, inner_type, verdicts, without_effect
from nbflow.spec.fields import table
from nbflow.spec.yaml import load_documents

ROOT = Path(__file__).parents[1]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "compatibility.py"))
DOERS = (
    "engine",
    "runtimes",
    "controller",
    "supervisor",
    "artifacts",
    "agent",
    "revise",
    "clients",
    "commands",
    "views",
)
"""Packages that work with a manifest."""


def places():
    """(type, field) -> (kind, steps) by which a document gets there, by way of fields that work."""
    found = {}
    todo = [(kind, kind, ()) for kind in SCRIPT["ROOTS"]]
    seen = set()
    while todo:
        kind, name, steps = todo.pop(0)
        if name in seen or name not in verdicts("sandbox"):
            continue
        seen.add(name)
        for field, type_name in table()[name].items():
            if (name, field) in SCRIPT["STATUS"]:
                continue
            found.setdefault((name, field), (kind, (*steps, (field, type_name))))
            if verdicts("sandbox")[name][field].effect is Effect.WORKS:
                todo.append((kind, inner_type(type_name), (*steps, (field, type_name))))
    return found


def value_of(type_name, inner):
    """A value of a field, with that inside."""
    if type_name.startswith("[]"):
        return [value_of(type_name[2:], inner)]
    if type_name.startswith("map "):
        return {"key": value_of(type_name[4:], inner)}
    return inner


def document_with(kind, steps):
    data = "set"
    for field, type_name in reversed(steps):
        data = {field: value_of(type_name, data)}
    return {"kind": kind, **data}


def fields():
    return [
        (name, field)
        for name in SCRIPT["reachable"]()
        for field in table()[name]
        if (name, field) not in SCRIPT["STATUS"]
    ]


def test_the_page_is_up_to_date():
    assert (ROOT / "docs" / "compatibility.md").read_text() == SCRIPT["page"](), (
        "run scripts/compatibility.py"
    )


@pytest.mark.parametrize("target", LOCAL)
def test_every_field_has_a_verdict(target):
    known = verdicts(target)
    missing = [f"{name}.{field}" for name, field in fields() if name in known and field not in known[name]]
    assert missing == []
    stale = [
        f"{name}.{field}" for name in known for field in known[name] if field not in table().get(name, {})
    ]
    assert stale == []
    holders = SCRIPT["reachable"]()
    reached = [
        name
        for name in holders
        if name not in known
        and any(h in known and known[h][f].effect is Effect.WORKS for h, f in holders[name])
    ]
    assert reached == [], "types below fields that work have verdicts of their own"


@pytest.mark.parametrize("target", LOCAL)
def test_what_does_not_work_is_found_wherever_it_stands(target):
    for (name, field), (kind, steps) in places().items():
        data = document_with(kind, steps)
        found = [(use.type_name, use.field, use.verdict) for use in without_effect(data, kind, target)]
        verdict = verdicts(target)[name][field]
        if verdict.effect is Effect.WORKS:
            assert (name, field) not in [one[:2] for one in found]
        else:
            assert [(one[1], one[2]) for one in found] == [(field, verdict)], (name, field)


def test_what_works_is_read_by_somebody():
    text = "\n".join(path.read_text() for part in DOERS for path in (ROOT / "nbflow" / part).rglob("*.py"))
    words = set(re.findall(r"\w+", text))
    unread = [
        f"{name}.{field}"
        for name, field in fields()
        if name in verdicts("sandbox")
        and verdicts("sandbox")[name][field].effect is Effect.WORKS
        and not {field, re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", field).lower()} & words
    ]
    assert unread == []


MANIFEST = """kind: Workflow
metadata: {generateName: a-}
spec:
  entrypoint: main
  nodeSelector: {a: b}
  templates:
  - name: main
    serviceAccountName: me
    container: {image: "alpine:3", command: [echo], imagePullPolicy: Always}
"""


SANDBOX = Target("sandbox", lambda container, script: None, lambda volume: None, lambda template: None)
"""One that has nothing against what it is asked about."""


class Client:
    target = "sandbox"

    def objects(self, kind):
        return self.stored if kind == "WorkflowTemplate" else []

    stored = ()


def test_lint_and_submit_say_what_is_ignored():
    documents = load_documents(MANIFEST, "a.yaml")
    found = lint_documents(documents, advice=True, target=SANDBOX)
    assert [(f.rule, f.severity, f.problem) for f in found] == [
        (
            "NBF229",
            Severity.WARNING,
            "sandbox ignores `nodeSelector`: there is one machine, and nothing to choose from",
        ),
        (
            "NBF229",
            Severity.WARNING,
            "sandbox ignores `serviceAccountName`: steps run as the user who submits them",
        ),
        ("NBF229", Severity.WARNING, "sandbox ignores `imagePullPolicy`: no image is pulled"),
    ]
    assert check_support(documents, Client()) == [
        (
            "a.yaml: sandbox ignores `nodeSelector` (line 5), `serviceAccountName` (line 8), "
            "`imagePullPolicy` (line 9); `nbflow lint` says why"
        )
    ]


def test_argo_does_all_itself():
    documents = load_documents(MANIFEST, "a.yaml")
    assert list(uses(documents[0], "argo", ())) == []
    client = Client()
    client.target = "argo"
    assert check_support(documents, client) == []


def test_what_is_refused_is_refused_at_submit_and_warned_of_by_lint():
    text = MANIFEST.replace("nodeSelector: {a: b}", "volumes: [{name: v, nfs: {server: s, path: /}}]")
    documents = load_documents(text, "a.yaml")
    problem = "this cannot run on sandbox: it has no `nfs`, "
    found = lint_documents(documents, advice=True, target=SANDBOX)
    assert [f.severity for f in found if f.problem.startswith(problem)] == [Severity.WARNING]
    assert not [f for f in lint_parsed(documents, submit=True) if f.problem.startswith(problem)]
    with pytest.raises(ManifestError) as caught:
        check_support(documents, Client())
    [refusal] = caught.value.findings
    assert (refusal.rule, refusal.severity, refusal.position.line) == ("NBF225", Severity.ERROR, 5)


def test_what_may_never_be_come_to_is_said_only():
    text = """kind: Workflow
spec:
  entrypoint: main
  templates:
  - name: main
    steps: [[{name: a, template: far, when: "1 == 2"}]]
  - name: far
    inputs: {artifacts: [{name: x, path: /x, hdfs: {addresses: [h], path: /k}}]}
    container: {image: i, command: [c]}
"""
    assert check_support(load_documents(text, "a.yaml"), Client()) == [
        "a.yaml: sandbox has no `hdfs` (line 8): a step that comes to it ends in Error"
    ]
    with pytest.raises(ManifestError):
        check_support(load_documents(text.replace(', when: "1 == 2"', ""), "a.yaml"), Client())


def test_a_plugin_is_refused_unless_it_is_registered():
    text = "kind: Workflow\nspec:\n  entrypoint: a\n  templates: [{name: a, plugin: {hello: {}}}]\n"
    [document] = load_documents(text, "a.yaml")
    assert [use.field for use in uses(document, "sandbox", ())] == ["plugin"]
    assert [use.field for use in uses(document, "sandbox", ("hello",))] == []
    [document] = load_documents(
        text.replace("  entry", "  executorPlugins: [{metadata: {}}]\n  entry"), "a.yaml"
    )
    assert [use.field for use in uses(document, "sandbox", ())] == []


def test_templates_that_are_stored_are_looked_at_too():
    text = "kind: Workflow\nspec: {workflowTemplateRef: {name: outer}}\n"
    documents = load_documents(text, "a.yaml")
    client = Client()

    def stored(name, template):
        return {"kind": "WorkflowTemplate", "metadata": {"name": name}, "spec": {"templates": [template]}}

    step = {"name": "s", "templateRef": {"name": "inner", "template": "t"}}
    client.stored = [
        stored("outer", {"name": "t", "steps": [[step]]}),
        stored("inner", {"name": "t", "schedulerName": "x", "suspend": {}}),
        stored("other", {"name": "t", "nodeSelector": {"a": "b"}, "suspend": {}}),
    ]
    assert check_support(documents, client) == ["WorkflowTemplate inner: sandbox ignores schedulerName"]
