"""JSON as Go writes and reads it."""

from __future__ import annotations

import base64
import json
import re
from typing import NoReturn

from nbflow.templating.golang.text import decimal_parts, place_point, sorted_items
from nbflow.templating.golang.values import AnyKeyMap, Fault, NilList, go_type

MAX_DEPTH = 200
_UNSAFE = re.compile('[\x00-\x1f"\\\\\u2028\u2029\ud800-\udfff]')
_HTML = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


def marshal(value: object, *, html: bool = True, indent: str = "") -> str:
    """`value` as JSON with sorted keys.

    html: write <, > and & as escapes, as Go does unless told otherwise. indent: "" for compact.
    Raises Fault for what has no JSON form (functions, maps with keys that are no strings, NaN).
    """
    return _Writer(html, indent).write(value, 0)


class _Writer:
    def __init__(self, html: bool, indent: str) -> None:
        self.html, self.indent = html, indent

    def write(self, value: object, depth: int) -> str:
        if depth > MAX_DEPTH:
            raise Fault("json: the value is nested too deeply")
        match value:
            case str():
                return encode_string(value, html=self.html)
            case NilList():
                return "null"
            case list():
                return self._wrap("[", [self.write(v, depth + 1) for v in value], "]", depth)
            case dict() if not isinstance(value, AnyKeyMap):
                colon = ": " if self.indent else ":"
                pairs = [
                    f"{encode_string(str(k), html=self.html)}{colon}{self.write(v, depth + 1)}"
                    for k, v in sorted_items(value)
                ]
                return self._wrap("{", pairs, "}", depth)
        return _scalar(value)

    def _wrap(self, left: str, items: list[str], right: str, depth: int) -> str:
        if not items or not self.indent:
            return left + ",".join(items) + right
        inner, outer = "\n" + self.indent * (depth + 1), "\n" + self.indent * depth
        return left + inner + ("," + inner).join(items) + outer + right


def _scalar(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case float():
            return encode_float(value)
        case int():
            return str(int(value))
        case bytes():
            return f'"{base64.b64encode(value).decode()}"'
    to_json = getattr(value, "to_json", None)
    if to_json is None:
        raise Fault(f"json: unsupported type: {go_type(value)}")
    return str(to_json())


def encode_string(text: str, *, html: bool = True) -> str:
    """A JSON string with Go's choice of escapes."""
    body = _UNSAFE.sub(_escape, text)
    return f'"{body.translate(_HTML) if html else body}"'


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if "\ud800" <= char <= "\udfff":
        return "\\ufffd"
    return _SHORT.get(char) or f"\\u{ord(char):04x}"


def encode_float(number: float) -> str:
    """A JSON number: plain between 1e-6 and 1e21, else with an exponent."""
    if number != number or number in (float("inf"), float("-inf")):
        raise Fault(
            f"json: unsupported value: {'NaN' if number != number else '+Inf' if number > 0 else '-Inf'}"
        )
    sign, digits, point = decimal_parts(number)
    if digits != "0" and not 1e-6 <= abs(number) < 1e21:
        mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
        exponent = point - 1
        return f"{sign}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent)}"
    return sign + place_point(digits, point)


def unmarshal(text: str) -> object:
    """Read JSON into plain values; every number becomes a float, as in Go. Raises Fault."""
    return decode(text, json.JSONDecoder(parse_int=_number, parse_float=_number, parse_constant=no_constant))


_LITERALS = {"t": "true", "f": "false", "n": "null"}


def decode(text: str, decoder: json.JSONDecoder) -> object:
    """Read JSON with `decoder`; whatever is wrong with the text comes out as a Fault in Go's words."""
    try:
        return decoder.decode(text)
    except json.JSONDecodeError as error:
        raise Fault(_in_gos_words(text, error)) from None
    except RecursionError:
        raise Fault("exceeded max depth") from None


def _number(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise Fault(f"json: cannot unmarshal number {text} into Go value of type float64")
    return number


def no_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python takes for JSON."""
    raise Fault(f"invalid character '{name[0]}' looking for beginning of value")


def _in_gos_words(text: str, error: json.JSONDecodeError) -> str:
    position = error.pos
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    if position >= len(text) or error.msg.startswith("Unterminated"):
        return "unexpected end of JSON input"
    if error.msg == "Expecting value" and (begun := _LITERALS.get(text[position])):
        return _broken_literal(text, position, begun)
    wheres = {
        "Expecting value": "looking for beginning of value",
        "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
        "Expecting ':' delimiter": "after object key",
        "Expecting ',' delimiter": "after array element"
        if _in_array(text, position)
        else "after object key:value pair",
        "Extra data": "after top-level value",
        "Invalid control character at": "in string literal",
    }
    where = wheres.get(
        error.msg, "in string escape code" if "escape" in error.msg else "looking for beginning of value"
    )
    return f"invalid character {_shown(text[position])} {where}"


def _broken_literal(text: str, start: int, literal: str) -> str:
    """What Go says of something that begins as `true`, `false` or `null` and goes on otherwise."""
    for offset, wanted in enumerate(literal[1:], 1):
        if start + offset >= len(text):
            break
        found = text[start + offset]
        if found != wanted:
            return f"invalid character {_shown(found)} in literal {literal} (expecting {_shown(wanted)})"
    return "unexpected end of JSON input"


def _in_array(text: str, position: int) -> bool:
    depth = 0
    for char in reversed(text[:position]):
        if char in "]}":
            depth += 1
        elif char in "[{":
            if depth == 0:
                return char == "["
            depth -= 1
    return False


def _shown(char: str) -> str:
    return {"'": "'\\''", '"': "'\"'", "\n": "'\\n'", "\t": "'\\t'"}.get(char, f"'{char}'")
