"""Numbers and texts out of anything, as sprig makes them: what cannot be converted is 0."""

from __future__ import annotations

import re

from nbflow.templating.exprlang.builtins.conversions import parse_float
from nbflow.templating.exprlang.operators import float_to_int
from nbflow.templating.golang.moments import Duration, Time
from nbflow.templating.golang.text import display, from_bytes
from nbflow.templating.golang.values import Int64, go_type, is_number

_DECIMAL = re.compile(r"[+-]?[0-9]+\.[0-9]*")
_LITERAL = re.compile(r"[+-]?(?:0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[1-9]\d*|0)", re.A)


def to_int(value: object) -> Int64:
    """An integer of 64 bits; texts may be in base 2, 8 (leading 0) and 16."""
    if isinstance(value, bool):
        return Int64(value)
    if isinstance(value, float):
        return Int64(float_to_int(value))
    if isinstance(value, int):
        return Int64(value)
    return Int64(_parsed(value)) if isinstance(value, str) else Int64(0)


def _parsed(text: str) -> int:
    whole = text.partition(".")[0] if _DECIMAL.fullmatch(text) else text
    plain = whole.replace("_", "") if re.fullmatch(r"[^_](_?[^_])*", whole) else whole
    if not _LITERAL.fullmatch(plain) or len(plain) > 70:
        return 0
    digits = plain.lstrip("+-").lower()
    base = {"0x": 16, "0b": 2, "0o": 8}.get(
        digits[:2], 8 if digits.startswith("0") and len(digits) > 1 else 10
    )
    number = int(digits[2:] if digits[:2] in ("0x", "0b", "0o") else digits, base)
    number = -number if plain.startswith("-") else number
    return number if -(1 << 63) <= number < 1 << 63 else 0


def to_float(value: object) -> float:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float) and is_number(value):
        return float(value)
    if isinstance(value, str):
        return parse_float(value) or 0.0
    return 0.0


def to_text(value: object) -> str:
    return from_bytes(value) if isinstance(value, bytes) else display(value)


def to_texts(value: object) -> list[str]:
    """The texts of a list, without nil; of anything else a list of one."""
    if isinstance(value, list | bytes):
        return [to_text(item) for item in value if item is not None]
    return [] if value is None else [to_text(value)]


def empty(value: object) -> bool:
    """Whether the value is the zero of its kind."""
    if isinstance(value, Time):
        return False
    if isinstance(value, Duration):
        return value.nanoseconds == 0
    return value is None or (isinstance(value, bool | int | float | str | bytes | list | dict) and not value)


def deep_equal(left: object, right: object) -> bool:
    """Equal in kind and content: 1 is not 1.0."""
    if go_type(left) != go_type(right):
        return False
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(deep_equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(
            deep_equal(value, right[key]) for key, value in left.items()
        )
    return left == right


def kind_of(value: object) -> str:
    """The kind by Go's reflection."""
    name = go_type(value)
    if name.startswith("map["):
        return "map"
    if name.startswith("[]"):
        return "slice"
    if name.startswith(("*", "func")):
        return "ptr" if name.startswith("*") else "func"
    return {
        "<nil>": "invalid",
        "time.Time": "struct",
        "time.Duration": "int64",
        "time.Month": "int",
        "time.Weekday": "int",
    }.get(name, name)
