"""The kinds of values that expressions handle beyond JSON, and their names in Go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

INT_BITS: Final = 64
_SIGN: Final = 1 << (INT_BITS - 1)
_SPAN: Final = 1 << INT_BITS


class Fault(Exception):
    """An operation failed. Becomes an error with the expression's text where it leaves the evaluator."""


class Int64(int):
    """A Go int64, which a function that wants an int does not take."""

    __slots__ = ()


class NilList(list[object]):
    """A Go slice that is nil: empty, null as JSON, and nil for ??."""


class AnyKeyMap(dict[object, object]):
    """A Go map with keys of any type (groupBy, fromPairs): it has no JSON form."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function as a value: it can be called, compared with nil, and nothing else.

    type: its Go type. call: takes the arguments. needs_frame: before them, what it is evaluated in.
    """

    name: str
    call: Callable[..., object]
    type: str = "func(...interface {}) interface {}"
    needs_frame: bool = False


def wrap_int(number: int) -> int:
    """`number` as a 64-bit integer that overflows as Go's does."""
    if -_SIGN <= number < _SIGN:
        return number
    return (number + _SIGN) % _SPAN - _SIGN


def is_int(value: object) -> bool:
    """Whether `value` is an integer; True and False are not."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether `value` is an integer or a float."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def go_type(value: object) -> str:
    """The name that Go prints for the type of `value` (%T)."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return "bool"
        case Int64():
            return "int64"
        case float():
            return "float64"
        case str():
            return "string"
        case bytes():
            return "[]uint8"
        case list():
            return "[]interface {}"
        case AnyKeyMap():
            return "map[interface {}]interface {}"
        case dict():
            return "map[string]interface {}"
        case Function():
            return value.type
    return str(getattr(value, "GO_TYPE", "int"))
