"""Plain data checked and converted as Argo's decoder does it: names of fields, types, nulls, texts from numbers.

The data is changed in place. A faultless value costs one look into a table per field; paths are put together only
for faults, on the way back up.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from nbflow.spec.fields import KINDS, RENAMED, Fields, table
from nbflow.spec.scalars import any_text

UNKNOWN_FIELD = "NBF102"
WRONG_TYPE = "NBF103"


@dataclass(slots=True)
class DecodeFault:
    """One thing that Argo's decoder refuses. key: the name of the field is at fault, not its value."""

    rule: str
    problem: str
    fix: str = ""
    key: bool = False
    path: tuple[str | int, ...] = ()

    def told(self) -> str:
        """The problem with the path in it."""
        return self.problem.format(path=path_text(self.path))


Faults = list[DecodeFault]
Decoder = Callable[[object, Faults], object]
"""Takes a value (never None) and gives the converted one; adds to the list what is wrong, with paths below the value."""


def path_text(path: tuple[str | int, ...]) -> str:
    """A path as Kubernetes writes it: spec.templates[0].name."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def decode(data: dict[str, object], kind: str, *, strict: bool) -> Faults:
    """Check and convert a document of this kind; of kinds that are not Argo's nothing is looked at."""
    if kind not in KINDS:
        return []
    faults: Faults = []
    _decoder(kind, strict)(data, faults)
    return faults


@cache
def _decoder(type_name: str, strict: bool) -> Decoder:
    """The decoder of a type; made when it is first needed."""
    if type_name.startswith("[]"):
        return _list_of(type_name[2:], strict)
    if type_name.startswith("map "):
        return _map_of(type_name[4:], strict)
    if type_name in _SCALARS:
        return _SCALARS[type_name]
    return _object_of(type_name, table()[type_name], strict)


def _object_of(type_name: str, fields: Fields, strict: bool) -> Decoder:
    decoders: dict[str, Decoder | None] = {}
    for name, field_type in fields.items():
        decoders[name] = None if field_type == "any" else _TEXT if field_type == "string" else _PENDING

    def decode_object(value: object, faults: Faults) -> object:
        if type(value) is not dict:
            return _mismatch(value, "a mapping", faults, {})
        for name, item in list(value.items()):
            decoder = decoders.get(name, _UNKNOWN)
            if decoder is _TEXT:
                if type(item) is str:
                    continue
                decoder = _SCALARS["string"]
            elif decoder is _PENDING:
                decoder = decoders[name] = _decoder(fields[name], strict)
            elif decoder is _UNKNOWN:
                decoder = _fold(value, name, faults)
            if item is None:
                value.pop(name, None)
            elif decoder is not None:
                before = len(faults)
                converted = decoder(item, faults)
                if converted is not item:
                    value[name] = converted
                for fault in faults[before:]:
                    fault.path = (name, *fault.path)
        return value

    def _fold(value: dict[str, object], name: str, faults: Faults) -> Decoder | None:
        """An unknown field; if not strict, the one that differs only in case takes it."""
        if strict:
            faults.append(_unknown(type_name, fields, name))
            faults[-1].path = (name,)
            return None
        match = next((field for field in fields if field.lower() == name.lower()), None)
        if match is None:
            return None
        item = value.pop(name)
        holder = {match: item}
        decode_object(holder, faults)
        value.update(holder)
        return None

    return decode_object


def _unknown(type_name: str, fields: Fields, name: str) -> DecodeFault:
    """An unknown field, and what may be meant."""
    fix = RENAMED.get((type_name, name), "")
    if not fix:
        from nbflow.spec.similar import did_you_mean

        fix = did_you_mean(name, fields) or _elsewhere(type_name, name)
    return DecodeFault(UNKNOWN_FIELD, 'unknown field "{path}"', fix, key=True)


def _elsewhere(type_name: str, name: str) -> str:
    """Where a field belongs that stands one level too high or too low."""
    types = table()
    for field, field_type in types[type_name].items():
        inner = types.get(field_type.removeprefix("[]"))
        if inner and name in inner and field_type != type_name:
            return f"`{name}` belongs under `{field}`"
    outer = [
        other for other in ("WorkflowSpec", "Template", "WorkflowStep", "V1Container") if name in types[other]
    ]
    words = {
        "WorkflowSpec": "spec",
        "Template": "the template",
        "WorkflowStep": "the step",
        "V1Container": "the container",
    }
    return f"`{name}` belongs to {words[outer[0]]}: check the indentation" if outer else "remove it"


def _list_of(item_type: str, strict: bool) -> Decoder:
    decoder = _decoder(item_type, strict) if item_type != "any" else None
    empty: Callable[[], object] = list if item_type.startswith("[]") else dict
    if item_type in _SCALARS:
        empty = str

    def decode_list(value: object, faults: Faults) -> object:
        if type(value) is not list:
            return _mismatch(value, "a list", faults, [])
        if decoder is None:
            return value
        for index, item in enumerate(value):
            if item is None:
                value[index] = item = empty()
            before = len(faults)
            converted = decoder(item, faults)
            if converted is not item:
                value[index] = converted
            for fault in faults[before:]:
                fault.path = (index, *fault.path)
        return value

    return decode_list


def _map_of(item_type: str, strict: bool) -> Decoder:
    decoder = _decoder(item_type, strict)
    empty: Callable[[], object] = str if item_type in _SCALARS else dict

    def decode_map(value: object, faults: Faults) -> object:
        if type(value) is not dict:
            return _mismatch(value, "a mapping", faults, {})
        for name, item in value.items():
            before = len(faults)
            converted = decoder(empty() if item is None else item, faults)
            if converted is not item:
                value[name] = converted
            for fault in faults[before:]:
                fault.path = (name, *fault.path)
        return value

    return decode_map


def _string(value: object, faults: Faults) -> object:
    return value if type(value) is str else _mismatch(value, "a string", faults, "")


def _boolean(value: object, faults: Faults) -> object:
    return value if type(value) is bool else _mismatch(value, "a boolean (true or false)", faults, False)


def _integer(value: object, faults: Faults) -> object:
    return value if type(value) is int else _mismatch(value, "an integer", faults, 0)


def _float(value: object, faults: Faults) -> object:
    return value if type(value) in {int, float} else _mismatch(value, "a number", faults, 0)


def _int_or_string(value: object, faults: Faults) -> object:
    return value if type(value) in {int, str} else _mismatch(value, "an integer or a string", faults, 0)


def _any_string(value: object, faults: Faults) -> object:  # noqa: ARG001 - Argo's AnyString refuses nothing
    kind = type(value)
    if kind is str:
        return value
    return any_text(value) if kind in {int, float, bool} else ""  # type: ignore[arg-type]


_QUANTITY = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(([KMGTPE]i|[numkMGTPE]?)|[eE][+-]?[0-9]+)")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def _quantity(value: object, faults: Faults) -> object:
    if type(value) in {int, float}:
        return any_text(value)  # type: ignore[arg-type]
    if type(value) is not str:
        return _mismatch(value, "a quantity such as 100m or 64Mi", faults, "0")
    if not _QUANTITY.fullmatch(value.strip()):
        faults.append(DecodeFault(WRONG_TYPE, "{path} is no quantity", "write it as 500m, 2, 64Mi or 1.5Gi"))
    return value


def _time(value: object, faults: Faults) -> object:
    if type(value) is not str:
        return _mismatch(value, "a time", faults, "")
    if not _TIME.fullmatch(value):
        faults.append(DecodeFault(WRONG_TYPE, "{path} is no time", "write it as 2026-01-31T12:00:00Z"))
    return value


def _any(value: object, faults: Faults) -> object:  # noqa: ARG001 - one signature for all
    return value


_SCALARS: dict[str, Decoder] = {
    "string": _string,
    "boolean": _boolean,
    "integer": _integer,
    "number": _float,
    "int-or-string": _int_or_string,
    "any-string": _any_string,
    "quantity": _quantity,
    "time": _time,
    "any": _any,
}


def _TEXT(value: object, faults: Faults) -> object:  # noqa: N802 - marks of a field's decoder, compared and not called
    raise NotImplementedError


_PENDING: Decoder = lambda value, faults: value  # noqa: E731
_UNKNOWN: Decoder = lambda value, faults: value  # noqa: E731


def _mismatch(value: object, expected: str, faults: Faults, instead: object) -> object:
    """A value of another type: say so, and go on with an empty one."""
    faults.append(
        DecodeFault(WRONG_TYPE, f"{{path}} must be {expected}, not {_called(value)}", _mend(value, expected))
    )
    if instead == "" and isinstance(value, int | float):
        return any_text(value)
    return instead


def _called(value: object) -> str:
    names: dict[type, str] = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        dict: "a mapping",
    }
    return names.get(type(value), "a list")


def _mend(value: object, expected: str) -> str:
    """What to do about a value of the wrong type."""
    if expected == "a string":
        if isinstance(value, bool):
            return 'quote it: "true"' if value else 'quote it: "false"'
        if isinstance(value, int | float):
            return f'quote it: "{any_text(value)}"'
        return "write one text" + (", in quotes if it begins with {{ or [" if value else "")
    if expected == "a list":
        return (
            "begin each item with `- `"
            if isinstance(value, dict)
            else f"write [{value}] or an item a line, each after `- `"
        )
    if expected == "a mapping":
        return (
            "remove the `- ` in front"
            if isinstance(value, list)
            else "write `name: value` below it, indented"
        )
    if isinstance(value, str) and "{{" not in value:
        return "write it without quotes" if re.fullmatch(r"\d+|true|false", value) else f"write {expected}"
    return f"write {expected}; a tag cannot stand here" if isinstance(value, str) else f"write {expected}"
