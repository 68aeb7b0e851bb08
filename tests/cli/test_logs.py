from dataclasses import replace
from datetime import timedelta

import pytest

from nbflow.cli.logs import render
from nbflow.clients.client import LogLine
from nbflow.errors import NbflowError, NotFoundError
from nbflow.views.podnames import pod_name
from nbflow.views.text import Style


@pytest.fixture
def ran(nbflow, hello, client):
    nbflow("submit", "--wait", hello)
    client.asked.clear()
    return "hello-0"


@pytest.mark.parametrize("words", [["hello-0"], ["-w", "hello-0"], ["hello-0", "hello-0"], ["@latest"]])
def test_every_way_to_name_it(nbflow, ran, words):
    assert nbflow("logs", *words).out == "hello-0: hello world\n"


def test_the_flags_are_passed_on(nbflow, ran, client):
    nbflow("logs", ran, "-f", "--tail", "3", "--since", "5m", "--grep", "a.b", "-c", "wait")
    options = client.asked[0]
    assert (options.follow, options.tail, options.since) == (True, 3, timedelta(minutes=5))
    assert (options.grep, options.container) == ("a.b", "wait")


def test_a_pod_alone_names_its_workflow(nbflow, hello, client):
    nbflow("submit", "--wait", hello)
    made = client.workflows["hello-0"]
    node = replace(made.status.nodes["hello-0"], id="hello-0-1", name="hello-0.a", display_name="a")
    client.finish = lambda _: replace(made, status=replace(made.status, nodes={node.id: node}))
    client.workflows["hello-0"] = client.finish(made)
    client.asked.clear()
    pod = pod_name(made, node)
    assert nbflow("logs", pod).out == f"{pod}: hello world\n"
    assert nbflow("logs", "hello-0", "a").out == f"{pod}: hello world\n"
    assert {asked.pods for asked in client.asked} == {(pod,)}
    with pytest.raises(NotFoundError, match="has no pod 'b'"):
        nbflow("logs", "hello-0", "b")


def test_nothing_of_that_name(nbflow, ran):
    with pytest.raises(NotFoundError, match="no workflow and no pod is named 'hello-0-x'"):
        nbflow("logs", "hello-0-x")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (
            ["--since", "5m", "--since-time", "2024-01-01T00:00:00Z"],
            "--since-time and --since cannot be used together",
        ),
        (["--tail", "-5"], "--tail -5 is no number of lines"),
        (["--grep", "("], "'(' is no regular expression"),
        (["--since", "soon"], "'soon' is no duration"),
        (["--since-time", "soon"], "'soon' is no time"),
    ],
)
def test_misuse(nbflow, ran, words, problem):
    with pytest.raises(NbflowError) as refused:
        nbflow("logs", ran, *words)
    assert refused.value.problem.startswith(problem)


def test_bytes_for_a_pipe_are_left_alone_and_a_terminal_is_safe():
    line = LogLine("pod\x1b", "main", "\x1b[31mred\x1b[2J")
    assert render(line, Style(), tty=False, timestamps=False) == "pod\\x1b: \x1b[31mred\x1b[2J"
    assert render(line, Style(), tty=True, timestamps=False) == "pod\\x1b: \x1b[31mred\\x1b[2J\x1b[0m"


def test_timestamps(nbflow, ran):
    assert nbflow("logs", ran, "--timestamps").out == "hello-0: 2024-05-01T12:00:00Z hello world\n"


def test_a_time_that_is_not_known_is_said_once(nbflow, ran, client):
    client.logs = lambda *_: iter([LogLine("hello-0", "main", text) for text in ("one", "two")])
    done = nbflow("logs", ran, "--timestamps")
    assert done.out == "hello-0: one\nhello-0: two\n"
    assert done.err == "the time of some lines is not known: first of pod hello-0\n"
