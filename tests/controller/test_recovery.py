"""A controller that was killed at any moment: the next one goes on, and no finished step runs twice."""

from nbflow.spec.status import Phase


def diamond(house, make):
    return house.submit(
        [make["dag"]("main", a=(), b=("a",), c=("a",), d=("b", "c")), make["container"]("step")]
    )


def test_a_running_pod_is_adopted(house, make):
    name = diamond(house, make)
    house.until(lambda: house.phases(name).get("a") == "Running")
    house.crash()
    assert house.phases(name) == {name: "Running", "a": "Running"}
    house.runtime.by_itself = True
    house.runtime.end(house.runtime.running()[0])
    house.until(lambda: house.settled(name))
    assert house.phase(name) is Phase.SUCCEEDED
    assert len(house.runtime.started) == len(set(house.runtime.started)) == 4


def test_a_pod_that_ended_meanwhile_is_captured(house, make):
    name = diamond(house, make)
    house.until(lambda: house.phases(name).get("a") == "Running")
    (pod,) = house.runtime.running()
    house.runtime.by_itself = True
    house.runtime.end(pod, tell=False)
    house.crash()
    house.until(lambda: house.settled(name))
    assert house.phase(name) is Phase.SUCCEEDED
    assert house.runtime.started.count(pod) == 1


def test_a_pod_that_was_decided_and_not_started_is_started(house, make):
    name = house.submit([make["container"]("main")])
    house.loop._handle(next(iter(house.inbox.take(1.0))))
    house.ledger.commit(house.loop.workflows.batch)
    assert house.runtime.started == []
    house.crash()
    house.until(lambda: house.runtime.running(name))
    assert house.runtime.started == [name]


def test_a_pod_that_was_started_and_not_noted_is_adopted(house, make):
    name = house.submit([make["container"]("main")])
    house.until(lambda: house.runtime.running(name))
    assert house.rows("SELECT state FROM pods") == [("pending",)]
    house.crash()
    assert house.rows("SELECT state FROM pods") == [("running",)]
    assert house.phases(name) == {name: "Running"}
    house.runtime.end(name)
    house.until(lambda: house.settled(name))
    assert house.runtime.started == [name]


def test_a_pod_that_is_gone_without_a_trace_is_an_error(house, make):
    name = house.submit([make["container"]("main")])
    house.until(lambda: house.phases(name).get(name) == "Running")
    house.runtime.pods.clear()
    house.crash()
    house.until(lambda: house.settled(name))
    (node,) = house.get(name).status.nodes.values()
    assert (node.phase, node.message) == (Phase.ERROR, "pod deleted")


def test_what_is_captured_and_not_cleared_away_is_cleared_and_does_not_run_again(house, make):
    name = house.submit([make["container"]("main")])
    house.until(lambda: house.phases(name).get(name) == "Running")
    house.kubelet.clear = lambda *_, **__: None
    house.runtime.end(name)
    house.until(lambda: house.phase(name) is Phase.SUCCEEDED)
    assert house.rows("SELECT state FROM pods") == [("captured",)]
    house.crash()
    house.until(lambda: house.settled(name))
    assert house.rows("SELECT state FROM pods") == [("gone",)]
    assert house.runtime.started == [name]
    assert house.runtime.forgotten == [(name, False)]


def test_a_delete_that_was_interrupted_is_finished(house, make):
    name = house.submit([make["container"]("main")])
    house.until(lambda: house.phases(name).get(name) == "Running")
    house.ask(name, "delete")
    house.crash()
    house.until(lambda: not house.rows("SELECT * FROM workflows"))
    assert house.runtime.pods == {}
    assert house.rows("SELECT answer FROM requests") == [("{}",)]


def test_a_submit_that_came_while_nobody_ran_is_taken_in(house, make):
    house.loop.recover()
    name = house.submit([make["container"]("main")])
    house.runtime.by_itself = True
    house.crash()
    house.until(lambda: house.settled(name))
    assert house.phase(name) is Phase.SUCCEEDED


def test_damaged_nodes_end_their_workflow_alone(house, make):
    bad, good = diamond(house, make), diamond(house, make)
    house.until(lambda: house.phases(bad).get("a") == house.phases(good).get("a") == "Running")
    house.spoil(
        f"UPDATE nodes SET node = 'x' WHERE workflow = (SELECT key FROM workflows WHERE name = '{bad}')"
    )
    house.crash()
    house.runtime.by_itself = True
    for pod in house.runtime.running():
        house.runtime.end(pod)
    house.until(lambda: house.settled(good) and house.loop.workflows.active == {})
    assert house.phase(good) is Phase.SUCCEEDED
    assert house.ledger.find(bad).standing.status.phase is Phase.ERROR


def test_a_crash_before_every_single_commit(house, make):
    """The store is what counts: cut off after any number of commits, the same end is reached."""
    for survive in range(12):
        house.runtime.started.clear()
        house.runtime.by_itself = True
        name = diamond(house, make)
        left, commit = [survive], house.ledger.commit

        def until_power_fails(batch, left=left, commit=commit):
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
            commit(batch)

        house.ledger.commit = until_power_fails
        try:
            house.until(lambda name=name: house.settled(name))
        except KeyboardInterrupt:
            house.crash()
            house.until(lambda name=name: house.settled(name))
        house.crash()
        assert house.phases(name) == dict.fromkeys([name, "a", "b", "c", "d"], "Succeeded"), survive
        assert len(house.runtime.started) == len(set(house.runtime.started)) == 4, survive


def test_a_finished_workflow_whose_pods_still_end_is_kept_until_they_did(house, make, monkeypatch):
    """The pods of all workflows are known before any is let go."""
    house.submit([make["container"]("main")])
    ending = house.submit([make["container"]("main")])
    house.until(lambda: len(house.runtime.running()) == 2)
    monkeypatch.setattr(house.runtime, "delete_pod", lambda name, *, grace: None)  # it takes its time
    house.ask(ending, "terminate")
    house.until(lambda: house.phase(ending) is Phase.FAILED)
    house.crash()
    house.loop.turn(0.05)
    assert not house.settled(ending)
    house.runtime.end(house.runtime.running(ending)[0], 137)
    house.until(lambda: house.settled(ending))
