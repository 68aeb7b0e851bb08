"""What a cluster refuses, or cannot do, is said in words with what to do about it."""

from __future__ import annotations

import json

import pytest

from nbflow.errors import NbflowError, NotFoundError
from nbflow.kube.access import Cluster
from nbflow.kube.api import Api
from nbflow.kube.refusals import UnauthorizedError
from nbflow.kube.resources import ARGO, WORKFLOW, Resource
from tests.cluster.conftest import ADMIN, GIVEN, sh, until, workflow

TRUE = workflow(sh("main", "true"))
ours = pytest.mark.skipif(bool(GIVEN), reason="NBFLOW_CLUSTER_NAMESPACE names a namespace that is not ours")


def refused(action, kind=NbflowError):
    with pytest.raises(kind) as error:
        action()
    return error.value


@pytest.fixture(scope="module")
def other(kube):
    """A second namespace, which the account has no rights in; it may hold two workflows."""
    name = kube.make_namespace()
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}}
    kube.apply(name, {**quota, "spec": {"hard": {"count/workflows.argoproj.io": "1"}}})
    yield name
    kube.remove_namespace(name)


def test_a_kind_that_the_cluster_does_not_know(client):
    missing = Resource("Sandwich", "sandwiches", ARGO, "v1alpha1", namespaced=True)
    error = refused(lambda: client.api.list(missing))
    assert error.problem == (
        "the cluster does not know sandwiches.argoproj.io: Argo Workflows is not installed there"
    )
    assert not client.api.knows(missing)


def test_what_the_server_warns_of(client):
    manifest = workflow(sh("main", "true"))
    manifest["metadata"]["finalizers"] = ["plain"]
    client.try_submit(manifest)
    said = (
        'Warning: metadata.finalizers: "plain": prefer a domain-qualified finalizer name to avoid accidental '
        "conflicts with other finalizer writers"
    )
    assert client.notices() == [said]
    client.try_submit(manifest)
    assert client.notices() == []


@ours
def test_a_namespace_without_rights(nbflow, namespace, other, write):
    error = refused(lambda: nbflow("submit", "-n", other, write(TRUE)))
    assert error.problem.startswith("workflows.argoproj.io")
    assert f'in the namespace "{other}"' in error.problem
    assert f"workflows in namespace {other}; `nbflow doctor --on argo` lists them" in error.fix
    error = refused(lambda: nbflow("list", "-A"))
    assert error.problem.endswith("at the cluster scope")
    assert error.fix.startswith(
        'ask the administrator for the right to "list" workflows in the whole cluster'
    )


@ours
def test_another_namespace_that_a_manifest_names_and_a_list_of_all(nbflow, other, write, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", ADMIN)
    manifest = workflow(sh("main", "echo there"))
    manifest["metadata"]["namespace"] = other
    done = json.loads(nbflow("submit", "--wait", "-o", "json", write(manifest)))
    name = done["metadata"]["name"]
    assert (done["metadata"]["namespace"], done["status"]["phase"]) == (other, "Succeeded")
    assert nbflow("logs", name, "-n", other) == f"{name}: there\n"
    assert name in nbflow("list", "-A", "-o", "name").split()
    error = refused(lambda: nbflow("submit", "-n", other, write(TRUE)))
    assert "exceeded quota: few" in error.problem
    assert error.fix.startswith("delete what is not needed")
    nbflow("delete", name, "-n", other)


@ours
def test_no_such_namespace(nbflow, write, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", ADMIN)
    error = refused(lambda: nbflow("submit", "-n", "nbflow-no-such-namespace", write(TRUE)))
    assert error.problem == 'namespace "nbflow-no-such-namespace" not found'


def test_a_token_that_is_not_accepted(kube, namespace, tmp_path):
    path = kube.kubeconfig(tmp_path / "stale", namespace, {"token": "stale"})
    error = refused(lambda: Api(Cluster(kubeconfig=str(path))).list(WORKFLOW), UnauthorizedError)
    assert error.problem == "the API server does not accept your credentials (401 Unauthorized)"


def test_what_the_schema_of_the_cluster_refuses(client):
    """Lint finds it before; this is what the server says to those who do without."""
    bad = workflow(sh("main", "true"))
    bad["metadata"]["name"] = "Not A Name"
    error = refused(lambda: client.submit(bad))
    assert "metadata.name" in error.problem
    assert error.fix.startswith("mend metadata.name: Invalid value")
    assert "<nil>" not in f"{error.problem}{error.fix}"


def test_names_that_are_taken_or_unknown(client):
    error = refused(lambda: client.get("nbflow-nobody"), NotFoundError)
    assert error.problem == 'workflows.argoproj.io "nbflow-nobody" not found'


def test_an_image_that_cannot_be_pulled_is_explained(nbflow, write, client):
    nowhere = sh("main", "true")
    nowhere["container"]["image"] = "registry.invalid/nbflow:none"
    name = nbflow("submit", "-o", "name", write(workflow(nowhere))).split()[0]
    shown = until(lambda: text if "cannot be pulled" in (text := nbflow("get", name)) else "")
    assert "the image cannot be pulled (registry.invalid/nbflow:none)\n  fix: check its name and tag" in shown
    nbflow("terminate", name)
    nbflow("wait", name, code=1)


def test_a_pod_that_fits_nowhere_is_explained(nbflow, write, client):
    huge = sh("main", "true")
    huge["container"]["resources"] = {"requests": {"memory": "900Ti"}}
    name = nbflow("submit", "-o", "name", write(workflow(huge))).split()[0]
    shown = until(lambda: text if "fix:" in (text := nbflow("get", name)) else "")
    assert "Insufficient memory" in shown or "memory" in shown
    nbflow("terminate", name)
    nbflow("wait", name, code=1)


def test_a_template_whose_name_no_pod_can_have_is_explained(nbflow, write, client):
    call = {"name": "main", "steps": [[{"name": "a", "template": "Say"}]]}
    name = nbflow("submit", "--wait", "-o", "name", write(workflow(call, sh("Say", "true"))), code=1).split()[
        0
    ]
    shown = nbflow("get", name)
    assert (
        "its pod cannot be called so: the name of the template is part of it\n  fix: name the template"
        in shown
    )
