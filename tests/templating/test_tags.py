from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nbflow.templating.exprlang.frame import Clock
from nbflow.templating.failures import (
    AbsentOptional,
    ExpressionError,
    TemplateError,
    TemplateSyntaxError,
    UnresolvedTag,
)
from nbflow.templating.scope import ABSENT, Scope
from nbflow.templating.tags import Tag, pure_reference, resolve_reference, substitute, substitute_tree, tags

CLOCK = Clock(datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), 7)


def put(text: str, scope: Scope, *, loose: bool = False) -> str:
    return substitute(text, scope, allow_unresolved=loose, clock=CLOCK)


def test_tags_keep_blanks_and_offsets() -> None:
    assert tags("a {{ x }} {{=1 + 1}}") == (
        Tag(" x ", "x", "simple", 2, 9),
        Tag("=1 + 1", "1 + 1", "expression", 10, 20),
    )


def test_tabs_and_line_ends_belong_to_the_name_of_a_tag() -> None:
    assert put("{{\ta}}{{a\n}}{{\xa0a }}", {"a": "x"}, loose=True) == "{{\ta}}{{a\n}}x"


def test_a_tag_ends_at_the_first_closing_braces() -> None:
    assert [tag.text for tag in tags("{{a{{b}}}}")] == ["a{{b"]


def test_an_unclosed_tag_is_an_error_with_its_offset() -> None:
    with pytest.raises(TemplateSyntaxError) as raised:
        tags("ab{{c")
    assert raised.value.offset == 2
    assert raised.value.problem == 'Cannot find end tag="}}" in the template="ab{{c" starting from "c"'


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{{a.b}}", "a.b"),
        ("{{ a.b }}", "a.b"),
        ("x{{a}}", None),
        ("{{a}}{{b}}", None),
        ("{{a{{b}}}}", None),
        ("{{=a}}", None),
        ("a", None),
        ("", None),
        ("{{}", None),
    ],
)
def test_pure_reference(text: str, name: str | None) -> None:
    assert pure_reference(text) == name


def test_values_are_data_and_not_substituted_again() -> None:
    assert put("{{a}} {{b}}", {"a": "{{b}}", "b": "2"}) == "{{b}} 2"


def test_values_that_are_no_texts_become_json() -> None:
    assert put("{{item}} {{item.k}}", {"item": {"k": [1, "a"]}}) == '{"k":[1,"a"]} [1,"a"]'


def test_an_unknown_tag_is_left_alone_or_named() -> None:
    assert put("{{ a }}", {}, loose=True) == "{{ a }}"
    with pytest.raises(UnresolvedTag) as raised:
        put("{{ a }}", {})
    assert (raised.value.problem, raised.value.name) == ("failed to resolve {{ a }}", "a")


def test_an_absent_optional_is_never_left_alone() -> None:
    with pytest.raises(AbsentOptional, match=r"output is an absent optional"):
        put("{{a}}", {"a": ABSENT}, loose=True)
    with pytest.raises(AbsentOptional, match=r'nested tag \{\{x-\{\{a}}: "a" is an absent optional'):
        put("{{x-{{a}}}}", {"a": ABSENT}, loose=True)


def test_strict_prefixes_are_demanded_among_loose_tags() -> None:
    text = "{{retries}} {{steps.a.outputs.result}}"
    with pytest.raises(UnresolvedTag, match=r"failed to resolve \{\{steps\.a\.outputs\.result}}"):
        substitute(text, {}, allow_unresolved=True, clock=CLOCK, strict_prefixes=["steps"])
    kept = substitute(text, {}, allow_unresolved=True, clock=CLOCK, strict_prefixes=["tasks", "step"])
    assert kept == text


def test_artifacts_are_resolved_elsewhere() -> None:
    text = "{{steps.a.outputs.artifacts.x}}"
    assert substitute(text, {}, allow_unresolved=True, clock=CLOCK, strict_prefixes=["steps"]) == text


def test_what_argo_cannot_write_into_json_is_refused() -> None:
    with pytest.raises(TemplateError, match="the result was invalid JSON"):
        put("{{a}}", {"a": "\x1b[31mred"})
    assert put("{{a}}", {"a": "tab\tand\nnewline <&> é"}) == "tab\tand\nnewline <&> é"


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("'a' + \"b\"", "ab"),
        ("1.0", "1"),
        ("{b: 1, a: '<'}", '{"a":"\\u003c","b":1}'),
        ("[1, nil]", "[1,null]"),
        ("true", "true"),
        ("date('2024-01-02')", "2024-01-02T00:00:00Z"),
        ("duration('1s')", "1000000000"),
    ],
)
def test_results_of_expressions(expression: str, text: str) -> None:
    assert put("<{{= " + expression + " }}>", {}) == f"<{text}>"


def test_an_expression_without_a_result_fails() -> None:
    with pytest.raises(ExpressionError, match='failed to evaluate expression: "nil"'):
        put("{{=nil}}", {})
    assert put("{{=nil}}", {}, loose=True) == "{{=nil}}"


def test_an_expression_waits_for_what_comes_later() -> None:
    assert put("{{=sprig.default('0', retries)}}", {}, loose=True) == "{{=sprig.default('0', retries)}}"


def test_an_expression_that_does_not_parse_is_never_left_alone() -> None:
    with pytest.raises(ExpressionError) as raised:
        put("{{=1 +}}", {}, loose=True)
    assert raised.value.problem == (
        "failed to evaluate expression: unexpected token EOF (1:3)\n | 1 +\n | ..^"
    )


def test_tree_replaces_values_and_keys() -> None:
    tree = {"{{k}}": ["{{v}}", 1, None, {"x": "{{v}}"}], "plain": True}
    assert substitute_tree(tree, {"k": "key", "v": "é"}, allow_unresolved=False, clock=CLOCK) == {
        "key": ["é", 1, None, {"x": "é"}],
        "plain": True,
    }


def test_random_functions_repeat_with_the_seed_and_differ_by_place() -> None:
    tree = {"a": "{{=sprig.uuidv4()}}", "b": "{{=sprig.uuidv4()}} {{=sprig.uuidv4()}}"}
    first = substitute_tree(tree, {}, allow_unresolved=False, clock=CLOCK)
    assert first == substitute_tree(tree, {}, allow_unresolved=False, clock=CLOCK)
    assert isinstance(first, dict)
    assert len({*str(first["a"]).split(), *str(first["b"]).split()}) == 3
    other = Clock(CLOCK.now, 8)
    assert first != substitute_tree(tree, {}, allow_unresolved=False, clock=other)


def test_now_is_the_clock() -> None:
    assert put("{{=now().Year()}} {{=sprig.date('15:04', sprig.now())}}", {}) == "2024 03:04"


def test_resolve_reference() -> None:
    scope: Scope = {"a.b": "1", "gone": ABSENT}
    assert resolve_reference("{{ a.b }}", scope, CLOCK) == "1"
    assert resolve_reference("a.b", scope, CLOCK) == "1"
    assert resolve_reference("{{gone}}", scope, CLOCK) is ABSENT
    with pytest.raises(UnresolvedTag, match='Unable to resolve: "c"'):
        resolve_reference("{{c}}", scope, CLOCK)
