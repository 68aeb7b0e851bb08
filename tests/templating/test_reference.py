"""Expressions and conditions with the values that the reference implementations give them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from nbflow.templating.expressions import Clock, compile_expression
from nbflow.templating.failures import ExpressionError, WhenError
from nbflow.templating.golang.jsontext import marshal
from nbflow.templating.golang.values import Fault
from nbflow.templating.scope import ABSENT, Scope
from nbflow.templating.when import should_execute

CLOCK = Clock(datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), 1)
SCOPE: Scope = {
    "item": "text",
    "retries": "2",
    "inputs.parameters.x": "5",
    "inputs.parameters.y": "a,b,c",
    "inputs.parameters.j": '{"a":[1,2,{"b":"c"}],"n":null}',
    "steps.coin-flip.outputs.result": "heads",
    "tasks.A.outputs.parameters.p": ABSENT,
    "num": 7.0,
    "flt": 1.5,
    "flag": True,
    "lst": ["b", "a", "c"],
    "nums": [3.0, 1.0, 2.0],
    "obj": {"k": "v", "n": {"m": 1.0}},
    "big": [{"n": 1.0, "s": "x"}, {"n": 2.0, "s": "y"}, {"n": 3.0, "s": "x"}],
    "workflow.parameters": "[]",
    "workflow.parameters.z": "zz",
    "uni": "héllo wörld",
}


def _lines(name: str) -> list[tuple[str, str]]:
    text = (Path(__file__).parent / name).read_text()
    pairs = [line.rsplit(" => ", 1) for line in text.splitlines() if line and not line.startswith("# ")]
    return [(source, value) for source, value in pairs]


@pytest.mark.parametrize(("source", "value"), _lines("expressions.txt"))
def test_expression(source: str, value: str) -> None:
    if value == "error":
        with pytest.raises((ExpressionError, Fault)):
            marshal(compile_expression(source).run(SCOPE, CLOCK))
    else:
        assert marshal(compile_expression(source).run(SCOPE, CLOCK)) == value


@pytest.mark.parametrize(("when", "value"), _lines("conditions.txt"))
def test_condition(when: str, value: str) -> None:
    if value == "error":
        with pytest.raises(WhenError):
            should_execute(when)
    else:
        assert should_execute(when) is (value == "true")
