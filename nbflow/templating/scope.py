"""Scopes: the variables that a template sees, and how expressions see the same scope.

A scope has dotted keys (`inputs.parameters.x`). Expressions see these keys expanded to nested maps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
"""What a variable may hold: a JSON value."""


class Absent:
    """The output of a node that was skipped or omitted and has no default.

    Unlike an unknown variable it will never have a value; unlike "" it is not a value.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()

Scope: TypeAlias = "Mapping[str, Value | Absent]"

PLACEHOLDER_PREFIX: Final = "__argo__internal__placeholder-"
"""Values that begin so are made up by lint; an expression that fails over one of them is left alone."""


LATE: Final = frozenset(
    (
        "item", "retries", "lastRetry.exitCode", "lastRetry.status", "lastRetry.duration", "lastRetry.message",
        "workflow.status", "workflow.failures",
    )
)  # fmt: skip
"""Variables that get their value later than others; an expression that reads one waits for it."""


def is_absent(scope: Scope, name: str) -> bool:
    """Whether `name` is the output of a node that was skipped or omitted."""
    return scope.get(name, "") is ABSENT


def has_placeholder(value: object) -> bool:
    """Whether a made-up value hides anywhere in `value`."""
    if isinstance(value, str):
        return value.startswith(PLACEHOLDER_PREFIX)
    if isinstance(value, Mapping):
        return any(has_placeholder(v) for v in value.values())
    return False


def expand(scope: Scope, roots: Iterable[str] | None = None) -> dict[str, object]:
    """The scope as expressions see it: nested maps, ABSENT as None.

    roots: expand these first parts of the keys only. A key that is also a prefix of other keys
    (`workflow.parameters` beside `workflow.parameters.x`) is dropped.
    """
    if roots is None:
        keys = list(scope)
    else:
        wanted = tuple(roots)
        dotted = tuple(f"{root}." for root in wanted)
        keys = [key for key in scope if key.startswith(dotted) or key in wanted]
    nested: dict[str, object] = {}
    made: set[int] = {id(nested)}
    for key in sorted(keys, key=_deepest_last):
        _put(nested, key, scope[key], made)
    return nested


def _deepest_last(key: str) -> int:
    return key.count(".")


def _put(root: dict[str, object], key: str, value: Value | Absent, made: set[int]) -> None:
    *parents, leaf = key.split(".")
    here = root
    for part in parents:
        below = here.get(part)
        if not isinstance(below, dict) or id(below) not in made:
            below = here[part] = {}
            made.add(id(below))
        here = below
    here[leaf] = None if value is ABSENT else value


def has_variable(env: Mapping[str, object], name: str) -> bool:
    """Whether `name` is in the expanded scope; a variable that is present and nil counts.

    The longest prefix of `name` that is a key decides where the rest is looked up.
    """
    if name in env:
        return True
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        prefix = ".".join(parts[:length])
        if prefix in env:
            return _reaches(env[prefix], parts[length:])
    return False


def _reaches(value: object, parts: list[str]) -> bool:
    for part in parts:
        if not isinstance(value, Mapping) or part not in value:
            return False
        value = value[part]
    return True
