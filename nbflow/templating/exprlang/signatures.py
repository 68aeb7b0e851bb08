"""What the functions of the language take and give, for the checker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nbflow.templating.exprlang.types import (
    ANY,
    ANY_MAP,
    ARRAY,
    DURATION,
    FLOAT,
    INT,
    INT64,
    LOCATION,
    MONTH,
    STRING,
    TIME,
    UNKNOWN,
    WEEKDAY,
    Type,
)

NUMBER: Final = ("int", "float")


@dataclass(frozen=True, slots=True)
class Signature:
    """arguments: the kinds that each may have, "" for any; least: how many must be there.

    many: the last may be repeated. result: None means the type of the first argument. shielding: behind the first
    argument of one of these kinds, or of unknown kind, nothing is looked at.
    """

    arguments: tuple[tuple[str, ...], ...]
    result: Type | None
    least: int
    many: bool = False
    shielding: tuple[str, ...] = ()

    def problem(self, name: str, given: Sequence[Type]) -> str:
        """Why the arguments do not fit, "" if they do."""
        if len(given) < self.least:
            return f"not enough arguments to call {name}"
        if len(given) > len(self.arguments) and not self.many:
            return f"too many arguments to call {name}"
        for index, argument in enumerate(given):
            kinds = self.arguments[min(index, len(self.arguments) - 1)]
            if kinds and not argument.unknown and argument.kind not in kinds:
                return f"invalid argument for {name} (type {argument})"
            if self.shielding and (argument.unknown or argument.kind in self.shielding):
                break
        return ""

    def gives(self, given: Sequence[Type]) -> Type:
        """The type of the result."""
        if self.result is not None:
            return self.result
        if any(argument.unknown or (self.many and argument.kind == "array") for argument in given):
            return ANY
        return ARRAY if given[0].name == ARRAY.name else given[0]


_TEXT, _INT, _NUM, _LIST, _MAPS, _ANY = ("string",), ("int",), NUMBER, ("array",), ("map",), ()


def _takes(
    *arguments: tuple[str, ...], gives: Type | None, least: int | None = None, many: bool = False
) -> Signature:
    return Signature(arguments, gives, len(arguments) if least is None else least, many)


_AGGREGATE: Final = Signature(((*NUMBER, "duration", "array"),), None, 1, many=True, shielding=("array",))
_BITS: Final = _takes(_INT, _INT, gives=INT)
_ROUND: Final = _takes(_NUM, gives=FLOAT)
_TEXTS: Final = Type("array", "[]string", STRING)

SIGNATURES: Final[dict[str, Signature]] = {
    "len": _takes(("array", "map", "string"), gives=INT),
    "type": _takes(_ANY, gives=STRING),
    "abs": _takes(_NUM, gives=None),
    "ceil": _ROUND,
    "floor": _ROUND,
    "round": _ROUND,
    "int": _takes((*NUMBER, "string", "duration", "month", "weekday"), gives=INT),
    "float": _takes((*NUMBER, "string", "duration", "month", "weekday"), gives=FLOAT),
    "string": _takes(_ANY, gives=STRING),
    "trim": _takes(_TEXT, _TEXT, gives=STRING, least=1),
    "trimPrefix": _takes(_TEXT, _TEXT, gives=STRING, least=1),
    "trimSuffix": _takes(_TEXT, _TEXT, gives=STRING, least=1),
    "upper": _takes(_TEXT, gives=STRING),
    "lower": _takes(_TEXT, gives=STRING),
    "split": _takes(_TEXT, _TEXT, _INT, gives=_TEXTS, least=2),
    "splitAfter": _takes(_TEXT, _TEXT, _INT, gives=_TEXTS, least=2),
    "replace": _takes(_TEXT, _TEXT, _TEXT, _INT, gives=STRING, least=3),
    "repeat": _takes(_TEXT, _INT, gives=STRING),
    "join": _takes(_LIST, _TEXT, gives=STRING, least=1),
    "indexOf": _takes(_TEXT, _TEXT, gives=INT),
    "lastIndexOf": _takes(_TEXT, _TEXT, gives=INT),
    "hasPrefix": _takes(_TEXT, _TEXT, gives=Type("bool", "bool")),
    "hasSuffix": _takes(_TEXT, _TEXT, gives=Type("bool", "bool")),
    **dict.fromkeys(("max", "min", "mean", "median"), _AGGREGATE),
    "toJSON": _takes(_ANY, gives=STRING),
    "fromJSON": _takes(_TEXT, gives=UNKNOWN),
    "toBase64": _takes(_TEXT, gives=STRING),
    "fromBase64": _takes(_TEXT, gives=STRING),
    "now": _takes(("location",), gives=TIME, least=0),
    "duration": _takes(_TEXT, gives=DURATION),
    "date": _takes(_ANY, _ANY, _ANY, _ANY, gives=TIME, least=1),
    "timezone": _takes(_TEXT, gives=LOCATION),
    "first": _takes(_LIST, gives=UNKNOWN),
    "last": _takes(_LIST, gives=UNKNOWN),
    "get": _takes(("array", "map"), _ANY, gives=UNKNOWN),
    "take": _takes(_LIST, _INT, gives=None),
    "keys": _takes(_MAPS, gives=ARRAY),
    "values": _takes(_MAPS, gives=ARRAY),
    "toPairs": _takes(_MAPS, gives=ARRAY),
    "fromPairs": _takes(_LIST, gives=ANY_MAP),
    "reverse": _takes(_LIST, gives=ARRAY),
    "uniq": _takes(_LIST, gives=ARRAY),
    "concat": _takes(_LIST, gives=ARRAY, many=True),
    "flatten": _takes(_LIST, gives=ARRAY),
    "sort": _takes(_LIST, _TEXT, gives=ARRAY, least=1),
    **dict.fromkeys(("bitand", "bitor", "bitxor", "bitnand", "bitshl", "bitshr", "bitushr"), _BITS),
    "bitnot": _takes(_INT, gives=INT),
}

METHODS: Final[dict[str, dict[str, Type]]] = {
    "time": {
        **dict.fromkeys(("Year", "Day", "Hour", "Minute", "Second", "Nanosecond", "YearDay", "Compare"), INT),
        **dict.fromkeys(("Unix", "UnixMilli", "UnixMicro", "UnixNano"), INT64),
        **dict.fromkeys(("UTC", "Local", "In", "Add", "AddDate", "Truncate", "Round"), TIME),
        **dict.fromkeys(("Before", "After", "Equal", "IsZero", "IsDST"), Type("bool", "bool")),
        **dict.fromkeys(("Format", "String"), STRING),
        "Month": MONTH, "Weekday": WEEKDAY, "Sub": DURATION, "Location": LOCATION,
        "ISOWeek": INT, "Zone": STRING,
        **dict.fromkeys(("Date", "Clock", "MarshalJSON"), UNKNOWN),
    },
    "duration": {
        **dict.fromkeys(("Hours", "Minutes", "Seconds"), FLOAT),
        **dict.fromkeys(("Milliseconds", "Microseconds", "Nanoseconds"), INT64),
        **dict.fromkeys(("Abs", "Truncate", "Round"), DURATION),
        "String": STRING,
    },
    "month": {"String": STRING},
    "weekday": {"String": STRING},
    "location": {"String": STRING},
}  # fmt: skip
"""Results of the methods, by the kind of what they belong to."""
