"""Every verb from the shell with `--on argo`, by an account that has the documented rights and no other."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import pytest
import yaml

from nbflow import cli
from nbflow.errors import ConflictError, ManifestError, NbflowError, NotFoundError
from tests.kube.argo import PODS, WORKFLOWS, node, set_status
from tests.kube.fixtures import argo, cluster

__all__ = ["argo", "cluster"]
ROOT = Path(__file__).parents[2]
HELLO = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: hello-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: message, value: hi}]}
  templates:
  - name: main
    container: {image: busybox, command: [echo], args: ["{{workflow.parameters.message}}"]}
"""
TEMPLATE = """\
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: shared}
spec:
  entrypoint: main
  templates:
  - name: main
    container: {image: busybox, command: [echo]}
"""
CALLER = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: caller}
spec:
  entrypoint: main
  templates:
  - name: main
    steps: [[{name: a, templateRef: {name: shared, template: main}}]]
"""
CRON = """\
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {name: nightly}
spec:
  schedules: ["0 3 * * *"]
  workflowMetadata: {labels: {team: a}}
  workflowSpec:
    entrypoint: main
    templates:
    - name: main
      container: {image: busybox, command: [echo]}
"""


def documented_rules():
    return yaml.safe_load((ROOT / "docs/rbac/submitter.yaml").read_text())["rules"]


@pytest.fixture
def limited(cluster, tmp_path):
    """The cluster, and a kubeconfig of an account with the rights of docs/rbac/submitter.yaml alone."""
    cluster.allow("limited", documented_rules(), "jane")
    cluster.kubeconfig(tmp_path / "kubeconfig", token="limited")
    return cluster


@pytest.fixture
def nbflow(limited, tmp_path, monkeypatch):
    monkeypatch.setenv("NBFLOW_HOME", str(tmp_path / "home"))

    def run(*words, code=0):
        out, err = io.StringIO(), io.StringIO()
        assert cli.run([*words, "--on", "argo"], out=out, err=err) == code, out.getvalue() + err.getvalue()
        return out.getvalue()

    yield run
    assert not (tmp_path / "home").exists(), "a cluster's workflows leave nothing on this machine"


@pytest.fixture
def write(tmp_path):
    def file(text, name="wf.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return file


def test_submit_waits_and_prints_what_became_of_it(nbflow, argo, write):
    done = json.loads(
        nbflow("submit", "--wait", "-o", "json", "-p", "message=ho", "-l", "team=a", write(HELLO))
    )
    assert done["status"]["phase"] == "Succeeded"
    assert done["spec"]["arguments"]["parameters"] == [{"name": "message", "value": "ho"}]
    assert done["metadata"]["labels"]["team"] == "a"
    assert "annotations" not in done["metadata"]


def test_submit_watches_and_logs(nbflow, argo, write):
    name = nbflow("submit", "--log", "-o", "name", write(HELLO)).split()[0]
    assert name.startswith("hello-")
    assert nbflow("logs", name) == f"{name}: hello world\n"
    assert "Succeeded" in nbflow("watch", name)
    assert nbflow("wait", "@latest").startswith(f"{name} Succeeded at ")
    assert "Status:              Succeeded" in nbflow("get", name)
    assert nbflow("list", "-o", "name", "--completed") == f"{name}\n"
    assert nbflow("list", "--running") == "No workflows found\n" or "hello" not in nbflow("list", "--running")
    assert nbflow("delete", name) == f"Workflow '{name}' deleted\n"
    assert argo.storage.list(PODS, "default")[0] == []


def test_a_failed_workflow_ends_with_one(nbflow, cluster, write):
    from tests.kube.argo import Controller

    controller = Controller(cluster, phase="Failed")
    controller.start()
    nbflow("submit", "--wait", write(HELLO), code=1)
    controller.end()


@pytest.mark.parametrize("refused", [False, True])
def test_what_the_server_warns_of_is_said_once(limited, argo, write, refused):
    limited.warn("POST", "/workflows$", '299 - "would violate PodSecurity \\"restricted:latest\\""')
    limited.warn("*", "/workflows", '299 - "v1alpha1 is deprecated"')
    if refused:
        limited.fail("POST", "/workflows$", 403, "Forbidden", 'admission webhook "p" denied the request: no')
    out, err = io.StringIO(), io.StringIO()
    argv = ["submit", "--wait", "-o", "name", write(HELLO), "--on", "argo"]
    if refused:
        with pytest.raises(NbflowError, match="no"):
            cli.run(argv, out=out, err=err)
    else:
        assert cli.run(argv, out=out, err=err) == 0
    assert sorted(err.getvalue().splitlines()) == [
        "Warning: v1alpha1 is deprecated",
        'Warning: would violate PodSecurity "restricted:latest"',
    ]


def test_the_server_checks_a_dry_run_and_stores_nothing(nbflow, cluster, write):
    shown = json.loads(nbflow("submit", "--server-dry-run", "-o", "json", write(HELLO)))
    assert shown["metadata"]["name"].startswith("hello-")
    assert shown["metadata"]["uid"]
    assert cluster.storage.list(WORKFLOWS, "default")[0] == []


def test_suspended_nodes_are_set_and_resumed(nbflow, cluster, write):
    cluster.storage.create(WORKFLOWS, "default", {"metadata": {"name": "w"}, "spec": {}})
    waiting = {"outputs": {"parameters": [{"name": "choice", "valueFrom": {"supplied": {}}}]}}
    asked = node("w", "w.ask", "Suspend", "Running", boundary="w", **waiting)
    set_status(cluster, "w", "Running", [node("w", "w", "DAG", "Running", children=["w.ask"]), asked])
    words = ("w", "--node-field-selector", "displayName=ask")
    assert nbflow("node", "set", *words, "-p", 'choice="yes"') == "workflow values set\n"
    found = cluster.storage.get(WORKFLOWS, "default", "w")["status"]["nodes"][asked["id"]]
    assert found["outputs"] == {"parameters": [{"name": "choice", "value": "yes"}]}
    with pytest.raises(NbflowError, match="already set"):
        nbflow("node", "set", *words, "-p", "choice=no")
    assert nbflow("suspend", "w") == "workflow w suspended\n"
    assert cluster.storage.get(WORKFLOWS, "default", "w")["spec"] == {"suspend": True}
    assert nbflow("resume", "w") == "workflow w resumed\n"
    found = cluster.storage.get(WORKFLOWS, "default", "w")
    assert found["spec"] == {}
    assert found["status"]["nodes"][asked["id"]]["phase"] == "Succeeded"
    assert nbflow("stop", "w") == "workflow w stopped\n"
    assert cluster.storage.get(WORKFLOWS, "default", "w")["spec"] == {"shutdown": "Stop"}
    assert nbflow("terminate", "w") == "workflow w terminated\n"


def test_a_pod_that_cannot_start_is_explained(nbflow, cluster):
    cluster.storage.create(WORKFLOWS, "default", {"metadata": {"name": "w"}, "spec": {}})
    message = 'ImagePullBackOff: Back-off pulling image "nope:1"'
    set_status(cluster, "w", "Running", [node("w", "w", phase="Pending", message=message)])
    shown = nbflow("get", "w")
    assert shown.endswith(
        "\nw: the image cannot be pulled (nope:1)\n  fix: check its name and tag; a private one needs "
        "`imagePullSecrets`, and that secret in the namespace\n"
    )


def test_a_change_in_between_is_taken_into_account(nbflow, cluster):
    cluster.storage.create(WORKFLOWS, "default", {"metadata": {"name": "w"}, "spec": {}})
    said = 'Operation cannot be fulfilled on workflows.argoproj.io "w": the object has been modified'
    cluster.fail("PUT", "/workflows/w$", 409, "Conflict", said, times=2)
    nbflow("suspend", "w")
    assert cluster.storage.get(WORKFLOWS, "default", "w")["spec"] == {"suspend": True}


def test_retry_and_resubmit_run_it_again(nbflow, argo, write):
    name = nbflow("submit", "--wait", "-o", "name", write(HELLO)).split()[0]
    set_status(argo, name, "Failed", [node(name, name, phase="Failed", template="main")])
    ended = json.loads(nbflow("retry", name, "--wait", "-o", "json"))
    assert (ended["metadata"]["name"], ended["status"]["phase"]) == (name, "Succeeded")
    assert argo.storage.get(WORKFLOWS, "default", name)["status"]["phase"] == "Succeeded"
    with pytest.raises(ConflictError, match="To retry a succeeded workflow"):
        nbflow("retry", name)
    again = nbflow("resubmit", name, "--wait", "-o", "name").split()[0]
    assert again.startswith("hello-")
    labels = argo.storage.get(WORKFLOWS, "default", again)["metadata"]["labels"]
    assert labels["workflows.argoproj.io/resubmitted-from-workflow"] == name
    assert nbflow("list", "--resubmitted", "-o", "name") == f"{again}\n"


def test_templates_of_the_cluster_are_known_to_lint_and_submit(nbflow, argo, write):
    with pytest.raises(ManifestError, match="shared"):
        nbflow("submit", write(CALLER))
    assert nbflow("template", "create", write(TEMPLATE, "t.yaml")).startswith("Name:                shared\n")
    assert nbflow("lint", write(CALLER)) == "✔ no linting errors found!\n"
    nbflow("lint", "--offline", write(CALLER), code=1)
    nbflow("submit", "--wait", write(CALLER))
    assert nbflow("template", "list") == "NAME\nshared\n"
    with pytest.raises(ConflictError, match="already exists"):
        nbflow("template", "create", write(TEMPLATE, "t.yaml"))
    nbflow("template", "update", write(TEMPLATE.replace("[echo]", "[date]"), "t.yaml"))
    assert json.loads(nbflow("template", "get", "shared", "-o", "json"))["spec"]["templates"][0]["container"][
        "command"
    ] == ["date"]
    name = nbflow("submit", "--from", "workflowtemplate/shared", "--wait", "-o", "name").split()[0]
    started = argo.storage.get(WORKFLOWS, "default", name)
    assert started["spec"] == {"workflowTemplateRef": {"name": "shared"}}
    assert started["metadata"]["labels"]["workflows.argoproj.io/workflow-template"] == "shared"
    assert nbflow("template", "delete", "shared") == "WorkflowTemplate 'shared' deleted\n"
    with pytest.raises(NotFoundError):
        nbflow("template", "get", "shared")


def test_cron_workflows(nbflow, argo, write):
    path = write(CRON, "c.yaml")
    assert nbflow("cron", "lint", path) == "✔ no linting errors found!\n"
    nbflow("cron", "create", path)
    assert nbflow("cron", "suspend", "nightly") == "CronWorkflow 'nightly' suspended\n"
    table = nbflow("cron", "list").splitlines()
    assert table[1].split()[0] == "nightly"
    assert table[1].split()[-1] == "true"
    assert nbflow("cron", "resume", "nightly") == "CronWorkflow 'nightly' resumed\n"
    name = nbflow("submit", "--from", "cronwf/nightly", "--wait", "-o", "name").split()[0]
    metadata = argo.storage.get(WORKFLOWS, "default", name)["metadata"]
    assert metadata["labels"]["team"] == "a"
    assert metadata["ownerReferences"][0]["name"] == "nightly"
    assert nbflow("cron", "delete", "nightly") == "CronWorkflow 'nightly' deleted\n"


def test_what_comes_with_a_manifest_is_created_and_secrets_are_not_shown(nbflow, limited, write):
    text = (
        'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: "open sesame"}\n---\n'
        + HELLO
    )
    nbflow("submit", write(text))
    assert limited.storage.get(("v1", "secrets"), "default", "s")["data"] == {
        "password": base64.b64encode(b"open sesame").decode()
    }
    assert "sesame" not in nbflow("secret", "list", "-o", "json")
    assert nbflow("secret", "list", "-o", "name") == "s\n"
    assert nbflow("secret", "delete", "s") == 'secret "s" deleted\n'


def test_another_instance_is_left_alone(nbflow, cluster, write):
    nbflow("submit", "--instanceid", "blue", "-o", "name", write(HELLO))
    (found,) = cluster.storage.list(WORKFLOWS, "default")[0]
    name = found["metadata"]["name"]
    assert found["metadata"]["labels"] == {"workflows.argoproj.io/controller-instanceid": "blue"}
    assert nbflow("list", "-o", "name", "--instanceid", "blue") == f"{name}\n"
    assert name not in nbflow("list")
    with pytest.raises(NbflowError) as refused:
        nbflow("stop", name)
    assert refused.value.fix == "--instanceid blue"


def test_another_namespace(nbflow, cluster, write):
    cluster.users["limited"].namespaces = ("default", "team")
    with pytest.raises(NbflowError, match='namespace "team" not found'):
        nbflow("submit", "-n", "team", write(HELLO))
    cluster.namespace("team")
    nbflow("submit", "-n", "team", write(HELLO))
    assert cluster.storage.list(WORKFLOWS, "default")[0] == []
    (found,) = cluster.storage.list(WORKFLOWS, "team")[0]
    assert nbflow("list", "-n", "team", "-o", "name") == f"{found['metadata']['name']}\n"


def test_a_manifest_that_names_its_namespace_runs_there(nbflow, argo, write):
    argo.namespace("team")
    argo.users["limited"].namespaces = ("team",)
    text = HELLO.replace("generateName: hello-", "generateName: hello-, namespace: team")
    done = json.loads(nbflow("submit", "--wait", "-o", "json", write(text)))
    assert (done["metadata"]["namespace"], done["status"]["phase"]) == ("team", "Succeeded")
    assert len(argo.storage.list(WORKFLOWS, "team")[0]) == 1


def test_doctor_checks_each_right(nbflow, limited):
    shown = nbflow("doctor")
    assert "ok   right        create, get, list, watch workflows: submit, get, list, watch\n" in shown
    assert "warn right        no right to get, list clusterworkflowtemplates" in shown
    assert (
        'fix: ask the administrator for the right to "get, list" clusterworkflowtemplates in the whole cluster'
        in shown
    )
    limited.allow("limited", [], "jane")
    assert "fail right" in nbflow("doctor", code=2).lower()
