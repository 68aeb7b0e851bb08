"""What finished workflows leave: ttlStrategy, podGC; how many run at once; room on the machine."""

from datetime import UTC, datetime, timedelta

import pytest

from nbflow.controller.active import ActiveWorkflow
from nbflow.controller.leftovers import goes_at_once, time_to_live
from nbflow.controller.room import Demand, Queue, Room
from nbflow.controller.turns import POSTPONED
from nbflow.spec.pod import ContainerSpec, Pod
from nbflow.spec.status import Phase
from nbflow.store.rows import Submitted


@pytest.mark.parametrize(
    ("strategy", "phase", "seconds"),
    [
        ({"secondsAfterCompletion": 5}, Phase.SUCCEEDED, 5),
        ({"secondsAfterCompletion": 5, "secondsAfterSuccess": 1}, Phase.SUCCEEDED, 1),
        ({"secondsAfterCompletion": 5, "secondsAfterSuccess": 1}, Phase.FAILED, 5),
        ({"secondsAfterFailure": 0}, Phase.ERROR, 0),
        ({"secondsAfterFailure": 0}, Phase.SUCCEEDED, None),
        ({}, Phase.SUCCEEDED, None),
    ],
)
def test_how_long_a_workflow_stays(strategy, phase, seconds):
    lives = time_to_live({"ttlStrategy": strategy}, phase)
    assert lives == (None if seconds is None else timedelta(seconds=seconds))


def test_a_workflow_goes_when_its_time_is_over(house, make):
    house.runtime.by_itself = True
    stays = house.submit([make["container"]("main")])
    goes = house.submit([make["container"]("main")], ttlStrategy={"secondsAfterSuccess": 1})
    house.until(lambda: house.settled(stays) and house.settled(goes))
    house.until(lambda: len(house.rows("SELECT 1 FROM workflows")) == 1)
    assert house.phase(stays) is Phase.SUCCEEDED


def test_a_later_controller_deletes_what_is_overdue(house, make):
    house.runtime.by_itself = True
    name = house.submit([make["container"]("main")], ttlStrategy={"secondsAfterCompletion": 1})
    house.until(lambda: house.settled(name))
    house.spoil('UPDATE statuses SET status = replace(status, \'"finishedAt":"2\', \'"finishedAt":"1\')')
    house.crash()
    house.until(lambda: house.rows("SELECT 1 FROM workflows") == [])


def test_a_retry_starts_its_time_anew(house, make):
    house.runtime.outcomes.clear()
    name = house.submit([make["container"]("main")], ttlStrategy={"secondsAfterFailure": 2})
    house.until(house.runtime.running)
    house.runtime.end(house.runtime.running()[0], 1)
    house.until(lambda: house.settled(name))
    first = house.get(name).status.finished_at
    house.ask(name, "retry")
    house.until(house.runtime.running)
    while datetime.now(UTC) < first + timedelta(seconds=2.5):
        house.loop.turn(0.05)
    assert house.phase(name) is Phase.RUNNING


def pod(**labels):
    return Pod("p", "w", "u", "n", "t", (), labels=labels)


@pytest.mark.parametrize(
    ("garbage", "labels", "goes"),
    [
        ({}, {}, False),
        ({"strategy": "OnPodSuccess"}, {}, False),
        ({"strategy": "OnPodCompletion"}, {}, True),
        ({"strategy": "OnPodCompletion", "labelSelector": {"matchLabels": {"a": "1"}}}, {"a": "1"}, True),
        ({"strategy": "OnPodCompletion", "labelSelector": {"matchLabels": {"a": "1"}}}, {"a": "2"}, False),
        (
            {
                "strategy": "OnPodCompletion",
                "labelSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]},
            },
            {"a": "2"},
            True,
        ),
        (
            {
                "strategy": "OnPodCompletion",
                "labelSelector": {"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]},
            },
            {"a": "2"},
            False,
        ),
    ],
)
def test_pods_that_are_not_kept(garbage, labels, goes):
    workflow = ActiveWorkflow(Submitted(1, "u", "w", "host", 0, "", ""), spec={"podGC": garbage})
    assert goes_at_once(workflow, pod(**labels)) is goes


@pytest.mark.parametrize(
    ("strategy", "kept"), [("", True), ("OnPodCompletion", False), ("OnWorkflowCompletion", False)]
)
def test_what_is_kept_of_a_failed_pod(house, make, strategy, kept):
    name = house.submit(
        [make["container"]("main")], **({"podGC": {"strategy": strategy}} if strategy else {})
    )
    house.until(house.runtime.running)
    (running,) = house.runtime.running()
    house.runtime.end(running, 1)
    house.until(lambda: house.settled(name))
    house.until(lambda: house.rows("SELECT state FROM pods") == [("kept" if kept else "gone",)])
    assert house.runtime.forgotten[-1] == (running, kept)


# --- turns ---


def test_workflows_beyond_the_limit_wait_by_priority(house, make):
    house.loop.workflows.turns.parallelism = 1
    names = [house.submit([make["container"]("main")], priority=p) for p in (0, 1, 5)]
    house.until(lambda: all(house.phase(name) for name in names))
    assert [house.phase(name) for name in names] == [Phase.RUNNING, Phase.PENDING, Phase.PENDING]
    assert house.get(names[1]).status.message == POSTPONED
    order = []
    house.loop.workflows.turns.parallelism = 1
    for _ in names:
        house.until(house.runtime.running)
        (running,) = house.runtime.running()
        order.append(next(name for name in names if running.startswith(name)))
        house.runtime.end(running)
        house.until(lambda: house.settled(order[-1]))
    assert order == [names[0], names[2], names[1]]


def test_a_later_controller_keeps_them_waiting(house, make):
    house.loop.workflows.turns.parallelism = 1
    first, second = (house.submit([make["container"]("main")]) for _ in range(2))
    house.until(lambda: house.phase(second))
    house.parallelism = 1
    house.crash()
    assert (house.phase(first), house.phase(second)) == (Phase.RUNNING, Phase.PENDING)
    house.runtime.end(house.runtime.running()[0])
    house.until(lambda: house.phase(second) is Phase.RUNNING)


def test_one_that_waits_can_be_stopped(house, make):
    house.loop.workflows.turns.parallelism = 1
    _, second = (house.submit([make["container"]("main")]) for _ in range(2))
    house.until(lambda: house.phase(second))
    house.ask(second, "stop")
    house.until(lambda: house.phase(second) is Phase.FAILED)


# --- room ---


def asking(cpu="", memory="", **fields):
    requests = {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value}
    extra = {"resources": {"requests": requests}} if requests else {}
    return Pod("p", "w", "u", "n", "t", (ContainerSpec("main", "i", extra=extra),), **fields)


def test_what_pods_ask_for_is_a_budget_of_the_machine():
    room = Room(10, cpu=2.0, memory=float(4 << 30))
    small, large = Demand.of(asking("500m", "1Gi")), Demand.of(asking("1500m"))
    assert (small, Demand.of(asking())) == (Demand(1, 0.5, float(1 << 30)), Demand(1, 0.0, 0.0))
    assert Demand.of(asking(daemon=True)).slots == 0
    room.take(small)
    assert room.fits(large)
    room.take(large)
    assert not room.fits(small)
    assert room.fits(Demand.of(asking()))
    room.take(small, -1)
    room.take(large, -1)
    assert (room.slots, room.cpu, room.memory) == (10, 2.0, float(4 << 30))


def test_one_that_asks_for_more_than_there_is_has_the_machine_for_itself():
    room = Room(10, cpu=2.0, memory=1.0)
    huge, small = Demand(1, 64.0, 0.0), Demand(1, 0.1, 0.0)
    assert room.fits(huge)
    room.take(huge)
    assert not room.fits(small)
    room.take(huge, -1)
    room.take(small)
    assert not room.fits(huge)


def test_workflows_have_their_turns_and_higher_priorities_come_first():
    queue = Queue[str]()
    for item, workflow, priority in (("a1", 1, 0), ("a2", 1, 0), ("b1", 2, 0), ("c1", 3, 7), ("c2", 3, 7)):
        queue.add(item, workflow, priority)
    queue.drop("c2", 3, 7)
    queue.drop("nobody", 9, 9)
    assert queue.first() == "c1"
    found = []
    while queue:
        found.append(queue.take())
    assert found == ["c1", "a1", "b1", "a2"]
