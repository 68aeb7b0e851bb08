"""Times and durations in the words of argo's command line."""

from __future__ import annotations

from datetime import datetime, timedelta

_SECOND, _MINUTE, _HOUR, _DAY = 1, 60, 3600, 86400
_WEEK, _MONTH, _YEAR = 7 * _DAY, 30 * _DAY, 360 * _DAY
_UNITS = (
    (_YEAR, "year"),
    (_MONTH, "month"),
    (_WEEK, "week"),
    (_DAY, "day"),
    (_HOUR, "hour"),
    (_MINUTE, "minute"),
    (_SECOND, "second"),
)


def short(length: timedelta) -> str:
    """One unit, as in a table: "42s", "3m", "2h", "5d"."""
    seconds = int(abs(length.total_seconds()))
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def long(length: timedelta) -> str:
    """Up to two units: "42 seconds", "1 minute 30 seconds", "2 hours 5 minutes", "1 day 3 hours"."""
    seconds = int(abs(length.total_seconds()))
    if seconds < _MINUTE:
        return _largest(seconds)
    if seconds < _HOUR:
        return f"{_largest(seconds)} {seconds % _MINUTE} seconds"
    if seconds < _DAY:
        return f"{_largest(seconds)} {seconds % _HOUR // _MINUTE} minutes"
    return f"{_largest(seconds)} {seconds % _DAY // _HOUR} hours"


def between(start: datetime | None, finish: datetime | None, now: datetime) -> timedelta:
    """How long something took, or takes so far; nothing if it did not start."""
    if start is None:
        return timedelta()
    return (finish or now) - start


def timestamp(at: datetime, now: datetime) -> str:
    """`at` in the time zone of `now`, and how long ago: "Mon Jan 02 15:04:05 +0000 (2 minutes ago)"."""
    return f"{at.astimezone(now.tzinfo).strftime('%a %b %d %H:%M:%S %z')} ({_ago(now - at)})"


def _ago(length: timedelta) -> str:
    seconds = length.total_seconds()
    if abs(seconds) < _SECOND:
        return "now"
    return f"{_largest(int(abs(seconds)))} {'ago' if seconds > 0 else 'from now'}"


def _largest(seconds: int) -> str:
    for size, unit in _UNITS:
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "0 seconds"


def go(seconds: int) -> str:
    """A duration as Go writes it: "1m5s", "2h0m0s"."""
    hours, rest = divmod(seconds, _HOUR)
    minutes, left = divmod(rest, _MINUTE)
    if hours:
        return f"{hours}h{minutes}m{left}s"
    return f"{minutes}m{left}s" if minutes else f"{left}s"
