"""Times as text by Go's layouts ("2006-01-02 15:04:05"), written and read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from nbflow.templating.golang.moments import (
    MONTHS,
    SECOND,
    UTC_LOCATION,
    WEEKDAYS,
    Location,
    Time,
    days_of,
    fixed_location,
)
from nbflow.templating.golang.text import quote
from nbflow.templating.golang.values import Fault

ANSIC: Final = "Mon Jan _2 15:04:05 2006"
UNIX_DATE: Final = "Mon Jan _2 15:04:05 MST 2006"
RUBY_DATE: Final = "Mon Jan 02 15:04:05 -0700 2006"
RFC822: Final = "02 Jan 06 15:04 MST"
RFC850: Final = "Monday, 02-Jan-06 15:04:05 MST"
RFC1123: Final = "Mon, 02 Jan 2006 15:04:05 MST"
RFC3339: Final = "2006-01-02T15:04:05Z07:00"
RFC3339_NANO: Final = "2006-01-02T15:04:05.999999999Z07:00"
KITCHEN: Final = "3:04PM"

_ELEMENT = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|Z07:00:00|Z070000|Z07:00|Z0700|Z07|-07:00:00|-070000|-07:00|-0700|-07"
    r"|2006|_2006|__2|_2|002|01|02|03|04|05|06|15|PM|pm|[.,](?:0+|9+)(?!\d)|[1-5]"
)


@lru_cache(maxsize=256)
def _elements(layout: str) -> tuple[tuple[str, bool], ...]:
    """The layout in pieces: (text, whether it stands for a part of the time)."""
    pieces: list[tuple[str, bool]] = []
    position = 0
    for match in _ELEMENT.finditer(layout):
        start, element = match.start(), match[0]
        if element == "_2006":
            start, element = start + 1, "2006"
        if start > position:
            pieces.append((layout[position:start], False))
        pieces.append((element, True))
        position = match.end()
    if position < len(layout):
        pieces.append((layout[position:], False))
    return tuple(pieces)


def format_time(time: Time, layout: str) -> str:
    """`time` by a layout."""
    return "".join(_format(time, piece) if is_element else piece for piece, is_element in _elements(layout))


def _format(time: Time, element: str) -> str:
    year, month, day = time.date()
    hour, minute, second, nanosecond = time.clock()
    simple = {
        "January": MONTHS[month - 1], "Jan": MONTHS[month - 1][:3], "1": str(month), "01": f"{month:02d}",
        "Monday": WEEKDAYS[time.weekday()], "Mon": WEEKDAYS[time.weekday()][:3],
        "2": str(day), "_2": f"{day:2d}", "02": f"{day:02d}",
        "__2": f"{time.year_day():3d}", "002": f"{time.year_day():03d}",
        "15": f"{hour:02d}", "3": str(hour % 12 or 12), "03": f"{hour % 12 or 12:02d}",
        "4": str(minute), "04": f"{minute:02d}", "5": str(second), "05": f"{second:02d}",
        "2006": f"{year:04d}", "06": f"{year % 100:02d}",
        "PM": "PM" if hour >= 12 else "AM", "pm": "pm" if hour >= 12 else "am",
    }  # fmt: skip
    if element in simple:
        return simple[element]
    if element[0] in ".,":
        return _fraction(element, nanosecond)
    offset, name = time.offset()
    if element == "MST":
        return name or _plain_zone(offset)
    return _zone(element, offset)


def _plain_zone(offset: int) -> str:
    sign, magnitude = ("-" if offset < 0 else "+"), abs(offset) // 60
    return f"{sign}{magnitude // 60:02d}{magnitude % 60:02d}"


def _fraction(element: str, nanosecond: int) -> str:
    digits = f"{nanosecond:09d}"[: len(element) - 1].ljust(len(element) - 1, "0")
    if element[1] == "9":
        digits = digits.rstrip("0")
        return element[0] + digits if digits else ""
    return element[0] + digits


def _zone(element: str, offset: int) -> str:
    if element[0] == "Z" and offset == 0:
        return "Z"
    sign, magnitude = ("-" if offset < 0 else "+"), abs(offset)
    parts = [f"{magnitude // 3600:02d}"]
    shape = element[1:].replace(":", "")
    if len(shape) >= 4:
        parts.append(f"{magnitude // 60 % 60:02d}")
    if len(shape) == 6:
        parts.append(f"{magnitude % 60:02d}")
    return sign + (":" if ":" in element else "").join(parts)


_NUMBER: Final = {
    "2006": r"\d{4}", "06": r"\d{2}", "01": r"\d{2}", "1": r"\d{1,2}", "02": r"\d{2}", "2": r"\d{1,2}",
    "_2": r" ?\d{1,2}", "002": r"\d{3}", "__2": r" {0,2}\d{1,3}", "15": r"\d{2}", "3": r"\d{1,2}", "03": r"\d{2}",
    "4": r"\d{1,2}", "04": r"\d{2}", "5": r"\d{1,2}", "05": r"\d{2}",
}  # fmt: skip
_FIELDS: Final = {
    "2006": "year", "06": "short_year", "01": "month", "1": "month", "02": "day", "2": "day", "_2": "day",
    "002": "year_day", "__2": "year_day", "15": "hour", "3": "hour12", "03": "hour12", "4": "minute", "04": "minute",
    "5": "second", "05": "second",
}  # fmt: skip
_ZONE_SHAPE = re.compile(r"([+-])(\d\d):?(\d\d)?:?(\d\d)?")
_ZONE_NAME = re.compile(r"GMT[+-]\d{1,2}|[+-]\d{2,4}|[A-Z]{3,5}")
_LIMITS: Final = {"hour": 23, "hour12": 12, "minute": 59, "second": 59}


@dataclass(slots=True)
class _Parts:
    """What was read of a time so far."""

    numbers: dict[str, int] = field(default_factory=dict)
    nanosecond: int = 0
    afternoon: bool | None = None
    location: Location | None = None


def parse_time(text: str, layout: str, location: Location = UTC_LOCATION) -> Time:
    """Read `text` by a layout; where it names no zone, it means `location`. Raises Fault."""
    parts, rest = _Parts(), text
    for piece, is_element in _elements(layout):
        try:
            rest = _read(parts, piece, rest) if is_element else _skip(piece, rest)
        except (ValueError, IndexError):
            raise Fault(
                f"parsing time {quote(text)} as {quote(layout)}: cannot parse {quote(rest)} as {quote(piece)}"
            ) from None
    if rest:
        raise Fault(f"parsing time {quote(text)}: extra text: {quote(rest)}")
    return _assemble(parts, text, location)


def _skip(prefix: str, rest: str) -> str:
    if not rest.startswith(prefix):
        raise ValueError(prefix)
    return rest[len(prefix) :]


def _read(parts: _Parts, element: str, rest: str) -> str:
    if element in _NUMBER:
        return _read_number(parts, element, rest)
    if element[0] in ".,":
        return _read_fraction(parts, rest, len(element) - 1 if element[1] == "0" else None)
    if element in ("January", "Jan"):
        index, rest = _read_name(MONTHS, rest, short=element == "Jan")
        parts.numbers["month"] = index + 1
        return rest
    if element in ("Monday", "Mon"):
        return _read_name(WEEKDAYS, rest, short=element == "Mon")[1]
    if element in ("PM", "pm"):
        half = rest[:2]
        if half not in (element, "AM" if element == "PM" else "am"):
            raise ValueError(half)
        parts.afternoon = half in ("PM", "pm")
        return rest[2:]
    return _read_zone(parts, element, rest)


def _read_number(parts: _Parts, element: str, rest: str) -> str:
    match = re.match(_NUMBER[element], rest, re.A)
    if match is None:
        raise ValueError(element)
    name, value = _FIELDS[element], int(match[0])
    if value > _LIMITS.get(name, 9999):
        raise Fault(f"parsing time: {name.removesuffix('12')} out of range")
    if name == "short_year":
        name, value = "year", value + (1900 if value >= 69 else 2000)
    if name == "hour12":
        name = "hour"
    parts.numbers[name] = value
    rest = rest[match.end() :]
    if name == "second" and re.match(r"[.,]\d", rest):
        return _read_fraction(parts, rest, None)
    return rest


def _read_fraction(parts: _Parts, rest: str, wanted: int | None) -> str:
    match = re.match(r"[.,](\d+)", rest, re.A)
    if match is None:
        if wanted is not None:
            raise ValueError(rest)
        return rest
    if wanted is not None and len(match[1]) != wanted:
        raise ValueError(rest)
    parts.nanosecond = int(match[1][:9].ljust(9, "0"))
    return rest[match.end() :]


def _read_name(names: tuple[str, ...], rest: str, *, short: bool) -> tuple[int, str]:
    for index, name in enumerate(names):
        wanted = name[:3] if short else name
        if rest[: len(wanted)].lower() == wanted.lower():
            return index, rest[len(wanted) :]
    raise ValueError(rest)


def _read_zone(parts: _Parts, element: str, rest: str) -> str:
    if element == "MST":
        match = _ZONE_NAME.match(rest)
        if match is None:
            raise ValueError(rest)
        parts.location = UTC_LOCATION if match[0] == "UTC" else fixed_location(match[0], 0)
        return rest[match.end() :]
    if element[0] == "Z" and rest[:1] == "Z":
        parts.location = UTC_LOCATION
        return rest[1:]
    length = len(element)
    match = _ZONE_SHAPE.fullmatch(rest[:length])
    if match is None or (":" in element) != (":" in match[0]):
        raise ValueError(rest)
    seconds = int(match[2]) * 3600 + int(match[3] or 0) * 60 + int(match[4] or 0)
    parts.location = fixed_location("", -seconds if match[1] == "-" else seconds) if seconds else UTC_LOCATION
    return rest[length:]


def _assemble(parts: _Parts, text: str, location: Location) -> Time:
    numbers = parts.numbers
    year, month, day = numbers.get("year", 0), numbers.get("month", 1), numbers.get("day", 1)
    if "year_day" in numbers and "month" not in numbers and "day" not in numbers:
        day = numbers["year_day"]
    elif not 1 <= month <= 12:
        raise Fault(f"parsing time {quote(text)}: month out of range")
    elif not 1 <= day <= days_of(year, month + 1, 1) - days_of(year, month, 1):
        raise Fault(f"parsing time {quote(text)}: day out of range")
    hour = numbers.get("hour", 0)
    if parts.afternoon is not None:
        hour = hour % 12 + 12 * parts.afternoon
    seconds = hour * 3600 + numbers.get("minute", 0) * 60 + numbers.get("second", 0)
    return Time.at((year, month, day), seconds * SECOND + parts.nanosecond, parts.location or location)
