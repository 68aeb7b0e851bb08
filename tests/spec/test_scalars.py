import math

import pytest

from nbflow.spec.scalars import any_text, key_text, plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("On", True),
        ("y", True),
        ("off", False),
        ("N", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("5", 5),
        ("-5", -5),
        ("0755", 493),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b101", 5),
        ("08", 8),
        ("1_000", 1000),
        ("1.0", 1),
        ("1e3", 1000),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1),
        ("+12", 12),
        ("18446744073709551615", 18446744073709551615),
        ("9999999999999999999999", 1e22),
        ("2026-01-31", "2026-01-31"),
        ("12:30", "12:30"),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        ("nope", "nope"),
        ("1e999", "1e999"),
        ("0x", "0x"),
    ],
)
def test_plain_scalars_mean_what_argo_takes_them_for(text, value):
    found = plain(text)
    assert (found, type(found)) == (value, type(value))


def test_numbers_that_are_none():
    assert math.isnan(plain(".nan"))
    assert plain("-.inf") == -math.inf


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        (1.5, "1.5"),
        (1e-7, "0.0000001"),
        (1e21, "1000000000000000000000"),
        (12345678901234567890, "12345678901234567000"),
        (True, "true"),
        (False, "false"),
        (None, ""),
        ("x", "x"),
    ],
)
def test_any_string_is_the_text_of_a_number(value, text):
    assert any_text(value) == text


def test_keys_become_texts():
    assert [key_text(v) for v in (True, 1, 1.5, "a", None)] == ["true", "1", "1.5", "a", None]
