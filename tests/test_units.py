from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbflow.errors import NbflowError
from nbflow.units import duration, go_duration, quantity, size


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500m", Decimal("0.5")),
        ("2", Decimal(2)),
        ("1.5Gi", Decimal("1.5") * 1024**3),
        ("64Mi", Decimal(64 * 1024**2)),
        ("1e3", Decimal(1000)),
        ("1E", Decimal(10**18)),
        ("100k", Decimal(100_000)),
        (".5", Decimal("0.5")),
        ("-1", Decimal(-1)),
        ("250u", Decimal("0.000250")),
        (0.5, Decimal("0.5")),
    ],
)
def test_quantities(text, number):
    assert quantity(text) == number


@pytest.mark.parametrize("text", ["", "Mi", "5 Mi", "1.5.5", "64MB", "1e", "1e99999", "NaN", "9" * 500])
def test_what_is_no_quantity(text):
    with pytest.raises(NbflowError, match="quantities must match"):
        quantity(text)


def test_a_size_is_whole_bytes_rounded_up():
    assert [size("64Mi"), size("1500m"), size("0")] == [64 * 1024**2, 2, 0]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        ("30s", 30),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("100ms", 0.1),
        ("2h0m5s", 7205),
        ("-3s", -3),
        ("0", 0),
    ],
)
def test_durations(text, seconds):
    assert duration(text) == timedelta(seconds=seconds)


def test_a_timeout_needs_a_unit():
    with pytest.raises(NbflowError) as refused:
        go_duration("23")
    assert str(refused.value) == (
        'unable to parse 23 as a duration: time: invalid duration "23"\n  fix: write it as 30s, 5m or 1h30m'
    )


@pytest.mark.parametrize("text", ["", "s", "5 s", "1d", "1h30", "h1"])
def test_what_is_no_duration(text):
    with pytest.raises(NbflowError, match="unable to parse"):
        duration(text)


def test_a_duration_beyond_pythons_longest_is_cut():
    assert duration("9" * 30) == timedelta.max


@given(st.text(max_size=30))
def test_no_text_does_more_than_be_refused(text):
    for read in (quantity, duration):
        with suppress(NbflowError):
            read(text)
