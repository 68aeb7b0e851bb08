"""JSONPath as kubectl has it: `valueFrom.jsonPath` of the outputs of a resource template.

Not the dialect of `jsonpath()` in expressions: a template of text and paths in braces, with `range` and `end`.
A key that is missing gives nothing; an index out of bounds is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final, TypeGuard

from nbflow.templating.failures import ExpressionError
from nbflow.templating.golang.jsontext import marshal
from nbflow.templating.golang.patterns import search
from nbflow.templating.golang.text import display
from nbflow.templating.golang.values import Fault, go_type
from nbflow.templating.pathtemplate import (
    Field,
    Filter,
    Literal,
    Parts,
    Recursive,
    Slice,
    Union,
    Wildcard,
    Word,
    parse_template,
)

MAX_FOUND: Final = 1_000_000
"""Values that one template may look at."""

Blocks = tuple[str | Parts, ...]


def json_path(data: object, template: str) -> str:
    """What `kubectl get -o jsonpath=TEMPLATE` prints for an object. Raises ExpressionError."""
    try:
        return "".join(map(_printed, _Evaluation().run(_compile(template), data)))
    except Fault as fault:
        raise ExpressionError(f"JSONPath {template!r}: {fault}") from None


@lru_cache(maxsize=256)
def _compile(template: str) -> Blocks:
    return tuple(parse_template(template))


def _printed(found: Sequence[object]) -> str:
    """Several values are parted by a blank; maps and lists are JSON."""
    return " ".join(
        marshal(value) if isinstance(value, dict | list) else "<nil>" if value is None else display(value)
        for value in found
    )


class _Evaluation:
    """One run of a template: what its ranges and ends met so far, and how much was looked at."""

    def __init__(self) -> None:
        self.begun = self.inside = self.ended = self.looked_at = 0
        self.last_end: int | None = None

    def run(self, blocks: Blocks, data: object) -> list[list[object]]:
        """The values of each block."""
        return self._from(blocks, 0, data)

    def _from(self, blocks: Blocks, first: int, data: object) -> list[list[object]]:
        results: list[list[object]] = []
        index = first
        while index < len(blocks):
            block = blocks[index]
            found: list[object] = [block] if isinstance(block, str) else self.path(block, [data])
            if 0 < self.ended <= self.inside:
                self.ended -= 1
                self.last_end = index
                break
            if self.begun:
                results += self._range(blocks, index, found)
                if self.last_end is not None and self.last_end > index:
                    index = self.last_end
            else:
                results.append(found)
            index += 1
        return results

    def _range(self, blocks: Blocks, index: int, found: list[object]) -> list[list[object]]:
        """The blocks behind `range` for each value; without any, they are gone through for their end."""
        self.begun -= 1
        self.inside += 1
        results: list[list[object]] = []
        for value in found:
            results += self._from(blocks, index + 1, value)
        if not found:
            self._from(blocks, index + 1, None)
        self.inside -= 1
        return results

    def path(self, parts: Parts, values: list[object]) -> list[object]:
        """What the parts lead to, from these values."""
        for part in parts:
            match part:
                case Literal(value=value):
                    values = [value] if isinstance(value, str) else [value] * len(values)
                case Field(name=name):
                    values = [value[name] for value in values if isinstance(value, dict) and name in value]
                case Wildcard():
                    values = [below for value in values for below in _children(value)]
                case Recursive():
                    values = list(self._descend(values))
                case Slice():
                    values = _sliced(part, values)
                case Filter():
                    values = list(self._filtered(part, values))
                case Union(members=members):
                    values = [found for member in members for found in self.path(member, values)]
                case Word(name=name):
                    values = self._word(name, values)
            self._count(len(values))
        return values

    def _count(self, number: int) -> None:
        self.looked_at += number
        if self.looked_at > MAX_FOUND:
            raise Fault("it looks at more than a million values")

    def _word(self, name: str, values: list[object]) -> list[object]:
        if name == "range":
            self.begun += 1
            return values
        if name != "end":
            raise Fault(f"unrecognized identifier {name}")
        if not self.inside:
            raise Fault("not in range, nothing to end")
        self.ended += 1
        return []

    def _descend(self, values: list[object]) -> Iterator[object]:
        """Everything that has something in it, from the top down."""
        todo = values[::-1]
        while todo:
            value = todo.pop()
            below = _children(value)
            self._count(1 + len(below))
            if below:
                yield value
                todo += below[::-1]

    def _filtered(self, part: Filter, values: list[object]) -> Iterator[object]:
        for value in values:
            if not isinstance(value, list):
                raise Fault(f"{go_type(value)} is not array or slice and cannot be filtered")
            for element in value:
                if self._passes(part, element):
                    yield element

    def _passes(self, part: Filter, element: object) -> bool:
        if part.operator == "exists":
            try:
                return bool(self.path(part.left, [element]))
            except Fault:
                return self.looked_at <= MAX_FOUND
        lefts, rights = self.path(part.left, [element]), self.path(part.right, [element])
        if not lefts or not rights:
            return False
        if len(lefts) > 1 or len(rights) > 1:
            raise Fault("can only compare one element at a time")
        return _compare(lefts[0], part.operator, rights[0])


def _children(value: object) -> list[object]:
    """The values of a map or a list; of a text, its bytes."""
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, str):
        return list(value.encode("utf-8", "surrogatepass"))
    return value if isinstance(value, list) else []


def _sliced(part: Slice, values: list[object]) -> list[object]:
    found: list[object] = []
    for value in values:
        if value is None:
            continue
        if not isinstance(value, list):
            raise Fault(f"{go_type(value)} is not array or slice")
        start, end = _bounds(part, len(value))
        if start == end:
            return found
        if part.step is not None and part.step <= 0:
            raise Fault("step must be > 0")
        found += value[start : end : part.step or 1]
    return found


def _bounds(part: Slice, size: int) -> tuple[int, int]:
    """Where the slice begins and ends. Raises Fault if that is not within the list."""
    start = part.start or 0
    end = start + 1 if part.single else size if part.end is None else part.end
    start += size if start < 0 else 0
    if end < 0 or (end == 0 and part.single):
        end += size
    if start == end:
        return start, end
    if not 0 <= start < size:
        raise Fault(f"array index out of bounds: index {start}, length {size}")
    if not 0 <= end <= size:
        raise Fault(f"array index out of bounds: index {end - 1}, length {size}")
    if start > end:
        raise Fault(f"starting index {start} is greater than ending index {end}")
    return start, end


def _compare(left: object, operator: str, right: object) -> bool:
    if operator == "=~":
        if not isinstance(left, str) or not isinstance(right, str):
            raise Fault("regexp search only supports strings")
        return search(right, left)
    if operator not in _ORDERS:
        raise Fault(f"unrecognized filter operator {operator}")
    if type(left) not in _COMPARABLE or type(right) not in _COMPARABLE:
        raise Fault("invalid type for comparison")
    if type(left) is not type(right):
        raise Fault("incompatible types for comparison")
    if isinstance(left, bool) and operator not in {"==", "!="}:
        raise Fault("invalid type for comparison")
    return _ORDERS[operator](left, right)


_COMPARABLE: Final = (bool, int, float, str)


def _less(left: object, right: object) -> bool:
    """Both are of one type: texts are compared byte by byte."""
    if isinstance(left, str) and isinstance(right, str):
        return left.encode("utf-8", "surrogatepass") < right.encode("utf-8", "surrogatepass")
    return _is_number(left) and _is_number(right) and left < right


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float)


_ORDERS: Final[dict[str, Callable[[object, object], bool]]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": _less,
    ">": lambda left, right: _less(right, left),
    "<=": lambda left, right: not _less(right, left),
    ">=": lambda left, right: not _less(left, right),
}
