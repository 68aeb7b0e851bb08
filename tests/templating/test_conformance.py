"""Argo's own expressions with the results its tests assert, run through this package."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nbflow.templating.depends import check_results, depends_expression, depends_tasks, evaluate_depends
from nbflow.templating.expressions import LATE, Clock, compile_expression, evaluate_bool
from nbflow.templating.exprlang.builtins.conversions import parse_int
from nbflow.templating.failures import TemplateError, UnresolvedTag
from nbflow.templating.golang.jsontext import marshal
from nbflow.templating.golang.text import display
from nbflow.templating.scope import ABSENT, Scope, expand, has_variable, is_absent
from nbflow.templating.sequence import (
    item_name,
    item_scope,
    item_text,
    manifest_item,
    with_param_items,
    with_sequence,
)
from nbflow.templating.tags import pure_reference, resolve_reference, substitute
from nbflow.templating.when import should_execute

CASES = Path(__file__).resolve().parents[3] / "shared" / "conformance" / "expr" / "cases.json"
CLOCK = Clock(datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC), 1)

Case = dict[str, Any]


def _scope(case: Case) -> Scope:
    return {key: ABSENT if value is None else value for key, value in case.get("env", {}).items()}


def _template(case: Case) -> str:
    return substitute(case["input"], _scope(case), allow_unresolved=case["allow_unresolved"], clock=CLOCK)


def _strict(case: Case) -> str:
    try:
        return substitute(
            case["input"],
            _scope(case),
            allow_unresolved=True,
            clock=CLOCK,
            strict_prefixes=case["strict_prefixes"],
        )
    except UnresolvedTag:
        assert not case.get("terminal")
        raise


def _value_from(case: Case) -> object:
    source, scope = case["value_from"], _scope(case)
    if "parameter" in source:
        return resolve_reference(source["parameter"], scope, CLOCK)
    value = compile_expression(source["expression"]).evaluate(scope, CLOCK)
    if value is None:
        raise TemplateError(f'failed to evaluate expression "{source["expression"]}"')
    return value


def _late(case: Case) -> bool:
    return not LATE.isdisjoint(compile_expression(case["input"]).missing(_scope(case)))


def _depends_valid(case: Case) -> bool:
    try:
        check_results(case["input"])
    except TemplateError:
        return False
    return True


def _depends_logic(case: Case) -> str:
    continue_on = {
        k: (v.get("error", False), v.get("failed", False)) for k, v in case.get("continue_on", {}).items()
    }
    logic = depends_expression(case.get("input"), case.get("dependencies", []), continue_on)
    if "expect_tasks" in case:
        assert sorted({task for task, _ in depends_tasks(logic)}) == sorted(case["expect_tasks"])
    return logic


_PHASES = {
    "Succeeded": "Succeeded",
    "Failed": "Failed",
    "Error": "Errored",
    "Skipped": "Skipped",
    "Omitted": "Omitted",
}


def _depends_eval(case: Case) -> Case:
    nodes = {k: v if isinstance(v, dict) else {"phase": v} for k, v in case["nodes"].items()}
    logic = depends_expression(case["input"], [], {})
    named = [task for task, _ in depends_tasks(logic)]
    finished = all(t in nodes and (nodes[t]["phase"] in _PHASES or nodes[t].get("daemoned")) for t in named)
    if not finished:
        return {"execute": False, "proceed": False}
    return {"execute": evaluate_depends(logic, {t: _results(nodes[t]) for t in named}), "proceed": True}


def _results(node: Case) -> dict[str, bool]:
    children = node.get("children", [])
    results = {name: node["phase"] == phase for phase, name in _PHASES.items()}
    results["Daemoned"] = bool(node.get("daemoned")) and node["phase"] != "Pending"
    results["AnySucceeded"] = "Succeeded" in children
    results["AllFailed"] = bool(children) and all(child == "Failed" for child in children)
    return results


def _with_param(case: Case) -> list[Case]:
    expected = []
    for index, item in enumerate(map(manifest_item, with_param_items(case["input"]))):
        value = substitute(case["argument"], item_scope(item), allow_unresolved=False, clock=CLOCK)
        name = f"{case['name']}({index}:{item_name(item)})"
        expected.append(
            {"name": name, "value": value} if "name" in case["expect"][index] else {"value": value}
        )
    return expected


def _with_sequence(case: Case) -> Case:
    values = with_sequence(**{"count": None, "start": None, "end": None, "format": None} | case["sequence"])
    return {
        "count": len(values),
        "first": values[0] if values else None,
        "last": values[-1] if values else None,
    }


def _transformation(case: Case) -> object:
    data = case["data"]
    for expression in case["expressions"]:
        data = compile_expression(expression).evaluate({"data": data}, CLOCK)
    return data


def _int_or_variable(case: Case) -> bool:
    text = case["input"]
    return text is None or parse_int(text) is not None or (text.startswith("{{") and text.endswith("}}"))


KINDS = {
    "template": _template,
    "template-strict": _strict,
    "resolve-var": lambda case: resolve_reference(case["input"], _scope(case), CLOCK),
    "identifiers": lambda case: sorted(set(compile_expression(case["input"]).identifiers)),
    "late-binding": _late,
    "missing-variables": lambda case: list(compile_expression(case["input"]).missing(_scope(case))),
    "has-variable": lambda case: has_variable(dict(_scope(case)) | expand(_scope(case)), case["input"]),
    "expr-bool": lambda case: evaluate_bool(case["input"], _scope(case), CLOCK),
    "retry-expression": lambda case: evaluate_bool(case["input"], _scope(case), CLOCK),
    "when": lambda case: should_execute(case["input"]),
    "value-from": _value_from,
    "absent-optional-ref": lambda case: is_absent(_scope(case), pure_reference(case["input"]) or ""),
    "depends-logic": _depends_logic,
    "depends-valid": _depends_valid,
    "depends-eval": _depends_eval,
    "with-param": _with_param,
    "with-sequence": _with_sequence,
    "item-string": lambda case: item_text(case["input"]),
    "transformation": _transformation,
    "expand-env": lambda case: expand(_scope(case)),
    "int-or-variable": _int_or_variable,
}


def _cases() -> list[Any]:
    if not CASES.exists():
        return [
            pytest.param(
                {}, marks=pytest.mark.skip(reason="the conformance corpus is not beside the repository")
            )
        ]
    cases = json.loads(CASES.read_text())["cases"]
    return [pytest.param(case, id=case["id"]) for case in cases if case["kind"] in KINDS]


@pytest.mark.parametrize("case", _cases())
def test_argo_says_the_same(case: Case) -> None:
    run = KINDS[case["kind"]]
    if "error_contains" in case:
        with pytest.raises(TemplateError) as raised:
            run(case)
        assert case["error_contains"] in str(raised.value)
        return
    result = run(case)
    if case.get("normalize") == "json":
        assert json.loads(str(result)) == json.loads(case["expect"])
    elif case["kind"] == "value-from":
        assert (result if isinstance(result, str) else display(result)) == case["expect"]
    else:
        assert json.loads(marshal(result)) == case["expect"]
