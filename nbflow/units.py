"""Quantities (64Mi, 500m) and durations (30s, 2h) to numbers, in every spelling that Kubernetes and Argo take."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal

from nbflow.errors import NbflowError

_SUFFIXES = {
    "": Decimal(1),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
    **{suffix: Decimal(1000) ** -power for power, suffix in enumerate("mun", start=1)},
}
_QUANTITY = re.compile(
    r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?:([KMGTPE]i|[numkMGTPE]?)|[eE]([+-]?[0-9]+))"
)
_MOST_DIGITS = 400
_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_SECONDS = {
    "ns": Decimal("1e-9"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),
    "μs": Decimal("1e-6"),
    "ms": Decimal("1e-3"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
}


def quantity(value: str | float) -> Decimal:
    """A Kubernetes quantity as a number: "500m" is 0.5, "64Mi" is 67108864. Raises NbflowError if it is none."""
    found = _QUANTITY.fullmatch(str(value).strip()) if len(str(value)) < _MOST_DIGITS else None
    if found is None or (found.group(3) and abs(int(found.group(3))) > _MOST_DIGITS):
        problem = f"quantities must match the regular expression of Kubernetes, and '{value}' does not"
        raise NbflowError(problem, fix="write it as 500m, 2, 64Mi or 1.5Gi")
    number, suffix, exponent = found.groups()
    return Decimal(number) * (Decimal(10) ** int(exponent) if exponent else _SUFFIXES[suffix or ""])


def size(value: str | float) -> int:
    """A quantity of memory or disk in bytes, rounded up. Raises NbflowError if it is none."""
    return int(quantity(value).to_integral_value(ROUND_CEILING))


def duration(text: str) -> timedelta:
    """A duration as Argo's `duration` fields have it: a unit for each number, or whole seconds without one.

    Raises NbflowError if it is none. What is longer than Python can tell is cut to the longest it can.
    """
    if re.fullmatch(r"[+-]?[0-9]+", text):
        return _timedelta(Decimal(text))
    return go_duration(text)


def go_duration(text: str) -> timedelta:
    """A duration with a unit for each number ("1h30m"), as in `timeout`. Raises NbflowError if it is none."""
    body = text[1:] if text[:1] in {"+", "-"} else text
    if body == "0":
        return timedelta()
    parts = _PART.findall(body)
    if not parts or "".join(number + unit for number, unit in parts) != body:
        problem = f'unable to parse {text} as a duration: time: invalid duration "{text}"'
        raise NbflowError(problem, fix="write it as 30s, 5m or 1h30m")
    seconds = sum((Decimal(number) * _SECONDS[unit] for number, unit in parts), start=Decimal(0))
    return _timedelta(-seconds if text.startswith("-") else seconds)


def _timedelta(seconds: Decimal) -> timedelta:
    try:
        return timedelta(microseconds=int(seconds * 1_000_000))
    except OverflowError:
        return timedelta.max if seconds > 0 else timedelta.min
