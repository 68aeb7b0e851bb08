"""Durations in templates, and in messages."""

from __future__ import annotations

from datetime import timedelta

from nbflow.engine.failures import CallError
from nbflow.errors import NbflowError
from nbflow.units import duration, go_duration


def parse_duration(text: str) -> timedelta:
    """A duration of a template: with units, or whole seconds without. Raises CallError."""
    try:
        return duration(text)
    except NbflowError as error:
        raise CallError(error.problem, fix=error.fix) from None


def parse_go_duration(text: str) -> timedelta:
    """A duration with units. Raises CallError."""
    try:
        return go_duration(text)
    except NbflowError as error:
        raise CallError(error.problem, fix=error.fix) from None


def humanize(time: timedelta) -> str:
    """As Argo writes a duration in messages: "2 minutes 5 seconds"."""
    seconds = int(time.total_seconds())
    if seconds < 60:
        return _units(seconds, "second")
    if seconds < 3600:
        return f"{_units(seconds // 60, 'minute')} {seconds % 60} seconds"
    if seconds < 86400:
        return f"{_units(seconds // 3600, 'hour')} {seconds // 60 % 60} minutes"
    return f"{_units(seconds // 86400, 'day')} {seconds // 3600 % 24} hours"


def _units(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
