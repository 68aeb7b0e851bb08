"""Names and types of fields, as Argo's decoder has them."""

import pytest

from nbflow.spec.decode import decode
from nbflow.spec.yaml import load_documents

HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {generateName: a-}\nspec:\n"


def findings(spec, **options):
    (document,) = load_documents(HEAD + spec, "a.yaml", **options)
    return [
        f"{f.position.line}:{f.position.column} {f.severity} {f.rule} {f.problem} | {f.fix}"
        for f in document.findings
    ]


def container(text):
    return findings(f"  templates:\n  - name: a\n    container:\n      {text}\n")


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (
            "imagee: x",
            '8:7 error NBF102 unknown field "spec.templates[0].container.imagee" | did you mean `image`?',
        ),
        (
            "volumeMount: []",
            '8:7 error NBF102 unknown field "spec.templates[0].container.volumeMount" | did you mean `volumeMounts`?',
        ),
        (
            "Image: x",
            '8:7 error NBF102 unknown field "spec.templates[0].container.Image" | did you mean `image`?',
        ),
        (
            "retryStrategy: {}",
            (
                '8:7 error NBF102 unknown field "spec.templates[0].container.retryStrategy" | '
                "`retryStrategy` belongs to spec: check the indentation"
            ),
        ),
        (
            "cpu: 1",
            '8:7 error NBF102 unknown field "spec.templates[0].container.cpu" | remove it',
        ),
        (
            "env: [{name: A, value: 5}]",
            '8:30 error NBF103 spec.templates[0].container.env[0].value must be a string, not a number | quote it: "5"',
        ),
        (
            "env: [{name: A, value: yes}]",
            (
                "8:30 error NBF103 spec.templates[0].container.env[0].value must be a string, not a boolean | "
                'quote it: "yes"'
            ),
        ),
        (
            "args: hello",
            (
                "8:13 error NBF103 spec.templates[0].container.args must be a list, not a string | "
                "write [hello] or an item a line, each after `- `"
            ),
        ),
        (
            "tty: 'true'",
            (
                "8:12 error NBF103 spec.templates[0].container.tty must be a boolean (true or false), not a string | "
                "write it without quotes"
            ),
        ),
        (
            "resources: {limits: {cpu: 2, memory: 64MB}}",
            (
                "8:44 error NBF103 spec.templates[0].container.resources.limits.memory is no quantity | "
                "write it as 500m, 2, 64Mi or 1.5Gi"
            ),
        ),
        (
            "livenessProbe: {httpGet: {port: 80.5}}",
            (
                "8:39 error NBF103 spec.templates[0].container.livenessProbe.httpGet.port must be an integer or "
                "a string, "
                "not a number | write an integer or a string"
            ),
        ),
        (
            "image:\n        name: x",
            (
                "8:7 error NBF103 spec.templates[0].container.image must be a string, not a mapping | write one "
                "text, in quotes if it begins with {{ or ["
            ),
        ),
    ],
)
def test_faults_of_a_container(text, finding):
    assert container(text) == [finding]


@pytest.mark.parametrize(
    "text",
    [
        "env: null",
        "resources: {limits: {cpu: 2, memory: 1.5Gi}}",
        "livenessProbe: {httpGet: {port: http}, periodSeconds: 1e1}",
        "volumeMounts: [{name: a, mountPath: /a}]",
    ],
)
def test_good_fields(text):
    assert container(text) == []


def test_fields_of_old_versions_name_their_successor():
    assert findings("  templates:\n  - name: a\n    synchronization: {mutex: {name: m}}\n") == [
        '7:23 error NBF102 unknown field "spec.templates[0].synchronization.mutex" | use `mutexes`, a list, since v4'
    ]


def test_case_is_nothing_when_not_strict():
    assert findings("  entrypoInt: a\n  nonsense: 1\n", strict=False) == []
    (document,) = load_documents(HEAD + "  entryPoint: a\n", "a.yaml", strict=False)
    assert document.data["spec"] == {"entrypoint": "a"}


def test_what_is_below_a_step_is_read_loosely_and_told():
    steps = "    - - name: x\n        Arguments: {}\n        continueOn: {Failed: true, on: 1}\n"
    assert findings("  templates:\n  - name: a\n    steps:\n" + steps) == [
        '9:9 error NBF102 unknown field "spec.templates[0].steps[0][0].Arguments" | did you mean `arguments`?',
        (
            '10:22 warning NBF203 unknown field "spec.templates[0].steps[0][0].continueOn.Failed": Argo '
            "drops it without a "
            "word | did you mean `failed`?"
        ),
        (
            '10:36 warning NBF203 unknown field "spec.templates[0].steps[0][0].continueOn.true": Argo drops '
            "it without a "
            "word | remove it"
        ),
    ]


def test_any_string_takes_numbers_and_null_is_absent():
    data = {
        "kind": "Workflow",
        "spec": {
            "entrypoint": None,
            "arguments": {
                "parameters": [{"name": "a", "value": 5}, {"name": "b", "value": 1.5, "default": True}, None]
            },
            "templates": [{"name": "t", "steps": [[{"withItems": [1, None, {"a": None}]}]]}],
        },
    }
    assert decode(data, "Workflow", strict=True) == []
    assert data["spec"] == {
        "arguments": {
            "parameters": [{"name": "a", "value": "5"}, {"name": "b", "value": "1.5", "default": "true"}, {}]
        },
        "templates": [{"name": "t", "steps": [[{"withItems": [1, None, {"a": None}]}]]}],
    }


def test_other_kinds_are_left_alone():
    data = {"kind": "Pod", "nonsense": {"a": None}}
    assert decode(data, "Pod", strict=True) == []
    assert data == {"kind": "Pod", "nonsense": {"a": None}}


def test_all_faults_at_once():
    assert [
        f.split(" ")[0] for f in findings("  entrypoint: 5\n  templates: {}\n  parallelism: x\n  foo: 1\n")
    ] == [
        "5:15",
        "6:3",
        "7:16",
        "8:3",
    ]
