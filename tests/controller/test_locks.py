"""Mutexes across workflows, and memoized outputs: what reconcilers share through the controller."""

import json

from nbflow.spec.pod import PodOutcome
from nbflow.spec.status import Phase


def locked(make):
    step = make["container"]("main")
    step["synchronization"] = {"mutexes": [{"name": "one"}]}
    return [step]


def test_a_mutex_is_passed_from_workflow_to_workflow(house, make):
    first, second = house.submit(locked(make)), house.submit(locked(make))
    house.until(lambda: house.runtime.running(first))
    house.until(lambda: house.phase(second))
    assert house.runtime.running() == [first]
    house.runtime.end(first)
    house.until(lambda: house.runtime.running(second))
    house.runtime.end(second)
    house.until(lambda: house.settled(second))
    assert (house.phase(first), house.phase(second)) == (Phase.SUCCEEDED, Phase.SUCCEEDED)


def test_a_mutex_is_still_held_after_a_crash(house, make):
    first, second = house.submit(locked(make)), house.submit(locked(make))
    house.until(lambda: house.runtime.running(first) and house.phase(second))
    house.crash()
    house.loop.turn(0.05)
    assert house.runtime.running() == [first]
    house.runtime.end(first)
    house.until(lambda: house.runtime.running(second))


def test_a_workflow_that_is_deleted_or_fails_gives_its_mutex_back(house, make):
    first, second, third = (house.submit(locked(make)) for _ in range(3))
    house.until(lambda: house.runtime.running(first) and house.phase(third))
    house.ask(first, "delete")
    house.until(lambda: house.runtime.running(second))
    workflow = next(w for w in house.loop.workflows.active.values() if w.submitted.name == second)
    house.loop.workflows.fail(workflow, ZeroDivisionError("oh"))
    house.until(lambda: house.runtime.running(third))
    assert house.phase(second) is Phase.ERROR


def test_memoized_outputs_are_kept_and_used_by_the_next_workflow(house, make):
    step = make["container"]("main")
    step["memoize"] = {"key": "k", "maxAge": "1h", "cache": {"configMap": {"name": "cache"}}}
    step["outputs"] = {"parameters": [{"name": "x", "valueFrom": {"path": "/x"}}]}
    outputs = {"parameters": [{"name": "x", "value": "7", "valueFrom": {"path": "/x"}}], "exitCode": "0"}
    first = house.submit([step])
    house.runtime.outcomes[first] = PodOutcome(Phase.SUCCEEDED, exit_code=0, outputs=outputs)
    house.runtime.by_itself = True
    house.until(lambda: house.settled(first))
    cache = house.ledger.objects.get("ConfigMap", "cache")
    assert cache["metadata"]["labels"] == {"workflows.argoproj.io/configmap-type": "Cache"}
    assert list(cache["data"]) == ["k"]
    assert json.loads(cache["data"]["k"])["outputs"]["parameters"][0]["value"] == "7"
    second = house.submit([step])
    house.until(lambda: house.settled(second))
    assert house.runtime.started == [first]
    (node,) = house.get(second).status.nodes.values()
    assert node.outputs["parameters"][0]["value"] == "7"
