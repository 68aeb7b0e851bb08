"""Functions that turn one kind of value into another."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Final

from nbflow.templating.exprlang.operators import float_to_int, limited, text
from nbflow.templating.golang.jsontext import marshal, unmarshal
from nbflow.templating.golang.moments import Duration
from nbflow.templating.golang.text import display, from_bytes, to_bytes
from nbflow.templating.golang.values import Fault, Function, go_type

_BASE64 = re.compile(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_LETTER = re.compile(r"[A-Za-z0-9+/]")
_INTEGER = re.compile(r"[+-]?\d+", re.A)
_FLOAT = re.compile(r"[+-]?(?:(?:\d[\d_]*)?\.?\d*(?:[eE][+-]?\d+)?|inf|infinity|nan)", re.A | re.I)
_HEX_FLOAT = re.compile(r"[+-]?0[xX][\da-fA-F_]*\.?[\da-fA-F]*[pP][+-]?\d+", re.A)


def parse_int(value: str) -> int | None:
    """As Go's Atoi: decimal, 64 bits, no blanks. None if it is no integer."""
    if not _INTEGER.fullmatch(value) or len(value) > 40:
        return None
    number = int(value)
    return number if -(1 << 63) <= number < 1 << 63 else None


def parse_float(value: str) -> float | None:
    """As Go's ParseFloat; None if it is no number or too large."""
    if _HEX_FLOAT.fullmatch(value):
        return float.fromhex(value)
    if not _FLOAT.fullmatch(value) or "_" in value:
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return None if abs(number) == float("inf") and "n" not in value.lower() else number


_SURE: Final = 18
"""Digits that surely fit into 64 bits."""


def to_integer(value: object) -> int:
    """int(v): of numbers, texts and durations."""
    if type(value) is str and value.isdecimal() and value.isascii() and len(value) < _SURE:
        return int(value)
    if isinstance(value, bool):
        raise Fault("invalid operation: int(bool)")
    match value:
        case int():
            return int(value)
        case float():
            return float_to_int(value)
        case str():
            number = parse_int(value)
            if number is None:
                raise Fault(f"invalid operation: int({value})")
            return number
        case Duration():
            return value.nanoseconds
    raise Fault(f"invalid operation: int({go_type(value)})")


def to_float_number(value: object) -> float:
    """float(v): of numbers and texts."""
    if isinstance(value, str):
        number = parse_float(value)
        if number is None:
            raise Fault(f"invalid operation: float({value})")
        return number
    if (
        isinstance(value, int | float)
        and type(value) is not bool
        and go_type(value) in ("int", "int64", "float64")
    ):
        return float(value)
    raise Fault(f"invalid operation: float({go_type(value)})")


def to_text(value: object) -> str:
    return limited(display(value))


def type_name(value: object) -> str:
    match value:
        case None:
            return "nil"
        case bool():
            return "bool"
        case float():
            return "float"
        case str():
            return "string"
        case list() | bytes():
            return "array"
        case dict():
            return "map"
        case Function():
            return "func"
    name = go_type(value)
    return "int" if name in ("int", "int64") else name.lstrip("*")


def to_json_pretty(value: object) -> str:
    return limited(marshal(value, indent="  "))


def from_json(value: object) -> object:
    return unmarshal(text(value))


def to_base64(value: object) -> str:
    return base64.b64encode(to_bytes(text(value))).decode()


def from_base64(value: object) -> str:
    return from_bytes(decode_base64(text(value)))


def decode_base64(value: str) -> bytes:
    """The bytes of standard, padded base64. Raises Fault."""
    plain = value.replace("\n", "").replace("\r", "")
    if not _BASE64.fullmatch(plain):
        raise Fault(f"illegal base64 data at input byte {_first_illegal(value)}")
    return base64.b64decode(plain)


def _first_illegal(value: str) -> int:
    """The byte at which Go stops: a wrong letter, what follows the padding, or the last group if it is not full."""
    letters = [(index, char) for index, char in enumerate(value) if char not in "\r\n"]
    for number, (index, char) in enumerate(letters):
        if _LETTER.fullmatch(char):
            continue
        if char != "=" or number % 4 < 2:
            return index
        if number % 4 == 3:
            return letters[number + 1][0]
        if number + 1 == len(letters):
            return len(value)
        return index if letters[number + 1][1] != "=" else letters[number + 2][0]
    return len(value) - len(letters) % 4


FUNCTIONS: Final[dict[str, Callable[..., object]]] = {
    "int": to_integer,
    "float": to_float_number,
    "string": to_text,
    "type": type_name,
    "toJSON": to_json_pretty,
    "fromJSON": from_json,
    "toBase64": to_base64,
    "fromBase64": from_base64,
}
