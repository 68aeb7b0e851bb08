"""Items of withItems and withParam: their text, their part in a node's name, their variables."""

from __future__ import annotations

import json
from typing import Self

from nbflow.templating.failures import LoopError
from nbflow.templating.golang.jsontext import decode, encode_float, encode_string, no_constant
from nbflow.templating.golang.values import Fault
from nbflow.templating.scope import Value


class SpelledFloat(float):
    """A number that remembers how it was written: 1.10 stays 1.10, 1e3 stays 1e3."""

    __slots__ = ("spelling",)
    spelling: str

    def __new__(cls, spelling: str) -> Self:
        number = super().__new__(cls, spelling)
        number.spelling = spelling
        return number


class SpelledInt(int):
    """An integer that remembers how it was written, -0 for one."""

    spelling: str

    def __new__(cls, spelling: str) -> Self:
        number = super().__new__(cls, spelling)
        number.spelling = spelling
        return number


def _integer(spelling: str) -> int | float:
    if len(spelling) > 4000:
        return SpelledFloat(spelling)
    number = int(spelling)
    return number if str(number) == spelling else SpelledInt(spelling)


_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=SpelledFloat, parse_constant=no_constant)


def with_param_items(text: str) -> list[Value]:
    """The items of a withParam. Numbers keep their spelling, maps the order of their keys. Raises LoopError."""
    try:
        items = decode(text, _DECODER)
    except Fault as fault:
        raise _no_list(text, str(fault)) from None
    if items is None:
        return []
    if not isinstance(items, list):
        raise _no_list(
            text, f"json: cannot unmarshal {_json_kind(items)} into Go value of type []v1alpha1.Item"
        )
    return items


def _no_list(text: str, why: str) -> LoopError:
    return LoopError(
        f"withParam value could not be parsed as a JSON list: {text.strip()}: {why}",
        fix='give withParam a JSON list, for instance ["a", "b"]',
    )


def _json_kind(value: object) -> str:
    match value:
        case bool():
            return "bool"
        case str():
            return "string"
        case dict():
            return "object"
    return "number"


def manifest_item(item: Value) -> Value:
    """An item of withItems as Argo has it after reading YAML: the keys of maps in order."""
    if isinstance(item, dict):
        return {key: manifest_item(item[key]) for key in sorted(item)}
    if isinstance(item, list):
        return [manifest_item(below) for below in item]
    return item


def json_text(value: Value, *, html: bool = False) -> str:
    """Compact JSON; numbers as they were written, keys in the order of the map. html: < > & are escaped."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return encode_string(value, html=html)
        case SpelledFloat() | SpelledInt():
            return value.spelling
        case float():
            return encode_float(value)
        case int():
            return str(value)
        case list():
            return "[" + ",".join([json_text(below, html=html) for below in value]) + "]"
    pairs = [f"{encode_string(k, html=html)}:{json_text(v, html=html)}" for k, v in value.items()]
    return "{" + ",".join(pairs) + "}"


def item_text(item: Value, *, html: bool = False) -> str:
    """An item as text: a string as it is, all else as JSON, a map with its own keys sorted. html: see `json_text`."""
    if isinstance(item, str):
        return item
    if isinstance(item, dict):
        return json_text({key: item[key] for key in sorted(item)}, html=html)
    return json_text(item, html=html)


def _member_text(item: Value) -> str:
    """A value inside of a map or list as Go prints it: strings stay in their JSON escapes."""
    text = json_text(item)
    return text[1:-1] if text.startswith('"') else text


def item_name(item: Value) -> str:
    """The part of a node's name after the index: `name(i:item)`.

    Maps as sorted key:value pairs, lists in Go's form, strings with JSON's escapes; no parentheses.
    """
    match item:
        case dict():
            text = ",".join(sorted(f"{key}:{_member_text(value)}" for key, value in item.items()))
        case list():
            text = "[" + " ".join(map(_member_text, item)) + "]"
        case None:
            text = "[]"
        case _:
            text = _member_text(item)
    return text.replace("(", "").replace(")", "")


def item_scope(item: Value) -> dict[str, Value]:
    """The variables of one round: `item`, and `item.key` for each key of a map, as texts.

    Argo writes the whole item anew, with HTML's signs escaped; what is in it stays as it was written.
    """
    scope: dict[str, Value] = {"item": item_text(item, html=True)}
    if isinstance(item, dict):
        scope |= {f"item.{key}": _member_text(value) for key, value in item.items()}
    return scope
