"""Secrets, config maps and claims as Kubernetes takes them, and no value in what is said about them."""

import pytest

from nbflow.spec.yaml import load_documents

HEAD = "apiVersion: v1\nkind: {kind}\nmetadata: {{name: mine}}\n"
NO_BASE64 = "write it as it is under `stringData`, or encode it with `base64 -w0`"


@pytest.mark.parametrize(
    ("kind", "text", "problem", "place", "fix"),
    [
        ("Secret", 'data: {pw: "NOTB64!!"}', "data.pw is not base64", "4:12", NO_BASE64),
        ("Secret", "data: {pw: abc}", "data.pw is not base64", "4:12", NO_BASE64),
        (
            "ConfigMap",
            "binaryData:\n  b: ä!",
            "binaryData.b is not base64",
            "5:6",
            "write text under `data`, or encode it with `base64 -w0`",
        ),
        (
            "Secret",
            "stringData: {pw: 777123}",
            "stringData.pw must be a string, not a number",
            "4:18",
            "write one text, in quotes",
        ),
        (
            "Secret",
            "stringData:\n  pw: [hidden]",
            "stringData.pw must be a string, not a list",
            "5:3",
            "write one text, in quotes",
        ),
        (
            "ConfigMap",
            "data: {a: true}",
            "data.a must be a string, not a boolean",
            "4:11",
            "write one text, in quotes",
        ),
        (
            "Secret",
            "stringdata: {pw: hidden}",
            'unknown field "stringdata"',
            "4:1",
            "did you mean `stringData`?",
        ),
        (
            "PersistentVolumeClaim",
            "spec: {accessMode: x}",
            'unknown field "spec.accessMode"',
            "4:8",
            "did you mean `accessModes`?",
        ),
    ],
)
def test_what_kubernetes_refuses_is_refused_at_its_place(kind, text, problem, place, fix):
    (document,) = load_documents(HEAD.format(kind=kind) + text + "\n", "s.yaml")
    (finding,) = document.findings
    assert (finding.problem, str(finding.position), finding.fix) == (problem, f"s.yaml:{place}", fix)
    for value in ("NOTB64", "777123", "hidden", "abc"):
        assert kind != "Secret" or value not in finding.render()


def test_a_secret_that_is_no_yaml_is_not_quoted_either():
    for text in ("kind: Secret\ndata: {pw: [hidden\n", '{"kind": "Secret", "data": {"pw": [hidden}\n'):
        (document,) = load_documents(text, "s.yaml")
        assert "hidden" not in "".join(finding.render() for finding in document.findings)


def test_what_is_fine():
    texts = {
        "Secret": "type: Opaque\nimmutable: true\ndata: {a: aGVsbG8=, b: ''}\nstringData: {c: x}\n",
        "ConfigMap": "data: {a: x, b: '1'}\nbinaryData:\n  c: |\n    aGVs\n    bG8=\n",
        "PersistentVolumeClaim": "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n",
    }
    for kind, text in texts.items():
        (document,) = load_documents(HEAD.format(kind=kind) + text, "s.yaml")
        assert document.findings == []
