from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import pytest

from nbflow.notebook.snapshot import IMAGE, page, snapshot
from nbflow.spec.status import Phase
from tests.notebook.fake_client import FakeClient, node
from tests.notebook.workflows import diamond, end, start

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'\x1b[2J"
# What Jupyter keeps of HTML in a notebook that it does not trust, as far as the snapshot uses it.
KEPT = {
    "div",
    "span",
    "strong",
    "img",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "details",
    "summary",
    "pre",
}


class Reader(HTMLParser):
    """The tags and attributes of HTML, and whether they are balanced."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.open, self.texts = set(), set(), [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture
def client():
    return FakeClient()


@pytest.fixture
def fake(client):
    return client.add(diamond())


def test_the_snapshot_tells_the_whole_story_without_style_sheets_or_scripts(client, fake):
    end(fake, C=Phase.FAILED, D=Phase.OMITTED)
    fake.say("diamond.A", "hello")
    fake.say("diamond.C", "ValueError: no data")
    bundle = snapshot(client, fake.workflow)
    reader = Reader(bundle["text/html"])
    assert reader.tags == KEPT
    assert reader.attributes == {"class", "style", "alt", "src", "open"}
    assert reader.open == []
    text = " ".join(" ".join(reader.texts).split())
    assert text == (
        "✖ Failed diamond 4/4 pods Node Phase Duration Message diamond ✖ Failed 5s A ✔ Succeeded 5s "
        "B ✔ Succeeded 5s C ✖ Failed 5s Error (exit code 3) D ○ Omitted 5s "
        "Log of C ValueError: no data Log of A hello"
    )
    assert bundle["text/html"].count("<details open>") == 1
    assert bundle["text/plain"].startswith("STEP")


def test_the_graph_is_an_image_with_a_text_in_its_place(client, fake):
    start(fake)
    html = page(client, fake.workflow)
    assert 'alt="Graph of workflow diamond: diamond Running, A Running"' in html
    assert 'src="data:image/svg+xml;base64,' in html


def test_the_pair_has_a_rule_that_lets_one_be_seen(client, fake):
    assert "nbflow-live" not in page(client, fake.workflow)
    html = page(client, fake.workflow, pair="nbflow-1")
    assert 'data-nbflow-snap="nbflow-1"' in html
    (rule,) = re.findall(r'<link rel="stylesheet" href="data:text/css;base64,([^"]*)">', html)
    assert base64.b64decode(rule).count(b"display:none") == 2
    assert ">as of 20" in html


def test_long_texts_are_cut(client, fake):
    long = node("diamond.A", Phase.FAILED, boundary="diamond", message="x" * 10_000)
    fake.change(long, message="y" * 10_000)
    html = page(client, fake.workflow)
    assert "x" * 499 + "…" in html
    assert "y" * 499 + "…" in html
    assert "x" * 500 not in html


def test_what_strangers_wrote_stays_text(client, fake):
    start(fake)
    fake.change(
        node("diamond.A", Phase.FAILED, boundary="diamond", message=HOSTILE, template=HOSTILE),
        message=HOSTILE,
    )
    fake.say("diamond.A", HOSTILE)
    html = page(client, fake.workflow)
    reader = Reader(html)
    assert reader.tags <= KEPT
    assert reader.attributes <= {"class", "style", "alt", "src", "open"}
    assert "\x1b" not in html
    assert sum("<script>alert(1)</script>" in text for text in reader.texts) == 3


def test_a_snapshot_is_bounded(client, fake):
    start(fake)
    many = [node(f"diamond.x({i}:{i})", Phase.SUCCEEDED, boundary="diamond") for i in range(2000)]
    bad = node("diamond.y", Phase.FAILED, boundary="diamond")
    fake.change(*many, bad)
    for one in (*many[:50], *many[-50:], bad):
        fake.say(one.name, *("z" * 5000 for _ in range(100)))
    html = page(client, fake.workflow)
    assert len(html) < IMAGE * 4 / 3 + 60_000
    assert len(re.findall("<tr>", html)) == 61
    assert "and 1943 more nodes" in html
    assert ">y</td>" in html
    assert html.count("<details") == 8
    assert html.index("Log of y") < html.index("Log of x(")
