"""Go's %v, %d and quoting."""

from __future__ import annotations

import re
from decimal import Decimal

from nbflow.templating.golang.values import Function

_ESCAPES = {7: "\\a", 8: "\\b", 12: "\\f", 10: "\\n", 13: "\\r", 9: "\\t", 11: "\\v", 92: "\\\\", 34: '\\"'}


def to_bytes(text: str) -> bytes:
    """The UTF-8 of `text`; what is not valid comes back as it went in."""
    return text.encode("utf-8", "surrogateescape" if _has_escaped_bytes(text) else "surrogatepass")


def from_bytes(data: bytes) -> str:
    """The text of UTF-8 `data`; invalid bytes are kept in a form that `to_bytes` undoes."""
    return data.decode("utf-8", "surrogateescape")


def _has_escaped_bytes(text: str) -> bool:
    return any("\udc80" <= char <= "\udcff" for char in text)


def quote(text: str) -> str:
    """`text` as a Go string literal in double quotes."""
    return '"' + "".join(_quoted(char) for char in text) + '"'


def _quoted(char: str) -> str:
    code = ord(char)
    if code in _ESCAPES:
        return _ESCAPES[code]
    if char.isprintable():
        return char
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def format_float(number: float, *, low: int = -4, high: int = 6) -> str:
    """The shortest text that reads back as `number`.

    Exponents below `low` or from `high` on are written as such: 1000000 is `1e+06`.
    """
    if number != number:
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "+Inf" if number > 0 else "-Inf"
    sign, digits, point = decimal_parts(number)
    exponent = point - 1
    if digits != "0" and (exponent < low or exponent >= high):
        mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
        return f"{sign}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    return sign + place_point(digits, point)


def decimal_parts(number: float) -> tuple[str, str, int]:
    """Sign, shortest digits without zeros at the end, and where the point stands in them."""
    sign, digits, exponent = Decimal(repr(number)).as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    stripped = text.rstrip("0") or "0"
    point = len(text) + exponent if stripped != "0" else 1
    return "-" if sign else "", stripped, point


def place_point(digits: str, point: int) -> str:
    """The digits with a decimal point after the first `point` of them, padded by zeros."""
    if point <= 0:
        return "0." + "0" * -point + digits if digits != "0" else "0"
    if point >= len(digits):
        return digits + "0" * (point - len(digits))
    return digits[:point] + "." + digits[point:]


def display(value: object) -> str:
    """`value` as Go prints it with %v."""
    match value:
        case str():
            return value
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case float():
            return format_float(value)
        case bytes():
            return "[" + " ".join(map(str, value)) + "]"
        case list():
            return "[" + " ".join(map(display, value)) + "]"
        case dict():
            return "map[" + " ".join(f"{display(k)}:{display(v)}" for k, v in sorted_items(value)) + "]"
        case Function():
            return f"0x{id(value):x}"
    return str(value)


def sorted_items(value: dict[object, object]) -> list[tuple[object, object]]:
    """The entries of a map in the order in which Go prints and encodes them."""
    try:
        return sorted(value.items(), key=lambda item: to_bytes(str(item[0])))
    except TypeError:
        return list(value.items())


_VERB = re.compile(
    r"%(?P<flags>[-+# 0]*)(?P<arg1>\[\w*\])?(?P<width>\d+|\*)?(?:\.(?P<precision>\d*))?(?P<arg2>\[\w*\])?"
    r"(?:(?P<open>\[\w*)\Z|(?P<verb>.))?",
    re.S,
)
MAX_WIDTH = 1_000_000


class _Printf:
    """One run of `sprintf`: which argument comes next, and whether all were used."""

    def __init__(self, number: int) -> None:
        self.number, self.next, self.reordered = number, 1, False

    def verb(self, match: re.Match[str]) -> str:
        verb, flags = match["verb"], match["flags"]
        index = match["arg1"] or match["arg2"]
        if verb is None:
            self.reordered = self.reordered or match["open"] is not None
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        if index:
            self.reordered = True
            if index != "[1]":
                return f"%!{verb}(BADINDEX)"
            self.next = 1
        width = match["width"] or ""
        if width == "*":
            width = str(self.number) if self.next == 1 else ""
            self.next += 1
        if self.next != 1:
            self.next += 1
            return f"%!{verb}(MISSING)"
        self.next += 1
        return format_integer(self.number, verb, flags, _limited(width), _precision(match["precision"]))

    def run(self, template: str) -> str:
        text = _VERB.sub(self.verb, template)
        if self.next == 1 and not self.reordered:
            text += f"%!(EXTRA int={self.number})"
        return text


def sprintf(template: str, number: int) -> str:
    """Go's Sprintf with one integer argument."""
    return _Printf(number).run(template)


def _limited(width: str) -> int:
    wanted = abs(int(width or 0))
    return wanted if wanted <= MAX_WIDTH else 0


def _precision(text: str | None) -> int | None:
    return None if text is None else _limited(text)


def format_integer(number: int, verb: str, flags: str, width: int, precision: int | None) -> str:
    """`number` by one verb of Go's printf: d, v, b, o, O, x, X, c, q, U."""
    if verb == "T":
        return _pad("int", flags, width)
    if verb in "cqU":
        return _pad(_character(number, verb, flags), flags.replace("0", " "), width)
    digits = _digits(abs(number), verb)
    if digits is None:
        return f"%!{verb}(int={format_integer(number, 'd', flags, width, precision)})"
    if precision == 0 and number == 0:
        return " " * width
    sign = "-" if number < 0 else "+" if "+" in flags and verb != "v" else " " if " " in flags else ""
    prefix = _prefix(verb, flags, number)
    if precision is not None:
        digits = digits.rjust(precision, "0")
    elif "0" in flags and "-" not in flags:
        digits = digits.rjust(width - len(sign), "0")
    return _pad(sign + prefix + digits, flags.replace("0", " "), width)


def _digits(number: int, verb: str) -> str | None:
    bases = {"d": "d", "v": "d", "b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}
    return format(number, bases[verb]) if verb in bases else None


def _prefix(verb: str, flags: str, number: int) -> str:
    if verb == "O":
        return "0o"
    return (
        {"b": "0b", "o": "0", "x": "0x", "X": "0X"}.get(verb, "")
        if "#" in flags and (number or verb != "o")
        else ""
    )


def _character(number: int, verb: str, flags: str) -> str:
    valid = 0 <= number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF
    char = chr(number) if valid else "\ufffd"
    if verb == "U":
        shown = f" '{char}'" if "#" in flags and valid and char.isprintable() else ""
        return f"U+{number % (1 << 64):04X}{shown}"
    if verb == "c":
        return char
    inner = "\\'" if char == "'" else char if char == '"' else _quoted(char)
    return f"'{inner}'"


def _pad(text: str, flags: str, width: int) -> str:
    return text.ljust(width) if "-" in flags else text.rjust(width)
