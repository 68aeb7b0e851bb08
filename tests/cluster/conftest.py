"""A namespace on the cluster that KUBECONFIG names, with nothing in it but what a workflow's pods need; and its users.

Objects are made with the official client, by who KUBECONFIG says. The verbs are tried by an account of less: a service
account with the rights of docs/rbac/submitter.yaml and no other.
"""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import time
from pathlib import Path

import pytest
import yaml

from nbflow import cli
from nbflow.clients.argo import ArgoClient
from nbflow.errors import NotFoundError
from nbflow.kube.access import Cluster, open_access

ROOT = Path(__file__).parents[2]
IMAGE = os.environ.get("NBFLOW_CLUSTER_IMAGE", "busybox:1.36")
ADMIN = os.environ.get("KUBECONFIG", "")
GIVEN = os.environ.get("NBFLOW_CLUSTER_NAMESPACE", "")
S3 = os.environ.get("NBFLOW_CLUSTER_S3", "")
SECONDS = float(os.environ.get("NBFLOW_CLUSTER_SECONDS", "300"))
LABEL = {"nbflow.dev/test": "cluster"}
NO_REPOSITORY = {"nothing": "archiveLogs: false\n"}
ACCOUNT = "nbflow-tester"


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    away = pytest.mark.skipif(not ADMIN, reason="KUBECONFIG names no cluster")
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            item.add_marker(away)


def until(true, seconds=SECONDS):
    """Wait; what it gave."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.3)
    return found


def sh(name, text, **extra):
    """A template: one line of sh."""
    return {"name": name, "container": {"image": IMAGE, "command": ["sh", "-c"], "args": [text]}, **extra}


def workflow(*templates, kind="Workflow", name="", **spec):
    """A manifest. The first template is the entrypoint."""
    named = {"name": name} if name else {"generateName": "nbflow-test-"}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": kind,
        "metadata": {**named, "labels": dict(LABEL)},
        "spec": {"entrypoint": templates[0]["name"], "templates": list(templates), **spec},
    }


class Kube:
    """The official client, for what the tests need and nbflow is not asked to do."""

    def __init__(self):
        from kubernetes.client import ApiClient, CoreV1Api

        self.access = open_access(Cluster())
        self.client = ApiClient(self.access.configuration)
        self.core = CoreV1Api(self.client)

    def apply(self, namespace, *manifests):
        from kubernetes.utils import create_from_dict

        for manifest in manifests:
            create_from_dict(self.client, manifest, namespace=namespace)

    def make_namespace(self, labels=None):
        """One that workflows can run in, whatever the controller's configuration says of artifacts."""
        name = f"nbflow-test-{secrets.token_hex(4)}"
        self.core.create_namespace({"metadata": {"name": name, "labels": {**LABEL, **(labels or {})}}})
        until(lambda: self.core.list_namespaced_service_account(name).items)
        repositories, key = repository()
        annotations = {"workflows.argoproj.io/default-artifact-repository": key}
        metadata = {"name": "artifact-repositories", "annotations": annotations}
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": repositories}
        self.apply(name, role("pods"), binding("nbflow-pods", name, "default"), config, credentials())
        return name

    def make_account(self, namespace, folder):
        """A kubeconfig of an account with the documented rights in that namespace alone."""
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT}}
        self.apply(namespace, account, role("submitter"), binding("nbflow-submitter", namespace, ACCOUNT))
        request = {"spec": {"audiences": [], "expirationSeconds": 14400}}
        answer = self.core.create_namespaced_service_account_token(ACCOUNT, namespace, request)
        return self.kubeconfig(folder / f"{namespace}.kubeconfig", namespace, {"token": answer.status.token})

    def kubeconfig(self, path, namespace, user):
        found = self.access.configuration
        trust = {"certificate-authority": str(found.ssl_ca_cert)} if found.ssl_ca_cert else {}
        if not found.verify_ssl:
            trust = {"insecure-skip-tls-verify": True}
        context = {"cluster": "c", "user": "u", "namespace": namespace}
        data = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "tester",
            "clusters": [{"name": "c", "cluster": {"server": found.host, **trust}}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "tester", "context": context}],
        }
        path.write_text(yaml.safe_dump(data))
        path.chmod(0o600)
        return path

    def remove_namespace(self, name):
        from kubernetes.client import ApiException

        def gone():
            with contextlib.suppress(ApiException):
                self.core.read_namespace(name)
                return False
            return True

        self.core.delete_namespace(name)
        until(gone)


def repository():
    """Where artifacts go: the S3 that is named, else nowhere."""
    if not S3:
        return NO_REPOSITORY, "nothing"
    config = {
        "endpoint": S3,
        "bucket": os.environ.get("NBFLOW_CLUSTER_S3_BUCKET", "my-bucket"),
        "insecure": True,
        "accessKeySecret": {"name": "nbflow-s3", "key": "accesskey"},
        "secretKeySecret": {"name": "nbflow-s3", "key": "secretkey"},
    }
    return {"s3": yaml.safe_dump({"s3": config})}, "s3"


def credentials():
    texts = {
        "accesskey": os.environ.get("NBFLOW_CLUSTER_S3_KEY", "admin"),
        "secretkey": os.environ.get("NBFLOW_CLUSTER_S3_SECRET", "password"),
    }
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "nbflow-s3"}, "stringData": texts}


def role(name):
    return yaml.safe_load((ROOT / f"docs/rbac/{name}.yaml").read_text())


def binding(role_name, namespace, account):
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": f"{role_name}-{account}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role_name},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    }


@pytest.fixture(scope="session")
def kube():
    return Kube()


@pytest.fixture(scope="session")
def namespace(kube):
    """Ours from beginning to end, unless NBFLOW_CLUSTER_NAMESPACE names one."""
    if GIVEN:
        yield GIVEN
        return
    name = kube.make_namespace()
    yield name
    kube.remove_namespace(name)


@pytest.fixture(scope="session")
def account(kube, namespace, tmp_path_factory):
    """The kubeconfig that the verbs are tried with. In a namespace that was given: who KUBECONFIG says."""
    if GIVEN:
        return ADMIN
    return str(kube.make_account(namespace, tmp_path_factory.mktemp("account")))


@pytest.fixture
def client(namespace, account, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", account)
    made = ArgoClient(Cluster(namespace=namespace))
    yield made
    from nbflow.clients.client import Selection

    for left in made.list(Selection(labels="nbflow.dev/test=cluster")):
        with contextlib.suppress(
            NotFoundError
        ):  # gone with its cron workflow, or by the controller's retention
            made.delete(left.name)


@pytest.fixture
def nbflow(client, namespace, tmp_path, monkeypatch):
    """A verb on the shell, as that account; what it printed."""
    monkeypatch.setenv("NBFLOW_HOME", str(tmp_path / "home"))

    def run(*words, code=0):
        out, err = io.StringIO(), io.StringIO()
        on = () if "-A" in words or "-n" in words else ("-n", namespace)
        assert cli.run([*words, "--on", "argo", *on], out=out, err=err) == code, (
            out.getvalue() + err.getvalue()
        )
        return out.getvalue()

    yield run
    assert not (tmp_path / "home").exists(), "a cluster's workflows leave nothing on this machine"


@pytest.fixture
def write(tmp_path):
    def file(*manifests, name="wf.yaml"):
        path = tmp_path / name
        path.write_text(yaml.safe_dump_all(manifests))
        return str(path)

    return file
