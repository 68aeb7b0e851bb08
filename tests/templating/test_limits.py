"""Whatever is written in a template, the answer is a value or one clear error, and it comes soon."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbflow.templating.depends import depends_expression, depends_tasks
from nbflow.templating.expressions import compile_expression
from nbflow.templating.exprlang.frame import Clock
from nbflow.templating.failures import ExpressionError, LoopError, TemplateError, WhenError
from nbflow.templating.golang import patterns
from nbflow.templating.golang.values import Fault
from nbflow.templating.jsonpath import compile_path
from nbflow.templating.sequence import item_name, item_text, with_param_items, with_sequence
from nbflow.templating.tags import substitute, substitute_tree, tags
from nbflow.templating.when import should_execute

CLOCK = Clock(datetime(2024, 1, 2, tzinfo=UTC), 1)
SCOPE = {"item": "text", "inputs.parameters.x": "5", "lst": [3, 1, 2], "obj": {"k": {"n": None}}}

WORDS = st.sampled_from(
    re.split(
        r"\s+",
        "item inputs.parameters.x lst obj 1 2.5 'a' \"b\" + - * / % ** == != < > and or not in matches contains ? :"
        " ?? ?. . .. | ( ) [ ] { } , ; # #acc let x = if else nil true filter( map( reduce( len( sprig. upper("
        " date( now( .k $env",
    )
)
EXPRESSIONS = st.lists(WORDS, max_size=14).map(" ".join) | st.text(max_size=40)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("(" * 500 + "1" + ")" * 500, "nested too deeply"),
        ("-" * 500 + "1", "nested too deeply"),
        ("[" * 500, "nested too deeply"),
        ("+".join(["1"] * 4000), "nested too deeply"),
        (",".join(["1"] * 20_000).join("[]"), "exceeds maximum allowed nodes"),
        ("1..100000000", "memory budget exceeded"),
        ("repeat('x', 100000000)", "memory budget exceeded"),
        ("reduce(1..60, #acc + #acc, 'x')", "memory budget exceeded"),
        ("reduce(1..60, concat(#acc, #acc), [1])", "memory budget exceeded"),
        ("map(1..900000, map(1..900, 1))", "memory budget exceeded"),
        ("count(1..9000, count(1..9000, true) > 0)", "budget exceeded|takes too long"),
        ("replace(repeat('a', 1000000), 'a', repeat('b', 1000000))", "memory budget exceeded"),
        ("sprig.repeat(100000000, 'x')", "memory budget exceeded"),
        ("sprig.until(100000000)", "memory budget exceeded"),
        ("sprig.randAlpha(100000000)", "memory budget exceeded"),
        ("fromJSON(repeat('[', 100000))", "max depth|unexpected end"),
        ("sprig.bcrypt('x')", "sprig.bcrypt needs bcrypt"),
        ("sprig.genCA('x', 1)", "sprig.genCA makes keys and certificates"),
        ("sprig.getHostByName('x')", "sprig.getHostByName asks the network"),
        ("sprig.env('HOME')", "cannot call nil"),
        ("len.__class__", "."),
        ("item.__class__", "type string has no field __class__"),
        ("obj.__class__.__mro__", "cannot fetch __mro__ from <nil>"),
        ("sprig.upper.__globals__", "cannot fetch __globals__"),
    ],
)
def test_expressions_out_of_bounds(source: str, problem: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        compile_expression(source).run(SCOPE, CLOCK)
    assert re.search(problem, raised.value.problem)


@settings(max_examples=400, deadline=2000)
@given(EXPRESSIONS)
def test_any_expression_has_a_value_or_an_error(source: str) -> None:
    try:
        compile_expression(source).evaluate(SCOPE, CLOCK)
    except ExpressionError as error:
        answered = str(error)
    else:
        answered = "a value"
    assert answered


@settings(max_examples=200, deadline=2000)
@given(st.text(st.sampled_from("{}= a.1'\"+-(x)\n"), max_size=30), st.booleans())
def test_any_text_is_substituted_or_refused(text: str, loose: bool) -> None:
    try:
        result = substitute(text, {"a": "v", "a.1": "w"}, allow_unresolved=loose, clock=CLOCK)
    except TemplateError:
        return
    assert "{{" in text or result == text


@given(st.text())
def test_tags_cover_the_text(text: str) -> None:
    try:
        found = tags(text)
    except TemplateError:
        assert "{{" in text
        return
    assert all(text[tag.start : tag.end] == "{{" + tag.text + "}}" for tag in found)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_trees_without_tags_stay_as_they_are(tree: object) -> None:
    if "{{" not in str(tree):
        assert substitute_tree(tree, {}, allow_unresolved=False, clock=CLOCK) == tree  # type: ignore[arg-type]


@given(st.lists(JSON, max_size=4))
def test_items_survive_their_json(items: list[object]) -> None:
    text = "[" + ",".join(item_text(i) if not isinstance(i, str) else '""' for i in items) + "]"  # type: ignore[arg-type]
    read = with_param_items(text)
    assert len(read) == len(items)
    assert all("(" not in item_name(item) for item in read)


@settings(deadline=2000)
@given(st.text(st.sampled_from("ab1 .'\"=!<>&|()[]?:,+-*/%~^\\"), max_size=25))
def test_any_condition_is_decided_or_refused(when: str) -> None:
    try:
        answer: object = should_execute(when)
    except WhenError as error:
        answer = str(error)
    assert answer in (True, False) or "'when'" in str(answer) or "Expected boolean" in str(answer)


@given(st.text(st.sampled_from("aB-1. |&!()"), max_size=30))
def test_bare_names_are_gone_after_rewriting(depends: str) -> None:
    rewritten = depends_expression(depends, [], {})
    if depends:
        assert {t for t, _ in depends_tasks(depends)} <= {t for t, _ in depends_tasks(rewritten)}
        assert depends_expression(rewritten, [], {}) == rewritten or any(
            r is None for _, r in depends_tasks(rewritten)
        )


@given(
    *[st.none() | st.text(max_size=5) | st.integers(-50, 50).map(str)] * 3, st.none() | st.text(max_size=6)
)
def test_any_sequence_is_a_list_or_refused(
    count: str | None, start: str | None, end: str | None, template: str | None
) -> None:
    try:
        values = with_sequence(count, start, end, template)
    except LoopError:
        return
    assert len(values) <= 100_000


@settings(deadline=4000)
@given(
    st.text(st.sampled_from("ab()[]*+?{}|^$.\\d1,:"), max_size=15),
    st.text(st.sampled_from("ab1\n"), max_size=30),
)
def test_any_pattern_is_answered_in_time(pattern: str, text: str) -> None:
    try:
        answer: object = patterns.search(pattern, text)
    except Fault as fault:
        answer = str(fault)
    assert answer in (True, False) or "regexp" in str(answer) or "takes too long" in str(answer)


def test_a_pattern_that_explodes_elsewhere_is_answered() -> None:
    assert patterns.search("(a*)*b", "a" * 5_000) is False
    assert patterns.search("(x+x+)+y", "x" * 3_000) is False
    assert patterns.search("(a?){500}b", "a" * 100_000) is False
    assert patterns.search("(a|b)*c", "ab" * 50_000 + "c") is True
    with pytest.raises(Fault, match="takes too long"):
        patterns.find_all("c.*x|c", "c" * 20_000, -1)


@settings(deadline=2000)
@given(st.text(st.sampled_from("$@.[]*'\"?():a1,-=&| "), max_size=20))
def test_any_path_leads_somewhere_or_is_refused(selector: str) -> None:
    data = [{"a": 1.0}, {"a": [2.0, None]}, "x"]
    try:
        compile_path(selector).find(data, data)
    except Fault as fault:
        answered = str(fault)
    else:
        answered = "a value"
    assert answered


@pytest.mark.parametrize(
    "source",
    [
        "duration(repeat('{:', 50000))",
        "duration(repeat('1h', 50000))",
        "sprig.semverCompare(repeat('1  ', 30000) + '!', '1')",
        "sprig.semverCompare(repeat(' ', 100000), '1')",
        "sprig.semverCompare(repeat('1 - ', 25000), '1')",
        "sprig.semver(repeat('1-a.', 25000))",
        "sprig.regexFindAll('c.*x|c', repeat('c', 100000), -1)",
        "sprig.regexReplaceAll('(a+)b|a', repeat('a', 100000), 'x')",
        "repeat('a', 100000) matches '(a?){500}b'",
        "repeat('a', 30) matches '(a|a)*b'",
        "repeat('ab', 60) matches '(ab|a|b)*c'",
        "repeat('a', 60) matches repeat('a?', 30) + 'b'",
        "repeat('ab', 60) matches repeat('(a|ab|b)', 60) + 'c'",
        "repeat('a', 100000) matches 'a*\\\\bz'",
    ],
)
def test_long_texts_are_read_in_time(source: str) -> None:
    before = process_time()
    with contextlib.suppress(ExpressionError):
        compile_expression(source).run(SCOPE, CLOCK)
    assert process_time() - before < 1
