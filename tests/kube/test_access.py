"""The way into a cluster: kubeconfigs, plugins, pods; and what is said when there is none."""

from __future__ import annotations

import base64
import json
import sys

import pytest
import yaml

from nbflow.errors import NbflowError
from nbflow.kube import access
from nbflow.kube.access import Cluster, open_access
from nbflow.kube.api import Api
from nbflow.kube.identity import Identity, dns_friendly, of_certificate, of_token
from nbflow.kube.resources import WORKFLOW
from tests.kube.api import CERTIFICATE


def token(**claims):
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.c2ln"


def test_without_a_kubeconfig_it_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(NbflowError) as error:
        open_access()
    assert error.value.problem == "there is no kubeconfig, so no cluster is known"
    assert error.value.where == str(tmp_path / "none")
    assert "--on sandbox" in error.value.fix


def test_in_a_pod_its_service_account_is_used(monkeypatch, tmp_path):
    from kubernetes.config import incluster_config

    (tmp_path / "token").write_text(token(sub="system:serviceaccount:team:default"))
    (tmp_path / "namespace").write_text("team")
    (tmp_path / "ca.crt").write_bytes(CERTIFICATE.cert_chain_pems[0].bytes())
    monkeypatch.setattr(access, "_ACCOUNT", tmp_path)
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    try:
        found = open_access()
    except NbflowError as error:
        pytest.fail(str(error))
    assert (found.server, found.namespace) == ("https://10.0.0.1:443", "team")
    assert found.identity == Identity("system:serviceaccount:team:default", known=True)


def test_a_credential_plugin_is_asked(cluster, tmp_path):
    answer = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"}
    answer["status"] = {"token": "admin-token"}
    program = tmp_path / "plugin"
    program.write_text(f"#!{sys.executable}\nprint('''{json.dumps(answer)}''')\n")
    program.chmod(0o755)
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": str(program),
        "interactiveMode": "Never",
    }
    cluster.kubeconfig(tmp_path / "kubeconfig", user={"exec": plugin})
    assert Api().list(WORKFLOW).items == []


def test_a_failing_credential_plugin_is_said(cluster, tmp_path, capfd):
    program = tmp_path / "plugin"
    program.write_text("#!/bin/sh\necho your session is over >&2\nexit 1\n")
    program.chmod(0o755)
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": str(program),
        "interactiveMode": "Never",
    }
    cluster.kubeconfig(tmp_path / "kubeconfig", user={"exec": plugin})
    with pytest.raises(NbflowError, match="the credential plugin of the kubeconfig failed") as error:
        Api().list(WORKFLOW)
    assert "sign in again" in error.value.fix
    assert "ERROR:root" not in capfd.readouterr().err


def test_a_token_that_was_renewed_meanwhile_is_read_anew(cluster, tmp_path):
    cluster.allow("old", None)
    cluster.kubeconfig(tmp_path / "kubeconfig", token="old")
    api = Api()
    api.list(WORKFLOW)
    del cluster.users["old"]
    cluster.kubeconfig(tmp_path / "kubeconfig", token="admin-token")
    assert api.list(WORKFLOW).items == []


def test_an_expired_token_is_said(cluster, tmp_path):
    cluster.kubeconfig(tmp_path / "kubeconfig", token="long ago")
    with pytest.raises(NbflowError) as error:
        Api().list(WORKFLOW)
    assert error.value.problem == "the API server does not accept your credentials (401 Unauthorized)"
    assert error.value.where == "context test"
    assert error.value.fix.startswith("the token has expired or was revoked: sign in to the cluster again")
    assert "long ago" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"current-context": None}, "the kubeconfig cannot be used: "),
        ({"clusters": []}, "the kubeconfig cannot be used: "),
        ({"contexts": []}, "the kubeconfig cannot be used: "),
    ],
)
def test_a_broken_kubeconfig_is_said(cluster, tmp_path, change, problem):
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | change))
    with pytest.raises(NbflowError) as error:
        open_access()
    assert error.value.problem.startswith(problem)
    assert error.value.where == str(path)


def test_a_kubeconfig_that_is_no_yaml_is_said(cluster, tmp_path):
    (tmp_path / "kubeconfig").write_text("{")
    with pytest.raises(NbflowError, match="the kubeconfig cannot be read"):
        open_access()


def test_several_kubeconfigs_make_one(cluster, tmp_path, monkeypatch):
    other = cluster.kubeconfig(tmp_path / "other", context="second", namespace="team")
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'kubeconfig'}:{other}:{tmp_path / 'missing'}")
    assert open_access().context == "test"
    found = open_access(Cluster(context="second"))
    assert (found.context, found.namespace) == ("second", "team")


def test_files_are_named_from_where_the_kubeconfig_is(cluster, tmp_path, monkeypatch):
    path = tmp_path / "kubeconfig"
    data = yaml.safe_load(path.read_text())
    authority = data["clusters"][0]["cluster"].pop("certificate-authority-data")
    (tmp_path / "ca.crt").write_bytes(base64.b64decode(authority))
    data["clusters"][0]["cluster"]["certificate-authority"] = "ca.crt"
    path.write_text(yaml.safe_dump(data))
    monkeypatch.chdir("/")
    assert Api().list(WORKFLOW).items == []


def test_who_asks_is_read_as_argo_reads_it(tmp_path):
    claims = {"sub": "system:serviceaccount:a:b", "email": "jane@example.com", "preferred_username": "jane"}
    identity = of_token(token(**claims))
    assert identity.creator_labels() == {
        "workflows.argoproj.io/creator": "system-serviceaccount-a-b",
        "workflows.argoproj.io/creator-email": "jane.at.example.com",
        "workflows.argoproj.io/creator-preferred-username": "jane",
        "workflows.argoproj.io/action": None,
    }
    assert (
        identity.described()
        == "map[Email:jane@example.com PreferredUsername:jane User:system:serviceaccount:a:b]"
    )
    assert of_token("opaque") == of_token("a.b.c") == Identity()
    assert dns_friendly("_" + "x" * 70 + "!") == "x" * 62
    path = tmp_path / "cert.pem"
    path.write_bytes(CERTIFICATE.cert_chain_pems[0].bytes())
    assert of_certificate(str(path)).known
    assert of_certificate(str(tmp_path / "none")) == Identity()
