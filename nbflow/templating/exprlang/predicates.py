"""The functions that evaluate an expression for each element: filter, map, reduce, ..."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cmp_to_key
from typing import Final

from nbflow.templating.exprlang.builtins.lists import ordering
from nbflow.templating.exprlang.frame import UNREADABLE, Code, Frame
from nbflow.templating.exprlang.operators import add, truth
from nbflow.templating.golang.text import to_bytes
from nbflow.templating.golang.values import AnyKeyMap, Fault, go_type

Maker = Callable[[Code, Code | None, Code | None], Code]
"""(the list, the predicate, one more argument) to the code of the call."""


def _items(collection: Code, frame: Frame) -> list[object]:
    value = collection(frame)
    if not isinstance(value, list):
        if isinstance(value, bytes | str):
            return list(to_bytes(value) if isinstance(value, str) else value)
        if isinstance(value, dict):
            return [UNREADABLE] * len(value)
        raise Fault(f"reflect: call of reflect.Value.Len on {go_type(value)} Value")
    return value


def _taken(item: object) -> object:
    """An element as a part of a result."""
    if item is UNREADABLE:
        raise Fault("reflect: call of reflect.Value.Index on map Value")
    return item


def _each(
    frame: Frame, items: Sequence[object], body: Code, indices: Iterator[int] | range
) -> Iterator[tuple[int, object]]:
    """Evaluate `body` for the elements at `indices`, with # and #index set to each in turn."""
    outer = frame.item, frame.index
    try:
        for index in indices:
            frame.step()
            frame.item, frame.index = items[index], index
            yield index, body(frame)
    finally:
        frame.item, frame.index = outer


def _results(frame: Frame, items: Sequence[object], body: Code) -> Iterator[tuple[int, object]]:
    return _each(frame, items, body, range(len(items)))


def _identity(frame: Frame) -> object:
    return _taken(frame.item)


def _decider(wanted: bool, found: bool) -> Maker:
    """all, any, none: the answer is `found` as soon as one element is `wanted`."""

    def make(collection: Code, body: Code | None, _: Code | None) -> Code:
        assert body is not None

        def code(frame: Frame) -> object:
            for _index, result in _results(frame, _items(collection, frame), body):
                if truth(result) is wanted:
                    return found
            return not found

        return code

    return make


def count(collection: Code, body: Code | None, most: int | None = None) -> Code:
    """most: nobody asks for more, so the elements behind them are not looked at."""
    test = body or _identity

    def code(frame: Frame) -> object:
        found = 0
        for _index, result in _results(frame, _items(collection, frame), test):
            found += truth(result)
            if found == most:
                break
        return found

    return code


def _count(collection: Code, body: Code | None, _: Code | None) -> Code:
    return count(collection, body)


def _one(collection: Code, body: Code | None, _: Code | None) -> Code:
    counted = count(collection, body)
    return lambda frame: counted(frame) == 1


def _filter(collection: Code, body: Code | None, _: Code | None) -> Code:
    assert body is not None

    def code(frame: Frame) -> object:
        items = _items(collection, frame)
        kept = [_taken(items[index]) for index, result in _results(frame, items, body) if truth(result)]
        frame.grow(len(kept))
        return kept

    return code


def _map(collection: Code, body: Code | None, _: Code | None) -> Code:
    assert body is not None

    def code(frame: Frame) -> object:
        made = [result for _index, result in _results(frame, _items(collection, frame), body)]
        frame.grow(len(made))
        return made

    return code


def _sum(collection: Code, body: Code | None, _: Code | None) -> Code:
    addend = body or _identity

    def code(frame: Frame) -> object:
        total: object = 0
        for _index, result in _results(frame, _items(collection, frame), addend):
            total = add(result, total)
        return total

    return code


def _finder(*, backwards: bool, position: bool) -> Maker:
    def make(collection: Code, body: Code | None, _: Code | None) -> Code:
        assert body is not None

        def code(frame: Frame) -> object:
            items = _items(collection, frame)
            indices = range(len(items) - 1, -1, -1) if backwards else range(len(items))
            for index, result in _each(frame, items, body, indices):
                if truth(result):
                    return index if position else _taken(items[index])
            return None

        return code

    return make


def _group_by(collection: Code, body: Code | None, _: Code | None) -> Code:
    assert body is not None

    def code(frame: Frame) -> object:
        items = _items(collection, frame)
        groups = AnyKeyMap()
        for index, key in _results(frame, items, body):
            if isinstance(key, list | dict):
                raise Fault(f"runtime error: hash of unhashable type {go_type(key)}")
            group = groups.setdefault(key, [])
            assert isinstance(group, list)
            group.append(_taken(items[index]))
        return groups

    return code


def _sort_by(collection: Code, body: Code | None, order: Code | None) -> Code:
    assert body is not None

    def code(frame: Frame) -> object:
        items = _items(collection, frame)
        direction = order(frame) if order else "asc"
        if direction not in ("asc", "desc"):
            raise Fault("unknown order, use asc or desc")
        keyed = [(result, _taken(items[index])) for index, result in _results(frame, items, body)]
        keyed.sort(key=cmp_to_key(_by_key), reverse=direction == "desc")
        frame.grow(len(keyed))
        return [item for _key, item in keyed]

    return code


def _by_key(one: tuple[object, object], other: tuple[object, object]) -> int:
    return ordering(one[0], other[0])


def _reduce(collection: Code, body: Code | None, initial: Code | None) -> Code:
    assert body is not None

    def code(frame: Frame) -> object:
        items = _items(collection, frame)
        start = 0
        if initial is not None:
            value = initial(frame)
        elif items:
            value, start = _taken(items[0]), 1
        else:
            raise Fault("reduce of empty array with no initial value")
        return _accumulate(frame, items, body, value, start)

    return code


def _accumulate(frame: Frame, items: list[object], body: Code, value: object, start: int) -> object:
    outer, frame.accumulated = frame.accumulated, value
    try:
        for _index, result in _each(frame, items, body, range(start, len(items))):
            frame.accumulated = result
        return frame.accumulated
    finally:
        frame.accumulated = outer


MAKERS: Final[dict[str, Maker]] = {
    "all": _decider(wanted=False, found=False),
    "any": _decider(wanted=True, found=True),
    "none": _decider(wanted=True, found=False),
    "one": _one,
    "filter": _filter,
    "map": _map,
    "count": _count,
    "sum": _sum,
    "find": _finder(backwards=False, position=False),
    "findIndex": _finder(backwards=False, position=True),
    "findLast": _finder(backwards=True, position=False),
    "findLastIndex": _finder(backwards=True, position=True),
    "groupBy": _group_by,
    "sortBy": _sort_by,
    "reduce": _reduce,
}
