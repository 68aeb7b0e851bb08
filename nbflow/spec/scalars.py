"""What a plain word of YAML means, and what text a number becomes: both as Argo's own reader has it.

Argo reads YAML 1.1 through Go's yaml.v2 and then JSON, so `yes` and `on` are booleans, 0755 is octal,
dates stay text, and a number without a fraction is an integer however it was written.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
SPECIAL_FIRST = frozenset("0123456789+-.yYnNtTfFoO~")
"""A plain scalar that begins with another character is a text, whatever follows."""

_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
_BASE64 = re.compile(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_LONGEST_INTEGER = 70
_LEAST, _MOST = -(2**63), 2**64 - 1
_WHOLE = 1e21
"""From here on Go writes a float with an exponent, so it is no integer for its decoder."""


def plain(text: str) -> Scalar:
    """The value of an unquoted scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in SPECIAL_FIRST or text[0].isalpha() or text[0] == "~":
        return text
    digits = text.replace("_", "") if text[0] != "." else text
    if len(digits) < _LONGEST_INTEGER and _INTEGER.fullmatch(digits):
        value = _integer(digits)
        if _LEAST <= value <= _MOST:
            return value
    if _FLOAT.fullmatch(digits):
        number = float(digits)
        return text if math.isinf(number) else whole(number)
    return text


def is_base64(text: str) -> bool:
    """Whether a text is base64 as Go reads it: padded, on any number of lines."""
    return _BASE64.fullmatch(text.replace("\n", "").replace("\r", "")) is not None


def _integer(digits: str) -> int:
    """An integer in Go's notation: a leading 0 alone is octal."""
    sign = -1 if digits[0] == "-" else 1
    bare = digits.lstrip("+-").lower()
    if len(bare) > 1 and bare[0] == "0" and bare[1].isdigit():
        return sign * int(bare, 8)
    return sign * int(bare, 0)


def whole(number: float) -> int | float:
    """1e3 and 2.0 are integers once they went through JSON."""
    return int(number) if number.is_integer() and abs(number) < _WHOLE else number


def any_text(value: Scalar) -> str:
    """Argo's AnyString: the text of a number (never with an exponent) or boolean."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    if isinstance(value, int) and abs(value) <= 2**53:
        return str(value)
    text = f"{Decimal(repr(float(value))):f}"
    return text.removesuffix(".0")


def key_text(value: Scalar) -> str | None:
    """A mapping's key as JSON has it; None where Argo refuses the key (null)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return (
            f"{value:g}"
            if math.isfinite(value)
            else {math.inf: ".inf", -math.inf: "-.inf"}.get(value, ".nan")
        )
    return None if value is None else str(value)
