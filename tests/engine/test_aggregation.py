"""The outputs of a loop as one text, by the cases of Argo's own test of it."""

import json
from pathlib import Path

import pytest

from nbflow.engine.scope import _value_list

CASES = Path(__file__).parents[2].parent / "shared" / "conformance" / "expr" / "cases.json"


def cases():
    if not CASES.exists():
        return []
    data = json.loads(CASES.read_text())
    return [case for case in data["cases"] if case["kind"] == "aggregate"]


@pytest.mark.skipif(not CASES.exists(), reason="the conformance cases are not at hand")
@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
def test_values_of_a_loop(case):
    assert _value_list(case["input"]) == case["expect"]
