"""kubectl, which is not ours, finds in the test API what it expects of a Kubernetes API."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLACES = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
KUBECTL = shutil.which("kubectl", path=PLACES) or ""
"""That of the test extra, or of this machine."""
pytestmark = pytest.mark.skipif(not KUBECTL, reason="there is no kubectl")
WORKFLOWS = ("argoproj.io/v1alpha1", "workflows")


def manifest(name="hello", **labels):
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name, "labels": labels},
        "spec": {"entrypoint": "main"},
    }


@pytest.fixture
def kubectl(cluster, tmp_path):
    def run(*words, text=None, code=0):
        environment = {**os.environ, "HOME": str(tmp_path)}
        done = subprocess.run(
            [KUBECTL, *words], input=text, capture_output=True, text=True, env=environment, timeout=30
        )
        assert done.returncode == code, done.stderr
        return done.stdout if code == 0 else done.stderr

    return run


def test_creates_gets_lists_and_deletes(kubectl):
    created = kubectl("create", "--validate=false", "-f", "-", text=json.dumps(manifest(color="red")))
    assert created == "workflow.argoproj.io/hello created\n"
    found = json.loads(kubectl("get", "wf", "hello", "-o", "json"))
    assert found["metadata"]["labels"] == {"color": "red"}
    assert kubectl("get", "wf", "-l", "color=blue", "-o", "name") == ""
    assert kubectl("get", "wf", "-l", "color=red", "-o", "name") == "workflow.argoproj.io/hello\n"
    assert "AlreadyExists" in kubectl(
        "create", "--validate=false", "-f", "-", text=json.dumps(manifest()), code=1
    )
    assert kubectl("delete", "wf", "hello").startswith('workflow.argoproj.io "hello" deleted')
    assert "NotFound" in kubectl("get", "wf", "hello", code=1)


def test_patches(kubectl, cluster):
    cluster.storage.create(WORKFLOWS, "default", manifest(x="y"))
    kubectl(
        "patch", "wf", "hello", "--type=merge", "-p", '{"spec": {"shutdown": "Stop", "entrypoint": null}}'
    )
    operations = [{"op": "add", "path": "/metadata/labels/a~1b", "value": "c"}]
    kubectl("patch", "wf", "hello", "--type=json", "-p", json.dumps(operations))
    found = cluster.storage.get(WORKFLOWS, "default", "hello")
    assert found["spec"] == {"shutdown": "Stop"}
    assert found["metadata"]["labels"] == {"x": "y", "a/b": "c"}


def test_refuses_a_stale_update(kubectl, cluster):
    old = cluster.storage.create(WORKFLOWS, "default", manifest())
    cluster.storage.replace(WORKFLOWS, "default", "hello", {**old, "spec": {"suspend": True}})
    assert "Conflict" in kubectl("replace", "--validate=false", "-f", "-", text=json.dumps(old), code=1)


def test_watches_until_something_is_so(kubectl, cluster):
    cluster.storage.create(WORKFLOWS, "default", manifest())
    arguments = ("wait", "wf/hello", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=20s")
    process = subprocess.Popen([KUBECTL, *arguments], stdout=subprocess.PIPE, text=True)
    with cluster.storage.news:
        assert cluster.storage.news.wait_for(lambda: cluster.watches, 20)
    changed = {**cluster.storage.get(WORKFLOWS, "default", "hello"), "status": {"phase": "Succeeded"}}
    cluster.storage.replace(WORKFLOWS, "default", "hello", changed)
    assert process.communicate(timeout=20)[0] == "workflow.argoproj.io/hello condition met\n"


def test_follows_logs(kubectl, cluster):
    pod = {
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "main"}]},
        "status": {"phase": "Running"},
    }
    cluster.storage.create(("v1", "pods"), "default", pod)
    for text in ("one", "two"):
        cluster.log("p", text)
    assert kubectl("logs", "p", "--tail=1") == "two\n"
    cluster.end_log("p")
    assert kubectl("logs", "-f", "p") == "one\ntwo\n"


def test_knows_who_may_do_what(kubectl, cluster, tmp_path):
    rules = [{"apiGroups": ["argoproj.io"], "resources": ["workflows"], "verbs": ["get", "list"]}]
    cluster.allow("limited", rules, "jane")
    cluster.kubeconfig(tmp_path / "kubeconfig", token="limited")
    review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    for verb, answer in (("list", True), ("delete", False)):
        asked = {"verb": verb, "group": "argoproj.io", "resource": "workflows", "namespace": "default"}
        text = json.dumps({"spec": {"resourceAttributes": asked}})
        assert json.loads(kubectl("create", "--raw", review, "-f", "-", text=text))["status"] == {
            "allowed": answer
        }
    assert 'User "jane" cannot list resource "pods"' in kubectl("get", "pods", code=1)
    cluster.kubeconfig(tmp_path / "kubeconfig", token="stranger")
    assert "Unauthorized" in kubectl("get", "wf", code=1)


def test_shows_warnings(kubectl, cluster):
    cluster.warn("*", "/workflows", '299 - "v1alpha1 is \\"deprecated\\"", 299 - "and more"')
    said = kubectl("get", "wf", "hello", code=1)
    assert said.splitlines()[:2] == ['Warning: v1alpha1 is "deprecated"', "Warning: and more"]
