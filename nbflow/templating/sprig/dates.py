"""sprig's functions on dates. The zone Local is UTC, as in Argo's controller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from nbflow.templating.exprlang.builtins.conversions import parse_int
from nbflow.templating.exprlang.frame import Frame
from nbflow.templating.golang.layouts import format_time, parse_time
from nbflow.templating.golang.moments import HOUR, MINUTE, SECOND, UTC_LOCATION, Duration, Time, load_location
from nbflow.templating.golang.values import Fault, Function, Int64, is_int
from nbflow.templating.sprig.signature import function

_ZERO: Final = Time.at((1, 1, 1), 0, UTC_LOCATION)
_DAY: Final = 24 * HOUR
_UNITS: Final = ((365 * _DAY, "y"), (30 * _DAY, "mo"), (_DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s"))


def _moment(frame: Frame, value: object) -> Time:
    """A time, or seconds since 1970; now for anything else."""
    if isinstance(value, Time):
        return value
    if isinstance(value, int) and is_int(value):
        return Time(value * SECOND)
    return Time.of(frame.clock.now)


def date_in_zone(frame: Frame, layout: str, value: object, zone: str) -> str:
    try:
        location = load_location(zone)
    except Fault:
        location = UTC_LOCATION
    return format_time(_moment(frame, value).seen_in(location), layout)


def modify(amount: str, time: Time) -> Time:
    try:
        return time.add(Duration.parse(amount))
    except Fault:
        return time


def ago(frame: Frame, value: object) -> str:
    return str(Time.of(frame.clock.now).sub(_moment(frame, value)).round(SECOND))


def duration(value: object) -> str:
    seconds = value if isinstance(value, Int64) else parse_int(value) or 0 if isinstance(value, str) else 0
    return str(Duration(seconds * SECOND))


def duration_round(frame: Frame, value: object) -> str:
    """The largest unit that the duration is longer than."""
    nanoseconds = abs(_length(frame, value))
    for size, unit in _UNITS:
        if nanoseconds > size:
            return f"{nanoseconds // size}{unit}"
    return "0s"


def _length(frame: Frame, value: object) -> int:
    if isinstance(value, Int64):
        return value
    if isinstance(value, Time):
        return Time.of(frame.clock.now).sub(value).nanoseconds
    try:
        return Duration.parse(value).nanoseconds if isinstance(value, str) else 0
    except Fault:
        return 0


def to_date(layout: str, text: str) -> Time:
    try:
        return parse_time(text, layout)
    except Fault:
        return _ZERO


def _unix(time: Time) -> str:
    return str(time.nanoseconds // SECOND)


_WITH_FRAME: Final[dict[str, tuple[str, Callable[..., object]]]] = {
    "now": ("", lambda frame: Time.of(frame.clock.now)),
    "ago": ("any", ago),
    "date": ("string any", lambda frame, layout, value: date_in_zone(frame, layout, value, "Local")),
    "date_in_zone": ("string any string", date_in_zone),
    "dateInZone": ("string any string", date_in_zone),
    "durationRound": ("any", duration_round),
    "htmlDate": ("any", lambda frame, value: date_in_zone(frame, "2006-01-02", value, "Local")),
    "htmlDateInZone": (
        "any string",
        lambda frame, value, zone: date_in_zone(frame, "2006-01-02", value, zone),
    ),
}
_PLAIN: Final[dict[str, tuple[str, Callable[..., object]]]] = {
    "date_modify": ("string time", modify),
    "dateModify": ("string time", modify),
    "must_date_modify": ("string time", lambda amount, time: time.add(Duration.parse(amount))),
    "mustDateModify": ("string time", lambda amount, time: time.add(Duration.parse(amount))),
    "duration": ("any", duration),
    "toDate": ("string string", to_date),
    "mustToDate": ("string string", lambda layout, text: parse_time(text, layout)),
    "unixEpoch": ("time", _unix),
}

FUNCTIONS: Final[dict[str, Function]] = {name: function(name, *entry) for name, entry in _PLAIN.items()} | {
    name: function(name, *entry, frame=True) for name, entry in _WITH_FRAME.items()
}
