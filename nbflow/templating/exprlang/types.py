"""The types that the checker reasons with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from nbflow.templating.golang.moments import Duration, Location, Month, Time, Weekday
from nbflow.templating.golang.values import AnyKeyMap, Function, Int64


@dataclass(frozen=True, slots=True)
class Type:
    """kind: what operations ask for. name: as Go prints it. element: of arrays and maps. result: of functions."""

    kind: str
    name: str
    element: Type | None = None

    def __str__(self) -> str:
        return self.name

    @property
    def unknown(self) -> bool:
        return self.kind == "unknown"

    @property
    def number(self) -> bool:
        return self.kind in ("int", "float")


UNKNOWN: Final = Type("unknown", "unknown")
ANY: Final = Type("unknown", "interface {}")
"""As little known, but something can be assigned to it: what is in a map or list."""

NIL: Final = Type("nil", "unknown")
BOOL: Final = Type("bool", "bool")
INT: Final = Type("int", "int")
INT64: Final = Type("int", "int64")
FLOAT: Final = Type("float", "float64")
STRING: Final = Type("string", "string")
BYTES: Final = Type("array", "[]uint8", INT)
ARRAY: Final = Type("array", "[]interface {}", ANY)
MAP: Final = Type("map", "map[string]interface {}", ANY)
ANY_MAP: Final = Type("map", "map[interface {}]interface {}", ANY)
TIME: Final = Type("time", "time.Time")
DURATION: Final = Type("duration", "time.Duration")
MONTH: Final = Type("month", "time.Month")
WEEKDAY: Final = Type("weekday", "time.Weekday")
LOCATION: Final = Type("location", "*time.Location")
FUNCTION: Final = Type("func", "func(...interface {}) interface {}")
FUNCTION_TO_STRING: Final = Type("func", "func(interface {}) string", STRING)

_PYTHON: Final[tuple[tuple[type, Type], ...]] = (
    (bool, BOOL), (Month, MONTH), (Weekday, WEEKDAY), (Int64, INT64), (int, INT), (float, FLOAT), (str, STRING),
    (bytes, BYTES), (list, ARRAY), (AnyKeyMap, ANY_MAP), (dict, MAP), (Time, TIME), (Duration, DURATION),
    (Location, LOCATION), (Function, FUNCTION),
)  # fmt: skip


def array_of(element: Type) -> Type:
    return Type("array", ARRAY.name, element)


_PLAIN: Final = {str: STRING, int: INT, float: FLOAT, bool: BOOL, list: ARRAY, dict: MAP}
"""What nearly all values are."""


def type_of(value: object) -> Type:
    """The type that a variable has because of its value."""
    plain = _PLAIN.get(type(value))
    if plain is not None:
        return plain
    if value is None:
        return NIL
    if type(value) is Function:
        return FUNCTION_TO_STRING if value.type.endswith(" string") else FUNCTION
    return next((known for python, known in _PYTHON if isinstance(value, python)), UNKNOWN)


def assignable(source: Type, target: Type) -> bool:
    if source.kind == "nil":
        return target.kind in ("map", "array", "func", "location") or target is ANY
    if UNKNOWN in (source, target):
        return False
    return target == ANY or source.name == target.name


def comparable(left: Type, right: Type) -> bool:
    """Whether == makes sense."""
    return (
        left.unknown
        or right.unknown
        or "nil" in (left.kind, right.kind)
        or (left.number and right.number)
        or (left.kind == right.kind == "array")
        or assignable(left, right)
    )


def maybe(left: Type, right: Type, *kinds: str) -> bool:
    """Whether values of the kinds may come together, one side or both being unknown."""
    return (
        (left.unknown and right.unknown)
        or (left.unknown and right.kind in kinds)
        or (right.unknown and left.kind in kinds)
    )
