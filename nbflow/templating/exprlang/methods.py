"""The methods of times, durations and their parts: now().Year(), duration("1h").Seconds()."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final, TypeVar

from nbflow.templating.exprlang.operators import float_to_int
from nbflow.templating.golang.layouts import format_time
from nbflow.templating.golang.moments import (
    HOUR,
    MICROSECOND,
    MILLISECOND,
    MINUTE,
    SECOND,
    UTC_LOCATION,
    Duration,
    Location,
    Month,
    Time,
    Weekday,
)
from nbflow.templating.golang.values import Fault, Function, Int64, go_type, is_int, wrap_int

T = TypeVar("T")


def _argument(value: object, kind: type[T]) -> T:
    if not isinstance(value, kind) or (kind is int and not is_int(value)):
        raise Fault(f"reflect: Call using {go_type(value)} as type {getattr(kind, 'GO_TYPE', kind.__name__)}")
    return value


def _many_results(_time: Time) -> object:
    raise Fault("a method with more than two results cannot be used in an expression")


def _iso_year(time: Time) -> int:
    """The year of the week; of the two results of ISOWeek an expression sees the first."""
    return date(*time.date()).isocalendar().year


def _unit(argument: object) -> int:
    return _argument(argument, Duration).nanoseconds


_TIME: Final[dict[str, Callable[..., object]]] = {
    "Year": lambda t: t.date()[0],
    "Month": lambda t: Month(t.date()[1]),
    "Day": lambda t: t.date()[2],
    "Hour": lambda t: t.clock()[0],
    "Minute": lambda t: t.clock()[1],
    "Second": lambda t: t.clock()[2],
    "Nanosecond": lambda t: t.clock()[3],
    "Weekday": lambda t: Weekday(t.weekday()),
    "YearDay": lambda t: t.year_day(),
    "Unix": lambda t: Int64(t.nanoseconds // SECOND),
    "UnixMilli": lambda t: Int64(t.nanoseconds // MILLISECOND),
    "UnixMicro": lambda t: Int64(t.nanoseconds // MICROSECOND),
    "UnixNano": lambda t: Int64(wrap_int(t.nanoseconds)),
    "Format": lambda t, layout: format_time(t, _argument(layout, str)),
    "String": str,
    "UTC": lambda t: t.seen_in(UTC_LOCATION),
    "Local": lambda t: t.seen_in(UTC_LOCATION),
    "In": lambda t, place: t.seen_in(_argument(place, Location)),
    "Location": lambda t: t.location,
    "Add": lambda t, length: t.add(_argument(length, Duration)),
    "Sub": lambda t, other: t.sub(_argument(other, Time)),
    "AddDate": lambda t, y, m, d: t.add_date(_argument(y, int), _argument(m, int), _argument(d, int)),
    "Before": lambda t, other: t < _argument(other, Time),
    "After": lambda t, other: _argument(other, Time) < t,
    "Equal": lambda t, other: t == _argument(other, Time),
    "Compare": lambda t, other: (t.nanoseconds > other.nanoseconds) - (t.nanoseconds < other.nanoseconds),
    "IsZero": lambda t: t == Time.at((1, 1, 1), 0, UTC_LOCATION),
    "IsDST": lambda t: False,
    "Truncate": lambda t, unit: _rounded(t, _unit(unit), up=False),
    "Round": lambda t, unit: _rounded(t, _unit(unit), up=True),
    "ISOWeek": _iso_year,
    "Zone": lambda t: t.offset()[1],
    "Date": _many_results,
    "Clock": _many_results,
}

_DURATION: Final[dict[str, Callable[..., object]]] = {
    "Hours": lambda d: d.nanoseconds / HOUR,
    "Minutes": lambda d: d.nanoseconds / MINUTE,
    "Seconds": lambda d: d.nanoseconds / SECOND,
    "Milliseconds": lambda d: Int64(float_to_int(d.nanoseconds / MILLISECOND)),
    "Microseconds": lambda d: Int64(float_to_int(d.nanoseconds / MICROSECOND)),
    "Nanoseconds": lambda d: Int64(d.nanoseconds),
    "String": str,
    "Abs": lambda d: Duration(abs(d.nanoseconds)),
    "Truncate": lambda d, unit: d.truncate(_unit(unit)),
    "Round": lambda d, unit: d.round(_unit(unit)),
}

_METHODS: Final[dict[type, dict[str, Callable[..., object]]]] = {
    Time: _TIME,
    Duration: _DURATION,
    Month: {"String": str},
    Weekday: {"String": str},
    Location: {"String": str},
}


def register(kind: type, methods: dict[str, Callable[..., object]]) -> None:
    """Give the values of another package their methods, once, when that package is read."""
    _METHODS[kind] = methods


def _rounded(time: Time, unit: int, *, up: bool) -> Time:
    """Multiples count from the year 1, as Go counts them."""
    if unit <= 0:
        return time
    zero = Time.at((1, 1, 1), 0, UTC_LOCATION).nanoseconds
    past = (time.nanoseconds - zero) % unit
    shift = unit - past if up and past * 2 >= unit else -past
    return Time(time.nanoseconds + shift, time.location)


def has_method(kind: type, name: str) -> bool:
    """Whether values of that kind have the method."""
    return name in _METHODS.get(kind, {})


def method_of(base: object, name: object) -> Function | None:
    """base.name as a function to call; None if there is no such method."""
    table = _METHODS.get(type(base), {})
    if not isinstance(name, str) or name not in table:
        return None
    method = table[name]
    return Function(name, lambda *arguments: _call(method, name, base, arguments))


def _call(method: Callable[..., object], name: str, base: object, arguments: tuple[object, ...]) -> object:
    try:
        return method(base, *arguments)
    except TypeError:
        raise Fault(f"invalid number of arguments for {name} (got {len(arguments)})") from None
