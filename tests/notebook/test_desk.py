"""What a page may ask for, and what it is told of a node."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from nbflow.clients.client import LogLine, Request
from nbflow.notebook.approval import forms
from nbflow.notebook.desk import CHUNK, Desk
from nbflow.notebook.detail import VALUE, detail
from nbflow.notebook.estimate import estimate
from nbflow.notebook.logbook import ALL, EACH, LONGEST, Logbook
from nbflow.spec.status import NodeType, Phase, WorkflowObject, WorkflowStatus
from tests.notebook.fake_client import FakeClient, node, node_id
from tests.notebook.workflows import diamond, end, start


class Answers:
    """Plays the page: keeps what it is answered."""

    def __init__(self):
        self.told, self.news = [], threading.Condition()

    def __call__(self, content, buffers=None):
        with self.news:
            self.told.append((dict(content), buffers or []))
            self.news.notify_all()

    def next(self, key):
        with self.news:
            assert self.news.wait_for(lambda: any(key in content for content, _ in self.told), 20), self.told
            found = next(one for one in self.told if key in one[0])
            self.told.remove(found)
            return found


@pytest.fixture
def client():
    return FakeClient()


@pytest.fixture
def fake(client):
    run = client.add(diamond())
    start(run)
    return run


@pytest.fixture
def answers():
    return Answers()


@pytest.fixture
def desk(client, fake, answers):
    return Desk(client, "diamond", answers, lambda: fake.workflow, lambda _: None)


def test_a_verb_is_asked_of_the_client_and_answered(desk, fake, answers):
    desk.take({"do": "terminate"})
    told, _ = answers.next("said")
    assert told == {
        "said": "Terminate was asked for: running pods end, exit handlers do not run.",
        "wrong": False,
        "about": {"do": "terminate"},
    }
    assert fake.asked == [Request("terminate")]


def test_a_refusal_is_answered_too(desk, fake, answers):
    end(fake)
    desk.take({"do": "suspend"})
    told, _ = answers.next("said")
    assert (told["said"], told["wrong"]) == ("workflow diamond is finished: Succeeded", True)


def test_what_is_no_verb_is_nothing(desk, fake, answers):
    desk.take({"do": "__class__"})
    desk.take({})
    desk.take({"do": "stop"})
    answers.next("said")
    assert answers.told == []


def test_retry_is_refused_where_it_is_not_possible(desk, answers):
    desk.take({"do": "retry"})
    told, _ = answers.next("said")
    assert told["said"].startswith("retry is not supported on fake")


def test_a_long_log_comes_in_parts_that_the_page_asks_for(desk, fake, answers):
    line = "x" * 999
    for _ in range(3):
        fake.say("diamond.A", *[line] * 1000)
    end(fake)
    desk.take({"do": "log", "node": node_id("diamond.A")})
    told, _ = answers.next("file")
    assert (told["file"]["name"], told["file"]["type"]) == ("diamond-A.log", "text/plain")
    number, parts = told["file"]["number"], []
    while True:
        told, (chunk,) = answers.next("chunk")
        if told["chunk"]["last"]:
            break
        parts.append(chunk)
        desk.take({"do": "more", "number": number})
    assert b"".join(parts) == (line.encode() + b"\n") * 3000
    assert [len(part) for part in parts] == [CHUNK] * 3


def test_artifacts_of_nodes_that_are_gone_are_refused(desk, answers):
    desk.take({"do": "artifact", "node": "nobody", "name": "model"})
    assert answers.next("said")[0]["said"] == "the workflow has no such node any more"


def test_details_are_bounded(fake):
    values = {"parameters": [{"name": f"p{i}", "value": "v" * 20_000} for i in range(300)], "result": "r"}
    told = detail(fake.workflow, node("diamond.A", Phase.SUCCEEDED, inputs=values, outputs=values))
    assert (len(told["inputs"]), told["more"], len(told["outputs"])) == (200, 200, 201)
    assert told["inputs"][0] == {"name": "p0", "value": "v" * VALUE, "cut": 10_000}
    assert told["outputs"][-1] == {"name": "result", "value": "r", "cut": 0}
    assert told["source"] == "name: echo\ncontainer:\n  image: busybox\n  command:\n  - echo\n  - hi\n"


def test_a_form_offers_the_choices_of_the_input(fake):
    described = '{"enum": ["a", "b"], "default": "b"}'
    inputs = [
        {"name": "go", "enum": ["YES", "NO"], "default": "NO", "description": "Sure?"},
        {"name": "kind", "value": described, "enum": ["a", "b"]},
        {"name": "other", "value": "not asked for"},
    ]
    outputs = [
        {"name": "go", "valueFrom": {"supplied": {}}},
        {"name": "kind", "valueFrom": {"supplied": {}}},
        {"name": "note", "valueFrom": {"supplied": {}, "default": "fine"}},
        {"name": "given", "value": "1", "valueFrom": {"supplied": {}}},
    ]
    waiting = node(
        "diamond.A", Phase.RUNNING, type=NodeType.SUSPEND, boundary="diamond",
        inputs={"parameters": inputs}, outputs={"parameters": outputs},
    )  # fmt: skip
    fake.change(waiting)
    (form,) = forms(fake.workflow)
    assert (form["name"], form["node"]) == ("A", node_id("diamond.A"))
    assert form["fields"] == [
        {"name": "go", "value": "NO", "choices": ["YES", "NO"], "description": "Sure?"},
        {"name": "kind", "value": "a", "choices": ["a", "b"], "description": ""},
        {"name": "note", "value": "fine", "choices": [], "description": ""},
    ]


def test_an_estimate_is_the_median_of_the_last_runs_of_its_kind(client):
    at = datetime(2024, 1, 1, tzinfo=UTC)
    for index, (kind, seconds) in enumerate([("a-", 10), ("a-", 30), ("a-", 20), ("a-b-", 500)]):
        status = WorkflowStatus(Phase.SUCCEEDED, started_at=at, finished_at=at + timedelta(seconds=seconds))
        client.add(WorkflowObject({"name": f"{kind}{index}", "generateName": kind}, {}, status))
    new = WorkflowObject({"name": "a-9", "generateName": "a-"}, {})
    assert estimate(client, new) == (20, 3)
    assert estimate(client, WorkflowObject({"name": "a-9"}, {})) is None
    said = replace(new, status=WorkflowStatus(extra={"estimatedDuration": 77}))
    assert estimate(client, said) == (77, 0)


def test_the_book_keeps_the_last_lines_of_all_and_of_each():
    book = Logbook()
    book.add(LogLine("quiet", "main", "first"))
    for number in range(ALL + 10):
        book.add(LogLine("loud", "main", str(number)))
    entries, ever = book.since(0, None)
    assert (len(entries), ever, entries[-1].text) == (ALL, ALL + 11, str(ALL + 9))
    entries, ever = book.since(0, frozenset({"quiet"}))
    assert ([one.text for one in entries], ever) == (["first"], 1)
    entries, ever = book.since(0, frozenset({"loud"}))
    assert (len(entries), ever) == (EACH, ALL + 10)
    book.add(LogLine("loud", "main", "z" * 1_000_000))
    assert book.since(ALL + 11, None)[0][0].text == "z" * LONGEST + " … (996,000 more characters)"
