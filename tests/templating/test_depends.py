from __future__ import annotations

import pytest

from nbflow.templating.depends import check_results, depends_expression, depends_tasks, evaluate_depends
from nbflow.templating.failures import DependsError

DONE = {"Succeeded": True}
FAILED = {"Failed": True}


def test_dependencies_are_rewritten_with_what_lets_go_on() -> None:
    assert depends_expression(None, ["a", "b-c"], {"a": (True, True)}) == (
        "(a.Succeeded || a.Skipped || a.Daemoned || a.Errored || a.Failed)"
        " && (b-c.Succeeded || b-c.Skipped || b-c.Daemoned)"
    )
    assert (
        depends_expression("a.Failed && !b", [], {})
        == "a.Failed && !(b.Succeeded || b.Skipped || b.Daemoned)"
    )
    assert depends_expression(None, [], {}) == ""


def test_tasks_in_order_with_their_results() -> None:
    assert depends_tasks("(x-1 || y.Failed) && !x-1.AnySucceeded") == (
        ("x-1", None),
        ("y", "Failed"),
        ("x-1", "AnySucceeded"),
    )


def test_evaluation() -> None:
    results = {"a-b": DONE, "c": FAILED}
    assert evaluate_depends("a-b.Succeeded && !c.Succeeded", results)
    assert not evaluate_depends("a-b.Failed || c.Omitted", results)


def test_tasks_may_be_named_as_functions() -> None:
    assert evaluate_depends("sprig.Succeeded && map.Succeeded", {"sprig": DONE, "map": DONE})


@pytest.mark.parametrize("expression", ["a.Succeeded &&", "a.Succeeded || b.Succeeded", "'x'", "a"])
def test_what_cannot_be_evaluated(expression: str) -> None:
    with pytest.raises(DependsError, match="unable to evaluate expression"):
        evaluate_depends(expression, {"a": DONE})


def test_results_that_do_not_exist_are_named() -> None:
    check_results("a.Succeeded || b")
    with pytest.raises(DependsError, match="task result 'Done' for task 'a' is invalid"):
        check_results("a.Done")
