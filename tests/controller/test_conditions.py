from __future__ import annotations

import pytest

from nbflow.controller import reading
from nbflow.controller.conditions import parse
from nbflow.controller.reading import output_value
from nbflow.errors import NbflowError

ITEM = {
    "metadata": {"name": "x", "labels": {"app": "web"}},
    "status": {"succeeded": 2, "phase": "Running", "ready": True, "conditions": [{"type": "Done"}]},
}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("status.succeeded > 1", True),
        ("status.succeeded > 2", False),
        ("status.succeeded < 3", True),
        ("status.failed > 0", False),
        ("status.phase == Running", True),
        ("status.phase=Running,status.succeeded>1", True),
        ("status.phase = Running, status.succeeded > 5", False),
        ("status.phase in (Failed, Running)", True),
        ("status.phase notin (Failed, Error)", True),
        ("status.nothing notin (Failed)", True),
        ("status.nothing != x", True),
        ("status.phase != Running", False),
        ("status.ready == true", True),
        ("status.conditions.0.type == Done", True),
        ("metadata.labels.app", True),
        ("!metadata.labels.app", False),
        ("!status.failed", True),
    ],
)
def test_conditions(condition: str, expected: bool) -> None:
    assert all(requirement.matches(ITEM) for requirement in parse(condition, "success condition")) is expected


@pytest.mark.parametrize("condition", ["status.x > one", "a b", "status.x in Failed", "== 3"])
def test_what_is_no_condition(condition: str) -> None:
    with pytest.raises(NbflowError, match=r"^success condition '.*' failed to parse: "):
        parse(condition, "success condition")


def test_output_parameters() -> None:
    assert output_value(ITEM, "{.status.phase}", "") == "Running"
    assert output_value(ITEM, "{.metadata.name}-{.status.succeeded}", "") == "x-2"
    assert output_value(ITEM, "{.status.conditions[*].type}", "") == "Done"
    assert output_value(ITEM, "{.status.conditions}", "") == '[{"type":"Done"}]'
    assert output_value(ITEM, "{.status.none}", "") == ""
    assert output_value(ITEM, "{range .status.conditions[*]}{.type},{end}", "") == "Done,"
    with pytest.raises(NbflowError, match="unclosed"):
        output_value(ITEM, "{.status", "")


def test_filters_of_jq() -> None:
    pytest.importorskip("jq")
    assert output_value(ITEM, "", '.status | .phase, .succeeded, {a: "b"}') == 'Running\n2\n{"a":"b"}'
    with pytest.raises(NbflowError, match="jq filter '\\.\\['"):
        output_value(ITEM, "", ".[")


@pytest.mark.parametrize("source", ["def f: f; f", "last(repeat(1))", "[range(1e9)]"])
def test_a_filter_without_end_is_stopped(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("jq")
    monkeypatch.setattr(reading, "PATIENCE", 2.0)
    with pytest.raises(NbflowError, match=r"took (longer than 2 seconds and was stopped|too much memory)"):
        output_value(ITEM, "", source)
