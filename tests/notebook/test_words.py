from __future__ import annotations

from array import array

import pytest

from nbflow.errors import NbflowError
from nbflow.notebook.results import Run
from nbflow.notebook.words import split, take_name
from tests.notebook.fake_client import FakeClient


def refusal(line, names):
    with pytest.raises(NbflowError) as caught:
        split(line, names)
    return str(caught.value)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("run -p a=1", ["run", "-p", "a=1"]),
        ("-p 'text=two words'", ["-p", "text=two words"]),
        ("-p lr={lr} --name {name}", ["-p", "lr=0.5", "--name", "my run"]),
        ("-p layers={layers}", ["-p", "layers=[8, 16]"]),
        ("-p config={config}", ["-p", 'config={"größe": null}']),
        ("-p flag={flag}", ["-p", "flag=true"]),
        ("-p data={array}", ["-p", "data=[1, 2]"]),
        ("-p name={{workflow.name}}", ["-p", "name={{workflow.name}}"]),
        ("-p x='{\"a\": 1}'", ["-p", 'x={"a": 1}']),
        ("-p x={} -p y={lr:>4}", ["-p", "x={}", "-p", "y={lr:>4}"]),
        ("", []),
    ],
)
def test_words_are_split_as_a_shell_does_and_python_names_give_their_values(line, words):
    names = {
        "lr": 0.5, "name": "my run", "layers": [8, 16], "config": {"größe": None}, "flag": True,
        "array": array("i", [1, 2]), "workflow": "no",
    }  # fmt: skip
    assert split(line, names) == words


def test_an_unknown_name_is_refused_with_a_suggestion():
    assert refusal("-p x={learning_rat}", {"learning_rate": 1}) == (
        "{learning_rat}: there is no Python variable 'learning_rat'\n  fix: did you mean 'learning_rate'?"
    )
    assert refusal("-p x={nothing}", {"_": 1}) == (
        "{nothing}: there is no Python variable 'nothing'\n  fix: define nothing in a cell above"
    )


def test_what_is_no_json_is_refused():
    assert refusal("-p x={thing}", {"thing": object()}) == (
        "thing is an object, which cannot be a parameter: object is not JSON\n  fix: pass text, numbers, lists or dicts"
    )
    assert (
        refusal("-p 'x", {}) == "-p 'x: the line cannot be read: No closing quotation\n  fix: close the quote"
    )


def test_the_first_word_names_the_variable():
    assert take_name(["run", "--wait"]) == ("run", ["--wait"])
    assert take_name(["--wait"]) == ("", ["--wait"])
    assert take_name([]) == ("", [])


@pytest.mark.parametrize(
    ("word", "suggestion"), [("my-run", "my_run"), ("class", "run"), ("2nd.yaml", "run")]
)
def test_a_name_that_python_cannot_hold_is_refused(word, suggestion):
    with pytest.raises(NbflowError) as caught:
        take_name([word])
    assert str(caught.value) == (
        f"{word!r} is no name for a Python variable\n"
        f"  fix: %%workflow {suggestion}; the workflow itself is named by --name"
    )


def test_a_run_is_its_name_and_what_is_inside_a_value_can_be_had():
    run = Run(FakeClient(), "hello-1")
    names = {"run": run, "config": {"depth": {"max": 3}}}
    assert split("resume {run} {run.name} -p x={config.depth.max}", names) == [
        "resume",
        "hello-1",
        "hello-1",
        "-p",
        "x=3",
    ]
    assert (
        refusal("{config.deph}", names) == "{config.deph}: dict has no 'deph'\n  fix: did you mean 'depth'?"
    )
    assert refusal("{run.nam}", names).startswith("{run.nam}: Run has no 'nam'\n  fix: did you mean 'name'")


def test_functions_and_modules_are_not_suggested():
    assert refusal("-p x={nope}", {"open": open, "nop": pytest}) == (
        "{nope}: there is no Python variable 'nope'\n  fix: define nope in a cell above"
    )
