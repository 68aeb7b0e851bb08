from __future__ import annotations

from nbflow.templating.scope import ABSENT, expand, has_placeholder, has_variable


def test_dotted_keys_become_nested_maps() -> None:
    assert expand({"a.b": "1", "a.c.d": "2", "e": "3", "f-g.h": ABSENT}) == {
        "a": {"b": "1", "c": {"d": "2"}},
        "e": "3",
        "f-g": {"h": None},
    }


def test_a_key_that_others_continue_is_dropped() -> None:
    assert expand({"a": "json", "a.b": "1"}) == {"a": {"b": "1"}}
    assert expand({"a.b.c": "1", "a.b": {"x": 1}}) == {"a": {"b": {"c": "1"}}}


def test_a_value_that_is_a_map_is_not_changed() -> None:
    item = {"x": 1}
    assert expand({"item": item, "item.y": "2"}) == {"item": {"y": "2"}}
    assert item == {"x": 1}


def test_only_the_roots_asked_for() -> None:
    assert expand({"a.b": "1", "ab.c": "2", "a": "3"}, ["a"]) == {"a": {"b": "1"}}


def test_a_variable_that_is_there_and_nil_counts() -> None:
    env = expand({"a.b": ABSENT, "s": "text"})
    assert has_variable(env, "a.b")
    assert not has_variable(env, "a.b.c")
    assert not has_variable(env, "s.x")
    assert not has_variable(env, "z")


def test_placeholders_are_found_at_any_depth() -> None:
    assert has_placeholder({"a": {"b": "__argo__internal__placeholder-1"}})
    assert not has_placeholder({"a": {"b": "x __argo__internal__placeholder-1"}})
