"""The schedules of cron workflows: what `*/5 9-17 * * mon-fri`, `@daily` and `@every 90s` mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from nbflow.errors import NbflowError
from nbflow.units import go_duration

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_ZONE = re.compile(r"(?:TZ|CRON_TZ)=(\S*)(\s*)")
_SEARCHED = 5 * 366
"""Days: one that has no day within five years never comes."""


class ScheduleError(NbflowError):
    """A schedule, or its time zone, that is none."""


@dataclass(frozen=True, slots=True)
class _Field:
    least: int
    most: int
    names: tuple[str, ...] = ()


_FIELDS = (_Field(0, 59), _Field(0, 23), _Field(1, 31), _Field(1, 12, _MONTHS), _Field(0, 6, _DAYS))


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something starts. every: from one time to the next, None if the fields say it.

    any_day: the day of the month or that of the week is `*`, so that both have to fit; else one is enough.
    zone: whose clock counts, None for that of this machine.
    """

    minutes: frozenset[int] = frozenset()
    hours: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    any_day: bool = False
    zone: tzinfo | None = None
    every: timedelta | None = None

    @classmethod
    def parse(cls, text: str, timezone: str = "") -> Schedule:
        """A schedule, in the time zone of that name ("" for this machine's). Raises ScheduleError."""
        if not text:
            raise ScheduleError("empty spec string")
        zoned = _ZONE.match(text)
        if zoned:
            timezone, text = zoned[1] or "UTC", text[zoned.end() :]
        zone = zone_of(timezone) if timezone else None
        if text.startswith("@every "):
            return cls(zone=zone, every=_every(text))
        if text.startswith("@"):
            if text not in _DESCRIPTORS:
                raise ScheduleError(f"unrecognized descriptor: {text}")
            text = _DESCRIPTORS[text]
        parts = text.split()
        if len(parts) != len(_FIELDS):
            raise ScheduleError(f"expected exactly 5 fields, found {len(parts)}: [{' '.join(parts)}]")
        found = [_values(part, field) for part, field in zip(parts, _FIELDS, strict=True)]
        (minutes, _), (hours, _), (days, any_day), (months, _), (weekdays, any_weekday) = found
        return cls(minutes, hours, days, months, weekdays, any_day or any_weekday, zone)

    def next(self, after: datetime) -> datetime | None:
        """The first time after that one; None if there is none. Both aware; the result has the schedule's zone."""
        if self.every is not None:
            return (after + self.every).replace(microsecond=0)
        after = after.astimezone(UTC)  # times of one zone are compared by its clock, which may go back
        day = after.astimezone(self.zone).date()
        for number in range(_SEARCHED):
            found = [time for time in self._times(day + timedelta(days=number)) if time > after]
            if found:
                return min(found).astimezone(self.zone)
        return None

    def previous(self, before: datetime, after: datetime) -> datetime | None:
        """The last time between two others, None if there is none; with @every, counted from `after`."""
        before, after = before.astimezone(UTC), after.astimezone(UTC)
        if self.every is not None:
            count = (before - after) // self.every
            return (after + count * self.every).replace(microsecond=0) if count > 0 else None
        day, first = before.astimezone(self.zone).date(), after.astimezone(self.zone).date()
        for number in range(min((day - first).days, _SEARCHED) + 1):
            found = [time for time in self._times(day - timedelta(days=number)) if after < time < before]
            if found:
                return max(found).astimezone(self.zone)
        return None

    def _times(self, day: date) -> Iterator[datetime]:
        """The times of a day, in UTC: an hour that the clock skips has none, one that it repeats has them twice."""
        if not self._fits(day):
            return
        for hour in self.hours:
            for minute in self.minutes:
                wall = datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - the zone follows
                for fold in (0, 1):
                    zoned = wall.replace(fold=fold, tzinfo=self.zone)
                    time = (zoned if self.zone is not None else zoned.astimezone()).astimezone(UTC)
                    if time.astimezone(self.zone).replace(tzinfo=None, fold=0) == wall:
                        yield time

    def _fits(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        of_month, of_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (of_month and of_week) if self.any_day else (of_month or of_week)


def schedules_of(spec: Mapping[str, object]) -> list[str]:
    """The schedules of a cron workflow as they are written. Before v3.6 it had one, `schedule`."""
    listed = spec.get("schedules")
    if isinstance(listed, list):
        return [str(one) for one in listed]
    return [str(spec["schedule"])] if spec.get("schedule") else []


def zone_of(name: str) -> tzinfo | None:
    """The time zone of that name; None for "Local". Raises ScheduleError if there is none."""
    from zoneinfo import ZoneInfo

    if name in {"UTC", ""}:
        return UTC
    if name == "Local":
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ScheduleError(f"provided bad location {name}: unknown time zone {name}") from None


def _every(text: str) -> timedelta:
    try:
        every = go_duration(text.removeprefix("@every "))
    except NbflowError:
        raise ScheduleError(f"failed to parse duration {text}") from None
    return max(timedelta(seconds=int(every.total_seconds())), timedelta(seconds=1))


def _values(text: str, field: _Field) -> tuple[frozenset[int], bool]:
    """What a field means: ranges, joined by commas; whether one of them is all there is."""
    ranges = [_range(part, field) for part in text.split(",") if part]
    return frozenset(value for values, _ in ranges for value in values), any(whole for _, whole in ranges)


def _range(text: str, field: _Field) -> tuple[range, bool]:
    """`*`, a number, or a range, with a step or without."""
    span, *steps = text.split("/")
    bounds = span.split("-")
    if len(bounds) > 2:
        raise ScheduleError(f"too many hyphens: {text}")
    if len(steps) > 1:
        raise ScheduleError(f"too many slashes: {text}")
    whole = bounds[0] in {"*", "?"}
    start, end = (field.least, field.most) if whole else _ends(bounds, field)
    step = _whole(steps[0]) if steps else 1
    if steps and len(bounds) == 1:
        end = field.most
    if step == 0:
        raise ScheduleError(f"step of range should be a positive number: {text}")
    if start < field.least:
        raise ScheduleError(f"beginning of range ({start}) below minimum ({field.least}): {text}")
    if end > field.most:
        raise ScheduleError(f"end of range ({end}) above maximum ({field.most}): {text}")
    if start > end:
        raise ScheduleError(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    return range(start, end + 1, step), whole and step == 1


def _ends(bounds: list[str], field: _Field) -> tuple[int, int]:
    numbers = [_number(bound, field) for bound in bounds]
    return numbers[0], numbers[-1]


def _number(text: str, field: _Field) -> int:
    """A number, or the name of a month or day."""
    if text.lower() in field.names:
        return field.names.index(text.lower()) + field.least
    return _whole(text)


def _whole(text: str) -> int:
    if not re.fullmatch(r"[-+]?\d+", text):
        raise ScheduleError(f"failed to parse int from {text}")
    number = int(text)
    if number < 0:
        raise ScheduleError(f"negative number ({number}) not allowed: {text}")
    return number
