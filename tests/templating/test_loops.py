from __future__ import annotations

import pytest

from nbflow.templating.failures import LoopError
from nbflow.templating.golang.text import sprintf
from nbflow.templating.scope import Value
from nbflow.templating.sequence import (
    item_name,
    item_scope,
    item_text,
    manifest_item,
    with_param_items,
    with_sequence,
)


def test_sequences_include_both_ends_in_both_directions() -> None:
    assert with_sequence(start="1", end="3") == ["1", "2", "3"]
    assert with_sequence(start="3", end="1") == ["3", "2", "1"]
    assert with_sequence(count="2", start="-1") == ["-1", "0"]
    assert with_sequence(count="0") == []
    assert with_sequence(count="2", format="a%03d-%[1]x") == ["a000-0", "a001-1"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"start": "1"}, "neither end nor count was specified in withSequence"),
        ({"count": "x"}, 'strconv.Atoi: parsing "x": invalid syntax'),
        ({"count": ""}, 'strconv.Atoi: parsing "": invalid syntax'),
        ({"end": "1000000000"}, "withSequence has 1000000001 items, more than 100000"),
    ],
)
def test_sequences_that_are_none(arguments: dict[str, str], problem: str) -> None:
    with pytest.raises(LoopError) as raised:
        with_sequence(**arguments)
    assert raised.value.problem == problem


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("%d", "10"), ("%5d|", "   10|"), ("%-5d|", "10   |"), ("%05d", "00010"), ("%+d", "+10"), ("%x", "a"),
        ("%#X", "0XA"), ("%o", "12"), ("%b", "1010"), ("%c", "\n"), ("%q", "'\\n'"), ("%U", "U+000A"),
        ("%%", "%%!(EXTRA int=10)"),
        ("%s", "%!s(int=10)"), ("%d %d", "10 %!d(MISSING)"), ("x", "x%!(EXTRA int=10)"), ("%.4d", "0010"), ("%v", "10"),
        ("%[1]d%[1]d", "1010"), ("%[2]d", "%!d(BADINDEX)"),
        ("%", "%!(NOVERB)%!(EXTRA int=10)"), ("%*d", "%!d(MISSING)"), ("%[x]d", "%!d(BADINDEX)"), ("%T", "int"),
        ("%6.2f", "%!f(int=    10)"), ("%[2]d%x", "%!d(BADINDEX)a"), ("%[1", "%!(NOVERB)"),
    ],
)  # fmt: skip
def test_printf(template: str, text: str) -> None:
    assert sprintf(template, 10) == text


ITEMS: list[tuple[Value, str, str]] = [
    ("a(b)\tc", "a(b)\tc", "ab\\tc"),
    (1, "1", "1"),
    (1.5, "1.5", "1.5"),
    (True, "true", "true"),
    (None, "null", "[]"),
    ([1, "two", [3]], '[1,"two",[3]]', "[1 two [3]]"),
    ({"b": 1, "a": {"z": "x", "y": "<"}}, '{"a":{"z":"x","y":"<"},"b":1}', 'a:{"z":"x","y":"<"},b:1'),
]


@pytest.mark.parametrize(("item", "text", "name"), ITEMS)
def test_items(item: Value, text: str, name: str) -> None:
    assert (item_text(item), item_name(item)) == (text, name)


def test_the_scope_of_a_round_has_texts_only() -> None:
    assert item_scope({"os": "a\nb", "v": 9.1}) == {
        "item": '{"os":"a\\nb","v":9.1}',
        "item.os": "a\\nb",
        "item.v": "9.1",
    }
    assert item_scope("x") == {"item": "x"}
    assert item_scope({"a": {"b": "<"}}) == {"item": '{"a":{"b":"\\u003c"}}', "item.a": '{"b":"<"}'}


def test_items_of_manifests_are_sorted_and_those_of_parameters_not() -> None:
    text = '[{"b": {"z": 1, "a": 2}}]'
    assert [item_text(i) for i in with_param_items(text)] == ['{"b":{"z":1,"a":2}}']
    assert [item_text(manifest_item(i)) for i in with_param_items(text)] == ['{"b":{"a":2,"z":1}}']


def test_numbers_keep_their_spelling() -> None:
    assert [item_text(i) for i in with_param_items("[1.10, 1e3, -0]")] == ["1.10", "1e3", "-0"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hello", "invalid character 'h' looking for beginning of value"),
        ("", "unexpected end of JSON input"),
        ("[1", "unexpected end of JSON input"),
        ("[1 2]", "invalid character '2' after array element"),
        ('{"a":1}', "json: cannot unmarshal object into Go value of type []v1alpha1.Item"),
        ("tails", "invalid character 'a' in literal true (expecting 'r')"),
        ("[nul", "unexpected end of JSON input"),
        ("[NaN]", "invalid character 'N' looking for beginning of value"),
    ],
)
def test_a_parameter_that_is_no_list(text: str, why: str) -> None:
    with pytest.raises(LoopError) as raised:
        with_param_items(text)
    assert raised.value.problem == f"withParam value could not be parsed as a JSON list: {text}: {why}"


def test_null_is_no_items() -> None:
    assert with_param_items("null") == []
