"""Schedules, as robfig/cron reads them for Argo."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbflow.spec.schedule import Schedule, ScheduleError

START = datetime(2024, 2, 27, 10, 7, 30, tzinfo=UTC)  # a Tuesday


def times(schedule: str, count: int, after: datetime = START, zone: str = "UTC") -> list[str]:
    found = []
    parsed = Schedule.parse(schedule, zone)
    while len(found) < count and (after := parsed.next(after)):
        found.append(after.isoformat(timespec="minutes"))
    return found


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("* * * * *", ["2024-02-27T10:08+00:00", "2024-02-27T10:09+00:00"]),
        ("*/20 * * * *", ["2024-02-27T10:20+00:00", "2024-02-27T10:40+00:00", "2024-02-27T11:00+00:00"]),
        ("5/20 10 * * *", ["2024-02-27T10:25+00:00", "2024-02-27T10:45+00:00", "2024-02-28T10:05+00:00"]),
        ("0 9-10,17 * * *", ["2024-02-27T17:00+00:00", "2024-02-28T09:00+00:00"]),
        ("0 0 31 * ?", ["2024-03-31T00:00+00:00", "2024-05-31T00:00+00:00"]),
        ("0 0 29 feb *", ["2024-02-29T00:00+00:00", "2028-02-29T00:00+00:00"]),
        ("0 0 30 2 *", []),
        ("0 0 * * MON-wed", ["2024-02-28T00:00+00:00", "2024-03-04T00:00+00:00"]),
        ("0 0 1 * fri", ["2024-03-01T00:00+00:00", "2024-03-08T00:00+00:00"]),  # one of both is enough
        ("0 0 */2 * fri", ["2024-02-29T00:00+00:00", "2024-03-01T00:00+00:00"]),  # a step is no star
        ("@daily", ["2024-02-28T00:00+00:00"]),
        ("@hourly", ["2024-02-27T11:00+00:00"]),
        ("@weekly", ["2024-03-03T00:00+00:00"]),
        ("@monthly", ["2024-03-01T00:00+00:00"]),
        ("@yearly", ["2025-01-01T00:00+00:00"]),
        ("@every 90s", ["2024-02-27T10:09+00:00", "2024-02-27T10:10+00:00"]),
    ],
)
def test_when_it_is(schedule, expected):
    assert times(schedule, len(expected) or 1) == expected


def test_the_clock_of_the_time_zone_counts():
    assert times("0 9 * * *", 1, zone="America/New_York") == ["2024-02-27T09:00-05:00"]
    assert times("TZ=Asia/Tokyo 0 9 * * *", 1) == ["2024-02-28T09:00+09:00"]


def test_an_hour_that_the_clock_skips_has_no_time_and_one_that_it_repeats_has_two():
    spring = datetime(2024, 3, 9, 12, tzinfo=UTC)
    assert times("30 2 * * *", 2, spring, "America/New_York") == [
        "2024-03-11T02:30-04:00",
        "2024-03-12T02:30-04:00",
    ]
    autumn = datetime(2024, 11, 2, 12, tzinfo=UTC)
    assert times("30 1 * * *", 3, autumn, "America/New_York") == [
        "2024-11-03T01:30-04:00",
        "2024-11-03T01:30-05:00",
        "2024-11-04T01:30-05:00",
    ]


@pytest.mark.parametrize(
    ("schedule", "problem"),
    [
        ("", "empty spec string"),
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("* * * * 7", "end of range (7) above maximum (6): 7"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("x * * * *", "failed to parse int from x"),
        ("@often", "unrecognized descriptor: @often"),
        ("@every x", "failed to parse duration @every x"),
        ("TZ=Nowhere * * * * *", "provided bad location Nowhere: unknown time zone Nowhere"),
    ],
)
def test_what_is_no_schedule(schedule, problem):
    with pytest.raises(ScheduleError) as refused:
        Schedule.parse(schedule)
    assert refused.value.problem == problem


fields = st.tuples(
    *(
        st.one_of(st.just("*"), st.integers(least, most).map(str), st.integers(1, 9).map("*/{}".format))
        for least, most in ((0, 59), (0, 23), (1, 28), (1, 12), (0, 6))
    )
)


moments = st.integers(0, 10**9).map(lambda seconds: START + timedelta(seconds=seconds))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(fields, moments)
def test_the_next_time_fits_and_none_before_it_does(parts, after):
    schedule = Schedule.parse(" ".join(parts), "UTC")
    found = schedule.next(after)
    assert found is not None
    assert found > after
    assert (found.minute in schedule.minutes, found.hour in schedule.hours) == (True, True)
    assert schedule.next(found - timedelta(seconds=1)) == found
    assert schedule.previous(found + timedelta(seconds=1), after) == found
    assert schedule.previous(found, after) is None
