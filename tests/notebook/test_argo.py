"""A run in a cluster, as a notebook has it: results, logs, views."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
import yaml

from nbflow.clients.argo import ArgoClient
from nbflow.notebook.start import attach
from nbflow.spec.status import Phase, WorkflowObject
from nbflow.views.graph import dot
from nbflow.views.tree import tree
from tests.kube.argo import WORKFLOWS
from tests.kube.fixtures import argo, cluster
from tests.kube.tour import TOUR, lying_about, words, write_files
from tests.notebook.kernel import kernel

__all__ = ["argo", "cluster", "lying_about"]
ROOT = Path(__file__).parents[2]
SHAPES = sorted((Path(__file__).parents[1] / "manifests" / "cluster").glob("*.json"))
CELL = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: hello}
spec:
  entrypoint: main
  templates:
  - name: main
    container: {image: busybox, command: [echo, hello world]}
"""


def test_the_same_cell_runs_in_a_cluster(argo, tmp_path):
    with kernel(KUBECONFIG=str(tmp_path / "kubeconfig"), NBFLOW_HOME=str(tmp_path / "home")) as cells:
        answer = cells.run("%load_ext nbflow")
        assert answer.traceback == ""
        answer = cells.run("%%workflow run --on argo\n" + CELL)
        assert (answer.status, answer.traceback) == ("ok", "")
        assert "✔ hello" in answer.outputs[0]["data"]["text/plain"]
        assert "hello world" in answer.outputs[0]["data"]["text/html"]
        answer = cells.run("print(run.phase, run.logs)")
        assert "Succeeded" in answer.text
        assert "hello world" in answer.text
        assert argo.storage.get(WORKFLOWS, "default", "hello")["status"]["phase"] == "Succeeded"
        assert cells.run("%workflow delete hello --on argo").text == "Workflow 'hello' deleted\n"
    assert argo.storage.list(WORKFLOWS, "default")[0] == []
    assert not (tmp_path / "home").exists()


def test_what_the_server_warns_of_is_said_under_the_cell(argo, tmp_path):
    argo.warn("POST", "/workflows$", '299 - "the namespace is about to go"')
    argo.warn("PATCH", "/workflows/hello$", '299 - "shutdown is deprecated"')
    with kernel(KUBECONFIG=str(tmp_path / "kubeconfig"), NBFLOW_HOME=str(tmp_path / "home")) as cells:
        cells.run("%load_ext nbflow")
        cell = CELL.replace("spec:", "spec:\n  suspend: true")
        assert cells.run("%%workflow run --on argo --no-wait\n" + cell).text == (
            "Warning: the namespace is about to go\n"
        )
        assert cells.run("_ = run.stop()").text == "Warning: shutdown is deprecated\n"
        again = CELL.replace("hello}", "again}")
        assert cells.run(f"import nbflow; _ = nbflow.run({again!r}, on='argo')").text == (
            "Warning: the namespace is about to go\n"
        )


@pytest.mark.slow
def test_every_verb_works_in_a_notebook(argo, lying_about, tmp_path):
    """By an account that has the documented rights and no other."""
    rules = yaml.safe_load((ROOT / "docs/rbac/submitter.yaml").read_text())["rules"]
    argo.allow("limited", rules, "jane")
    argo.kubeconfig(tmp_path / "kubeconfig", token="limited")
    write_files(tmp_path)
    with kernel(KUBECONFIG=str(tmp_path / "kubeconfig"), NBFLOW_HOME=str(tmp_path / "home")) as cells:
        cells.run("%load_ext nbflow")
        for line in TOUR.splitlines():
            answer = cells.run(f"%workflow {shlex.join(words(line, tmp_path))} --on argo")
            assert (answer.status, answer.traceback) == ("ok", ""), line
        name = cells.run("%workflow list -o name --on argo").text.splitlines()[0]
        assert cells.run(f"%workflow get {name} --on argo").text.startswith(f"Name:                {name}\n")
        dry = cells.run("%%workflow --server-dry-run -o json --on argo\n" + CELL)
        assert json.loads(dry.text)["metadata"]["uid"]
    assert "hello" not in {one["metadata"]["name"] for one in argo.storage.list(WORKFLOWS, "default")[0]}
    assert not (tmp_path / "home").exists()


def test_a_run_that_was_started_elsewhere(argo):
    manifest = {"metadata": {"name": "w"}, "spec": {"entrypoint": "main", "templates": [{"name": "main"}]}}
    argo.storage.create(WORKFLOWS, "default", manifest)
    run = attach("w", client=ArgoClient())
    run.wait()
    assert run.phase == Phase.SUCCEEDED


@pytest.mark.parametrize("path", SHAPES, ids=lambda path: path.stem)
def test_views_show_what_argo_of_each_age_ran(path, cluster):
    """The files are constructed, each in the shape that this version of Argo writes."""
    stored = json.loads(path.read_text())
    cluster.storage.create(WORKFLOWS, "default", stored)
    workflow = ArgoClient().get(stored["metadata"]["name"])
    assert isinstance(workflow, WorkflowObject)
    names = {node.display_name for node in workflow.status.nodes.values() if node.type.value == "Pod"}
    shown = tree(workflow)
    drawn = dot(workflow)
    assert names
    for name in names:
        assert name in shown
        assert name in drawn
