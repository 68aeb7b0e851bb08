"""How sprig's functions are called: Go checks the number and the types of arguments, and so is done here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from nbflow.templating.exprlang.frame import Frame
from nbflow.templating.golang.moments import UTC_LOCATION, Month, Time, Weekday
from nbflow.templating.golang.values import AnyKeyMap, Fault, Function, Int64, go_type, is_int

_ZERO: Final[dict[str, object]] = {
    "string": "",
    "int": 0,
    "uint": 0,
    "bool": False,
    "float": 0.0,
    "any": None,
}
_NAMES: Final = {
    "string": "string", "int": "int", "bool": "bool", "float": "float64", "any": "interface {}",
    "dict": "map[string]interface {}", "time": "time.Time", "uint": "uint32",
}  # fmt: skip


def _fits(kind: str, value: object) -> bool:
    match kind:
        case "any":
            return True
        case "string":
            return isinstance(value, str)
        case "int":
            return is_int(value) and not isinstance(value, Int64 | Month | Weekday)
        case "bool":
            return isinstance(value, bool)
        case "float":
            return isinstance(value, float)
        case "dict":
            return isinstance(value, dict) and not isinstance(value, AnyKeyMap)
        case "time":
            return isinstance(value, Time)
    return False


def _checked(kind: str, value: object) -> object:
    if value is None:
        return (
            {} if kind == "dict" else Time.at((1, 1, 1), 0, UTC_LOCATION) if kind == "time" else _ZERO[kind]
        )
    if not _fits(kind, value):
        raise Fault(f"reflect: Call using {go_type(value)} as type {_NAMES[kind]}")
    return value


def function(name: str, signature: str, call: Callable[..., object], *, frame: bool = False) -> Function:
    """A sprig function. signature: kinds of the arguments, the last with * if there may be any number of it.

    frame: the call takes the frame of the evaluation first.
    """
    kinds = signature.split()
    rest = kinds.pop().removesuffix("*") if signature.endswith("*") else None
    count = len(kinds)

    def checked(in_frame: Frame, *values: object) -> object:
        if len(values) < count or (rest is None and len(values) > count):
            at_least = "at least " if rest else ""
            raise Fault(f"invalid number of arguments: expected {at_least}{count}, got {len(values)}")
        wanted = kinds + [rest] * (len(values) - count) if rest else kinds
        arguments = list(map(_checked, wanted, values))
        return call(in_frame, *arguments) if frame else call(*arguments)

    return Function(name, checked, needs_frame=True)
