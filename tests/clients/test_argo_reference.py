"""What Argo's own command line changes in a Workflow, and what we change, compared as the API stores it.

Both are given the same objects in a test API each. Needs the program `argo` (v4.1) on PATH.
"""

from __future__ import annotations

import copy
import difflib
import json
import os
import re
import shutil
import subprocess

import pytest

from nbflow import cli
from tests.clients.argo_trees import Trees
from tests.kube.api import TestApi
from tests.kube.argo import PODS, WORKFLOWS, node, node_id, pod

pytestmark = [
    pytest.mark.skipif(not shutil.which("argo"), reason="Argo's own command line, `argo`, is not on PATH"),
    pytest.mark.slow,
]
NAME = "w"
SPEC = {
    "entrypoint": "main",
    "arguments": {"parameters": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]},
    "templates": [
        {"name": "main", "dag": {"tasks": [{"name": "one", "template": "t"}]}},
        {"name": "t", "container": {"image": "busybox"}},
        {"name": "ask", "suspend": {}},
    ],
}


def workflow(*nodes, phase="Failed", spec=None, **metadata):
    labels = {"workflows.argoproj.io/phase": phase, **metadata.pop("labels", {})}
    if phase in {"Failed", "Error", "Succeeded"}:
        labels["workflows.argoproj.io/completed"] = "true"
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": NAME, "labels": labels, **metadata},
        "spec": copy.deepcopy(SPEC | (spec or {})),
        "status": {
            "phase": phase,
            "message": "it ended",
            "startedAt": "2024-01-01T00:00:00Z",
            "finishedAt": "2024-01-01T00:01:00Z",
            "conditions": [
                {"type": "PodRunning", "status": "False"},
                {"type": "Completed", "status": "True"},
            ],
            "nodes": {one["id"]: one for one in nodes},
        },
    }


def n(name, type_="Pod", phase="Succeeded", **extra):
    return node(NAME, NAME if not name else f"{NAME}{name}", type_, phase, **fixed(extra))


def fixed(extra):
    return {
        k: [f"{NAME}{c}" for c in v] if k == "children" else f"{NAME}{v}" if k == "boundary" else v
        for k, v in extra.items()
    }


ASK = n(
    "",
    "Suspend",
    "Running",
    outputs={
        "parameters": [
            {"name": "choice", "globalName": "picked", "valueFrom": {"supplied": {}, "default": "no"}}
        ]
    },
)
DAG = [
    n("", "DAG", "Failed", children=[".a"]),
    n(".a", children=[".b", ".c"], boundary=""),
    n(".b", phase="Failed", boundary="", message="exit code 1"),
    n(".c", children=[".d"], boundary=""),
    n(".d", phase="Error", boundary=""),
]
STEPS = [
    n("", "Steps", "Failed", children=["[0]"], outbound=None),
    n("[0]", "StepGroup", "Succeeded", children=["[0].a"], boundary=""),
    n("[0].a", children=["[1]"], boundary=""),
    n("[1]", "StepGroup", "Failed", children=["[1].x", "[1].y"], boundary=""),
    n("[1].x", phase="Failed", boundary=""),
    n("[1].y", boundary="", children=["[2]"]),
    n("[2]", "StepGroup", "Skipped", boundary=""),
]
RETRIES = [
    n("", "DAG", "Failed", children=[".r"]),
    n(".r", "Retry", "Failed", children=[".r(0)", ".r(1)"], boundary=""),
    n(".r(0)", phase="Failed", boundary="", nodeFlag={"retried": True}),
    n(".r(1)", phase="Failed", boundary="", nodeFlag={"retried": True}),
    n(".onExit", phase="Succeeded", nodeFlag={"hooked": True}),
]
NESTED = [
    n("", "Steps", "Failed", children=["[0]"]),
    n("[0]", "StepGroup", "Failed", children=["[0].in"], boundary=""),
    n("[0].in", "DAG", "Failed", children=["[0].in.t"], boundary=""),
    n("[0].in.t", "TaskGroup", "Failed", children=["[0].in.t(0:x)", "[0].in.t(1:y)"], boundary="[0].in"),
    n("[0].in.t(0:x)", boundary="[0].in"),
    n("[0].in.t(1:y)", phase="Failed", boundary="[0].in"),
]
CONTAINERS = [
    n("", "Pod", "Failed", children=[".c1"]),
    n(".c1", "Container", "Succeeded", children=[".c2"], boundary=""),
    n(".c2", "Container", "Failed", boundary=""),
]
CASES = {
    "stop": (workflow(ASK, phase="Running"), ["stop"]),
    "stop node": (
        workflow(ASK, phase="Running"),
        ["stop", "--node-field-selector", "id=w", "--message", "no"],
    ),
    "terminate": (workflow(ASK, phase="Running"), ["terminate"]),
    "suspend": (workflow(ASK, phase="Running"), ["suspend"]),
    "resume": (workflow({**ASK, "message": "waiting"}, phase="Running", spec={"suspend": True}), ["resume"]),
    "resume node": (workflow(ASK, phase="Running"), ["resume", "--node-field-selector", "displayName=w"]),
    "node set": (
        workflow(ASK, phase="Running"),
        ["node", "set", "-p", "choice=yes", "-m", "hi", "--node-field-selector", "phase=Running"],
    ),
    "node set phase": (
        workflow(ASK, phase="Running"),
        ["node", "set", "--phase", "Error", "--node-field-selector", "phase=Running"],
    ),
    "retry dag": (workflow(*DAG), ["retry"]),
    "retry steps": (workflow(*STEPS, spec={"shutdown": "Stop", "activeDeadlineSeconds": 0}), ["retry"]),
    "retry attempts": (workflow(*RETRIES, phase="Error"), ["retry"]),
    "retry nested": (workflow(*NESTED), ["retry"]),
    "retry nested parameters": (workflow(*NESTED), ["retry", "-p", "b=3", "-p", "c=4"]),
    "retry containers": (workflow(*CONTAINERS), ["retry"]),
    "restart": (
        workflow(*DAG[:1], *DAG[1:2], *DAG[2:], phase="Succeeded"),
        ["retry", "--restart-successful", "--node-field-selector", "name=w.c"],
    ),
    "retry v1": (
        workflow(*DAG, annotations={"workflows.argoproj.io/pod-name-format": "v1"}),
        ["retry"],
    ),
    "resubmit": (workflow(*DAG, generateName="w-", labels={"mine": "1"}), ["resubmit", "-p", "a=9"]),
    "resubmit plain": (workflow(*DAG, phase="Succeeded", annotations={"x": "y"}), ["resubmit"]),
    "resubmit memoized": (workflow(*STEPS), ["resubmit", "--memoized"]),
    "retry running": (workflow(ASK, phase="Running"), ["retry"]),
    "memoized succeeded": (workflow(*DAG, phase="Succeeded"), ["resubmit", "--memoized"]),
    "suspend finished": (workflow(*DAG), ["suspend"]),
    "stop finished": (workflow(*DAG), ["stop"]),
}


RESTART = ["retry", "--restart-successful", "--node-field-selector", "phase=Succeeded,displayName!=a"]


def stored(api, found, run, words):
    """Everything there is afterwards, and whether it was refused."""
    api.storage.create(WORKFLOWS, "default", found)
    for key, one in found["status"]["nodes"].items():
        if one["type"] == "Pod":
            name = (
                key
                if found["metadata"].get("annotations", {}).get("workflows.argoproj.io/pod-name-format")
                else None
            )
            made = pod(NAME, one["name"], one["templateName"], "uid", "Succeeded")
            made["metadata"]["name"] = name or made["metadata"]["name"]
            api.storage.create(PODS, "default", made)
    refused = run(words)
    flows, _ = api.storage.list(WORKFLOWS, "default")
    pods = sorted(one["metadata"]["name"] for one in api.storage.list(PODS, "default")[0])
    return {
        "refused": refused,
        "pods": pods,
        "workflows": sorted((plain(flow) for flow in flows), key=json.dumps),
    }


def plain(flow):
    """Without what is by chance, what counts the seconds, and what Go writes for nothing."""
    known = flow.get("status", {}).get("nodes", {})
    for one in known.values():  # what a memoized resubmit left out has an id by chance
        for key in {"children", "outboundNodes"} & one.keys():
            one[key] = [child for child in one[key] or () if child in known]
    text = json.dumps(flow)
    for random_name in {flow["metadata"]["name"]} - {NAME}:
        nodes = flow.get("status", {}).get("nodes", {}).values()
        for one in sorted(nodes, key=lambda one: len(one["id"]), reverse=True):
            text = text.replace(one["id"], node_id("NEW", one["name"].replace(random_name, "NEW")))
        text = text.replace(random_name, "NEW")
    text = re.sub(r'"20[2-9]\d-\d\d-\d\dT[\d:.]+Z"', '"TIME"', text)
    return tidy(json.loads(text))


def lines_of(data):
    return json.dumps(data, indent=1, sort_keys=True).splitlines()


BY_CHANCE = {"resourceVersion", "uid", "generation", "managedFields"}


def tidy(value):
    if isinstance(value, dict):
        found = {k: tidy(v) for k, v in value.items() if k not in BY_CHANCE}
        return {k: v for k, v in sorted(found.items()) if v not in (None, "", {}, [])}
    return [tidy(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", CASES)
def test_changes_the_same_as_argo(name, tmp_path, monkeypatch):
    compare(*CASES[name], tmp_path, monkeypatch)


@pytest.mark.parametrize("seed", range(12))
def test_changes_trees_at_random_the_same_as_argo(seed, tmp_path, monkeypatch):
    nodes = []
    for one in Trees(seed).nodes:
        extra = {"children": list(dict.fromkeys(one["children"]))} if one["children"] else {}
        extra |= {} if one["boundary"] is None else {"boundary": one["boundary"]}
        nodes.append(n(one["name"], one["type"], one["phase"], **extra, **one["extra"]))
    words = (["retry"], ["retry", "-p", "b=3"], ["resubmit", "--memoized"], RESTART)[seed % 4]
    phase = "Succeeded" if words is RESTART else "Failed"
    compare(workflow(*nodes, phase=phase), words, tmp_path, monkeypatch)


def compare(found, words, tmp_path, monkeypatch):
    verb, rest = (words[:2], words[2:]) if words[0] == "node" else (words[:1], words[1:])

    def theirs(_):
        done = subprocess.run(
            ["argo", *verb, NAME, *rest], capture_output=True, text=True, env=os.environ, timeout=60
        )
        return done.returncode != 0

    def ours(_):
        from nbflow.errors import NbflowError

        try:
            return cli.run([*verb, NAME, *rest, "--on", "argo"]) != 0
        except NbflowError:
            return True

    results = []
    for run in (theirs, ours):
        api = TestApi().start()
        monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig(tmp_path / "kubeconfig", token=TOKEN)))
        api.allow(TOKEN, None, "jane")
        results.append(stored(api, copy.deepcopy(found), run, words))
        api.stop()
    differences = difflib.unified_diff(
        lines_of(results[0]), lines_of(results[1]), "argo", "nbflow", lineterm="", n=1
    )
    assert not "\n".join(differences)


# A service account's token, as far as command lines read it: {"sub": "system:serviceaccount:default:jane"}
TOKEN = "e30.eyJzdWIiOiAic3lzdGVtOnNlcnZpY2VhY2NvdW50OmRlZmF1bHQ6amFuZSJ9.e30"


BACKFILL = [
    "cron",
    "backfill",
    "nightly",
    "--name",
    "Late",
    "--format",
    "2006-01-02",
    "--start",
    "2024-01-01",
]


@pytest.mark.parametrize("flags", [[], ["--parallel"], ["--argname", "at", "--maxworkflowcount", "2"]])
def test_backfills_the_same_as_argo(flags, tmp_path, monkeypatch):
    import yaml

    cron = {
        "metadata": {"name": "nightly", "labels": {"mine": "1"}},
        "spec": {
            "schedules": ["0 3 * * *"],
            "workflowMetadata": {"labels": {"team": "a"}},
            "workflowSpec": SPEC,
        },
    }

    def run(words):
        with TestApi().start() as api:
            kubeconfig = api.kubeconfig(tmp_path / "kubeconfig", token=TOKEN)
            monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
            api.allow(TOKEN, None, "jane")
            api.storage.create(("argoproj.io/v1alpha1", "cronworkflows"), "default", cron)
            words([*BACKFILL, "--end", "2024-01-04", *flags])
            flows, _ = api.storage.list(WORKFLOWS, "default")
        for flow in flows:
            resource = flow["spec"]["templates"][1]["resource"]
            resource["manifest"] = yaml.safe_load(resource["manifest"])
            resource["manifest"]["metadata"]["annotations"] = "the time of asking"
            resource["manifest"]["metadata"]["ownerReferences"][0]["uid"] = "uid"
        return sorted((plain(flow) for flow in flows), key=lambda flow: len(json.dumps(flow)))

    theirs = run(lambda words: subprocess.run(["argo", *words], check=True, env=os.environ, timeout=60))
    ours = run(lambda words: cli.run([*words, "--on", "argo"]))
    assert ours == theirs
