"""Members, indices and slices of values."""

from __future__ import annotations

from typing import Final

from nbflow.templating.exprlang.methods import method_of
from nbflow.templating.exprlang.operators import to_int
from nbflow.templating.golang.text import display, from_bytes, to_bytes
from nbflow.templating.golang.values import AnyKeyMap, Fault, go_type


def fetch(base: object, key: object) -> object:
    """base[key] and base.key: nil for a key that a map lacks, an error outside of a list."""
    match base:
        case dict():
            return base.get(map_key(base, key))
        case list() | str() | bytes():
            return _element(base, to_int(key))
        case None:
            raise Fault(f"cannot fetch {display(key)} from <nil>")
    method = method_of(base, key)
    if method is None:
        raise Fault(f"cannot fetch {display(key)} from {go_type(base)}")
    return method


def map_key(base: dict[object, object], key: object) -> object:
    """`key`, if it may be one of this map."""
    if isinstance(base, AnyKeyMap):
        if isinstance(key, list | dict):
            raise Fault(f"runtime error: hash of unhashable type {go_type(key)}")
        return key
    if key is None:
        return ""
    if not isinstance(key, str):
        raise Fault(f"reflect.Value.MapIndex: value of type {go_type(key)} is not assignable to type string")
    return key


def _element(base: list[object] | str | bytes, index: int) -> object:
    items: list[object] | bytes = to_bytes(base) if isinstance(base, str) else base
    position = index + len(items) if index < 0 else index
    if not 0 <= position < len(items):
        raise Fault(f"index out of range: {index} (array length is {len(items)})")
    return items[position]


def get(base: object, key: object) -> object:
    """As `fetch`, with nil instead of an error."""
    try:
        return None if base is None else fetch(base, key)
    except Fault:
        if isinstance(base, list | str | bytes):
            to_int(key)
        elif isinstance(base, dict):
            raise
        return None


OPEN: Final = object()
"""A bound that was left out."""


def cut(base: object, start: object, end: object) -> object:
    """base[start:end]. Bounds count from the end if negative and never fail; texts are cut by bytes."""
    if not isinstance(base, list | str | bytes):
        raise Fault(f"cannot slice {display(start)}")
    items: list[object] | bytes = to_bytes(base) if isinstance(base, str) else base
    length = len(items)
    last = length if end is OPEN else min(_bound(end, length), length)
    first = 0 if start is OPEN else min(_bound(start, length), last)
    piece = items[first:last]
    return from_bytes(piece) if isinstance(base, str) and isinstance(piece, bytes) else piece


def _bound(value: object, length: int) -> int:
    index = to_int(value)
    return max(index + length, 0) if index < 0 else index
