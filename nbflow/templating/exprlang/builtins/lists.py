"""Functions on lists and maps that take no predicate."""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key
from typing import Final

from nbflow.templating.exprlang.access import fetch, get
from nbflow.templating.exprlang.operators import equal, less, plain_int
from nbflow.templating.golang.text import display, sorted_items
from nbflow.templating.golang.values import AnyKeyMap, Fault, NilList, go_type

MAX_UNIQUE: Final = 3_000
"""More different elements than this are not compared one by one."""


def a_list(value: object, doing: str) -> list[object]:
    if not isinstance(value, list):
        raise Fault(f"cannot {doing} {_kind(value)}")
    return value


def a_map(value: object, doing: str) -> dict[object, object]:
    if not isinstance(value, dict):
        raise Fault(f"cannot {doing}")
    return value


def _kind(value: object) -> str:
    return {"<nil>": "invalid", "map[string]interface {}": "map"}.get(go_type(value), go_type(value))


def length(value: object) -> int:
    if not isinstance(value, str | list | dict | bytes):
        raise Fault(f"invalid argument for len (type {go_type(value)})")
    return len(value)


def first(value: object) -> object:
    return _end(value, 0)


def last(value: object) -> object:
    return _end(value, -1)


def _end(value: object, index: int) -> object:
    try:
        return fetch(value, index)
    except Fault:
        return None


def take(value: object, count: object) -> list[object]:
    items = a_list(value, "take from")
    if not isinstance(count, int) or not plain_int(count):
        raise Fault(f"cannot take {_kind(count)} elements")
    if count < 0:
        raise Fault("reflect.Value.Slice: slice index out of bounds")
    return items[:count]


def keys(value: object) -> list[object]:
    return [key for key, _ in sorted_items(a_map(value, f"get keys from {_kind(value)}"))]


def values(value: object) -> list[object]:
    return [item for _, item in sorted_items(a_map(value, f"get values from {_kind(value)}"))]


def to_pairs(value: object) -> list[object]:
    return [[key, item] for key, item in sorted_items(a_map(value, f"transform {_kind(value)} to pairs"))]


def from_pairs(value: object) -> AnyKeyMap:
    result = AnyKeyMap()
    for pair in a_list(value, "transform from pairs"):
        if not isinstance(pair, list):
            raise Fault(f"invalid pair {display(pair)}")
        if len(pair) != 2:
            raise Fault(f"invalid pair length {display(pair)}")
        if isinstance(pair[0], list | dict):
            raise Fault(f"runtime error: hash of unhashable type {go_type(pair[0])}")
        result[pair[0]] = pair[1]
    return result


def reverse(value: object) -> list[object]:
    return a_list(value, "reverse")[::-1]


def unique(value: object) -> list[object]:
    result: list[object] = []
    seen: set[object] = set()
    for item in a_list(value, "uniq"):
        simple = isinstance(item, str)
        if item in seen if simple else any(equal(item, other) for other in result):
            continue
        if len(result) > MAX_UNIQUE and not simple:
            raise Fault(f"uniq: more than {MAX_UNIQUE} different elements")
        if simple:
            seen.add(item)
        result.append(item)
    return result


def concat(*lists: object) -> list[object]:
    if not lists:
        raise Fault("invalid number of arguments (expected at least 1, got 0)")
    return [item for items in lists for item in a_list(items, "concat")] or NilList()


def flatten(value: object) -> list[object]:
    result: list[object] = []
    _flatten_into(result, a_list(value, "flatten"), 0)
    return result


def _flatten_into(result: list[object], items: list[object], depth: int) -> None:
    if depth > 200:
        raise Fault("recursion depth exceeded")
    for item in items:
        if isinstance(item, list):
            _flatten_into(result, item, depth + 1)
        else:
            result.append(item)


def ordering(value: object, first_value: object = None) -> int:
    return -1 if less(value, first_value) else 1 if less(first_value, value) else 0


def descending(order: object) -> bool:
    """Whether "asc" or "desc" was asked for."""
    if order not in ("asc", "desc"):
        raise Fault(f"invalid order {display(order)}, expected asc or desc")
    return order == "desc"


def sort(value: object, order: object = "asc") -> list[object]:
    if not isinstance(value, list):
        return NilList()
    return sorted(value, key=cmp_to_key(ordering), reverse=descending(order))


FUNCTIONS: Final[dict[str, Callable[..., object]]] = {
    "len": length,
    "first": first,
    "last": last,
    "get": get,
    "take": take,
    "keys": keys,
    "values": values,
    "toPairs": to_pairs,
    "fromPairs": from_pairs,
    "reverse": reverse,
    "uniq": unique,
    "concat": concat,
    "flatten": flatten,
    "sort": sort,
}
