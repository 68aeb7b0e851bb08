"""Durations as Argo reads them: "30" and "30s", "1h30m", "100ms"."""

from __future__ import annotations

import re
from datetime import timedelta

from nbflow.engine.failures import CallError

_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> timedelta:
    """Whole seconds if there is no unit. Raises CallError."""
    if re.fullmatch(r"[+-]?\d+", text):
        return timedelta(seconds=int(text))
    return parse_go_duration(text)


def parse_go_duration(text: str) -> timedelta:
    """With a unit only. Raises CallError."""
    body = text.lstrip("+-") if text[:1] in ("+", "-") else text
    parts = _PART.findall(body)
    if body == "0":
        return timedelta()
    if not parts or "".join(number + unit for number, unit in parts) != body:
        raise CallError(f'unable to parse {text} as a duration: time: invalid duration "{text}"')
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    try:
        return timedelta(seconds=-seconds if text.startswith("-") else seconds)
    except OverflowError:
        return timedelta.max


def humanize(duration: timedelta) -> str:
    """As Argo writes a duration in messages: "2 minutes 5 seconds"."""
    seconds = duration.total_seconds()
    if seconds < 60:
        return _units(int(seconds), "second")
    if seconds < 3600:
        return f"{_units(int(seconds // 60), 'minute')} {int(seconds % 60)} seconds"
    if seconds < 86400:
        return f"{_units(int(seconds // 3600), 'hour')} {int(seconds // 60 % 60)} minutes"
    return f"{_units(int(seconds // 86400), 'day')} {int(seconds // 3600 % 24)} hours"


def _units(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
