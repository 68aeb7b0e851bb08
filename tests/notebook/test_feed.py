from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from nbflow.errors import NotFoundError
from nbflow.notebook.feed import Feed, pause_after
from nbflow.notebook.follow import Follower
from nbflow.spec.status import NodeType, Phase
from tests.notebook.fake_client import FakeClient, node, node_id
from tests.notebook.workflows import diamond, end, start


class Page:
    """Plays the page: keeps what it is told, and waits for what it wants to hear."""

    def __init__(self):
        self.messages = []
        self.kept = []
        self.news = threading.Condition()

    def tell(self, message):
        with self.news:
            self.messages.append(message)
            self.news.notify_all()

    def hear(self, wanted):
        with self.news:
            assert self.news.wait_for(lambda: any(wanted(m) for m in self.messages), 20), self.messages
            return next(m for m in self.messages if wanted(m))

    def lines(self):
        found = []
        for message in self.messages:
            if "log" in message:
                found = [] if message["log"]["reset"] else found
                found += texts(message)
        return found


def texts(message):
    """Who said what, of the lines in a message."""
    return [(who, text) for who, text, _ in message.get("log", {}).get("lines", [])]


@pytest.fixture
def client():
    return FakeClient()


@pytest.fixture
def fake(client):
    return client.add(diamond())


@pytest.fixture
def page():
    return Page()


@pytest.fixture
def feed(client, fake, page):
    feed = Feed(client, Follower(client, "diamond"), page.tell, page.kept.append)
    page.opening = feed.opening(fake.workflow)
    feed.start(fake.workflow)
    yield feed
    if not fake.finished:
        end(fake)
    assert feed.done.wait(20)


def test_the_opening_holds_everything_there_is(feed, page):
    opening = page.opening
    assert opening["full"]
    assert opening["header"]["phase"] == "Pending"
    assert opening["nodes"] == []
    assert opening["graph"]["problem"] == ""
    assert opening["graph"]["svg"].startswith("<svg")
    assert "log" not in opening


def test_changes_travel_alone_and_are_numbered(feed, page, fake):
    page.hear(lambda m: m.get("full"))
    feed.hello()
    start(fake)
    message = page.hear(lambda m: len(m.get("nodes", ())) == 2)
    assert "full" not in message
    assert [(row["name"], row["phase"], row["parent"]) for row in message["nodes"]] == [
        ("diamond", "Running", ""),
        ("A", "Running", "diamond"),
    ]
    fake.say("diamond.A", "hello")
    page.hear(lambda m: texts(m) == [("A", "hello")])
    end(fake)
    last = page.hear(lambda m: m.get("ended"))
    assert last["header"]["phase"] == "Succeeded"
    numbers = [m["seq"] for m in page.messages]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_a_page_that_missed_something_gets_everything_again(feed, page, fake):
    start(fake)
    fake.say("diamond.A", "hello")
    feed.hello()
    page.hear(lambda m: ("A", "hello") in texts(m))
    page.messages.clear()
    feed.hello()
    (message,) = page.messages
    assert message["full"]
    assert [row["name"] for row in message["nodes"]] == ["diamond", "A"]
    assert message["log"] == {"of": "", "reset": True, "skipped": 0, "lines": [("A", "hello", None)]}


def test_as_long_as_no_page_answers_every_message_is_whole(feed, page, fake):
    start(fake)
    assert page.hear(lambda m: len(m.get("nodes", ())) == 2)["full"]
    end(fake)
    last = page.hear(lambda m: m.get("ended"))
    assert last["full"]
    assert len(last["nodes"]) == 5


def test_a_selected_node_has_the_log_to_itself(feed, page, fake):
    feed.hello()
    start(fake)
    fake.change(node("diamond.B", Phase.RUNNING, boundary="diamond"))
    fake.say("diamond.A", "one")
    fake.say("diamond.B", "two")
    page.hear(lambda m: ("B", "two") in texts(m))
    feed.select(node_id("diamond.B"))
    message = page.hear(lambda m: m.get("log", {}).get("of") == node_id("diamond.B"))
    assert message["log"] == {
        "of": node_id("diamond.B"),
        "reset": True,
        "skipped": 0,
        "lines": [("B", "two", None)],
    }
    fake.say("diamond.A", "not for this page")
    fake.say("diamond.B", "three")
    page.hear(lambda m: ("B", "three") in texts(m))
    assert page.lines() == [("B", "two"), ("B", "three")]
    feed.select("")
    page.hear(lambda m: ("A", "not for this page") in texts(m))
    assert page.lines() == [("A", "one"), ("B", "two"), ("A", "not for this page"), ("B", "three")]


def test_after_the_end_selecting_still_works(feed, page, fake):
    feed.hello()
    end(fake)
    fake.say("diamond.C", "late")
    page.hear(lambda m: m.get("ended"))
    assert feed.done.wait(20)
    page.messages.clear()
    feed.select(node_id("diamond.C"))
    (message,) = page.messages
    assert (message["ended"], message["log"]["of"]) == (True, node_id("diamond.C"))


def test_five_thousand_lines_at_once_arrive_without_a_gap(feed, page, fake):
    feed.hello()
    start(fake)
    fake.say("diamond.A", *(str(number) for number in range(5000)))
    page.hear(lambda m: ("A", "4999") in texts(m))
    assert page.lines() == [("A", str(number)) for number in range(5000)]
    assert {m["log"]["skipped"] for m in page.messages if "log" in m} == {0}
    assert max(len(texts(m)) for m in page.messages) == 2000


def test_a_flood_is_cut_and_the_page_knows_how_much(feed, page, fake):
    feed.hello()
    start(fake)
    fake.say("diamond.A", *(str(number) for number in range(60_000)))
    page.hear(lambda m: ("A", "59999") in texts(m))
    last = [m["log"] for m in page.messages if "log" in m][-1]
    assert len(page.lines()) + last["skipped"] == 60_000
    assert last["skipped"] > 0


def test_very_long_lines_travel_in_several_messages(feed, page, fake):
    feed.hello()
    start(fake)
    fake.say("diamond.A", *("x" * 1_000_000 for _ in range(400)), "the end")
    page.hear(lambda m: ("A", "the end") in texts(m))
    assert {text for _, text in page.lines()} == {
        "x" * 4000 + " … (996,000 more characters)",
        "the end",
    }
    assert max(sum(len(text) for _, text in texts(m)) for m in page.messages) < 700_000


def test_after_the_end_a_page_gets_all_lines_too(feed, page, fake):
    feed.hello()
    start(fake)
    fake.say("diamond.A", *(str(number) for number in range(5000)))
    end(fake)
    assert feed.done.wait(20)
    page.messages.clear()
    feed.hello()
    page.hear(lambda m: ("A", "4999") in texts(m))
    assert page.lines() == [("A", str(number)) for number in range(5000)]


def test_folding_draws_the_graph_anew(feed, page, fake):
    feed.hello()
    start(fake)
    page.hear(lambda m: len(m.get("nodes", ())) == 2)
    loop = node("diamond.B", Phase.RUNNING, type=NodeType.TASK_GROUP, boundary="diamond")
    turns = [node(f"diamond.B({i}:{i})", Phase.RUNNING, boundary="diamond") for i in range(20)]
    fake.workflow.spec["templates"][0]["dag"]["tasks"][1]["withParam"] = "[]"
    fake.change(loop, *turns)
    shut = page.hear(lambda m: "stack:.B" in m.get("graph", {}).get("marks", {}))["graph"]["marks"][
        "stack:.B"
    ]
    assert shut == {
        "node": loop.id, "title": "B ×20", "many": True, "phase": "Running", "note": "● 20",
        "path": ".B", "fold": "shut", "after": ["A"],
    }  # fmt: skip
    feed.fold(".B", "shut")
    drawn = page.messages[-1]["graph"]
    assert drawn["svg"].count('class="node') == 23
    assert drawn["marks"]["stack:.B"]["fold"] == "open"
    feed.fold(".B", "open")
    assert page.messages[-1]["graph"]["marks"]["stack:.B"]["fold"] == "shut"


def test_what_stands_for_many_changes_without_a_new_drawing(feed, page, fake):
    feed.hello()
    start(fake)
    fake.workflow.spec["templates"][0]["dag"]["tasks"][1]["withParam"] = "[]"
    turns = [node(f"diamond.B({i}:{i})", Phase.RUNNING, boundary="diamond") for i in range(20)]
    fake.change(*turns)
    page.hear(lambda m: m.get("graph", {}).get("marks", {}).get("stack:.B", {}).get("note") == "● 20")
    page.messages.clear()
    fake.change(node("diamond.B(3:3)", Phase.SUCCEEDED, boundary="diamond"))
    told = page.hear(lambda m: "stack:.B" in m.get("graph", {}).get("marks", {}))
    assert set(told["graph"]) == {"marks"}
    assert {key: mark["note"] for key, mark in told["graph"]["marks"].items()} == {"stack:.B": "● 19  ✔ 1"}
    assert [row["name"] for m in page.messages for row in m.get("nodes", ())] == ["B(3:3)"]


def test_a_workflow_that_is_taken_up_again_is_told_anew(client, fake, page):
    follower = Follower(client, "diamond")
    feed = Feed(client, follower, page.tell, page.kept.append)
    feed.opening(fake.workflow)
    feed.start(fake.workflow)
    feed.hello()
    end(fake, C=Phase.FAILED)
    page.hear(lambda m: m.get("ended"))
    assert feed.done.wait(20)
    page.messages.clear()
    kept = {node.id: node for node in fake.workflow.status.nodes.values() if node.phase is Phase.SUCCEEDED}
    fake.workflow = replace(
        fake.workflow, status=replace(fake.workflow.status, nodes=kept, phase=Phase.RUNNING, finished_at=None)
    )
    feed.start(fake.workflow)
    told = page.hear(lambda m: m.get("full") and m["header"]["phase"] == "Running")
    assert {row["name"] for row in told["nodes"]} == {"A", "B", "D"}
    end(fake)
    assert page.hear(lambda m: m.get("ended"))["header"]["phase"] == "Succeeded"
    assert feed.done.wait(20)


def test_the_last_snapshot_is_that_of_the_end(feed, page, fake):
    end(fake)
    assert feed.done.wait(20)
    assert page.kept[-1].status.phase is Phase.SUCCEEDED


def test_a_watch_that_breaks_off_is_told(client, fake, page):
    def broken(name):
        raise NotFoundError(f"workflow {name} was deleted")
        yield

    client.watch = broken
    client.logs = lambda *_: iter(())
    feed = Feed(client, Follower(client, "diamond"), page.tell, page.kept.append)
    feed.opening(fake.workflow)
    feed.start(fake.workflow)
    assert feed.done.wait(20)
    last = page.messages[-1]
    assert (last["ended"], last["lost"], last["header"]["phase"]) == (
        True,
        "workflow diamond was deleted",
        "Pending",
    )


def test_a_click_while_the_last_snapshot_is_taken_is_answered(client, fake, page):
    """The last message is out, the thread that sent it still works."""
    clicked = threading.Event()
    feed = Feed(client, Follower(client, "diamond"), page.tell, lambda _: clicked.wait(20))
    feed.opening(fake.workflow)
    feed.start(fake.workflow)
    feed.hello()
    start(fake)
    fake.say("diamond.A", "hello")
    end(fake)
    page.hear(lambda m: m.get("ended"))
    feed.select(node_id("diamond.A"))
    clicked.set()
    assert page.messages[-1]["log"]["of"] == node_id("diamond.A")
    assert feed.done.wait(20)


def test_a_line_that_is_ahead_of_its_node_waits_for_the_name(client, fake, page):
    news = threading.Event()
    watch = client.watch

    def late(name):
        assert news.wait(20)
        yield from watch(name)

    client.watch = late
    feed = Feed(client, Follower(client, "diamond"), page.tell, page.kept.append)
    feed.opening(fake.workflow)
    start(fake)
    fake.say("diamond.A", "hello")
    feed.start(fake.workflow)
    feed.hello()
    assert page.lines() == []
    fake.say("diamond.A", *(str(number) for number in range(3000)))
    news.set()
    page.hear(lambda m: ("A", "2999") in texts(m))
    assert page.lines() == [("A", "hello"), *(("A", str(number)) for number in range(3000))]
    end(fake)
    assert feed.done.wait(20)


def test_snapshots_that_take_long_come_seldom():
    assert [pause_after(took) for took in (0.0, 0.01, 0.1, 0.5)] == [5.0, 5.0, 5.0, 25.0]
