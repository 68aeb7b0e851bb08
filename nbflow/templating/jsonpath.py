"""JSONPath: what jsonpath(json, path) finds.

One step after the other is applied to what the steps before found. A wildcard, a filter or `..` gives
a list; what does not fit one of its elements is left out, anywhere else it is an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from nbflow.templating.exprlang.operators import text
from nbflow.templating.golang.jsontext import unmarshal
from nbflow.templating.golang.values import Fault, Int64, is_int
from nbflow.templating.jsonscript import Script, truthy
from nbflow.templating.pathtokens import Bracket, Dots, Name, Part, Star, split_path


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled path: `$` or `@`, and the steps behind it."""

    absolute: bool
    parts: tuple[Part, ...]

    def find(self, root: object, current: object) -> object:
        """What the path leads to. Raises Fault if it leads nowhere."""
        return _apply(self.parts, root, root if self.absolute else current)


@lru_cache(maxsize=512)
def compile_path(selector: str) -> Path:
    """Raises Fault."""
    first, parts = split_path(selector)
    return Path(first == "$", parts)


def query_text(json_text: object, path: object) -> object:
    """jsonpath(text, path) of expressions."""
    data = unmarshal(text(json_text))
    return compile_path(text(path)).find(data, data)


def _apply(parts: tuple[Part, ...], root: object, value: object) -> object:
    if not parts:
        return value
    part, rest = parts[0], parts[1:]
    match part:
        case Name(name="length", bare=True):
            return _apply(rest, root, _length(value))
        case Name(name=name):
            return _apply(rest, root, _key(value, name))
        case Star():
            return _each(rest, root, _elements(value, "wildcard"))
        case Dots():
            return list(_descend(rest, root, value))
        case Bracket(kind="filter"):
            return _filtered(part, rest, root, value)
        case Bracket(kind="range"):
            return _then(rest, root, _ranged(part, root, value))
        case Bracket(kind="union"):
            return _then(rest, root, _union(part, root, value))
    chosen = _argument(part.arguments[0], root, value)
    return _apply(
        rest, root, _key(value, chosen) if isinstance(chosen, str) else _index(value, _whole(chosen))
    )


def _then(rest: tuple[Part, ...], root: object, found: list[object]) -> object:
    """An index picks from what was found; any other step goes into each of it."""
    if rest and isinstance(rest[0], Bracket) and rest[0].kind == "index":
        return _apply(rest, root, found)
    return _each(rest, root, found)


def _each(rest: tuple[Part, ...], root: object, values: list[object]) -> list[object]:
    if not rest:
        return values
    found: list[object] = []
    for value in values:
        try:
            result = _apply(rest, root, value)
        except Fault:
            continue
        if result is not None:
            found.append(result)
    return found


def _descend(rest: tuple[Part, ...], root: object, value: object) -> Iterator[object]:
    if value is None:
        return
    try:
        result = _apply(rest, root, value)
    except Fault:
        result = None
    if rest and isinstance(result, list):
        yield from result
    elif result is not None:
        yield result
    if isinstance(value, dict | list):
        for below in _elements(value, "recursive"):
            yield from _descend(rest, root, below)


def _elements(value: object, step: str) -> list[object]:
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    if isinstance(value, list):
        return value
    raise _unfit(step, "[array map slice]", value)


def _unfit(step: str, expected: str, value: object) -> Fault:
    kinds = {str: "string", bool: "bool", float: "float64", dict: "map", list: "slice", type(None): "nil"}
    return Fault(f"{step}: invalid token target. expected {expected} got [{kinds.get(type(value), 'int64')}]")


def _key(value: object, name: str) -> object:
    if not isinstance(value, dict):
        raise _unfit("key", "[map]", value)
    if name not in value:
        raise Fault(f"key: invalid token key '{name}' not found")
    return value[name]


def _index(value: object, index: int) -> object:
    if not isinstance(value, list):
        raise _unfit("index", "[array slice]", value)
    position = index + len(value) if index < 0 else index
    if not 0 <= position < len(value):
        raise Fault("index: invalid token out of range")
    return value[position]


def _length(value: object) -> object:
    if isinstance(value, dict):
        return value.get("length", Int64(len(value)))
    if isinstance(value, str):
        return Int64(len(value.encode("utf-8", "surrogatepass")))
    if isinstance(value, list):
        return Int64(len(value))
    raise _unfit("length", "[array map slice string]", value)


def _whole(value: object) -> int:
    if isinstance(value, int) and is_int(value):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise Fault("unexpected expression result. expected [int string]")


def _argument(argument: object, root: object, current: object) -> object:
    """A key or number as it is, a script evaluated."""
    if not isinstance(argument, Script):
        return argument
    result = argument.run(root, current, _find)
    if result is None:
        raise Fault("unexpected expression result. expected [int string] got [nil]")
    return result


def _find(selector: str, root: object, current: object) -> object:
    return compile_path(selector).find(root, current)


def _filtered(part: Bracket, rest: tuple[Part, ...], root: object, value: object) -> object:
    script = part.arguments[0]
    assert isinstance(script, Script)
    kept: list[object] = []
    for element in _elements(value, "filter"):
        try:
            keep = truthy(script.run(root, element, _find))
        except Fault:
            keep = False
        if keep:
            kept.append(element)
    return _then(rest, root, kept)


def _ranged(part: Bracket, root: object, value: object) -> list[object]:
    if not isinstance(value, list):
        raise _unfit("range", "[array slice]", value)
    start, end, step = (None if a is None else _whole(_argument(a, root, value)) for a in part.arguments)
    if step == 0:
        raise Fault("range: invalid token out of range")
    size = len(value)
    first = 0 if start is None else min(max(start + size if start < 0 else start, 0), size)
    last = size if end is None else min(max(end + size if end < 0 else end, 0), size)
    if step is not None and step < 0:
        return [value[i] for i in range(last - 1, first - 1, step)]
    return value[first : max(last, first) : step or 1]


def _union(part: Bracket, root: object, value: object) -> list[object]:
    chosen = [_argument(argument, root, value) for argument in part.arguments]
    if all(isinstance(each, str) for each in chosen):
        if not isinstance(value, dict):
            raise _unfit("union", "[map]", value)
        return [value[key] for key in chosen if key in value]
    if not isinstance(value, list):
        raise _unfit("union", "[array slice]", value)
    size = len(value)
    positions = [index + size if index < 0 else index for index in map(_whole, chosen)]
    return [value[position] for position in positions if 0 <= position < size]
