"""Workflows that run once more: in the store, over a crash, and from a memoized resubmit."""

from datetime import UTC, datetime

from nbflow.clients.submitting import prepare_submit
from nbflow.controller.inbox import Rang
from nbflow.revise.resubmit import ResubmitOptions, resubmit
from nbflow.spec.pod import PodOutcome
from nbflow.spec.status import NodeType, Phase
from tests.controller.conftest import NOW

MAIN = {
    "name": "main",
    "steps": [
        [{"name": "one", "template": "step"}],
        [
            {
                "name": "two",
                "template": "inner",
                "arguments": {"parameters": [{"name": "x", "value": "{{workflow.parameters.x}}"}]},
            }
        ],
        [{"name": "three", "template": "step"}],
    ],
}
INNER = {
    "name": "inner",
    "inputs": {"parameters": [{"name": "x"}]},
    "dag": {"tasks": [{"name": "a", "template": "step"}, {"name": "b", "template": "say", "depends": "a"}]},
}
SAY = {
    "name": "say",
    "container": {"image": "i", "args": ["{{workflow.parameters.x}}"]},
}
ARGUMENTS = {"parameters": [{"name": "x", "value": "1"}]}


def submit(house, make, **spec):
    house.runtime.by_itself = True
    templates = [MAIN, INNER, SAY, make["container"]("step")]
    return house.submit(templates, arguments=ARGUMENTS, **spec)


def failing(house, part="say"):
    """Pods with that in their name fail."""
    start = house.runtime.create_pod

    def create(pod):
        if part and part in pod.name:
            house.runtime.outcomes[pod.name] = PodOutcome(Phase.FAILED, "main: Error (exit code 1)", 1)
        start(pod)

    house.runtime.create_pod = create


def failed(house, make, **spec):
    failing(house)
    name = submit(house, make, **spec)
    house.until(lambda: house.settled(name))
    assert house.phase(name) is Phase.FAILED
    house.runtime.create_pod = type(house.runtime).create_pod.__get__(house.runtime)
    house.runtime.outcomes.clear()
    house.runtime.started.clear()
    return name


def answer(house, request):
    house.until(lambda: house.rows(f"SELECT answer FROM requests WHERE key = {request}")[0][0])
    return house.ledger.take_answer(request)


def test_a_retry_runs_what_failed_and_what_comes_after(house, make):
    name = failed(house, make)
    before = house.get(name)
    log = house.home.log(before.uid, pod_of(house, name, "say"), "main")
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("of the first time")
    assert answer(house, house.ask(name, "retry")) == {}
    house.until(lambda: house.settled(name))
    assert [pod.split("-")[2] for pod in house.runtime.started] == ["say", "step"]
    assert house.phases(name) == {
        name: "Succeeded",
        "[0]": "Succeeded",
        "one": "Succeeded",
        "[1]": "Succeeded",
        "two": "Succeeded",
        "a": "Succeeded",
        "b": "Succeeded",
        "[2]": "Succeeded",
        "three": "Succeeded",
    }
    after = house.get(name)
    kept = {node.display_name: node.id for node in before.status.nodes.values()}
    assert {key: after.status.nodes[id_].display_name for key, id_ in kept.items()} == {k: k for k in kept}
    assert after.status.message == ""
    assert after.metadata["labels"]["workflows.argoproj.io/completed"] == "true"
    assert not log.exists()
    nodes = after.status.nodes
    assert [nodes[child].display_name for child in nodes[kept["a"]].children] == ["b"]


def pod_of(house, name, part):
    return next(pod.name for pod in house.ledger.pods(house.ledger.find(name).key) if part in pod.name)


def test_a_retry_with_parameters_calls_anew_what_runs_again(house, make):
    name = failed(house, make)
    seen = []
    house.runtime.finish = lambda pod, _: (
        seen.append(pod.main.args) or PodOutcome(Phase.SUCCEEDED, exit_code=0)
    )
    assert answer(house, house.ask(name, "retry", parameters=["x=2"])) == {}
    house.until(lambda: house.settled(name))
    assert ("2",) in seen
    two = next(n for n in house.get(name).status.nodes.values() if n.display_name == "two")
    assert two.inputs == {"parameters": [{"name": "x", "value": "2"}]}
    assert house.get(name).spec["arguments"] == {"parameters": [{"name": "x", "value": "2"}]}


def test_a_retry_of_what_runs_or_succeeded_is_refused(house, make):
    name = house.submit([make["container"]("main")])
    house.until(house.runtime.running)
    asked = house.ask(name, "retry")
    assert answer(house, asked)["error"] == "Cannot retry a workflow in phase Running"
    house.runtime.end(house.runtime.running()[0])
    house.until(lambda: house.settled(name))
    refused = answer(house, house.ask(name, "retry"))
    assert refused["error"].startswith("To retry a succeeded workflow, set the options restartSuccessful")


def test_a_node_that_succeeded_is_restarted_with_all_that_came_after(house, make):
    name = submit(house, make)
    house.until(lambda: house.settled(name))
    house.runtime.started.clear()
    a = next(n.id for n in house.get(name).status.nodes.values() if n.display_name == "a")
    body = {"restartSuccessful": True, "nodeFieldSelector": "displayName=a", "nodes": [a]}
    assert answer(house, house.ask(name, "retry", **body)) == {}
    house.until(lambda: house.settled(name))
    assert len(house.runtime.started) == 3
    assert house.phase(name) is Phase.SUCCEEDED
    assert len(house.phases(name)) == 9


def test_a_retry_that_a_crash_interrupts_is_carried_out_once(house, make):
    name = failed(house, make)
    house.ledger.request(house.ledger.find(name).key, "retry", {})
    house.loop._look_into_store()
    house.loop.commit()  # the files of pods are being removed
    house.crash()
    house.until(lambda: house.settled(name) and house.phase(name) is Phase.SUCCEEDED)
    assert len(house.runtime.started) == 2


def test_a_stopped_workflow_goes_on_and_its_deadline_starts_anew(house, make):
    name = house.submit(
        [make["dag"]("main", a=(), b=("a",)), make["container"]("step")], activeDeadlineSeconds=3600
    )
    house.until(house.runtime.running)
    house.ask(name, "stop")
    house.until(lambda: house.settled(name))
    assert (house.phase(name), house.get(name).status.message) == (
        Phase.FAILED,
        "Stopped with strategy 'Stop'",
    )
    house.runtime.by_itself = True
    assert answer(house, house.ask(name, "retry")) == {}
    house.until(lambda: house.settled(name))
    assert house.phases(name) == {name: "Succeeded", "a": "Succeeded", "b": "Succeeded"}


def test_a_memoized_resubmit_runs_only_what_failed(house, make):
    name = failed(house, make)
    old = house.get(name)
    new = resubmit(old.to_dict(), ResubmitOptions(memoized=True), datetime.now(UTC), suffix="abcde")
    house.ledger.submit(prepare_submit(new, "toy", NOW, new["status"]), "2024-05-01T12:00:00Z")
    house.inbox.put(Rang())
    again = new["metadata"]["name"]
    house.until(lambda: house.settled(again))
    assert [pod.split("-")[2] for pod in house.runtime.started] == ["say", "step"]
    nodes = {node.name.removeprefix(again): node for node in house.get(again).status.nodes.values()}
    assert {name: str(node.phase) for name, node in nodes.items()} == {
        "": "Succeeded",
        "[0]": "Succeeded",
        "[0].one": "Skipped",
        "[1]": "Succeeded",
        "[1].two": "Succeeded",
        "[1].two.a": "Skipped",
        "[1].two.b": "Succeeded",
        "[2]": "Succeeded",
        "[2].three": "Succeeded",
    }
    assert nodes["[0].one"].type is NodeType.SKIPPED
    assert nodes["[0].one"].message.startswith("original pod: ")
    assert house.get(again).metadata["labels"]["workflows.argoproj.io/resubmitted-from-workflow"] == name
