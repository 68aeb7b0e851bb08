import json
from datetime import timedelta

import pytest

from nbflow.cli.look import parse_since
from nbflow.cli.watching import fit
from nbflow.errors import NbflowError, NotFoundError
from nbflow.spec.status import Phase
from nbflow.store.settings import Settings


@pytest.fixture
def ran(nbflow, hello):
    nbflow("submit", "--wait", hello)
    return "hello-0"


def test_get_prints_header_and_tree(nbflow, ran):
    out = nbflow("get", ran).out
    assert "Status:              Succeeded\n" in out
    assert out.endswith(
        "\nSTEP        TEMPLATE  PODNAME  DURATION  MESSAGE\n ✔ hello-0  main      hello-0  3s\n"
    )


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_get_as_data(nbflow, ran, form):
    assert "hello-0" in nbflow("get", "@latest", "-o", form).out


def test_get_name_and_short(nbflow, ran):
    assert nbflow("get", ran, "-o", "name").out == "hello-0\n"
    assert nbflow("get", ran, "-o", "short").out.startswith("STEP ")


def test_get_filters_nodes(nbflow, ran):
    assert " ✔ " not in nbflow("get", ran, "--status", "failed").out
    assert "✔ hello-0" in nbflow("get", ran, "--node-field-selector", "phase=Succeeded").out
    with pytest.raises(NbflowError, match="the selector 'bogus=1' asks for a field that nodes lack"):
        nbflow("get", ran, "--node-field-selector", "bogus=1")
    with pytest.raises(NbflowError, match="there is no phase 'Nope'"):
        nbflow("get", ran, "--status", "Nope")


def test_get_what_is_not_there(nbflow):
    with pytest.raises(NotFoundError, match="nope"):
        nbflow("get", "nope")


def test_list(nbflow, ran):
    assert nbflow("list").out.splitlines()[1].startswith("hello-0   Succeeded   ")
    assert nbflow("list", "-o", "name").out == "hello-0\n"
    assert [w["metadata"]["name"] for w in json.loads(nbflow("list", "-o", "json").out)] == ["hello-0"]
    assert nbflow("list", "--prefix", "x", "-o", "json").out == "[]\n"
    assert nbflow("list", "--prefix", "x").out == "No workflows found\n"
    assert nbflow("list", "--since", "1h", "-o", "name").out == "No workflows found\n"
    assert nbflow("list", "--older", "1h", "-o", "name").out == "hello-0\n"


def test_list_refuses_contradictions(nbflow):
    with pytest.raises(NbflowError, match="--completed and --running cannot be used together"):
        nbflow("list", "--completed", "--running")


def test_wait(nbflow, hello, client):
    nbflow("submit", hello)
    client.phase = Phase.ERROR
    done = nbflow("wait", "@latest")
    assert done.code == 1
    assert done.out.startswith("hello-0 Error at 2024-05-01 ")
    assert nbflow("wait", "--ignore-not-found", "gone").code == 0


def test_watch(nbflow, ran):
    assert nbflow("watch", "@latest").code == 0


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("1h30m", 5400), ("2d", 172800)])
def test_durations(text, seconds):
    assert parse_since(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["10", "m", "1x", "-1m", "1h,", "9" * 400 + "w"])
def test_what_is_no_duration(text):
    with pytest.raises(NbflowError):
        parse_since(text)


def test_a_tree_that_is_too_high_shows_what_matters():
    body = [f" ├─{'✖' if i == 7 else '●' if i == 50 else '✔'} step{i}" for i in range(100)]
    lines = ["Name: wf", "Namespace: x", "Status: Running", "Progress: 1/100", "", "STEP", *body]
    shown = fit(lines, 20)
    assert len(shown) == 20
    assert shown[:3] == ["Name: wf", "Status: Running", "Progress: 1/100"]
    assert {" ├─✖ step7", " ├─● step50", " ├─✔ step99"} < set(shown)
    assert shown[-1] == "   … 86 more"
    assert fit(lines, 500) == lines
    assert len(fit(lines, 3)) == 3


def test_list_of_a_namespace(nbflow, hello):
    nbflow("submit", "--name", "mine", hello)
    nbflow("submit", "--name", "theirs", "-n", "other", hello)
    assert nbflow("list", "-o", "name").out == "theirs\nmine\n"
    assert nbflow("list", "-o", "name", "-n", "other").out == "theirs\n"
    assert nbflow("-n", "default", "list", "-o", "name").out == "mine\n"
    assert nbflow("list", "-o", "name", "-n", "other", "-A").out == "theirs\nmine\n"


def test_help(nbflow):
    assert nbflow("help").out == nbflow().out
    assert nbflow("help", "secret", "create").out.startswith("Usage: nbflow secret create [OPTIONS] NAME\n")
    with pytest.raises(NbflowError, match="there is no command 'nope'"):
        nbflow("help", "nope")


def test_the_controller_ends_when_its_help_says(nbflow):
    assert Settings().idle == timedelta(minutes=5)
    assert "five minutes" in nbflow("help", "controller").out
