"""Python values as parameters."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pytest

from nbflow.commands.values import plain, text_of, texts
from nbflow.errors import NbflowError

numpy = pytest.importorskip("numpy")
pandas = pytest.importorskip("pandas")


class Color(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 3


class Point(NamedTuple):
    x: int
    y: int


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        ("", ""),
        (5, "5"),
        (0.1, "0.1"),
        (True, "true"),
        (None, "null"),
        ([1, "a", None], '[1, "a", null]'),
        ((1, 2), "[1, 2]"),
        ({3, 1}, "[1, 3]"),
        ({"a": {"b": [True]}, 1: 2}, '{"a": {"b": [true]}, "1": 2}'),
        ("größe", "größe"),
        (numpy.int64(7), "7"),
        (numpy.float64(0.1), "0.1"),
        (numpy.float32(0.1), "0.1"),
        (numpy.bool_(True), "true"),
        (numpy.str_("text"), "text"),
        (numpy.array([[1, 2], [3, 4]]), "[[1, 2], [3, 4]]"),
        (numpy.datetime64("2024-05-01"), "2024-05-01"),
        ({"lr": numpy.float32(0.5), "on": numpy.bool_(False)}, '{"lr": 0.5, "on": false}'),
        (pandas.Series([1, 2]), "[1, 2]"),
        (pandas.Timestamp("2024-05-01T12:00:00Z"), "2024-05-01T12:00:00+00:00"),
        (datetime(2024, 5, 1, 12, tzinfo=UTC), "2024-05-01T12:00:00+00:00"),
        (date(2024, 5, 1), "2024-05-01"),
        (Path("/data/x.csv"), "/data/x.csv"),
        (Decimal("1.50"), "1.50"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Color.RED, "red"),
        (Level.LOW, "3"),
        (Point(1, 2), "[1, 2]"),
    ],
)
def test_a_value_is_the_text_that_argo_wants(value, text):
    assert text_of("x", value) == text


TABLE = (
    "df is a DataFrame, which cannot be a parameter: it is a table\n"
    "  fix: pass it as an artifact: --artifact NAME={df}; or as a list: {df.values}"
)
BYTES = (
    "df is a bytes, which cannot be a parameter: bytes is not JSON\n"
    "  fix: pass it as an artifact: --artifact NAME={df}; or decode it to text"
)


@pytest.mark.parametrize(("value", "said"), [(pandas.DataFrame({"a": [1]}), TABLE), (b"x", BYTES)])
def test_what_cannot_be_one_is_refused_with_a_way_out(value, said):
    with pytest.raises(NbflowError) as caught:
        text_of("df", value)
    assert str(caught.value) == said


def test_no_number_is_no_parameter():
    with pytest.raises(NbflowError, match="x is a float, which cannot be a parameter: Out of range"):
        text_of("x", float("nan"))


def test_a_list_that_holds_itself_is_refused():
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(NbflowError, match="cannot be a parameter"):
        text_of("endless", endless)


def test_many_are_name_and_value():
    assert texts({"a": 1, "b": "x=y"}) == ("a=1", "b=x=y")
    assert texts(None) == ()


def test_models_become_what_they_hold():
    class Model:
        def model_dump(self, mode):
            return {"a": numpy.int32(1), "mode": mode}

    assert plain(Model()) == {"a": 1, "mode": "json"}
