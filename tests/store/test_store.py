from dataclasses import replace
from datetime import UTC, datetime

import pytest

from nbflow.engine.decision import StatusChange
from nbflow.errors import ConflictError, NotFoundError
from nbflow.spec.pod import ContainerSpec, Pod
from nbflow.spec.status import NodeStatus, NodeType, Phase, WorkflowStatus
from nbflow.store.batch import Batch
from nbflow.store.pods import pod_from_text, pod_to_text
from nbflow.store.rows import PodRow
from nbflow.store.store import Store

START = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)


def node(name, phase=Phase.RUNNING, kind=NodeType.POD):
    return NodeStatus(id=name, name=name, display_name=name, type=kind, phase=phase, started_at=START)


def batch_of(key, sequence, *nodes, children=(), status=None):
    made = Batch(sequences={key: sequence})
    made.nodes.update({(key, n.id): n for n in nodes})
    made.children.extend((key, parent, child) for parent, child in children)
    if status:
        made.statuses[key] = status
    return made


RUNNING = StatusChange(
    Phase.RUNNING, started_at=START, progress="0/1", labels={"a": "b"}, extra={"conditions": []}
)


def test_a_workflow_as_submitted(ledger, submit):
    submit("hello", labels={"team": "x"})
    found = ledger.find("hello").object()
    assert found.name == "hello"
    assert found.spec == {"entrypoint": "main"}
    assert found.status == WorkflowStatus()
    assert found.metadata["labels"] == {"team": "x"}
    assert found.metadata["creationTimestamp"] == "2024-05-01T12:00:00Z"
    assert found.metadata["namespace"] == "default"


def test_a_name_is_taken_once(ledger, submit):
    submit("hello")
    with pytest.raises(ConflictError) as refused:
        submit("hello")
    assert refused.value.problem == 'workflows.argoproj.io "hello" already exists'


def test_latest_and_unknown_names(ledger, submit):
    with pytest.raises(NotFoundError, match="no workflows found"):
        ledger.find("@latest")
    submit("one")
    submit("two")
    assert ledger.find("@latest").name == "two"
    with pytest.raises(NotFoundError, match='"three" not found'):
        ledger.find("three")


def test_what_a_controller_commits_is_what_others_read(ledger, submit):
    key = submit("hello", labels={"team": "x"})
    nodes = node("root", kind=NodeType.DAG), node("a"), node("b", Phase.PENDING)
    ledger.commit(batch_of(key, 1, *nodes, children=[("root", "b"), ("root", "a")], status=RUNNING))
    found, stored = ledger.find_with_nodes("hello")
    assert list(stored) == ["root", "a", "b"]
    assert stored["root"] == replace(nodes[0], children=("b", "a"))
    assert stored["a"] == nodes[1]
    whole = found.object(stored)
    assert whole.metadata["labels"] == {"team": "x", "a": "b"}
    assert whole.status.phase is Phase.RUNNING
    assert whole.status.progress == "0/1"
    assert whole.status.nodes == stored


def test_suspended_shows_in_the_spec(ledger, submit):
    key = submit("hello")
    ledger.commit(batch_of(key, 1, status=replace(RUNNING, suspended=True)))
    assert ledger.find("hello").object().spec == {"entrypoint": "main", "suspend": True}
    ledger.commit(batch_of(key, 2, status=RUNNING))
    assert ledger.find("hello").object().spec == {"entrypoint": "main"}


def test_changes_since_gives_what_changed_and_no_more(ledger, submit):
    key = submit("hello")
    assert ledger.changes_since(key, 0) is None
    many = [node(f"n{i}") for i in range(50)]
    edges = [("root", n.id) for n in many]
    ledger.commit(batch_of(key, 1, node("root"), *many, children=edges, status=RUNNING))
    assert ledger.changes_since(key, 1) is None
    ledger.commit(batch_of(key, 2, node("n7", Phase.SUCCEEDED)))
    ledger.commit(batch_of(key, 3, node("new"), children=[("n9", "new")]))
    standing, changed = ledger.changes_since(key, 1)
    assert standing.sequence == 3
    assert changed == (node("n7", Phase.SUCCEEDED), replace(node("n9"), children=("new",)), node("new"))
    statements = []
    ledger._connection.set_trace_callback(statements.append)
    ledger.changes_since(key, 2)
    ledger._connection.set_trace_callback(None)
    read = [s for s in statements if s.startswith("SELECT")]
    assert len(read) == 2 + 1 + 1  # status twice, nodes, edges that are new


def test_who_follows_a_workflow_reads_each_edge_once(ledger, submit):
    key, other = submit("hello"), submit("other")
    ledger.commit(batch_of(key, 1, node("root"), node("a"), children=[("root", "a")], status=RUNNING))
    assert ledger.changes_since(key, 0)[1] == (replace(node("root"), children=("a",)), node("a"))
    ledger.commit(batch_of(other, 1, node("root"), node("x"), children=[("root", "x")], status=RUNNING))
    ledger.commit(batch_of(key, 2, node("b"), children=[("root", "b"), ("a", "b")]))
    assert ledger.changes_since(key, 1)[1] == (
        replace(node("root"), children=("a", "b")), replace(node("a"), children=("b",)), node("b"),
    )  # fmt: skip
    assert ledger.changes_since(other, 0)[1] == (replace(node("root"), children=("x",)), node("x"))


def test_looking_for_changes_uses_indexes(ledger):
    for name in (
        "nodes_since",
        "children_with_keys",
        "children_after",
        "status_since",
        "open_requests",
        "unsettled_workflows",
        "live_pods",
    ):
        from nbflow.store.statements import SQL

        values = [1] * SQL[name].count("?")
        plan = ledger._connection.execute(f"EXPLAIN QUERY PLAN {SQL[name]}", values).fetchall()
        assert not [row[3] for row in plan if row[3].startswith("SCAN") and "INDEX" not in row[3]], (
            name,
            plan,
        )


def test_a_reader_learns_of_commits_by_a_number(home, ledger, submit):
    with Store(home) as reader:
        before = reader.data_version()
        assert reader.data_version() == before
        submit("hello")
        assert reader.data_version() != before


def test_a_run_is_read_back_as_it_was_decided(ledger, submit):
    key = submit("hello")
    ledger.commit(batch_of(key, 4, node("root"), node("a"), children=[("root", "a")], status=RUNNING))
    sequence, run = ledger.run(key)
    assert sequence == 4
    assert run.nodes == [node("root"), node("a")]
    assert run.children == [("root", "a")]
    assert run.status == RUNNING


def test_all_or_nothing(ledger, submit):
    key = submit("hello")
    bad = batch_of(key, 1, node("a"), status=RUNNING)
    bad.answers[1] = {"x": object()}
    with pytest.raises(TypeError):
        ledger.commit(bad)
    assert ledger.sequence(key) == 0
    assert ledger.nodes(key) == {}
    ledger.commit(batch_of(key, 1, status=RUNNING))
    assert ledger.sequence(key) == 1


POD = Pod(
    name="hello-1",
    workflow="hello",
    uid="u",
    node_id="n",
    template="t",
    containers=(
        ContainerSpec("main", "alpine", ("sh", "-c"), source="", env=({"name": "a", "value": "b"},)),
    ),
    inputs=({"name": "x", "raw": {"data": "y"}},),
    outputs={"parameters": [{"name": "o"}]},
    wants_result=True,
    annotations={"nbflow.dev/python": "/usr/bin/python3"},
)


def test_the_life_of_a_pod(ledger, submit):
    key = submit("hello")
    ledger.commit(replace(batch_of(key, 1, status=RUNNING), created=[(key, POD)]))
    assert ledger.live_pods(key) == [PodRow("hello-1", "n", "pending", pod_to_text(POD))]
    ledger.commit(Batch(started=[(key, "hello-1")]))
    assert ledger.live_pods(key)[0].state == "running"
    ledger.commit(Batch(captured=[(5.0, key, "hello-1")]))
    assert ledger.live_pods(key) == [PodRow("hello-1", "n", "captured", None)]
    ledger.commit(Batch(started=[(key, "hello-1")]))  # a late word changes nothing
    assert ledger.live_pods(key)[0].state == "captured"
    ledger.commit(Batch(cleared=[("kept", key, "hello-1")]))
    assert ledger.live_pods(key) == []
    assert [(k, pod, at) for k, _, _, pod, at in ledger.kept_pods()] == [(key, "hello-1", 5.0)]
    ledger.commit(Batch(cleared=[("gone", key, "hello-1")]))
    assert ledger.kept_pods() == []
    assert ledger.pods(key) == [PodRow("hello-1", "n", "gone")]


@pytest.mark.parametrize("change", [{}, {"deadline": None}, {"daemon": True, "wants_result": False}])
def test_a_pod_survives_as_text(change):
    from datetime import timedelta

    pod = replace(POD, **{"deadline": timedelta(seconds=1.5), **change})
    assert pod_from_text(pod_to_text(pod)) == pod


def test_a_text_with_a_lone_surrogate_can_be_stored(ledger, submit):
    key = submit("hello")
    ledger.commit(batch_of(key, 1, replace(node("a"), message="\udcff€"), status=RUNNING))
    assert ledger.nodes(key)["a"].message == "\udcff€"


def test_requests_are_answered_once(home, ledger, submit):
    key = submit("hello")
    with Store(home) as client:
        asked = client.request(key, "stop", {"message": "enough"})
        assert client.take_answer(asked) is None
        (request,) = ledger.open_requests()
        assert (request.workflow, request.verb, request.body) == (key, "stop", {"message": "enough"})
        ledger.commit(Batch(answers={request.key: {"ok": True}}))
        assert ledger.open_requests() == []
        assert client.take_answer(asked) == {"ok": True}
        assert client.take_answer(asked) is None


def test_old_answers_are_dropped(ledger, submit):
    asked = ledger.request(submit("hello"), "stop", {})
    ledger.commit(Batch(answers={asked: {}}))
    ledger.drop_old_requests(before=1.0)
    assert ledger.take_answer(asked) == {}
    asked = ledger.request(None, "handover", {})
    ledger.commit(Batch(answers={asked: {}}))
    ledger.drop_old_requests(before=1e12)
    assert ledger.take_answer(asked) is None


def test_who_needs_a_controller(ledger, submit):
    assert not ledger.has_work()
    key = submit("hello")
    assert ledger.has_work()
    assert (
        [row.name for row in ledger.untaken_workflows()]
        == [row.name for row in ledger.new_workflows(0)]
        == ["hello"]
    )
    assert ledger.new_workflows(key) == []
    ledger.commit(batch_of(key, 1, status=RUNNING))
    assert ledger.has_work()
    assert ledger.untaken_workflows() == []
    assert [row.manifest()["spec"] for row in ledger.unsettled_workflows()] == [{"entrypoint": "main"}]
    ledger.commit(Batch(settled=[key]))
    assert not ledger.has_work()
    ledger.request(key, "delete", {})
    assert ledger.has_work()


def test_listing_is_newest_first_with_phase_and_labels(ledger, submit):
    key = submit("one", labels={"x": "1"})
    submit("two")
    ledger.commit(batch_of(key, 1, status=RUNNING))
    assert [row[1:] for row in ledger.listing()] == [
        ("two", "", {}),
        ("one", "Running", {"x": "1", "a": "b"}),
    ]
