from __future__ import annotations

import pytest

from nbflow.errors import NbflowError
from nbflow.spec.patching import json_patch, merge_patch, strategic_patch

POD = {
    "spec": {"containers": [{"name": "a", "image": "1", "args": ["x"]}, {"name": "b", "image": "2"}], "x": 1}
}


def test_merge_replaces_lists_and_removes_by_null() -> None:
    patched = merge_patch(
        POD, {"spec": {"containers": [{"name": "c"}], "x": None}, "new": {"a": None, "b": 1}}
    )
    assert patched == {"spec": {"containers": [{"name": "c"}]}, "new": {"b": 1}}


def test_strategic_merges_containers_by_name() -> None:
    patch = {
        "spec": {
            "containers": [{"name": "a", "image": "3"}, {"name": "b", "$patch": "delete"}, {"name": "c"}],
            "x": None,
        }
    }
    assert strategic_patch(POD, patch) == {
        "spec": {"containers": [{"name": "a", "image": "3", "args": ["x"]}, {"name": "c"}]}
    }
    assert strategic_patch(POD, {"spec": {"$patch": "replace", "y": 2}}) == {"spec": {"y": 2}}
    assert POD["spec"]["x"] == 1


def test_json_operations() -> None:
    item = {"a": {"b/c": [1, 2, 3]}, "d": "e"}
    operations = [
        {"op": "test", "path": "/a/b~1c/0", "value": 1},
        {"op": "add", "path": "/a/b~1c/1", "value": 9},
        {"op": "add", "path": "/a/b~1c/-", "value": 4},
        {"op": "remove", "path": "/a/b~1c/0"},
        {"op": "replace", "path": "/d", "value": {"f": 1}},
        {"op": "copy", "from": "/d/f", "path": "/g"},
        {"op": "move", "from": "/d", "path": "/h"},
    ]
    assert json_patch(item, operations) == {"a": {"b/c": [9, 2, 3, 4]}, "g": 1, "h": {"f": 1}}
    assert item == {"a": {"b/c": [1, 2, 3]}, "d": "e"}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a", "value": 2},
        {"op": "remove", "path": "/none"},
        {"op": "replace", "path": "/none", "value": 1},
        {"op": "add", "path": "/a/b", "value": 1},
        {"op": "jump", "path": "/a"},
        {"path": "/a"},
    ],
)
def test_what_does_not_fit_is_named(operation: dict[str, object]) -> None:
    with pytest.raises(
        NbflowError, match=f"does not fit the object: {operation.get('op')} {operation['path']}"
    ):
        json_patch({"a": 1}, [operation])
