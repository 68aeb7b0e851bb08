from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nbflow.templating.scope import ABSENT, Names, expand, has_placeholder, has_variable

PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(".".join)
VALUES = st.sampled_from(["1", {"a": "2"}, {"b": {"c": "3"}}, ABSENT])


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
    assert expand({"a.b": "1", "ab.c": "2", "a": "3"}, Names(["a"])) == {"a": {"b": "1"}}


def test_a_variable_that_is_there_and_nil_counts() -> None:
    env = expand({"a.b": ABSENT, "s": "text"})
    assert has_variable(env, "a.b")
    assert not has_variable(env, "a.b.c")
    assert not has_variable(env, "s.x")
    assert not has_variable(env, "z")


def test_placeholders_are_found_at_any_depth() -> None:
    assert has_placeholder({"a": {"b": "__argo__internal__placeholder-1"}})
    assert not has_placeholder({"a": {"b": "x __argo__internal__placeholder-1"}})


@given(st.dictionaries(PATHS, VALUES, max_size=6), st.lists(PATHS, min_size=1, max_size=3))
def test_of_the_names_that_are_read_the_same_is_seen_as_of_the_whole_scope(
    scope: dict[str, object], names: list[str]
) -> None:
    everything, selected = expand(scope), expand(scope, Names(names))
    for name in names:
        assert _seen(selected, name) == _seen(everything, name)


def _seen(env: object, name: str) -> list[object]:
    """On the way down: what kind of value is there, and the value at last."""
    found: list[object] = []
    for part in name.split("."):
        if not isinstance(env, dict) or part not in env:
            return [*found, "nothing"]
        env = env[part]
        found.append("map" if isinstance(env, dict) else env)
    return [*found, env]
