"""Loops: a step or task with items becomes one call per item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from nbflow.engine.scope import Variables
from nbflow.engine.templates import Data
from nbflow.templating.expressions import Clock
from nbflow.templating.failures import LoopError, WhenError
from nbflow.templating.scope import ABSENT, Value
from nbflow.templating.sequence import item_name, item_scope, manifest_item, with_param_items, with_sequence
from nbflow.templating.tags import substitute_tree
from nbflow.templating.when import should_execute

_LOOP_FIELDS = ("withItems", "withParam", "withSequence")
EMPTY = "Skipped, empty params"


@dataclass(frozen=True, slots=True)
class Round:
    """One call of a loop: its name `NAME(i:item)`, and the step or task with the item filled in."""

    name: str
    data: Data


def expand(data: Data, variables: Variables, clock: Clock) -> list[Round]:
    """The rounds of a loop, in order; empty if there are no items. Raises TemplateError."""
    name = str(data["name"])
    items = _items(data)
    plain: Data = {key: value for key, value in data.items() if key not in _LOOP_FIELDS}
    skipped = not _may_execute(str(data.get("when", "")))
    scope = {k: v for k, v in variables.items() if v is not ABSENT} if skipped else dict(variables)
    rounds = []
    for index, item in enumerate(items):
        if item is None:
            raise LoopError(f"withItems[{index}] expected string, number, list, or map. received: {item}")
        known = {**scope, **item_scope(item)}
        filled = cast("Data", substitute_tree(plain, known, allow_unresolved=skipped, clock=clock))
        label = f"{name}({index}:{item_name(item)})"
        filled["name"] = label
        if "template" in data:
            filled["template"] = data["template"]
        rounds.append(Round(label, filled))
    return rounds


def _items(data: Data) -> list[Value]:
    with_items = data.get("withItems")
    if isinstance(with_items, list) and with_items:
        return [manifest_item(item) for item in with_items]
    try:
        if data.get("withParam"):
            return with_param_items(str(data["withParam"]))
        return list(_sequence(cast("Data", data["withSequence"])))
    except LoopError:
        if _may_execute(str(data.get("when", ""))):
            raise
        return []


def _sequence(sequence: Data) -> list[str]:
    texts = {
        key: str(sequence[key])
        for key in ("count", "start", "end", "format")
        if sequence.get(key) is not None
    }
    return with_sequence(texts.get("count"), texts.get("start"), texts.get("end"), texts.get("format"))


def _may_execute(when: str) -> bool:
    """Whether the rounds are to be made at all, as far as can be said before an item is known."""
    try:
        return should_execute(when)
    except WhenError:
        return True
