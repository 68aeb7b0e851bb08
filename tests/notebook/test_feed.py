from __future__ import annotations

import threading

import pytest

from nbflow.errors import NotFoundError
from nbflow.notebook.feed import Feed
from nbflow.notebook.follow import Follower
from nbflow.spec.status import Phase
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
                found += message["log"]["lines"]
        return found


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
    assert opening["log"] == {"of": "", "reset": True, "skipped": 0, "lines": []}


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
    page.hear(lambda m: m.get("log", {}).get("lines") == [("A", "hello")])
    end(fake)
    last = page.hear(lambda m: m.get("ended"))
    assert last["header"]["phase"] == "Succeeded"
    numbers = [m["seq"] for m in page.messages]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_a_page_that_missed_something_gets_everything_again(feed, page, fake):
    start(fake)
    fake.say("diamond.A", "hello")
    feed.hello()
    page.hear(lambda m: ("A", "hello") in m.get("log", {}).get("lines", []))
    page.messages.clear()
    feed.hello()
    (message,) = page.messages
    assert message["full"]
    assert [row["name"] for row in message["nodes"]] == ["diamond", "A"]
    assert message["log"] == {"of": "", "reset": True, "skipped": 0, "lines": [("A", "hello")]}


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
    page.hear(lambda m: ("B", "two") in m.get("log", {}).get("lines", []))
    feed.select(node_id("diamond.B"))
    message = page.hear(lambda m: m.get("log", {}).get("of") == node_id("diamond.B"))
    assert message["log"] == {
        "of": node_id("diamond.B"),
        "reset": True,
        "skipped": 0,
        "lines": [("B", "two")],
    }
    fake.say("diamond.A", "not for this page")
    fake.say("diamond.B", "three")
    page.hear(lambda m: ("B", "three") in m.get("log", {}).get("lines", []))
    assert page.lines() == [("B", "two"), ("B", "three")]
    feed.select("")
    page.hear(lambda m: ("A", "not for this page") in m.get("log", {}).get("lines", []))
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


def test_a_flood_is_cut_and_the_page_knows_how_much(feed, page, fake):
    feed.hello()
    start(fake)
    page.messages.clear()
    fake.say("diamond.A", *(str(number) for number in range(5000)))
    page.hear(lambda m: ("A", "4999") in m.get("log", {}).get("lines", []))
    logs = [m["log"] for m in page.messages if "log" in m]
    assert sum(len(log["lines"]) + log["skipped"] for log in logs) == 5000
    assert max(len(log["lines"]) for log in logs) <= 1000


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
    page.hear(lambda m: ("A", "2999") in m.get("log", {}).get("lines", []))
    logs = [m["log"] for m in page.messages if "log" in m]
    assert sum(len(log["lines"]) + log["skipped"] for log in logs) == 3001
    assert {name for name, _ in page.lines()} == {"A"}
    end(fake)
    assert feed.done.wait(20)
