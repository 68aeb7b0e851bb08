"""Texts, numbers and times as Argo's decoder takes them, and what to do about one that it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from nbflow.errors import Severity
from nbflow.spec.scalars import any_text, is_base64

WRONG_TYPE = "NBF103"
QUOTE_IT = "quote it: "


@dataclass(slots=True)
class DecodeFault:
    """One thing that Argo's decoder refuses, or drops without a word (a warning).

    problem: with {path} where the path belongs. key: the name of the field is at fault, not its value.
    """

    rule: str
    problem: str
    fix: str = ""
    key: bool = False
    severity: Severity = Severity.ERROR
    path: tuple[str | int, ...] = ()

    def told(self) -> str:
        """The problem with the path in it."""
        return self.problem.format(path=path_text(self.path))


Faults = list[DecodeFault]
Decoder = Callable[[object, Faults], object]
"""Takes a value (never None) and gives the converted one; adds what is wrong, with paths below the value."""


def path_text(path: tuple[str | int, ...]) -> str:
    """A path as Kubernetes writes it: spec.templates[0].name."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def _string(value: object, faults: Faults) -> object:
    return value if type(value) is str else mismatch(value, "a string", faults, "")


def _boolean(value: object, faults: Faults) -> object:
    return value if type(value) is bool else mismatch(value, "a boolean (true or false)", faults, False)


def _integer(value: object, faults: Faults) -> object:
    if type(value) is int:
        return value if -(2**63) <= value < 2**63 else _out_of_range(faults, 64)
    return mismatch(value, "an integer", faults, 0)


def _int32(value: object, faults: Faults) -> object:
    if type(value) is int:
        return value if -(2**31) <= value < 2**31 else _out_of_range(faults, 32)
    return mismatch(value, "an integer", faults, 0)


def _out_of_range(faults: Faults, bits: int) -> int:
    least, most = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    faults.append(DecodeFault(WRONG_TYPE, "{path} is out of range", f"write a number from {least} to {most}"))
    return 0


def _float(value: object, faults: Faults) -> object:
    return value if type(value) in {int, float} else mismatch(value, "a number", faults, 0)


def _int_or_string(value: object, faults: Faults) -> object:
    if type(value) is str:
        return value
    return (
        _int32(value, faults) if type(value) is int else mismatch(value, "an integer or a string", faults, 0)
    )


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
        return mismatch(value, "a quantity such as 100m or 64Mi", faults, "0")
    if not _QUANTITY.fullmatch(value.strip(" ")):
        faults.append(DecodeFault(WRONG_TYPE, "{path} is no quantity", "write it as 500m, 2, 64Mi or 1.5Gi"))
    return value


def _time(value: object, faults: Faults) -> object:
    if type(value) is not str:
        return mismatch(value, "a time", faults, "")
    if not _TIME.fullmatch(value):
        faults.append(DecodeFault(WRONG_TYPE, "{path} is no time", "write it as 2026-01-31T12:00:00Z"))
    return value


def _bytes(value: object, faults: Faults) -> object:
    if type(value) is not str:
        return mismatch(value, "a text in base64", faults, "")
    if not is_base64(value):
        faults.append(DecodeFault(WRONG_TYPE, "{path} is no base64", "encode it: `printf %s TEXT | base64`"))
    return value


def _any(value: object, faults: Faults) -> object:  # noqa: ARG001 - one signature for all
    return value


SCALARS: dict[str, Decoder] = {
    "string": _string,
    "boolean": _boolean,
    "integer": _integer,
    "int32": _int32,
    "number": _float,
    "int-or-string": _int_or_string,
    "any-string": _any_string,
    "bytes": _bytes,
    "quantity": _quantity,
    "time": _time,
    "any": _any,
}


def mismatch(value: object, expected: str, faults: Faults, instead: object) -> object:
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
            return f'{QUOTE_IT}"true"' if value else f'{QUOTE_IT}"false"'
        if isinstance(value, int | float):
            return f'{QUOTE_IT}"{any_text(value)}"'
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
