"""Scopes: the variables that a template sees, and how expressions see the same scope.

A scope has dotted keys (`inputs.parameters.x`). Expressions see these keys expanded to nested maps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias, cast

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


BLANKS: Final = " \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u202f\u205f\u3000"
"""What may stand around a name in a tag. Of tabs and ends of lines Argo sees the escapes, which belong to the name."""


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


class Names:
    """Dotted names: what an expression reads of a scope. What lies below a name belongs to it."""

    __slots__ = ("_below", "_exact", "_parents", "only")

    def __init__(self, names: Iterable[str]) -> None:
        wanted = frozenset(names)
        self._parents = tuple((name, _parents(name)) for name in sorted(wanted))
        self._exact = wanted.union(*(parents for _, parents in self._parents))
        self._below = tuple(f"{name}." for name in wanted)
        dotted = [name for name in wanted if "." in name]
        self.only = dotted[0] if len(dotted) == 1 else ""

    def keys(self, scope: Scope) -> list[str]:
        """The keys of the scope that they reach; the part of a name before a dot is a key of its own."""
        exact, below = self._exact, self._below
        return [key for key in scope if key in exact or key.startswith(below)]

    def maps(self, scope: Scope) -> Iterator[str]:
        """Parts before a dot that are maps, though the name behind the dot is unknown."""
        for name, parents in self._parents:
            if name not in scope:
                for parent in parents:
                    if any(key.startswith(f"{parent}.") for key in scope):
                        yield parent


def _parents(name: str) -> list[str]:
    return [name[:index] for index, char in enumerate(name) if char == "."]


def expand(scope: Scope, names: Names | None = None) -> dict[str, object]:
    """The scope as expressions see it: nested maps, ABSENT as None.

    names: those are needed, the rest of the scope need not be there. A key that is also a prefix of other keys
    (`workflow.parameters` beside `workflow.parameters.x`) is dropped.
    """
    keys = list(scope) if names is None else names.keys(scope)
    if len(keys) == 1 and keys[0] in scope and names is not None and names.only == keys[0]:
        return _path(keys[0].split("."), scope[keys[0]])  # most expressions read one variable
    nested: dict[str, object] = {}
    made: set[int] = {id(nested)}
    for key in sorted(keys, key=_deepest_last) if len(keys) > 1 else keys:
        _put(nested, key, scope[key], made)
    for name in names.maps(scope) if names is not None else ():
        _map_at(nested, name.split("."), made)
    return nested


def _path(parts: list[str], value: Value | Absent) -> dict[str, object]:
    """Maps in maps that lead to one value."""
    inner: object = None if value is ABSENT else value
    for part in reversed(parts):
        inner = {part: inner}
    return cast("dict[str, object]", inner)


def _deepest_last(key: str) -> int:
    return key.count(".")


def _put(root: dict[str, object], key: str, value: Value | Absent, made: set[int]) -> None:
    *parents, leaf = key.split(".")
    _map_at(root, parents, made)[leaf] = None if value is ABSENT else value


def _map_at(root: dict[str, object], parts: Iterable[str], made: set[int]) -> dict[str, object]:
    """The map at that place, one of those `made` here: it takes the place of a value."""
    here = root
    for part in parts:
        below = here.get(part)
        if not isinstance(below, dict) or id(below) not in made:
            below = here[part] = {}
            made.add(id(below))
        here = below
    return here


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
