"""`depends` and `dependencies` of DAG tasks: which tasks and results they name, and whether they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from nbflow.templating.failures import DependsError, ExpressionError
from nbflow.templating.scope import Value

_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)

RESULTS: Final = (
    "Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned", "AnySucceeded", "AllFailed",
)  # fmt: skip
"""What can be said about a task after its name and a dot."""

ITEM_RESULTS: Final = frozenset(("AnySucceeded", "AllFailed"))
"""Results that look at the expanded children of a task."""

_REFERENCE = re.compile(r"([a-zA-Z0-9][-a-zA-Z0-9]*?)\.([A-Z][a-zA-Z]+)|([a-zA-Z0-9][-a-zA-Z0-9]*)")


def depends_expression(
    depends: str | None, dependencies: Sequence[str], continue_on: Mapping[str, tuple[bool, bool]]
) -> str:
    """The whole condition of a task: every bare task name becomes the results that let one go on.

    continue_on: for tasks that have it, whether on an error and whether on a failure.
    """
    if not depends:
        return " && ".join(_expanded(name, continue_on) for name in dependencies)

    def replace(match: re.Match[str]) -> str:
        return _expanded(match[3], continue_on) if match[3] else match[0]

    return _REFERENCE.sub(replace, depends)


def _expanded(task: str, continue_on: Mapping[str, tuple[bool, bool]]) -> str:
    on_error, on_failure = continue_on.get(task, (False, False))
    results = ["Succeeded", "Skipped", "Daemoned"]
    results += ["Errored"] * on_error + ["Failed"] * on_failure
    return "(" + " || ".join(f"{task}.{result}" for result in results) + ")"


def depends_tasks(expression: str) -> tuple[tuple[str, str | None], ...]:
    """The tasks that a `depends` names, in order, each with the result it asks for, None for a bare name."""
    return tuple((m[1] or m[3], m[2]) for m in _REFERENCE.finditer(expression))


def check_results(expression: str) -> None:
    """Raises DependsError for a result that does not exist."""
    for task, result in depends_tasks(expression):
        if result is not None and result not in RESULTS:
            raise DependsError(
                f"task result '{result}' for task '{task}' is invalid", fix=f"use one of {', '.join(RESULTS)}"
            )


def evaluate_depends(expression: str, results: Mapping[str, Mapping[str, bool]]) -> bool:
    """Whether the condition holds. results: by task and result. Raises DependsError."""
    from nbflow.templating.expressions import Clock, compile_expression  # lint only asks for names

    logic = expression.replace("-", "_")
    scope: dict[str, Value] = {
        task.replace("-", "_"): {result: said.get(result, False) for result in RESULTS}
        for task, said in results.items()
    }
    try:
        value = compile_expression(logic).run(scope, Clock(_NEVER, 0), functions=())
    except ExpressionError as error:
        raise DependsError(f"unable to evaluate expression '{logic}': {error.problem}") from None
    if not isinstance(value, bool):
        raise DependsError(f"unable to evaluate expression '{logic}': unable to cast its result to bool")
    return value
