import json
from datetime import timedelta

import pytest
from simulate import START, Simulation, fail, outputs, succeed

from nbflow.engine.decision import SaveMemo, StaticWorld, TimeReached, UserAsked
from nbflow.engine.locks import LockTable
from nbflow.spec.status import NodeType, Phase

LABEL = "workflows.argoproj.io/configmap-type"


def steps(synchronization, *, count=3, more="", **spec):
    extra = "".join(f"{key}: {value}\n" for key, value in spec.items())
    return f"""
entrypoint: main
{extra}templates:
- {{name: main, steps: [[{{name: a, template: p, withSequence: {{count: {count}}}}}]]}}
- name: p
  synchronization: {synchronization}
  container: {{image: i}}
  {more}
"""


MUTEX = "{mutexes: [{name: m}]}"
SEMAPHORE = "{semaphores: [{configMapKeyRef: {name: limits, key: k}}]}"


def world(limit="2"):
    return StaticWorld({("ConfigMap", "limits"): {"data": {"k": limit}}})


@pytest.mark.parametrize(("synchronization", "most"), [(MUTEX, 1), (SEMAPHORE, 2)])
@pytest.mark.parametrize("crash_every", [0, 1])
def test_locks_in_one_workflow(synchronization, most, crash_every):
    wf = Simulation(steps(synchronization, count=5), world=world(), crash_every=crash_every).run()
    assert (wf.phase, wf.most, wf.progress) == (Phase.SUCCEEDED, most, "5/5")
    assert all("synchronizationStatus" not in node.extra and not node.message for node in wf.nodes.values())
    assert "synchronization" not in wf.stored.status.extra


def test_what_waits_says_so():
    wf = Simulation(steps(MUTEX))
    wf.go_on(events=0)
    from nbflow.engine.decision import Started

    wf.observe(Started())
    first, second, third = (wf.node(f"a({i}:{i})") for i in range(3))
    message = "Waiting for default/Mutex/m lock. Lock status: 0/1"
    assert (first.extra, first.message) == ({}, "")
    assert [node.extra for node in (second, third)] == [
        {"synchronizationStatus": {"waiting": "default/Mutex/m"}}
    ] * 2
    assert [node.message for node in (second, third)] == [message] * 2
    assert wf.stored.status.extra["synchronization"] == {
        "mutex": {
            "holding": [{"mutex": "default/Mutex/m", "holder": f"default/wf/{first.id}"}],
            "waiting": [{"mutex": "default/Mutex/m", "holder": f"default/wf/{first.id}"}],
        }
    }
    assert len(wf.pods) == 1


def test_a_stop_ends_those_that_wait():
    from nbflow.engine.decision import Started

    wf = Simulation(steps(MUTEX))
    wf.observe(Started())
    wf.observe(UserAsked("stop"))
    wf.go_on()
    assert {node.message for node in wf.nodes.values() if node.type is NodeType.POD} == {
        "workflow shutdown with strategy:  Stop", "Stopped with strategy 'Stop'",
    }  # fmt: skip
    assert wf.phase is Phase.FAILED


def test_a_semaphore_without_a_limit_is_an_error():
    wf = Simulation(steps(SEMAPHORE, count=1)).run()
    assert wf.node("a(0:0)").message == "failed to initialize semaphore default/ConfigMap/limits/k with limit"


def test_two_workflows_share_a_mutex():
    table = LockTable()
    first, second = (Simulation(steps(MUTEX, count=1)) for _ in range(2))
    from simulate import workflow

    from nbflow.engine.decision import Started
    from nbflow.engine.reconcile import Reconciler

    for name, simulation in (("one", first), ("two", second)):
        simulation.workflow = workflow(steps(MUTEX, count=1), name)
        simulation.reconciler = Reconciler(simulation.workflow, seed=1, locks=table)
        simulation.observe(Started())
    assert (len(first.pods), len(second.pods)) == (1, 0)
    first.go_on()
    assert list(table.woken) == [f"default/two/{second.node('a(0:0)').id}"]
    second.now = first.now
    second.observe(TimeReached())
    assert len(second.pods) == 1
    assert second.go_on().phase is Phase.SUCCEEDED


def test_a_workflow_waits_for_its_own_lock_before_it_begins():
    table = LockTable()
    table.acquire({"default/Mutex/m": 1}, "default/other")
    from simulate import workflow

    from nbflow.engine.decision import Started
    from nbflow.engine.reconcile import Reconciler

    wf = Simulation(
        "entrypoint: p\nsynchronization: {mutexes: [{name: m}]}\ntemplates:\n- {name: p, container: {image: i}}"
    )
    wf.reconciler = Reconciler(wf.workflow, seed=1, locks=table)
    wf.observe(Started())
    status = wf.stored.status
    assert (status.phase, status.message, status.started_at) == (
        Phase.PENDING, "Waiting for default/Mutex/m lock. Lock status: 0/1", None,
    )  # fmt: skip
    table.release("default/other")
    wf.observe(TimeReached())
    assert wf.go_on().phase is Phase.SUCCEEDED
    assert table.held_by("default/wf") == {}
    assert workflow is not None


def test_the_queue_is_ordered_by_priority_then_age():
    table = LockTable()
    lock = {"m": 1}
    assert table.acquire(lock, "ns/a") == ""
    assert [
        table.acquire(lock, f"ns/{n}", priority=p, created=c)
        for n, p, c in [("b", 0, "2"), ("c", 0, "1"), ("d", 5, "3")]
    ] == ["m"] * 3
    table.release("ns/a")
    assert list(table.woken) == ["ns/d"]
    assert table.acquire(lock, "ns/c") == "m"
    assert table.acquire(lock, "ns/d", priority=5, created="3") == ""
    table.release("ns/d")
    assert table.take_woken("ns/c") == ["ns/c"]
    assert table.status("m") == "Waiting for m lock. Lock status: 1/1"


def test_locks_are_taken_all_or_none():
    table = LockTable()
    table.acquire({"m": 1}, "ns/a/1")
    assert table.acquire({"k": 1, "m": 1}, "ns/b/1") == "m"
    assert table.held_by("ns/b") == {}
    table.release("ns/a/1")
    assert table.acquire({"k": 1, "m": 1}, "ns/b/1") == ""
    assert table.held_by("ns/b") == {"k": ["ns/b/1"], "m": ["ns/b/1"]}


MEMO = """
entrypoint: main
templates:
- name: main
  steps: [[{name: a, template: p}], [{name: b, template: p}]]
- name: p
  memoize: {key: k, maxAge: "1h", cache: {configMap: {name: cache}}}
  container: {image: i}
  outputs: {parameters: [{name: o, valueFrom: {path: /tmp/o}}]}
"""


def memos(wf):
    return [
        action for decision in wf.decisions for action in decision.actions if isinstance(action, SaveMemo)
    ]


def test_outputs_are_reused_in_the_workflow_that_made_them():
    wf = Simulation(MEMO, lambda pod: outputs(o="v")).run()
    a, b = wf.node("a"), wf.node("b")
    status = {"key": "k", "cacheName": "cache"}
    assert [n.extra["memoizationStatus"] for n in (a, b)] == [
        {"hit": False, **status},
        {"hit": True, **status},
    ]
    assert (b.type, b.phase, b.outputs) == (NodeType.POD, Phase.SUCCEEDED, a.outputs)
    assert len(wf.pods) == 1
    (memo,) = memos(wf)
    assert (memo.config_map, memo.key) == ("cache", "k")
    assert json.loads(memo.entry) == {
        "nodeID": a.id,
        "outputs": {"parameters": [{"name": "o", "value": "v"}], "exitCode": "0"},
        "creationTimestamp": "2024-05-17T10:00:01Z",
        "lastHitTimestamp": "2024-05-17T10:00:01Z",
    }


def test_each_attempt_is_memoized():
    """workflow/controller/operator.go, initializeExecutableNode; the entry names the attempt's node."""
    text = MEMO.replace('maxAge: "1h", ', "").replace(
        "container: {image: i}", "container: {image: i}\n  retryStrategy: {limit: 1}"
    )
    count = iter(range(9))
    wf = Simulation(text, lambda pod: outputs(o="v") if next(count) else fail(pod)).run()
    status = {"hit": False, "key": "k", "cacheName": "cache"}
    a, b = wf.node("a"), wf.node("b")
    assert [wf.node(name).extra["memoizationStatus"] for name in ("a", "a(0)", "a(1)")] == [status] * 3
    assert (b.type, b.phase, b.outputs, b.extra["memoizationStatus"]) == (
        NodeType.RETRY, Phase.SUCCEEDED, a.outputs, {**status, "hit": True},
    )  # fmt: skip
    (memo,) = memos(wf)
    assert json.loads(memo.entry)["nodeID"] == wf.node("a(1)").id


def cached(age, label="Cache"):
    created = (START - timedelta(minutes=age)).strftime("%Y-%m-%dT%H:%M:%SZ")
    entry = json.dumps({"nodeID": "x", "outputs": {"result": "old"}, "creationTimestamp": created})
    return StaticWorld(
        {("ConfigMap", "cache"): {"metadata": {"labels": {LABEL: label}}, "data": {"k": entry}}}
    )


def test_outputs_of_an_earlier_workflow_are_reused_until_they_are_too_old():
    assert len(Simulation(MEMO, succeed, world=cached(30)).run().pods) == 0
    assert len(Simulation(MEMO, succeed, world=cached(90)).run().pods) == 1


def test_a_cache_that_is_none_is_an_error():
    wf = Simulation(MEMO, succeed, world=cached(30, "Parameter")).run()
    assert (
        wf.node("a").message
        == f"memoization configmap doesn't have label {LABEL} = Cache, refusing to use it"
    )


def test_who_waited_for_a_lock_uses_what_was_stored_meanwhile():
    wf = Simulation(
        steps(MUTEX, count=2, more="memoize: {key: k, cache: {configMap: {name: cache}}}"), succeed
    ).run()
    assert (wf.phase, len(wf.pods)) == (Phase.SUCCEEDED, 1)
    assert wf.node("a(1:1)").extra["memoizationStatus"]["hit"] is True


def test_steps_are_memoized_too():
    text = MEMO.replace("container: {image: i}", "steps: [[{name: x, template: q}]]").replace(
        "path: /tmp/o", "expression: \"'v'\""
    )
    wf = Simulation(text + "- {name: q, container: {image: i}}\n", succeed).run()
    assert wf.phase is Phase.SUCCEEDED
    assert [n.name for n in wf.nodes.values() if n.type is NodeType.POD] == ["wf[0].a[0].x"]
    assert (wf.node("b").type, wf.node("b").outputs) == (NodeType.STEPS, wf.node("a").outputs)
