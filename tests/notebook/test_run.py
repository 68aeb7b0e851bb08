"""A run as a value: its nodes by path and pattern, its tables, pictures and manifest, and what it can be asked for."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest
import yaml
from IPython.core.formatters import DisplayFormatter

from nbflow.clients.client import Request
from nbflow.errors import NbflowError
from nbflow.notebook.failure import WorkflowFailedError
from nbflow.notebook.groups import NodeGroup
from nbflow.notebook.names import NoSuchNodeError
from nbflow.notebook.nodes import NodeView
from nbflow.notebook.results import Run
from nbflow.notebook.start import runs
from nbflow.spec.status import NodeType, Phase, WorkflowObject
from tests.notebook.fake_client import FakeClient, node
from tests.notebook.workflows import diamond, end, start

EVIL = '<img src=x onerror=alert(1)><script>alert(2)</script>"\x1b[31m{{x}}'


@pytest.fixture
def client():
    return FakeClient()


@pytest.fixture
def fake(client):
    return client.add(diamond())


@pytest.fixture
def run(client, fake):
    return Run(client, "diamond")


@pytest.fixture
def nested(client):
    """Steps with a loop, and a DAG called twice inside: display names that repeat."""
    spec = {
        "arguments": {"parameters": [{"name": "lr", "value": "0.1"}]},
        "templates": [
            {"name": "main", "steps": [[{"name": "fan", "template": "echo", "withItems": ["a", "b"]}]]},
            {"name": "echo", "container": {"image": "busybox", "command": ["echo"]}},
        ],
    }
    metadata = {
        "name": "wf", "generateName": "w-", "uid": "1", "creationTimestamp": "2024-05-01T12:00:00Z",
        "labels": {"workflows.argoproj.io/phase": "Succeeded", "mine": "1"},
    }  # fmt: skip
    fake = client.add(WorkflowObject(metadata, spec))
    fake.change(
        node("wf", Phase.SUCCEEDED, type=NodeType.STEPS),
        *(
            node(f"wf[0].fan({i}:{x})", Phase.SUCCEEDED, boundary="wf", outputs={"result": x})
            for i, x in enumerate("ab")
        ),
        *(
            node(f"wf.{part}", Phase.SUCCEEDED, type=NodeType.DAG, boundary="wf")
            for part in ("left", "right")
        ),
        *(node(f"wf.{part}.build", Phase.SUCCEEDED, boundary=f"wf.{part}") for part in ("left", "right")),
        phase=Phase.SUCCEEDED,
    )
    fake.workflow = replace(
        fake.workflow,
        status=replace(
            fake.workflow.status,
            nodes={k: replace(n, display_name=n.name.rpartition("].")[2] or n.name) if "fan(" in n.name else n
                   for k, n in fake.workflow.status.nodes.items()},
        ),
    )  # fmt: skip
    return fake


def test_a_path_finds_what_a_name_alone_does_not(client, nested):
    run = Run(client, "wf")
    with pytest.raises(NoSuchNodeError, match="2 nodes are called 'build'"):
        run["build"]
    assert run["left/build"].status.name == "wf.left.build"
    assert run["right/build"].status.name == "wf.right.build"
    with pytest.raises(KeyError):
        run["middle/build"]


def test_a_pattern_finds_several(client, nested):
    run = Run(client, "wf")
    assert isinstance(run["*build"], NodeGroup)
    assert [one.status.name for one in run["*build"]] == ["wf.left.build", "wf.right.build"]
    assert [one.status.name for one in run["right/*"]] == ["wf.right.build"]
    assert run["fan(?:b)"].names == ["fan(1:b)"]
    assert isinstance(run["fan(1:b)"], NodeView)
    with pytest.raises(NoSuchNodeError):
        run["nothing*"]


def test_a_step_that_is_a_loop_is_its_rounds(client, nested):
    rounds = Run(client, "wf")["fan"]
    nested.say("wf[0].fan(0:a)", "hello a")
    nested.say("wf[0].fan(1:b)", "hello b")
    assert (len(rounds), rounds.names, rounds.phases) == (2, ["fan(0:a)", "fan(1:b)"], {"Succeeded": 2})
    assert [one.result for one in rounds.outputs] == ["a", "b"]
    assert rounds.logs == "fan(0:a): hello a\nfan(1:b): hello b"
    assert rounds[-1].outputs.result == "b"
    assert [one.name for one in rounds[:1]] == ["wf[0].fan(0:a)"]
    assert repr(rounds) == "fan(0:a)  Succeeded  5s\nfan(1:b)  Succeeded  5s"
    assert rounds.wait() is rounds


def test_a_group_waits_for_the_end(run, fake):
    start(fake)
    waiting = run["*"]
    assert waiting.phases == {"Running": 2}
    threading.Timer(0.05, lambda: end(fake)).start()
    assert [one.get("size") for one in waiting.outputs] == [None, "A", "B", "C", "D"]


def test_a_run_is_a_table(run, fake):
    pytest.importorskip("pandas")
    end(fake)
    frame = run.to_frame()
    assert list(frame.index) == ["A", "B", "C", "D", "diamond"]
    assert list(frame.columns[:9]) == [
        "type", "template", "phase", "started", "finished", "duration", "message", "name", "id",
    ]  # fmt: skip
    assert frame.loc["B", "outputs.size"] == "B"
    assert frame.loc["B", "duration"].total_seconds() == 5
    assert str(frame["started"].dtype).startswith("datetime64")
    assert list(run["?"].to_frame().index) == ["A", "B", "C", "D"]


def test_tree_graph_and_timeline_come_in_all_forms(run, fake):
    end(fake)
    assert set(run.tree()._repr_mimebundle_()) == {"text/plain", "text/html"}
    for shape in (run.graph(), run.timeline()):
        bundle = shape._repr_mimebundle_()
        assert set(bundle) == {"text/plain", "text/html", "image/svg+xml"}
        assert bundle["image/svg+xml"].startswith("<svg ")
        assert "data:image/svg+xml;base64," in bundle["text/html"]
    assert set(run._repr_mimebundle_()) == {"text/plain", "text/html", "image/svg+xml"}
    assert "✔ B" in str(run.tree())
    assert "✔ B" in str(run.timeline())


def test_nothing_has_happened_yet(run):
    assert str(run.tree()) == "workflow diamond has no nodes yet\n"
    assert str(run.timeline()) == "nothing of workflow diamond has started yet\n"
    assert repr(run["*"]) == "no node fits '*' yet"
    assert run.duration is None


def test_diff_with_another_run_or_its_name(client, run, fake):
    end(fake)
    other = client.add(diamond("other"))
    end(other, C=Phase.FAILED, D=Phase.OMITTED)
    found = run.diff(Run(client, "other"))
    assert [(c.what, c.name, c.before, c.after) for c in found.changes if c.what == "phase"] == [
        ("phase", "(workflow)", "Succeeded", "Failed"),
        ("phase", "C", "Succeeded", "Failed"),
        ("phase", "D", "Succeeded", "Omitted"),
    ]
    assert run.diff("other").changes == found.changes
    assert found
    assert not run.diff(run)
    assert "<table" in found._repr_mimebundle_()["text/html"]
    pytest.importorskip("pandas")
    assert list(found.to_frame().columns) == ["what", "name", "before", "after"]


def test_the_manifest_can_be_submitted_again(client, nested):
    run = Run(client, "wf")
    assert yaml.safe_load(run.to_yaml()) == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "w-", "labels": {"mine": "1"}},
        "spec": nested.workflow.spec,
    }
    assert yaml.safe_load(run.to_yaml(status=True)) == run.to_dict()
    assert run.parameters == {"lr": "0.1"}


def test_nodes_are_asked(run, fake):
    start(fake)
    fake.change(node("diamond.A", Phase.RUNNING, type=NodeType.SUSPEND, boundary="diamond"))
    run["A"].set({"choice": "yes", "n": [1]}, message="fine")
    run["A"].resume()
    run["A"].stop("no")
    run.suspend()
    wanted = node("diamond.A").id
    given = {"parameters": [{"name": "choice", "value": "yes"}, {"name": "n", "value": "[1]"}]}
    assert fake.asked == [
        Request("set", (wanted,), "fine", "", given),
        Request("resume", (wanted,)),
        Request("stop", (wanted,), "no"),
        Request("suspend"),
    ]


def test_retry_and_resubmit_go_to_the_client(client, run, fake):
    told = []

    def retry(name, options):
        told.append(("retry", name, options))
        return fake.workflow

    def resubmit(name, options):
        told.append(("resubmit", name, options))
        return client.add(diamond("again")).workflow

    with pytest.raises(NbflowError, match="retry is not supported on fake"):
        run.retry()
    client.retry, client.resubmit = retry, resubmit
    assert run.retry(restart_successful="displayName=A", parameters={"x": [1]}) is run
    assert run.resubmit(memoized=True).name == "again"
    assert [(verb, name) for verb, name, _ in told] == [("retry", "diamond"), ("resubmit", "diamond")]
    assert told[0][2].parameters == ("x=[1]",)
    assert (told[0][2].restart_successful, told[0][2].node_field_selector) == (True, "displayName=A")
    assert told[1][2].memoized
    run.delete()
    assert "diamond" not in client.runs


def test_a_run_can_be_awaited_while_other_things_happen(run, fake):
    start(fake)
    ticks = []

    async def main():
        async def tick():
            while True:
                ticks.append(1)
                await asyncio.sleep(0.01)

        ticking = asyncio.create_task(tick())
        threading.Timer(0.1, lambda: end(fake)).start()
        done = await run
        ticking.cancel()
        return done

    assert asyncio.run(main()) is run
    assert len(ticks) > 2
    assert asyncio.run(main()).phase == "Succeeded"  # a finished one at once


def test_an_awaited_run_that_failed_raises(run, fake):
    end(fake, C=Phase.FAILED)

    async def main():
        await run

    with pytest.raises(WorkflowFailedError):
        asyncio.run(main())


def test_outputs_have_artifacts_that_are_fetched_from_the_client(client, run, fake):
    end(fake)
    outputs = {
        "artifacts": [{"name": "model", "path": "/tmp/m.json", "s3": {"key": "k"}, "archive": {"none": {}}}]
    }
    fake.change(
        node("diamond.D", Phase.SUCCEEDED, boundary="diamond", outputs=outputs, inputs=outputs),
        outputs={"artifacts": [{"name": "global-model", "s3": {"key": "k"}, "archive": {"none": {}}}]},
    )
    client.artifacts[node("diamond.D").id, "model"] = b'{"a": 1}'
    assert run["D"].outputs.artifacts["model"].json() == {"a": 1}
    assert run["D"].artifacts["model"].json() == {"a": 1}
    assert run["D"].inputs.artifacts["model"].json() == {"a": 1}
    assert run.outputs.artifacts["global-model"].json() == {"a": 1}
    with pytest.raises(KeyError, match="it is an artifact"):
        run["D"].outputs["model"]


def test_a_hostile_name_is_text_in_every_form(client):
    workflow = diamond()
    fake = client.add(
        replace(
            workflow, spec={**workflow.spec, "arguments": {"parameters": [{"name": EVIL, "value": EVIL}]}}
        )
    )
    values = {
        "parameters": [{"name": EVIL, "value": EVIL}],
        "artifacts": [{"name": EVIL, "path": EVIL}],
        "result": EVIL,
    }
    evil = node("diamond.x", Phase.FAILED, boundary="diamond", message=EVIL, outputs=values, inputs=values)
    root = node("diamond", Phase.FAILED, type=NodeType.DAG, template="main", outputs=values)
    fake.change(replace(evil, display_name=EVIL), root, phase=Phase.FAILED, message=EVIL)
    fake.say("diamond.x", EVIL)
    run = Run(client, "diamond")
    one = run[evil.name]
    other = client.add(diamond("other"))
    end(other)
    shown = [
        run.tree(), run.graph(), run.timeline(), run.diff("other"), run["*"], one, one.outputs, one.inputs,
        one.outputs.artifacts, run.nodes, one.logs, run,
    ]  # fmt: skip
    for thing in shown:
        bundle = DisplayFormatter().format(thing)[0] or thing._repr_mimebundle_()
        text, markup = bundle["text/plain"], bundle.get("text/html", "")
        assert "\x1b[31m" not in text.replace("\x1b[31m{{x}}\x1b[0m", ""), thing
        assert "<script" not in markup, thing
        assert "<img src=x" not in markup, thing
        assert "<script" not in bundle.get("image/svg+xml", ""), thing


def test_the_runs_that_there_are(client, fake):
    end(fake)
    spec = {"arguments": {"parameters": [{"name": "lr", "value": EVIL}]}}
    end(client.add(replace(diamond("other"), spec=spec)), C=Phase.FAILED)
    found = runs(client=client)
    assert [one.name for one in found] == ["other", "diamond"]
    assert [one.name for one in found[:1]] == ["other"]
    assert found[1].phase == "Succeeded"
    assert [line.split()[:2] for line in repr(found).splitlines()] == [
        ["NAME", "STATUS"], ["other", "Failed"], ["diamond", "Succeeded"],
    ]  # fmt: skip
    assert "<td" in found._repr_html_()
    pytest.importorskip("pandas")
    frame = found.to_frame()
    assert list(frame["phase"]) == ["Failed", "Succeeded"]
    assert frame.loc["other", "parameters.lr"] == EVIL
    with pytest.raises(NbflowError, match="there is no phase 'Done'"):
        runs(client=client, phases=["Done"])
