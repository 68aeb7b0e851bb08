from __future__ import annotations

import json
import threading

import pytest
from IPython.core.formatters import DisplayFormatter

from nbflow.errors import ManifestError, NotFoundError
from nbflow.notebook.failure import StillRunningError, WorkflowFailedError
from nbflow.notebook.names import NoSuchNodeError
from nbflow.notebook.results import Run
from nbflow.notebook.start import attach
from nbflow.notebook.start import run as start_run
from nbflow.notebook.values import Logs, NoSuchOutputError
from nbflow.spec.status import NodeType, Phase, WorkflowObject
from tests.notebook.fake_client import FakeClient, node
from tests.notebook.workflows import diamond, end, start


@pytest.fixture
def client():
    return FakeClient()


@pytest.fixture
def fake(client):
    return client.add(diamond())


@pytest.fixture
def run(client, fake):
    return Run(client, "diamond")


def later(action):
    """Do it in another thread once the main thread waits."""
    threading.Timer(0.05, action).start()


def test_a_run_says_at_once_how_it_stands(run, fake):
    assert (run.phase, run.message, list(run.nodes)) == ("Pending", "", [])
    start(fake)
    assert (run.phase, list(run.nodes)) == ("Running", ["diamond", "A"])
    assert run["A"].phase == "Running"
    assert run["D"].phase is None


def test_outputs_wait_for_the_end(run, fake):
    start(fake)
    later(lambda: end(fake))
    assert dict(run.outputs) == {"total": "12"}
    assert run.phase == "Succeeded"


def test_a_node_that_is_still_to_come_is_waited_for(run, fake):
    start(fake)
    later(lambda: (end(fake), fake.say("diamond.B", "one", "two")))
    assert run["B"].outputs["size"] == "B"
    assert run["B"].outputs.exit_code == 0


def test_logs_of_a_pod_are_its_lines_and_those_of_a_group_name_the_node(run, fake):
    end(fake)
    fake.say("diamond.B", "one", "two")
    fake.say("diamond.C", "three")
    assert run["B"].logs == "one\ntwo"
    assert run["B"].logs.lines == ["one", "two"]
    assert run["diamond"].logs == run.logs == "B: one\nB: two\nC: three"
    assert run["A"].logs == ""
    assert run["A"].logs.lines == []


def test_an_unknown_node_is_a_key_error_that_names_near_misses(client):
    workflow = diamond("wf")
    workflow.spec["templates"][0]["dag"]["tasks"][0]["name"] = "prepare-data"
    client.add(workflow)
    with pytest.raises(KeyError) as caught:
        Run(client, "wf")["prepare_data"]
    assert str(caught.value) == "workflow wf has no node 'prepare_data'\n  fix: did you mean 'prepare-data'?"


def test_an_entrypoint_without_steps_is_called_by_its_template_too(client):
    spec = {"entrypoint": "greet", "templates": [{"name": "greet", "container": {"image": "busybox"}}]}
    workflow = client.add(WorkflowObject({"name": "hello-x", "uid": "u"}, spec))
    run = Run(client, "hello-x")
    assert run["greet"].phase is None  # still to come
    workflow.change(node("hello-x", Phase.SUCCEEDED, template="greet"), phase=Phase.SUCCEEDED)
    workflow.say("hello-x", "hello world")
    assert run["greet"].logs == run["hello-x"].logs == "hello world"
    assert run._ipython_key_completions_() == ["hello-x", "greet"]
    with pytest.raises(NoSuchNodeError):
        run["hello"]


def test_a_template_of_steps_is_no_name_of_a_node(run, fake):
    end(fake)
    with pytest.raises(NoSuchNodeError):
        run["main"]
    with pytest.raises(NoSuchNodeError):
        run["echo"]


def test_a_display_name_that_several_nodes_share_asks_for_the_whole_name(run, fake):
    fake.change(node("diamond.x.same"), node("diamond.y.same"))
    with pytest.raises(NoSuchNodeError) as caught:
        run["same"].phase  # noqa: B018
    assert str(caught.value) == (
        "2 nodes are called 'same'\n  fix: use the whole name: 'diamond.x.same', 'diamond.y.same'"
    )
    assert run["diamond.x.same"].phase == run["x.same"].phase == "Pending"


def test_an_unknown_output_names_near_misses(run, fake):
    end(fake)
    with pytest.raises(NoSuchOutputError) as caught:
        run.outputs["totl"]
    assert (
        str(caught.value) == "workflow diamond has no output parameter 'totl'\n  fix: did you mean 'total'?"
    )


def test_a_failed_workflow_raises_at_the_first_use_of_its_results(run, fake):
    end(fake, C=Phase.FAILED, D=Phase.OMITTED)
    fake.say("diamond.C", "start", "Traceback", "ValueError: no data")
    with pytest.raises(WorkflowFailedError) as caught:
        run.outputs  # noqa: B018
    assert str(caught.value).splitlines() == [
        "workflow diamond ended in phase Failed",
        "✖ C: Error (exit code 3)",
        "  | start",
        "  | Traceback",
        "  | ValueError: no data",
    ]
    assert run["C"].logs.lines[-1] == "ValueError: no data"
    assert run["A"].outputs["size"] == "A"
    with pytest.raises(WorkflowFailedError):
        run["C"].outputs  # noqa: B018
    assert run.wait(check=False) is run


def test_waiting_with_a_limit_leaves_the_workflow_alone(run, fake):
    start(fake)
    with pytest.raises(StillRunningError, match=r"workflow diamond is not finished after 0\.05 s"):
        run.wait(timeout=0.05)
    later(lambda: end(fake))
    assert run.wait(timeout=20).phase == "Succeeded"


def test_stop_and_terminate_ask(run, fake):
    run.stop("enough")
    run.terminate()
    assert [(r.verb, r.message) for r in fake.asked] == [("stop", "enough"), ("terminate", "")]


def test_a_watch_that_breaks_raises_where_somebody_waits(run, fake, client):
    def broken(name):
        raise RuntimeError("the disk is gone")
        yield

    client.watch = broken
    with pytest.raises(RuntimeError, match="the disk is gone"):
        run.wait()


def test_a_group_has_the_logs_of_everything_inside(run, fake):
    fake.change(
        node("diamond", Phase.SUCCEEDED, type=NodeType.STEPS),
        node(
            "diamond.r",
            Phase.SUCCEEDED,
            type=NodeType.RETRY,
            boundary="diamond",
            children=(node("diamond.r(0)").id,),
        ),
        node("diamond.r(0)", Phase.SUCCEEDED, boundary="diamond"),
        phase=Phase.SUCCEEDED,
    )
    fake.say("diamond.r(0)", "tried")
    assert run["r"].logs == "tried"


def test_attach_finds_the_newest(client, fake):
    assert attach(client=client).name == "diamond"
    with pytest.raises(NotFoundError):
        attach("nothing", client=client)


def test_python_starts_a_run_from_text_path_or_mapping(client, tmp_path):
    manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "given"},
        "spec": {
            "entrypoint": "main",
            "arguments": {"parameters": [{"name": "x", "value": "1"}]},
            "templates": [{"name": "main", "container": {"image": "busybox", "command": ["echo"]}}],
        },
    }
    started = start_run(manifest, parameters={"x": [1, 2]}, client=client)
    assert started.name == "given"
    assert started.workflow.spec["arguments"] == {"parameters": [{"name": "x", "value": "[1, 2]"}]}
    path = tmp_path / "wf.json"
    path.write_text(json.dumps(manifest | {"metadata": {"generateName": "file-"}}))
    assert start_run(str(path), client=client).name == "file-00001"
    with pytest.raises(ManifestError):
        start_run(manifest | {"spec": {}}, client=client)
    assert sorted(client.runs) == ["file-00001", "given"]


def test_a_log_in_a_cell_is_shown_as_it_was_written():
    shown_by = DisplayFormatter().format
    shown = shown_by(Logs("one \x1b[31mred\x1b[0m\ntwo\x00"))[0]
    assert shown == {"text/plain": "one \x1b[31mred\x1b[0m\x1b[0m\ntwo\\x00"}
    many = shown_by(Logs("\n".join(map(str, range(1500)))))[0]["text/plain"]
    assert many.split("\n")[:2] == ["… 500 lines before; print() shows all", "500"]
    assert shown_by([Logs("a\nb")])[0] == {"text/plain": r"['a\nb']"}


def test_the_outputs_of_a_failed_node_name_it_where_the_workflow_went_on(client):
    fake = client.add(diamond())
    start(fake)
    end(fake)
    fake.change(node("diamond.C", Phase.FAILED, boundary="diamond", message="Error (exit code 3)"))
    with pytest.raises(WorkflowFailedError) as raised:
        _ = Run(client, "diamond")["C"].outputs
    assert str(raised.value) == "node C of workflow diamond ended in phase Failed\n✖ C: Error (exit code 3)"
