"""Loops: withItems, withParam, withSequence."""

from __future__ import annotations

from nbflow.lint.objects import Json, mapping, text
from nbflow.lint.report import Report, Where
from nbflow.lint.scope import Scope


def is_aggregated(call: Json) -> bool:
    """Whether the outputs of the runs are put together in lists that others can name."""
    return bool(call.get("withItems")) or bool(text(call, "withParam"))


def is_loop(call: Json) -> bool:
    """Whether it runs once for each of several items."""
    return is_aggregated(call) or call.get("withSequence") is not None


def add_items(report: Report, where: Where, call: Json, scope: Scope, said: str) -> None:
    """The names that `item` brings; one loop at most."""
    items, parameter, sequence = call.get("withItems"), text(call, "withParam"), call.get("withSequence")
    given = [
        f
        for f, value in (("withItems", items), ("withParam", parameter), ("withSequence", sequence))
        if value
    ]
    if isinstance(sequence, dict) and not sequence:
        given.append("withSequence")
    if len(given) > 1:
        problem = f"{said} only one of withItems, withParam, withSequence can be specified"
        report.error("NBF145", where.at(given[-1]), problem, "keep one of them", key=True)
    if isinstance(items, list) and items:
        for item in items:
            _add_item(item, scope)
    elif parameter:
        scope.names.add("item")
        scope.any_item = True
    elif isinstance(sequence, dict):
        if sequence.get("count") is not None and sequence.get("end") is not None:
            problem = f"{said} only one of count or end can be defined in withSequence"
            report.error("NBF145", where.at("withSequence", "end"), problem, "keep one of them", key=True)
        if not any(mapping(call, "withSequence").get(field) is not None for field in ("count", "end")):
            fix = "add `count:` or `end:`"
            report.warning(
                "NBF210", where.at("withSequence"), f"{said} withSequence has neither count nor end", fix
            )
        scope.names.add("item")


def _add_item(item: object, scope: Scope) -> None:
    if isinstance(item, dict):
        scope.add(f"item.{key}" for key in item)
    elif isinstance(item, list):
        scope.add(f"item.[{index}]" for index in range(len(item)))
    else:
        scope.names.add("item")
