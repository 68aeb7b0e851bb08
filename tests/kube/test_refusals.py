"""What a server refuses, or does not answer, is said in words with what to do about it."""

from __future__ import annotations

import ssl

import pytest

from nbflow.errors import ConflictError, NbflowError, NotFoundError
from nbflow.kube.api import Api
from nbflow.kube.refusals import UnavailableError, unreachable
from nbflow.kube.resources import POD, WORKFLOW
from tests.kube.argo import WORKFLOWS

CREATE = {"metadata": {"name": "w"}, "spec": {}}


def refused(action, kind=NbflowError):
    with pytest.raises(kind) as error:
        action()
    return error.value


def test_missing_crds(cluster):
    cluster.missing.add("workflows")
    error = refused(lambda: Api().list(WORKFLOW))
    said = "the cluster does not know workflows.argoproj.io: Argo Workflows is not installed there"
    assert (error.problem, error.where) == (said, "context test")
    assert error.fix.startswith("ask the administrator to install Argo Workflows with its CRDs")


def test_missing_crds_are_said_to_who_has_no_rights_either(cluster, tmp_path):
    cluster.missing.add("workflows")
    cluster.allow("limited", [], "jane")
    cluster.kubeconfig(tmp_path / "kubeconfig", token="limited")
    error = refused(lambda: Api().list(WORKFLOW))
    said = "the cluster does not know workflows.argoproj.io: Argo Workflows is not installed there"
    assert (error.problem, error.where) == (said, "context test")
    cluster.fail("GET", "/apis/argoproj.io/v1alpha1$", 403, "Forbidden", "no discovery", times=9)
    assert 'User "jane" cannot list' in refused(lambda: Api().list(WORKFLOW)).problem


def test_rbac(cluster, tmp_path):
    cluster.allow("limited", [], "jane")
    cluster.kubeconfig(tmp_path / "kubeconfig", token="limited")
    error = refused(lambda: Api().create(WORKFLOW, CREATE))
    assert error.problem == (
        'workflows.argoproj.io is forbidden: User "jane" cannot create resource "workflows" '
        'in API group "argoproj.io" in the namespace "default"'
    )
    assert error.fix == (
        'ask the administrator for the right to "create" workflows in namespace default; '
        "`nbflow doctor --on argo` lists them"
    )


@pytest.mark.parametrize(
    ("code", "reason", "message", "fix"),
    [
        (
            403,
            "Forbidden",
            'workflows.argoproj.io "w" is forbidden: exceeded quota: few, requested: count/workflows=1, used: 3',
            "delete what is not needed (`nbflow delete --completed --on argo`), or ask for a higher quota",
        ),
        (
            403,
            "Forbidden",
            'admission webhook "policy.example.com" denied the request: images must be signed',
            (
                "the cluster's policy policy.example.com refuses it: change the manifest as it says, "
                "or ask the administrator"
            ),
        ),
        (
            500,
            "InternalError",
            'Internal error occurred: failed calling webhook "policy.example.com": connection refused',
            (
                "ask the administrator to look after the admission webhook policy.example.com: "
                "nothing can be changed without it"
            ),
        ),
        (
            404,
            "NotFound",
            'namespaces "default" not found',
            "choose another one with -n",
        ),
    ],
)
def test_what_policies_refuse(cluster, code, reason, message, fix):
    details = {"kind": "namespaces", "name": "default"} if code == 404 else None
    cluster.fail("POST", "/workflows$", code, reason, message, times=9, details=details)
    error = refused(lambda: Api().create(WORKFLOW, CREATE))
    assert error.fix == fix
    assert error.problem.removeprefix("namespace ") in message


def test_invalid_objects(cluster):
    error = refused(lambda: Api().create(WORKFLOW, {"metadata": {}, "spec": {"parallelism": "x"}}))
    name = "metadata.name: Required value: name or generateName is required"
    number = 'spec.parallelism: Invalid value: "string": spec.parallelism in body must be of type integer: "string"'
    assert error.problem == f'Workflow.argoproj.io "" is invalid: [{name}, {number}]'
    assert error.fix == f"mend {name}; {number}"


def test_names_that_are_taken_or_unknown(cluster):
    Api().create(WORKFLOW, CREATE)
    error = refused(lambda: Api().create(WORKFLOW, CREATE), ConflictError)
    assert error.problem == 'workflows.argoproj.io "w" already exists'
    error = refused(lambda: Api().get(WORKFLOW, "x"), NotFoundError)
    assert error.problem == 'workflows.argoproj.io "x" not found'
    assert error.fix == "`nbflow list --on argo -n default` shows those there are"


def test_a_busy_server_is_asked_again_with_growing_pauses(cluster):
    fault = cluster.fail("GET", "/workflows$", 429, "TooManyRequests", "too many requests", times=3)
    assert Api().list(WORKFLOW).items == []
    assert fault.hits == 3
    fault = cluster.fail("GET", "/workflows$", 429, "TooManyRequests", "too many requests", times=99)
    error = refused(lambda: Api().list(WORKFLOW))
    assert error.fix == "the API server is busy: try again in a while"
    assert fault.hits == 5


def test_a_create_whose_answer_is_lost_is_not_done_twice(cluster):
    fault = cluster.fail("POST", "/workflows$", times=1)
    error = refused(lambda: Api().create(WORKFLOW, CREATE))
    assert error.problem.endswith("; the Workflow w may have been created nevertheless")
    assert fault.hits == 1


def test_a_server_that_is_not_there(cluster, tmp_path):
    port = cluster.port
    cluster.stop()
    error = refused(lambda: Api().list(WORKFLOW))
    assert error.problem == f"https://127.0.0.1:{port} cannot be reached: nothing listens at that address"
    assert error.fix == "is the cluster up, and its address in the kubeconfig right?"
    cluster.kubeconfig(tmp_path / "kubeconfig", server="https://cluster.invalid:6443")
    error = refused(lambda: Api().list(WORKFLOW))
    assert error.problem.startswith(
        "https://cluster.invalid:6443 cannot be reached: its name is not known here"
    )


def test_a_certificate_that_is_not_trusted(cluster, tmp_path):
    import trustme
    import yaml

    path = tmp_path / "kubeconfig"
    data = yaml.safe_load(path.read_text())
    import base64

    other = trustme.CA().cert_pem.bytes()
    data["clusters"][0]["cluster"]["certificate-authority-data"] = base64.b64encode(other).decode()
    path.write_text(yaml.safe_dump(data))
    error = refused(lambda: Api().list(WORKFLOW))
    assert error.problem.startswith(f"the certificate of {cluster.url} is not trusted: ")


def test_long_lists_come_in_pages_even_if_their_history_is_forgotten(cluster, monkeypatch):
    monkeypatch.setattr("nbflow.kube.api._PAGE", 3)
    for i in range(8):
        cluster.storage.create(WORKFLOWS, "default", {"metadata": {"name": f"w{i}"}})
    assert len(Api().list(WORKFLOW).items) == 8
    pages = [query for _, path, query in cluster.requests if path.endswith("/workflows")]
    assert len(pages) == 3
    cluster.fail("GET", "continue", 410, "Expired", "the provided continue parameter is too old")
    send = Api()
    original = cluster.storage.list

    def forgets(kind, namespace):
        found = original(kind, namespace)
        cluster.storage.compact()
        cluster.storage.version += 1
        cluster.storage.oldest += 1
        return found

    monkeypatch.setattr(cluster.storage, "list", forgets)
    assert len(send.list(WORKFLOW).items) == 8


def test_a_foreign_server_is_said(cluster):
    cluster.fail("GET", "/pods$", 404, "NotFound", "the server could not find the requested resource")
    error = refused(lambda: Api().list(POD))
    assert error.fix == "is that the address of a Kubernetes API server?"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[SSL: SSLV3_ALERT_CERTIFICATE_EXPIRED] sslv3 alert certificate expired (_ssl.c:2580)",
            "certificate expired",
        ),
        ("[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca (_ssl.c:2580)", "unknown ca"),
        (
            "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required",
            "certificate required",
        ),
    ],
)
def test_a_client_certificate_that_is_not_accepted(text, said):
    """What a proxy before the API server says; the server itself answers 401."""
    error = unreachable(ssl.SSLError(1, text), "https://c:6443", "context c")
    assert error.problem == f"https://c:6443 does not accept your client certificate: {said}"
    assert error.fix == "it has expired or is of another cluster: get a new kubeconfig from the administrator"


def test_a_connection_that_ends_in_the_handshake_is_tried_again():
    text = "EOF occurred in violation of protocol (_ssl.c:2427)"
    error = unreachable(ssl.SSLError(8, text), "https://c:6443", "context c")
    assert isinstance(error, UnavailableError)
    assert "violation of protocol" in error.problem
