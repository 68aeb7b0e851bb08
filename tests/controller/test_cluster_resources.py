"""Resource templates on kinds that this machine has none of, through a kubeconfig: against an API at wire level."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kube import storage
from tests.kube.api import TestApi

ROOT = Path(__file__).parent.parent.parent
CRON_TAB = ("stable.example.com/v1", "crontabs")
Submit = Callable[[str], tuple[dict[str, dict[str, object]], str]]

STORY = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: cluster-}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: create, template: create}
    - - {name: merge, template: merge}
    - - {name: json, template: json}
    - - {name: get, template: get}
    - - {name: replace, template: replace}
    - - {name: delete, template: delete}
    - - {name: unknown, template: unknown}
  - name: create
    resource:
      action: create
      setOwnerReference: true
      manifest: &tab |
        apiVersion: stable.example.com/v1
        kind: CronTab
        metadata: {name: tab, labels: {a: b}}
        spec: {cronSpec: "* * * * *", image: one}
    outputs: {parameters: [{name: uid, valueFrom: {jsonPath: "{.metadata.uid}"}}]}
  - name: merge
    resource:
      action: patch
      mergeStrategy: merge
      successCondition: spec.image == two
      manifest: |
        apiVersion: stable.example.com/v1
        kind: CronTab
        metadata: {name: tab}
        spec: {image: two, cronSpec: null}
    outputs: {parameters: [{name: spec, valueFrom: {jsonPath: "{.spec}"}}]}
  - name: json
    resource:
      action: patch
      mergeStrategy: json
      flags: [crontabs, tab]
      manifest: "[{op: add, path: /spec/three, value: 3}]"
    outputs: {parameters: [{name: spec, valueFrom: {jsonPath: "{.spec}"}}]}
  - name: get
    resource: {action: get, flags: [crontab/tab]}
    outputs: {parameters: [{name: image, valueFrom: {jsonPath: "{.spec.image}"}}]}
  - name: replace
    resource: {action: replace, manifest: *tab}
    outputs: {parameters: [{name: spec, valueFrom: {jsonPath: "{.spec}"}}]}
  - name: delete
    resource: {action: delete, flags: [crontab, --selector=a=b]}
  - name: unknown
    resource: {action: create, manifest: "{apiVersion: no.such/v1, kind: Thing, metadata: {name: x}}"}
"""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestApi]:
    monkeypatch.setitem(storage.KINDS, CRON_TAB, ("CronTab", True, ["ct"]))
    api = TestApi().start()
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig(tmp_path / "kubeconfig")))
    yield api
    api.stop()


@pytest.fixture
def submit(tmp_path: Path) -> Iterator[Submit]:
    env = {**os.environ, "NBFLOW_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}

    def run(*words: object) -> str:
        command = [sys.executable, "-m", "nbflow.cli", *map(str, words)]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120).stdout

    def submitted(manifest: str) -> tuple[dict[str, dict[str, object]], str]:
        (tmp_path / "manifest.yaml").write_text(manifest)
        made = json.loads(run("submit", "--wait", "-o", "json", tmp_path / "manifest.yaml"))
        nodes = {node["displayName"]: node for node in made["status"]["nodes"].values()}
        return nodes, run("logs", made["metadata"]["name"])

    yield submitted
    run("controller", "stop")


def test_a_kind_of_the_cluster(cluster: TestApi, submit: Submit) -> None:
    nodes, logs = submit(STORY)
    assert nodes["unknown"]["message"] == (
        'main: Error (exit code 64): no matches for kind "Thing" in version "no.such/v1"'
    )
    told = {
        name: node["outputs"]["parameters"][0]["value"]  # type: ignore[index]
        for name, node in nodes.items()
        if "parameters" in (node.get("outputs") or {})  # type: ignore[operator]
    }
    assert len(told.pop("uid", told.pop("create"))) == 36
    assert {name: json.loads(text) if name != "get" else text for name, text in told.items()} == {
        "merge": {"image": "two"},
        "json": {"image": "two", "three": 3},
        "get": "two",
        "replace": {"cronSpec": "* * * * *", "image": "one"},
    }
    assert [line.partition(": ")[2] for line in logs.splitlines()][:-1] == [
        "crontab.stable.example.com/tab created",
        "crontab.stable.example.com/tab patched",
        "crontab.stable.example.com/tab patched",
        "crontab.stable.example.com/tab",
        "crontab.stable.example.com/tab replaced",
        'crontab.stable.example.com "tab" deleted',
    ]
    created = [path for method, path, _ in cluster.requests if method == "POST"]
    assert created == ["/apis/stable.example.com/v1/namespaces/default/crontabs"]
