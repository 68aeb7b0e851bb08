"""The API server's `Warning` headers: read as kubectl reads them, each text given once."""

from __future__ import annotations

import pytest

from nbflow.clients.argo import ArgoClient
from nbflow.kube.warning_headers import Warnings, warning_texts
from tests.kube.argo import WORKFLOWS


@pytest.mark.parametrize(
    ("header", "texts"),
    [
        ('299 - "plain"', ["plain"]),
        (r'299 - "a \"quoted\" \\ text"', ['a "quoted" \\ text']),
        ('299 - "dated" "Sat, 28 Nov 2026 07:00:00 GMT"', ["dated"]),
        ('299 - "one, with a comma", 299 agent:80 "two"', ["one, with a comma", "two"]),
        ('199 - "of this answer alone"', []),
        ('299 - ""', []),
        ('299 - "good", nonsense', ["good"]),
        ("nonsense", []),
        ("299 - unquoted", []),
        ('299 - "Gr\u00c3\u00bc\u00c3\u009fe"', ["Grüße"]),
        ('299 - "caf\xe9"', ["caf\xe9"]),
        ("", []),
    ],
)
def test_headers_are_read(header, texts):
    assert warning_texts(header) == texts


def test_each_text_is_given_once():
    warnings = Warnings()
    warnings.add(['299 - "a"', '299 - "b"'])
    warnings.add(['299 - "a"'])
    assert warnings.take() == ["a", "b"]
    warnings.add(['299 - "b"', '299 - "c"'])
    assert warnings.take() == ["c"]
    assert warnings.take() == []


def test_they_come_with_every_kind_of_answer(cluster):
    client = ArgoClient()
    assert client.notices() == []
    cluster.storage.create(WORKFLOWS, "default", {"metadata": {"name": "w"}, "spec": {}})
    cluster.warn("GET", "/workflows/w$", '299 - "of an answer"')
    cluster.warn("GET", "/workflows/other$", '299 - "of a refusal"')
    cluster.warn("GET", "/workflows$", '299 - "of a watch"')
    assert client.get("w").name == "w"
    with pytest.raises(Exception, match="not found"):
        client.get("other")
    updates = client.watch("w")
    next(updates)
    cluster.storage.delete(WORKFLOWS, "default", "w")
    with pytest.raises(Exception, match="was deleted"):
        list(updates)
    assert client.notices() == ["Warning: of an answer", "Warning: of a refusal", "Warning: of a watch"]
    assert client.within("elsewhere").notices() == []
