from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbflow.views.durations import go, long, short, timestamp
from nbflow.views.text import clean, clean_log, columns, shorten, width

ANYTHING = st.text(st.characters())  # lone surrogates, too


@given(ANYTHING)
def test_nothing_that_is_cleaned_steers_a_terminal(text):
    shown = clean(text)
    assert not [c for c in shown if ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or "\u202a" <= c <= "\u202e"]
    shown.encode()


def test_clean_shows_what_was_there():
    assert clean("a\x1b[2Jb\nc\td\x9be\u202ef") == "a\\x1b[2Jb\\nc\\td\\x9be\\u202ef"


def test_logs_keep_their_colours_and_nothing_else():
    assert clean_log("\x1b[31mred\x1b[0m\tx") == "\x1b[31mred\x1b[0m\tx\x1b[0m"
    assert clean_log("\x1b[2Jgone\x1b]0;title\x07") == "\\x1b[2Jgone\\x1b]0;title\\x07"
    assert clean_log("plain") == "plain"


def test_width_counts_cells():
    assert [width(text) for text in ("abc", "\x1b[31mabc\x1b[0m", "日本", "e\u0301")] == [3, 3, 4, 1]


@given(ANYTHING, st.integers(1, 20))
def test_shorten_fits(text, limit):
    assert width(shorten(clean(text), limit)) <= limit


def test_shorten_ends_colours():
    assert shorten("\x1b[31mred and more\x1b[0m", 4) == "\x1b[31mred…\x1b[0m"


def test_columns_line_up_by_cells():
    assert columns([["日本", "x"], ["ab", "y", "z"], []], 2) == ["日本  x", "ab    y  z", ""]


@pytest.mark.parametrize(
    ("seconds", "brief", "words"),
    [
        (0, "0s", "0 seconds"),
        (1, "1s", "1 second"),
        (59, "59s", "59 seconds"),
        (60, "1m", "1 minute 0 seconds"),
        (90, "1m", "1 minute 30 seconds"),
        (3600, "1h", "1 hour 0 minutes"),
        (36000, "10h", "10 hours 0 minutes"),
        (86400, "1d", "1 day 0 hours"),
        (20 * 86400 + 7200, "20d", "2 weeks 2 hours"),
        (-59, "59s", "59 seconds"),
    ],
)
def test_durations_in_argos_words(seconds, brief, words):
    assert (short(timedelta(seconds=seconds)), long(timedelta(seconds=seconds))) == (brief, words)


@pytest.mark.parametrize(("seconds", "text"), [(5, "5s"), (65, "1m5s"), (7200, "2h0m0s")])
def test_durations_as_go_writes_them(seconds, text):
    assert go(seconds) == text


def test_timestamp_in_the_persons_time_zone():
    at = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)
    assert timestamp(at, at + timedelta(minutes=2, seconds=1)) == "Wed May 01 12:00:00 +0000 (2 minutes ago)"
    assert timestamp(at, at) == "Wed May 01 12:00:00 +0000 (now)"
