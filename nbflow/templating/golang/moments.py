"""Go's time.Time, time.Duration, time.Month and time.Location."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

from nbflow.templating.golang.values import Fault

NANOSECOND: Final = 1
MICROSECOND: Final = 1_000
MILLISECOND: Final = 1_000_000
SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
_DAY: Final = 24 * HOUR
_LONGEST: Final = 1 << 63
"""Nanoseconds between times, at most."""

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
WEEKDAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


class Month(int):
    """A month that is printed by its name. Not comparable with a plain number."""

    GO_TYPE: ClassVar = "time.Month"

    def __str__(self) -> str:
        return MONTHS[int(self) - 1] if 1 <= self <= 12 else f"%!Month({int(self)})"


class Weekday(int):
    """A day of the week that is printed by its name; Sunday is 0."""

    GO_TYPE: ClassVar = "time.Weekday"

    def __str__(self) -> str:
        return WEEKDAYS[int(self)] if 0 <= self <= 6 else f"%!Weekday({int(self)})"


_UNITS: Final = {
    "ns": NANOSECOND, "us": MICROSECOND, "µs": MICROSECOND, "μs": MICROSECOND, "ms": MILLISECOND,
    "s": SECOND, "m": MINUTE, "h": HOUR,
}  # fmt: skip
_NUMBER = re.compile(r"[0-9]+|\.[0-9]+")
_DURATION = re.compile(r"(\d*)(?:\.(\d*))?([^\d.]+)")


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time in nanoseconds."""

    GO_TYPE: ClassVar = "time.Duration"
    nanoseconds: int

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read "1h30m", "-1.5s", "300ms". Raises Fault."""
        body = text[1:] if text[:1] in ("-", "+") else text
        if body == "0":
            return cls(0)
        total, position = 0, 0
        while position < len(body):
            match = _DURATION.match(body, position)
            if match is None or not (match[1] or match[2]):
                break
            total += _part(match, text)
            position = match.end()
        if not body or position < len(body):
            lacks = "missing unit in" if _NUMBER.match(body, position) else "invalid"
            raise Fault(f'time: {lacks} duration "{text}"')
        return cls(-total if text.startswith("-") else total)

    def __str__(self) -> str:
        magnitude = abs(self.nanoseconds)
        sign = "-" if self.nanoseconds < 0 else ""
        if magnitude == 0:
            return "0s"
        for unit, size in (("ns", 1), ("µs", MICROSECOND), ("ms", MILLISECOND)):
            if magnitude < size * 1000:
                return f"{sign}{_decimal(magnitude, size)}{unit}"
        hours, rest = divmod(magnitude, HOUR)
        minutes, rest = divmod(rest, MINUTE)
        text = f"{_decimal(rest, SECOND)}s"
        if hours or minutes:
            text = f"{minutes}m{text}"
        return f"{sign}{f'{hours}h' if hours else ''}{text}"

    def to_json(self) -> str:
        return str(self.nanoseconds)

    def truncate(self, unit: int) -> Duration:
        """Rounded towards zero to a multiple of `unit`."""
        if unit <= 0:
            return self
        whole = abs(self.nanoseconds) // unit * unit
        return Duration(-whole if self.nanoseconds < 0 else whole)

    def round(self, unit: int) -> Duration:
        """Rounded to the nearest multiple of `unit`, halves away from zero."""
        if unit <= 0:
            return self
        whole = (abs(self.nanoseconds) + unit // 2 + unit % 2 * 0) // unit * unit
        return Duration(-whole if self.nanoseconds < 0 else whole)


def _part(match: re.Match[str], text: str) -> int:
    unit = _UNITS.get(match[3])
    if unit is None:
        raise Fault(f'time: unknown unit "{match[3]}" in duration "{text}"')
    if len(match[0]) > 40:
        raise Fault(f'time: invalid duration "{text}"')
    fraction = match[2] or ""
    total = int(match[1] or 0) * unit + (int(fraction) * unit // 10 ** len(fraction) if fraction else 0)
    if total >= 1 << 63:
        raise Fault(f'time: invalid duration "{text}"')
    return total


def _decimal(amount: int, size: int) -> str:
    whole, rest = divmod(amount, size)
    if not rest:
        return str(whole)
    digits = str(rest).rjust(len(str(size)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}"


@dataclass(frozen=True, slots=True)
class Location:
    """A time zone. zone: None for UTC."""

    GO_TYPE: ClassVar = "*time.Location"
    name: str
    zone: tzinfo

    def __str__(self) -> str:
        return self.name

    def to_json(self) -> str:
        return "{}"

    def offset(self, seconds: int) -> tuple[int, str]:
        """Seconds east of UTC and the abbreviation, at this many seconds since 1970."""
        if self.zone is UTC:
            return 0, "UTC"
        inside = min(max(seconds, -62_000_000_000), 253_000_000_000)
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=inside)
        local = at.astimezone(self.zone)
        offset = local.utcoffset() or timedelta()
        return int(offset.total_seconds()), self.name_at(local)

    def name_at(self, local: datetime) -> str:
        if isinstance(self.zone, timezone):
            return self.name
        return local.tzname() or ""


UTC_LOCATION: Final = Location("UTC", UTC)


@lru_cache(maxsize=128)
def load_location(name: str) -> Location:
    """The time zone of that name in the machine's database. Raises Fault."""
    if name in ("", "UTC"):
        return UTC_LOCATION
    if name == "Local":
        return Location("Local", UTC)
    try:
        return Location(name, ZoneInfo(name))
    except (ValueError, OSError, LookupError):
        raise Fault(f"unknown time zone {name}") from None


def fixed_location(name: str, seconds: int) -> Location:
    """A zone that is always this many seconds east of UTC."""
    if abs(seconds) >= 86400:
        raise Fault(f"the time zone offset {seconds}s is out of range")
    return Location(name, timezone(timedelta(seconds=seconds)))


def days_of(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a date; months beyond 12 and days beyond the month carry over."""
    year += (month - 1) // 12
    month = (month - 1) % 12 + 1
    shifted = year - (month <= 2)
    era, year_of_era = divmod(shifted, 400)
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5
    return (
        era * 146_097
        + year_of_era * 365
        + year_of_era // 4
        - year_of_era // 100
        + day_of_year
        - 719_468
        + day
        - 1
    )


def date_of(days: int) -> tuple[int, int, int]:
    """Year, month and day, that many days after 1970-01-01."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1


@dataclass(frozen=True, slots=True, eq=False)
class Time:
    """A moment with nanoseconds, seen in a time zone. nanoseconds: since 1970 in UTC."""

    GO_TYPE: ClassVar = "time.Time"
    nanoseconds: int
    location: Location = UTC_LOCATION

    @classmethod
    def of(cls, moment: datetime) -> Time:
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
        return cls((since.days * 86_400 + since.seconds) * SECOND + since.microseconds * MICROSECOND)

    @classmethod
    def at(cls, date: tuple[int, int, int], nanoseconds: int, location: Location) -> Time:
        """A date and the nanoseconds since its midnight, in a zone."""
        local = days_of(*date) * _DAY + nanoseconds
        guess = local - location.offset(local // SECOND)[0] * SECOND
        offset = location.offset(guess // SECOND)[0]
        return cls(local - offset * SECOND, location)

    def local(self) -> int:
        """Nanoseconds since 1970 by the clock on the wall of its zone."""
        return self.nanoseconds + self.offset()[0] * SECOND

    def offset(self) -> tuple[int, str]:
        return self.location.offset(self.nanoseconds // SECOND)

    def date(self) -> tuple[int, int, int]:
        return date_of(self.local() // _DAY)

    def clock(self) -> tuple[int, int, int, int]:
        """Hour, minute, second, nanosecond."""
        rest = self.local() % _DAY
        return rest // HOUR, rest // MINUTE % 60, rest // SECOND % 60, rest % SECOND

    def year_day(self) -> int:
        return self.local() // _DAY - days_of(self.date()[0], 1, 1) + 1

    def weekday(self) -> int:
        return (self.local() // _DAY + 4) % 7

    def add(self, duration: Duration) -> Time:
        return Time(self.nanoseconds + duration.nanoseconds, self.location)

    def add_date(self, years: int, months: int, days: int) -> Time:
        year, month, day = self.date()
        return Time.at((year + years, month + months, day + days), self.local() % _DAY, self.location)

    def sub(self, other: Time) -> Duration:
        return Duration(min(max(self.nanoseconds - other.nanoseconds, -_LONGEST), _LONGEST - 1))

    def seen_in(self, location: Location) -> Time:
        return Time(self.nanoseconds, location)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Time) and self.nanoseconds == other.nanoseconds

    def __lt__(self, other: Time) -> bool:
        return self.nanoseconds < other.nanoseconds

    def __hash__(self) -> int:
        return hash(self.nanoseconds)

    def __str__(self) -> str:
        from nbflow.templating.golang.layouts import format_time

        return format_time(self, "2006-01-02 15:04:05.999999999 -0700 MST")

    def to_json(self) -> str:
        from nbflow.templating.golang.layouts import RFC3339_NANO, format_time

        if not 0 <= self.date()[0] <= 9999:
            raise Fault(
                "json: error calling MarshalJSON for type time.Time: "
                "Time.MarshalJSON: year outside of range [0,9999]"
            )
        return f'"{format_time(self, RFC3339_NANO)}"'
