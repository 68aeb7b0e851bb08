"""What `argo` and nbflow change in workflows that a real controller ran: the same, field by field."""

from __future__ import annotations

import copy
import difflib
import json
import re
import shutil
import subprocess

import pytest

from nbflow.kube.resources import WORKFLOW
from tests.clients.test_argo_reference import lines_of, tidy
from tests.cluster.conftest import sh, until, workflow

pytestmark = pytest.mark.skipif(
    not shutil.which("argo"), reason="Argo's own command line, `argo`, is not on PATH"
)
TASKS = [
    {"name": "good", "template": "good"},
    {"name": "bad", "template": "bad", "depends": "good"},
    {"name": "after", "template": "good", "depends": "bad"},
]
FAILING = workflow(
    {"name": "main", "dag": {"tasks": TASKS}},
    sh("good", "true"),
    sh("bad", "exit {{workflow.parameters.code}}", retryStrategy={"limit": 1}),
    arguments={"parameters": [{"name": "code", "value": "1"}]},
)
ASKING = workflow(
    {"name": "main", "steps": [[{"name": "ask", "template": "ask"}]]},
    {
        "name": "ask",
        "suspend": {},
        "outputs": {"parameters": [{"name": "choice", "valueFrom": {"supplied": {}, "default": "no"}}]},
    },
)
ASK = ("--node-field-selector", "displayName=ask")


def argo(namespace):
    def run(*words):
        done = subprocess.run(["argo", *words, "-n", namespace], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def stored(client, namespace, run, words, frozen):
    """What the verb makes of a workflow that no controller touches: a copy of one that it ran, made anew each time."""
    body = copy.deepcopy(frozen)
    made = client.api.create(WORKFLOW, body)
    name = made["metadata"]["name"]
    before = {one["metadata"]["name"] for one in client.api.list(WORKFLOW).items}
    verb = words[:2] if words[0] == "node" else words[:1]
    run(*verb, name, *words[len(verb) :], "--instanceid", "nobody")
    found = [
        one
        for one in client.api.list(WORKFLOW).items
        if one["metadata"]["name"] == name or one["metadata"]["name"] not in before
    ]
    for one in found:
        client.api.delete(WORKFLOW, one["metadata"]["name"])
    return sorted((plain(one, name) for one in found), key=json.dumps)


def plain(flow, name):
    """Without what is by chance: times, and names in ids; and the ids of nodes that a memoized resubmit left out."""
    known = flow.get("status", {}).get("nodes", {})
    for one in known.values():
        for key in {"children", "outboundNodes"} & one.keys():
            one[key] = [child for child in one[key] or () if child in known]
    text = json.dumps({**flow, "metadata": {**flow["metadata"], "managedFields": None}})
    own = flow["metadata"]["name"]
    for one in sorted(known, key=len, reverse=True):
        text = text.replace(f'"{one}"', f'"ID {known[one]["name"].replace(own, "NEW")}"')
    text = text.replace(own, "NEW").replace(name, "OLD")
    return tidy(json.loads(re.sub(r'"20\d\d-\d\d-\d\dT[\d:.]+Z"', '"TIME"', text)))


@pytest.fixture(scope="module")
def shapes():
    """Workflows that were run, by title."""
    return {}


def ran(client, shapes, title):
    """The workflow as the controller left it, for a controller that does not exist: nobody goes on with it."""
    if title not in shapes:
        name = client.submit(FAILING if title == "failed" else ASKING).name
        state = "Failed" if title == "failed" else "Running"

        def arrived():
            nodes = client.get(name).status.nodes.values()
            asked = any(one.display_name == "ask" and one.phase == "Running" for one in nodes)
            return client.get(name).status.phase == state and (title == "failed" or asked)

        until(arrived)
        found = client.api.get(WORKFLOW, name)
        kept = {k: v for k, v in found["metadata"].items() if k in {"labels", "annotations"}}
        labels = {**kept["labels"], "workflows.argoproj.io/controller-instanceid": "nobody"}
        metadata = {**kept, "labels": labels, "name": f"{name}-copy"}
        text = json.dumps({**found, "metadata": metadata}).replace(name, f"{name}-copy")
        shapes[title] = json.loads(text.replace(f"{name}-copy-copy", f"{name}-copy"))
    return shapes[title]


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("failed", ("retry",)),
        ("failed", ("retry", "-p", "code=0")),
        ("failed", ("retry", "--restart-successful", "--node-field-selector", "displayName=good")),
        ("failed", ("resubmit",)),
        ("failed", ("resubmit", "--memoized")),
        ("asking", ("stop",)),
        ("asking", ("stop", *ASK, "--message", "no")),
        ("asking", ("terminate",)),
        ("asking", ("suspend",)),
        ("asking", ("resume",)),
        ("asking", ("resume", *ASK)),
        ("asking", ("node", "set", *ASK, "-p", "choice=yes", "-m", "hi")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_verbs_change_what_argo_changes(client, nbflow, namespace, shapes, title, words):
    frozen = ran(client, shapes, title)
    theirs = stored(client, namespace, argo(namespace), words, frozen)
    ours = stored(client, namespace, nbflow, words, frozen)
    differences = difflib.unified_diff(lines_of(theirs), lines_of(ours), "argo", "nbflow", lineterm="", n=1)
    assert not "\n".join(differences)


def test_argo_and_kubectl_see_what_nbflow_submitted(client, nbflow, namespace, write):
    name = nbflow("submit", "--wait", "-o", "name", write(workflow(sh("main", "echo hello")))).split()[0]
    theirs = json.loads(argo(namespace)("get", name, "-o", "json"))
    ours = json.loads(nbflow("get", name, "-o", "json"))
    assert tidy(ours["status"]) == tidy(theirs["status"])
    assert tidy(ours["spec"]) == tidy(theirs["spec"])
    shown = argo(namespace)("logs", name, "--no-color")
    assert [line for line in shown.splitlines() if "argo=true" not in line] == [f"{name}: hello"]
    if shutil.which("kubectl"):
        words = ["kubectl", "get", "wf", name, "-n", namespace, "-o", "jsonpath={.status.phase}"]
        assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "Succeeded"
