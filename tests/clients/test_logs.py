"""Log files, read without a controller: from the end, in part, in pieces, while they grow."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbflow.clients.client import LogOptions
from nbflow.clients.local import LocalClient
from nbflow.clients.logs import LogFile, _tail_offset
from nbflow.clients.submitting import prepare_submit
from nbflow.engine.decision import StatusChange
from nbflow.errors import NotFoundError
from nbflow.spec.pod import ContainerSpec, Pod
from nbflow.spec.status import NodeStatus, NodeType, Phase
from nbflow.store import Home
from nbflow.store.batch import Batch
from nbflow.store.ledger import Ledger

NOW = datetime(2024, 5, 1, tzinfo=UTC)


class Story:
    """A workflow "w" whose pods and logs the test writes in place of a controller."""

    def __init__(self, root):
        self.home = Home(root)
        self.ledger = Ledger(self.home)
        row = prepare_submit({"metadata": {"name": "w"}, "spec": {}}, "host", NOW)
        self.uid = row.uid
        self.key = self.ledger.submit(row, "2024-05-01T00:00:00Z")
        self.sequence = 0
        self.phase(Phase.RUNNING)

    def commit(self, **changes):
        self.sequence += 1
        self.ledger.commit(Batch(sequences={self.key: self.sequence}, **changes))

    def phase(self, phase):
        self.commit(statuses={self.key: StatusChange(phase)})

    def pod(self, name, text=b""):
        pod = Pod(name, "w", self.uid, f"node-{name}", "t", (ContainerSpec("main", "alpine"),))
        self.commit(created=[(self.key, pod)])
        self.home.pod(self.uid, name).mkdir(parents=True)
        self.write(name, text)

    def write(self, name, text):
        with self.home.log(self.uid, name, "main").open("ab") as file:
            file.write(text)

    def over(self, name):
        self.commit(captured=[(time.time(), self.key, name)])


@pytest.fixture
def story(tmp_path, monkeypatch):
    monkeypatch.setattr("nbflow.clients.waiting.Pacer.revive", lambda _: None)
    made = Story(tmp_path)
    yield made
    made.ledger.close()


@pytest.fixture
def read(story):
    client = LocalClient("host", story.home)

    def lines(**options):
        return [(line.pod, line.text) for line in client.logs("w", LogOptions(**options))]

    return lines


def test_pod_by_pod_in_the_order_of_their_start(story, read):
    story.pod("b", b"1\n2\n")
    story.pod("a", b"3\r\n\n4")
    assert read() == [("b", "1"), ("b", "2"), ("a", "3\r"), ("a", ""), ("a", "4")]
    assert read(pods=("node-a",), tail=2) == [("a", ""), ("a", "4")]
    assert read(tail=0) == []
    assert read(tail=99) == read()


def test_other_containers_are_chosen_by_name_or_all(story, read):
    story.pod("a", b"main\n")
    story.home.log(story.uid, "a", "side").write_text("car\n")
    assert read(container="side") == [("a", "car")]
    assert read(container="") == [("a", "main"), ("a", "car")]
    with pytest.raises(NotFoundError, match='container "none" not found') as refused:
        read(container="none")
    assert refused.value.fix == "containers with a log: main, side"


def test_lines_have_the_time_of_the_mark_before_them_or_their_pods_start(story):
    story.pod("a", b"one\ntwo\nthree\nfo")
    start = datetime(2024, 5, 1, 12, tzinfo=UTC)
    node = NodeStatus("node-a", "w", "w", NodeType.POD, "t", phase=Phase.RUNNING, started_at=start)
    story.commit(nodes={(story.key, node.id): node})
    marks = "".join(f"{(start + timedelta(seconds=s)).timestamp():.3f} {n}\n" for s, n in ((1, 4), (2, 9)))
    story.home.log_marks(story.uid, "a", "main").write_text(marks)
    client = LocalClient("host", story.home)
    expected = [("one", 0), ("two", 1), ("three", 1), ("fo", 2)]
    wanted = [(text, start + timedelta(seconds=seconds)) for text, seconds in expected]
    assert [(line.text, line.at) for line in client.logs("w")] == wanted
    story.over("a")
    story.phase(Phase.SUCCEEDED)
    lines = client.logs("w", LogOptions(follow=True, tail=2, pods=("a",)))
    assert [(line.text, line.at) for line in lines] == wanted[2:]


def test_a_very_long_line_comes_in_pieces_that_are_bounded(story, read):
    story.pod("a", b"x" * (5 << 19) + b"\nend\n")
    assert [len(text) for _, text in read()] == [1 << 20, 1 << 20, 1 << 19, 3]


def test_what_is_no_utf8_is_replaced_and_nothing_is_lost_between_reads(tmp_path, story):
    story.pod("a", "é".encode()[:1])
    file = LogFile(story.ledger, story.uid, "a", "main")
    assert list(file.lines(last=False)) == []
    story.write("a", "é".encode()[1:] + b"\xff\n")
    assert list(file.lines(last=False)) == ["é�"]
    assert list(file.lines(last=True)) == []


@given(st.lists(st.binary(max_size=6), max_size=8), st.integers(0, 9), st.booleans())
def test_the_tail_is_what_reading_all_would_give(tmp_path_factory, parts, count, ended):
    path = tmp_path_factory.mktemp("tail") / "log"
    text = b"\n".join(parts) + (b"\n" if ended else b"")
    path.write_bytes(text)
    lines = text.split(b"\n")
    lines = lines[:-1] if lines[-1] == b"" else lines
    expected = lines[-count:] if count else []
    found = text[_tail_offset(path, len(text), count) :].split(b"\n")
    assert (found[:-1] if found[-1] == b"" else found) == expected


def test_the_tail_of_a_large_file_reads_no_more_than_its_end(story, read):
    story.pod("a", b"line\n" * 1_000_000 + b"x" * 300_000 + b"\nlast\n")
    started = time.process_time()
    assert [text[:4] for _, text in read(tail=3)] == ["line", "xxxx", "last"]
    assert time.process_time() - started < 0.1


def test_since_goes_by_the_marks_of_the_controller(story, read):
    story.pod("a", b"old\nnew\n")
    story.pod("gone", b"older\n")
    now = time.time()
    marks = story.home.log_marks(story.uid, "a", "main")
    marks.write_text(f"{now - 100:.3f} 4\n{now:.3f} 8\ncut")
    assert read(since=timedelta(seconds=50), pods=("a",)) == [("a", "new")]
    assert read(since=timedelta(seconds=200), pods=("a",)) == [("a", "old"), ("a", "new")]
    assert read(since_time=datetime.fromtimestamp(now + 50, UTC)) == []


def test_following_waits_for_pods_and_ends_when_all_is_drained(story, read):
    found = []
    reader = threading.Thread(target=lambda: found.extend(read(follow=True)))
    reader.start()
    story.pod("a", b"one\ntw")
    story.pod("b", b"x\n")
    time.sleep(0.1)
    story.write("a", b"o\nthr")
    story.phase(Phase.SUCCEEDED)
    time.sleep(0.1)
    assert reader.is_alive()
    story.write("a", b"ee")
    story.over("a")
    story.over("b")
    reader.join(10)
    assert sorted(found) == [("a", "one"), ("a", "three"), ("a", "two"), ("b", "x")]


def test_following_one_pod_ends_with_it(story, read):
    story.pod("a", b"one\n")
    story.pod("b", b"two\n")
    story.over("a")
    assert read(follow=True, pods=("a",)) == [("a", "one")]


def test_following_can_be_stopped_in_the_middle(story):
    story.pod("a", b"one\ntwo\n")
    lines = LocalClient("host", story.home).logs("w", LogOptions(follow=True))
    assert next(lines).text == "one"
    lines.close()
