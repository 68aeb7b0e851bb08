"""The verbs on a real cluster. `tests/cluster/README.md` says how to get one."""

from __future__ import annotations

import io
import json
import os
import threading
import time

import pytest

from nbflow import cli
from nbflow.clients.argo import ArgoClient
from nbflow.clients.client import LogOptions, Request, Selection
from nbflow.errors import ConflictError, NbflowError, NotFoundError
from nbflow.kube.access import Cluster
from nbflow.revise.resubmit import ResubmitOptions
from nbflow.revise.retry import RetryOptions
from nbflow.spec.status import Phase

NAMESPACE = os.environ.get("NBFLOW_CLUSTER_NAMESPACE", "")
IMAGE = os.environ.get("NBFLOW_CLUSTER_IMAGE", "busybox:1.36")
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not NAMESPACE, reason="NBFLOW_CLUSTER_NAMESPACE names no namespace"),
]
MINE = {"nbflow.dev/test": "cluster"}


def sh(name, text, **extra):
    return {"name": name, "container": {"image": IMAGE, "command": ["sh", "-c"], "args": [text]}, **extra}


def workflow(*templates, **spec):
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "nbflow-test-", "labels": MINE},
        "spec": {"entrypoint": templates[0]["name"], "templates": list(templates), **spec},
    }


DIAMOND = workflow(
    {
        "name": "main",
        "dag": {
            "tasks": [
                {"name": "a", "template": "say"},
                {"name": "b", "template": "say", "dependencies": ["a"]},
                {"name": "c", "template": "say", "dependencies": ["a"]},
                {"name": "d", "template": "say", "dependencies": ["b", "c"]},
            ]
        },
    },
    sh("say", "for i in 1 2 3; do echo line $i; sleep 0.2; done"),
)


@pytest.fixture
def client():
    made = ArgoClient(Cluster(namespace=NAMESPACE))
    yield made
    for left in made.list(Selection(labels="nbflow.dev/test=cluster")):
        made.delete(left.name)


def finish(client, name):
    *_, last = client.watch(name)
    return last.workflow.status.phase


def until(true, seconds=120.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.2)


def test_a_diamond_runs_and_every_view_of_it_agrees(client):
    name = client.submit(DIAMOND).name
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(client.logs(name, LogOptions(follow=True))))
    reader.start()
    phases = {}
    for update in client.watch(name):
        for node in (*update.workflow.status.nodes.values(), *update.nodes):
            phases.setdefault(node.display_name, []).append(node.phase)
    reader.join(60)
    assert client.get(name).status.phase is Phase.SUCCEEDED
    assert all(phases[task][-1] is Phase.SUCCEEDED for task in "abcd")
    assert len({line.pod for line in lines}) == 4
    assert [line.text for line in lines if line.pod == lines[0].pod] == ["line 1", "line 2", "line 3"]
    assert sorted(line.text for line in client.logs(name)) == sorted(line.text for line in lines)


def test_a_failure_is_retried_and_resubmitted(client):
    name = client.submit(workflow(sh("main", "exit 3"))).name
    assert finish(client, name) is Phase.FAILED
    with pytest.raises(ConflictError):
        client.ask(name, Request("stop"))
    client.retry(name, RetryOptions())
    assert finish(client, name) is Phase.FAILED
    again = client.resubmit(name, ResubmitOptions()).name
    assert again != name
    assert finish(client, again) is Phase.FAILED
    memoized = client.resubmit(name, ResubmitOptions(memoized=True)).name
    assert finish(client, memoized) is Phase.FAILED


def test_suspended_nodes_take_outputs(client):
    ask = {
        "name": "ask",
        "suspend": {},
        "outputs": {"parameters": [{"name": "choice", "valueFrom": {"supplied": {}}}]},
    }
    arguments = {"parameters": [{"name": "choice", "value": "{{steps.ask.outputs.parameters.choice}}"}]}
    main = {
        "name": "main",
        "steps": [
            [{"name": "ask", "template": "ask"}],
            [{"name": "say", "template": "say", "arguments": arguments}],
        ],
    }
    say = sh("say", "echo {{inputs.parameters.choice}}", inputs={"parameters": [{"name": "choice"}]})
    name = client.submit(workflow(main, ask, say)).name

    def asked():
        return [n.id for n in client.get(name).status.nodes.values() if n.display_name == "ask" and n.phase]

    until(asked)
    outputs = {"parameters": [{"name": "choice", "value": "tea"}]}
    client.ask(name, Request("set", tuple(asked()), outputs=outputs))
    client.ask(name, Request("resume"))
    assert finish(client, name) is Phase.SUCCEEDED
    assert [line.text for line in client.logs(name)] == ["tea"]


@pytest.mark.parametrize("verb", ["stop", "terminate"])
def test_what_runs_is_ended(client, verb):
    name = client.submit(workflow(sh("main", "sleep 300"))).name
    until(lambda: client.get(name).status.phase is Phase.RUNNING)
    client.ask(name, Request(verb))
    assert finish(client, name) is Phase.FAILED


def test_suspend_and_resume(client):
    name = client.submit(workflow(sh("main", "true"), suspend=True)).name
    until(lambda: client.get(name).status.phase is not None)
    client.ask(name, Request("resume"))
    assert finish(client, name) is Phase.SUCCEEDED


def test_the_server_refuses_what_is_wrong(client):
    with pytest.raises(NbflowError, match=r"metadata\.name"):
        client.submit({**DIAMOND, "metadata": {"name": "Not A Name"}})
    tried = client.try_submit(DIAMOND)
    with pytest.raises(NotFoundError):
        client.get(tried["metadata"]["name"])


def test_templates_are_stored_found_and_deleted(client):
    template = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "WorkflowTemplate",
        "metadata": {"name": "nbflow-test-shared"},
        "spec": {"entrypoint": "main", "templates": [sh("main", "echo shared")]},
    }
    client.create(template)
    try:
        out = io.StringIO()
        words = ["submit", "--from", "workflowtemplate/nbflow-test-shared", "-l", "nbflow.dev/test=cluster"]
        assert cli.run([*words, "--wait", "-o", "json", "--on", "argo", "-n", NAMESPACE], out=out) == 0
        assert json.loads(out.getvalue())["status"]["phase"] == "Succeeded"
    finally:
        client.delete_object("WorkflowTemplate", "nbflow-test-shared")


def test_the_doctor_finds_all_well():
    assert cli.run(["doctor", "--on", "argo", "-n", NAMESPACE], out=io.StringIO()) == 0
