"""Members, indices and slices of values."""

from __future__ import annotations

from nbflow.templating.exprlang.methods import method_of
from nbflow.templating.exprlang.operators import to_int
from nbflow.templating.golang.text import display, from_bytes, to_bytes
from nbflow.templating.golang.values import Fault, go_type


def fetch(base: object, key: object) -> object:
    """base[key] and base.key: nil for a key that a map lacks, an error outside of a list."""
    match base:
        case dict():
            return base.get(key) if isinstance(key, str | int | float) or key is None else None
        case list() | str() | bytes():
            return _element(base, to_int(key))
        case None:
            raise Fault(f"cannot fetch {display(key)} from <nil>")
    method = method_of(base, key)
    if method is None:
        raise Fault(f"cannot fetch {display(key)} from {go_type(base)}")
    return method


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
        return None


def cut(base: object, start: object, end: object) -> object:
    """base[start:end]. Bounds count from the end if negative and never fail; texts are cut by bytes."""
    if not isinstance(base, list | str | bytes):
        raise Fault(f"cannot slice {display(start)}")
    items: list[object] | bytes = to_bytes(base) if isinstance(base, str) else base
    length = len(items)
    last = min(_bound(end, length), length) if end is not None else length
    first = min(_bound(start, length) if start is not None else 0, last)
    piece = items[first:last]
    return from_bytes(piece) if isinstance(base, str) and isinstance(piece, bytes) else piece


def _bound(value: object, length: int) -> int:
    index = to_int(value)
    return max(index + length, 0) if index < 0 else index
