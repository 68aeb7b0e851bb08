"""What executor plugins are asked, and what becomes of their answers."""

from __future__ import annotations

import pytest

from nbflow.agent.plugin import carry_out
from nbflow.agent.plugins import load
from nbflow.errors import NbflowError

ORDER = {
    "pod": "wf-1",
    "uid": "u",
    "workflow": "wf",
    "namespace": "default",
    "plugin": {"hello": {}},
    "template": {"name": "t", "inputs": {}, "plugin": {"hello": {}}},
}


def test_a_plugin_is_asked_as_argo_asks() -> None:
    asked = []

    def plugin(request: dict[str, object]) -> dict[str, object]:
        asked.append(request)
        return {
            "node": {
                "phase": "Succeeded",
                "message": "Hello template!",
                "outputs": {"parameters": [{"name": "foo", "value": "bar"}]},
            }
        }

    assert carry_out(ORDER, plugin) == {
        "phase": "Succeeded",
        "message": "Hello template!",
        "outputs": {"parameters": [{"name": "foo", "value": "bar"}]},
    }
    assert asked == [
        {
            "workflow": {"metadata": {"name": "wf", "namespace": "default", "uid": "u"}},
            "template": {"name": "t", "inputs": {}, "plugin": {"hello": {}}},
        }
    ]


def test_it_is_asked_again_as_long_as_it_wants() -> None:
    answers = iter(
        [
            {"node": {"phase": "Running", "message": "begun"}, "requeue": "2s"},
            {"node": {"phase": "Pending"}, "requeue": "1m30s"},
            {"node": {"phase": "Failed", "message": "no luck"}, "requeue": "1h"},
        ]
    )
    waits: list[float] = []
    found = carry_out(ORDER, lambda request: next(answers), waits.append)
    assert (found, waits) == ({"phase": "Failed", "message": "no luck"}, [2.0, 90.0])


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ({}, "no plugin executed the template"),
        (None, "no plugin executed the template"),
        ({"node": {}}, "the plugin answered with the phase '', which no node has"),
        ({"node": {"phase": "Fine"}}, "the plugin answered with the phase 'Fine', which no node has"),
        (
            {"node": {"phase": "Running"}},
            "the plugin answered with the phase Running and requeue None, so the node would never end",
        ),
        (
            {"node": {"phase": "Succeeded", "outputs": {"foo": "bar"}}},
            "the plugin answered with outputs that are not made of parameters, artifacts, result, exitCode",
        ),
    ],
)
def test_other_answers_fail(reply: object, problem: str) -> None:
    with pytest.raises(NbflowError) as caught:
        carry_out(ORDER, lambda request: reply)
    assert caught.value.problem == problem


def test_what_is_not_registered_is_named() -> None:
    with pytest.raises(NbflowError) as caught:
        load("hello")
    assert str(caught.value) == (
        "no plugin executed the template\n  fix: install a package into this Python that has an entry point "
        "'hello' in the group 'nbflow.executor_plugins'"
    )
