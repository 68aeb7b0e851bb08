from __future__ import annotations

import pytest

from nbflow.templating.catalogue import VARIABLES, Where, find_variable, is_linted


@pytest.mark.parametrize(
    ("name", "linted"),
    [
        ("inputs.parameters.x", True),
        ("item.x", True),
        ("item", False),
        ("retries", False),
        ("custom.x", False),
        ("outputs.result", False),
        ("workflow.creationTimestamp.Y", False),
        ("workflow.duration", False),
        ("workflow.nope", True),
        ("pod.name", True),
        ("itemx", False),
    ],
)
def test_what_lint_has_to_know(name: str, linted: bool) -> None:
    assert is_linted(name) is linted


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("workflow.name", "workflow.name"),
        ("workflow.parameters.my-param", "workflow.parameters.<parameter>"),
        ("workflow.parameters.json", "workflow.parameters.json"),
        ("steps.a-b.outputs.result", "steps.<name>.outputs.result"),
        ("tasks.a.outputs.parameters.x.y", "tasks.<name>.outputs.parameters.<parameter>"),
    ],
)
def test_a_name_finds_its_declaration(name: str, declared: str) -> None:
    found = find_variable(name)
    assert found is not None
    assert found.name == declared


def test_an_unknown_name_has_none() -> None:
    assert find_variable("workflow.nope") is None


def test_each_is_declared_once_and_somewhere_valid() -> None:
    names = [variable.name for variable in VARIABLES]
    assert len(names) == len(set(names))
    assert all(variable.where and variable.meaning for variable in VARIABLES)
    assert {place for variable in VARIABLES for place in variable.where} == set(Where)
