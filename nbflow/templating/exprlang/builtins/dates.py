"""Functions on dates. now() is not here: it needs the clock of the evaluation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from nbflow.templating.exprlang.operators import text
from nbflow.templating.golang.layouts import RFC822, RFC850, RFC1123, RFC3339, parse_time
from nbflow.templating.golang.moments import UTC_LOCATION, Duration, Location, Time, load_location
from nbflow.templating.golang.values import Fault

_LAYOUTS: Final = ("2006-01-02", "15:04:05", "2006-01-02 15:04:05", RFC3339, RFC822, RFC850, RFC1123)


def duration(value: object) -> Duration:
    return Duration.parse(text(value))


def timezone(name: object) -> Location:
    return load_location(text(name))


def date(*arguments: object) -> Time:
    """The time that a text says: a text, maybe a layout, maybe a zone; the zone may come first."""
    location = UTC_LOCATION
    if arguments and isinstance(arguments[0], Location):
        location, arguments = arguments[0], arguments[1:]
    if not 1 <= len(arguments) <= 3:
        raise Fault(f"invalid number of arguments (expected at least 1, got {len(arguments)})")
    value, *rest = map(text, arguments)
    if len(rest) == 2:
        location = load_location(rest[1])
    if rest:
        return parse_time(value, rest[0], location)
    for layout in _LAYOUTS:
        try:
            return parse_time(value, layout, location)
        except Fault:
            continue
    raise Fault(f"invalid date {value}")


FUNCTIONS: Final[dict[str, Callable[..., object]]] = {
    "duration": duration,
    "timezone": timezone,
    "date": date,
}
