import threading
from datetime import timedelta

import pytest

from nbflow.controller.inbox import PodEnded
from nbflow.errors import NbflowError
from nbflow.runtimes.runtime import PodRejected, RuntimeUnavailable
from nbflow.spec.pod import PodOutcome
from nbflow.spec.status import Phase


def test_a_dag_runs_in_order(house, make):
    name = house.submit(
        [make["dag"]("main", a=(), b=("a",), c=("a",), d=("b", "c")), make["container"]("step")]
    )
    house.until(house.runtime.running)
    assert house.phases(name) == {name: "Running", "a": "Pending"}
    house.until(lambda: house.phases(name)["a"] == "Running")
    house.runtime.end(house.runtime.running()[0])
    house.until(lambda: len(house.runtime.running()) == 2)
    for pod in house.runtime.running():
        house.runtime.end(pod)
    house.until(lambda: len(house.runtime.started) == 4 and house.runtime.running())
    house.runtime.end(house.runtime.running()[0])
    house.until(lambda: house.settled(name))
    assert house.phases(name) == dict.fromkeys([name, "a", "b", "c", "d"], "Succeeded")
    assert [kept for _, kept in house.runtime.forgotten] == [False] * 4
    assert house.rows("SELECT DISTINCT state, pod FROM pods") == [("gone", None)]


def test_nothing_is_started_before_it_is_stored(house, make):
    name = house.submit([make["container"]("main")])
    stored = []
    create = house.runtime.create_pod
    house.runtime.create_pod = lambda pod: (
        stored.extend(house.rows("SELECT name, state FROM pods")),
        create(pod),
    )
    house.until(lambda: house.runtime.started)
    assert stored == [(name, "pending")]


def test_no_more_pods_at_once_than_there_are_slots_and_each_workflow_gets_its_turn(tmp_path, make, house):
    house.slots = 2
    house.crash()
    tasks = {f"t{i}": () for i in range(5)}
    wide = house.submit([make["dag"]("main", **tasks), make["container"]("step")])
    house.until(lambda: len(house.runtime.running()) == 2)
    small = house.submit([make["container"]("main")])
    house.until(lambda: house.phase(small))
    assert len(house.runtime.running()) == 2
    house.runtime.end(house.runtime.running()[0])
    house.runtime.end(house.runtime.running()[0])
    house.until(lambda: len(house.runtime.running()) == 2)
    assert house.runtime.running(small) == [small]
    house.runtime.by_itself = True
    for pod in house.runtime.running():
        house.runtime.end(pod)
    house.until(lambda: house.settled(wide) and house.settled(small))
    assert len(house.runtime.started) == 6


def test_a_refused_pod_ends_in_error_with_the_reason(house, make):
    name = house.submit([make["container"]("main")])
    house.runtime.refuse = {name: [PodRejected("secret my-secret not found", fix="create it")]}
    house.until(lambda: house.settled(name))
    node = next(iter(house.get(name).status.nodes.values()))
    assert (node.phase, node.message) == (Phase.ERROR, "secret my-secret not found")
    assert house.phase(name) is Phase.ERROR


def test_a_pod_that_may_start_later_is_tried_again(house, make, monkeypatch):
    monkeypatch.setattr("nbflow.controller.kubelet._FIRST_RETRY", 0.01)
    name = house.submit([make["container"]("main")])
    house.runtime.refuse = {name: [RuntimeUnavailable("no daemon"), RuntimeUnavailable("no daemon")]}
    house.runtime.by_itself = True
    house.until(lambda: house.settled(name))
    assert house.phase(name) is Phase.SUCCEEDED
    assert house.runtime.refuse == {name: []}


def test_a_bug_in_the_executor_is_an_error_of_its_pod_alone(house, make):
    bad, good = house.submit([make["container"]("main")]), house.submit([make["container"]("main")])
    house.runtime.refuse = {bad: [ZeroDivisionError("oh")]}
    house.runtime.by_itself = True
    house.until(lambda: house.settled(bad) and house.settled(good))
    assert (house.phase(bad), house.phase(good)) == (Phase.ERROR, Phase.SUCCEEDED)
    assert house.get(bad).status.message == "the pod could not be started: oh"


def test_a_bug_in_the_engine_ends_its_workflow_alone(house, make):
    good_build = house.build

    class Broken:
        def __init__(self, real):
            self.real = real
            self.left = 2

        def observe(self, event, now, world):
            self.left -= 1
            if self.left < 0:
                raise ZeroDivisionError("oh")
            return self.real.observe(event, now, world)

    bad = house.submit([make["container"]("main")])
    house.build = lambda w, *rest: (
        Broken(good_build(w, *rest)) if w.metadata.name == bad else good_build(w, *rest)
    )
    house.until(lambda: house.runtime.running(bad))
    good = house.submit([make["container"]("main")])
    house.until(lambda: house.runtime.running(good))
    house.runtime.end(good)
    house.runtime.end(bad)
    house.until(lambda: house.settled(good) and house.settled(bad))
    assert (house.phase(bad), house.phase(good)) == (Phase.ERROR, Phase.SUCCEEDED)
    assert house.get(bad).status.message == (
        "nbflow could not go on with this workflow: ZeroDivisionError: oh"
    )
    assert house.phases(bad) == {bad: "Error"}
    assert house.get(bad).metadata["labels"] == {
        "workflows.argoproj.io/completed": "true",
        "workflows.argoproj.io/phase": "Error",
    }


def test_a_damaged_manifest_ends_its_workflow_alone(house, make):
    bad, good = house.submit([make["container"]("main")]), house.submit([make["container"]("main")])
    house.spoil(f"UPDATE workflows SET spec = '{{\"templates\": 7}}' WHERE name = '{bad}'")
    house.runtime.by_itself = True
    house.until(lambda: house.settled(bad) and house.settled(good))
    assert (house.phase(bad), house.phase(good)) == (Phase.ERROR, Phase.SUCCEEDED)
    assert house.get(bad).status.message.startswith(
        "nbflow could not go on with this workflow: ValidationError"
    )


def test_a_full_disk_is_waited_for_and_nothing_is_done_meanwhile(house, make, monkeypatch):
    monkeypatch.setattr("nbflow.controller.loop._COMMIT_AGAIN", 0.01)
    name = house.submit([make["container"]("main")])
    commit, failures = house.ledger.commit, []
    from nbflow.store import StoreFullError

    def full_twice(batch):
        if len(failures) < 2:
            assert house.runtime.started == []
            failures.append(1)
            raise StoreFullError("the store cannot be written: database or disk is full")
        commit(batch)

    monkeypatch.setattr(house.ledger, "commit", full_twice)
    told = []
    house.loop._complain = told.append
    house.until(lambda: house.runtime.running(name))
    assert len(failures) == 2
    assert told == ["the store cannot be written: database or disk is full", ""]


def test_on_a_full_disk_it_ends_when_asked_and_the_next_one_goes_on(house, make, monkeypatch):
    from nbflow.controller.inbox import StopAsked
    from nbflow.store import StoreFullError

    name = house.submit([make["container"]("main")])

    def full(_):
        house.tell(StopAsked())  # as a signal does, while the loop waits
        raise StoreFullError("the store cannot be written: database or disk is full")

    monkeypatch.setattr(house.ledger, "commit", full)
    house.loop.run(timedelta(hours=1))
    assert (house.loop.stopping, house.runtime.started) == (True, [])
    house.runtime.by_itself = True
    house.crash()
    house.until(lambda: house.settled(name))
    assert house.phase(name) is Phase.SUCCEEDED


def test_terminate_ends_the_pods_and_the_ones_that_wait(house, make):
    house.slots = 1
    house.crash()
    name = house.submit([make["dag"]("main", a=(), b=()), make["container"]("step")])
    house.until(lambda: house.phases(name).get("a") == "Running")
    key = house.ask(name, "terminate")
    house.until(lambda: house.settled(name))
    assert house.ledger.take_answer(key) == {}
    assert house.phase(name) is Phase.FAILED
    assert len(house.runtime.started) == 1
    assert set(house.phases(name).values()) <= {"Failed", "Error"}


@pytest.mark.parametrize(
    ("verb", "problem"),
    [
        ("stop", 'cannot shutdown a completed workflow: workflow: "{}", namespace: "default"'),
        ("terminate", 'cannot shutdown a completed workflow: workflow: "{}", namespace: "default"'),
        ("suspend", "cannot suspend completed workflows"),
        ("resume", 'cannot resume a completed workflow: workflow: "{}", namespace: "default"'),
        ("dance", "unknown request 'dance'"),
    ],
)
def test_what_the_state_does_not_allow_is_refused(house, make, verb, problem):
    name = house.submit([make["container"]("main")])
    house.runtime.by_itself = True
    house.until(lambda: house.settled(name))
    key = house.ask(name, verb)
    house.until(lambda: house.rows("SELECT 1 FROM requests WHERE answer IS NOT NULL"))
    assert house.ledger.take_answer(key) == {"error": problem.format(name), "where": "", "fix": ""}
    assert house.rows("SELECT * FROM requests") == []


def test_what_the_engine_refuses_is_said_and_harms_nobody(house, make):
    good_build = house.build

    class Picky:
        def __init__(self, real):
            self.real = real

        def observe(self, event, now, world):
            if type(event).__name__ == "UserAsked":
                raise NbflowError("no such node", where="node x", fix="look")
            return self.real.observe(event, now, world)

    house.build = lambda *given: Picky(good_build(*given))
    name = house.submit([make["container"]("main")])
    house.until(lambda: house.runtime.running(name))
    key = house.ask(name, "set")
    house.until(lambda: house.rows("SELECT 1 FROM requests WHERE answer IS NOT NULL"))
    assert house.ledger.take_answer(key) == {"error": "no such node", "where": "node x", "fix": "look"}
    house.runtime.end(name)
    house.until(lambda: house.settled(name))
    assert house.phase(name) is Phase.SUCCEEDED


def test_delete_ends_the_pods_first_and_leaves_nothing(house, make):
    house.slots = 1
    house.crash()
    name = house.submit([make["dag"]("main", a=(), b=()), make["container"]("step")])
    house.until(house.runtime.running)
    uid = house.get(name).uid
    log = house.home.log(uid, house.runtime.running()[0], "main")
    log.parent.mkdir(parents=True)
    log.write_text("hello\n")
    log.parent.chmod(0o500)
    key = house.ask(name, "delete")
    again = house.ask(name, "delete")
    house.until(lambda: house.rows("SELECT 1 FROM requests WHERE answer IS NOT NULL"))
    assert (house.ledger.take_answer(key), house.ledger.take_answer(again)) == ({}, {})
    assert house.runtime.pods == {}
    assert not house.home.workflow(uid).exists()
    for table in ("workflows", "statuses", "nodes", "children", "pods", "requests"):
        assert house.rows(f"SELECT * FROM {table}") == [], table
    assert house.loop.workflows.active == {}


def test_delete_of_a_finished_workflow(house, make):
    name = house.submit([make["container"]("main")])
    house.runtime.by_itself = True
    house.until(lambda: house.settled(name))
    house.ask(name, "delete")
    house.until(lambda: not house.rows("SELECT * FROM workflows"))
    assert house.rows("SELECT answer FROM requests") == [("{}",)]


def test_the_root_of_a_failed_pod_is_kept_and_counted(house, make):
    name = house.submit([make["container"]("main")])
    house.until(lambda: house.runtime.running(name))
    house.runtime.end(name, 7)
    house.until(lambda: house.settled(name))
    assert house.runtime.forgotten == [(name, True)]
    assert [(uid, pod) for _, uid, _, pod, _ in house.ledger.kept_pods()] == [(house.get(name).uid, name)]


def test_an_end_that_is_told_twice_or_of_an_unknown_pod_does_no_harm(house, make):
    name = house.submit([make["container"]("main")])
    house.until(lambda: house.runtime.running(name))
    house.tell(PodEnded("who"))
    house.runtime.end(name)
    house.runtime.ends.put(name)
    house.until(lambda: house.settled(name))
    house.tell(PodEnded(name))
    house.loop.turn(0.0)
    assert house.phase(name) is Phase.SUCCEEDED


def test_a_workflow_ends_at_its_deadline(house, make):
    name = house.submit([make["container"]("main")], activeDeadlineSeconds=1)
    house.until(lambda: house.runtime.running(name))
    house.until(lambda: house.settled(name))
    assert house.phase(name) is Phase.FAILED
    assert house.runtime.deleted == [name]


def test_the_loop_ends_when_there_was_nothing_to_do_for_a_while(house, make):
    name = house.submit([make["container"]("main")])
    house.runtime.by_itself = True
    house.loop.run(timedelta(seconds=0.2))
    assert house.settled(name)
    assert house.phase(name) is Phase.SUCCEEDED


def test_the_loop_never_ends_while_a_workflow_runs(house, make):
    name = house.submit([make["container"]("main")])
    house.until(lambda: house.runtime.running(name))
    threading.Timer(0.2, house.runtime.end, args=(name,)).start()
    house.loop.run(timedelta(0))
    assert house.phase(name) is Phase.SUCCEEDED
    assert house.settled(name)


def test_the_loop_ends_and_leaves_no_process_if_its_home_is_gone(house, make, monkeypatch):
    monkeypatch.setattr("nbflow.controller.loop._TICK", 0.0)
    name = house.submit([make["container"]("main")])
    house.until(lambda: house.runtime.running(name))
    house.until(lambda: house.phases(name)[name] == "Running")
    house.loop._alive = lambda: False
    house.loop.run(timedelta(hours=1))
    assert house.runtime.deleted == [name]


def test_outputs_that_are_captured_reach_the_node(house, make):
    name = house.submit([make["container"]("main")])
    outputs = {"parameters": [{"name": "x", "value": "1"}], "exitCode": "0"}
    house.runtime.outcomes[name] = PodOutcome(Phase.SUCCEEDED, exit_code=0, outputs=outputs)
    house.runtime.by_itself = True
    house.until(lambda: house.settled(name))
    (node,) = house.get(name).status.nodes.values()
    assert node.outputs == outputs


def test_what_a_runtime_has_to_say_is_told_once(house, make):
    house.runtime.notice = "steps run as plain processes"
    house.runtime.by_itself = True
    for _ in range(2):
        name = house.submit([make["container"]("main")])
        house.until(lambda name=name: house.settled(name))
    assert house.ledger.take_notices() == ["steps run as plain processes"]
    assert house.ledger.take_notices() == []
    house.crash()
    name = house.submit([make["container"]("main")])
    house.until(lambda: house.settled(name))
    assert house.ledger.take_notices() == []


def test_the_progress_of_pods_is_followed_while_they_run(house, make):
    name = house.submit([make["container"]("main")])
    house.until(house.runtime.running)
    for progress in ("10/50", "20/50"):
        house.runtime.said[name] = progress
        house.until(lambda: house.get(name).status.progress == progress)  # noqa: B023
    key = house.ledger.find(name).standing.sequence
    for _ in range(3):
        house.loop.turn(0.0)
    assert house.ledger.find(name).standing.sequence == key
    house.runtime.end(name)
    house.until(lambda: house.settled(name))
    assert house.get(name).status.progress == "50/50"


def test_daemons_take_no_slot_and_end_with_their_template(house, make):
    house.slots = 1
    house.crash()
    server = {**make["container"]("server"), "daemon": True}
    main = make["dag"]("main", a=(), b=("a",))
    main["dag"]["tasks"][0]["template"] = "server"
    name = house.submit([main, server, make["container"]("step")])
    house.until(lambda: house.runtime.running("step"))
    assert house.runtime.running("server")
    house.runtime.end(house.runtime.running("step")[0])
    house.until(lambda: house.settled(name))
    assert house.phases(name) == {name: "Succeeded", "a": "Succeeded", "b": "Succeeded"}
    assert len(house.runtime.deleted) == 1


def test_what_moves_artifacts_is_staged_and_captured_beside_the_loop(house, make):
    step = make["container"]("main")
    step["inputs"] = {"artifacts": [{"name": "in", "path": "/in", "raw": {"data": "x"}}]}
    start, finish, threads, gate = house.runtime.start, house.runtime.finish, [], threading.Event()

    def slow_start(pod):
        threads.append(threading.current_thread())
        gate.wait(10)
        start(pod)

    def noted_finish(pod, status):
        threads.append(threading.current_thread())
        return finish(pod, status)

    house.runtime.start, house.runtime.finish = slow_start, noted_finish
    slow = house.submit([step])
    house.until(lambda: threads)
    house.runtime.start = start
    other = house.submit([make["container"]("main")])
    house.until(lambda: house.runtime.running(other))
    gate.set()
    house.until(lambda: house.runtime.running(slow))
    house.runtime.end(slow)
    house.until(lambda: house.settled(slow))
    assert house.phase(slow) is Phase.SUCCEEDED
    assert len(threads) == 2
    assert threading.main_thread() not in threads


def test_a_pod_that_is_deleted_while_it_is_staged_ends_once_it_is_up(house, make):
    step = make["container"]("main")
    step["inputs"] = {"artifacts": [{"name": "in", "path": "/in", "raw": {"data": "x"}}]}
    start, gate = house.runtime.start, threading.Event()
    house.runtime.start = lambda pod: (gate.wait(10), start(pod))
    name = house.submit([step])
    house.until(lambda: house.phases(name).get(name) == "Pending")
    house.ask(name, "delete")
    house.until(lambda: house.loop.workflows.active[1].deleting)
    assert house.runtime.deleted == []
    gate.set()
    house.until(lambda: not house.rows("SELECT * FROM workflows"))
    assert house.runtime.deleted == [name]
    assert house.runtime.pods == {}


def test_a_runtime_that_cannot_be_opened_is_an_error_of_its_pods(house, make):
    house.kubelet._open_place = lambda target: (_ for _ in ()).throw(
        NbflowError(f"there is no target {target!r}")
    )
    name = house.submit([make["container"]("main")])
    house.until(lambda: house.settled(name))
    assert (house.phase(name), house.get(name).status.message) == (Phase.ERROR, "there is no target 'toy'")
