"""The API that the other tests speak to (tests/kube/api.py) answers as this cluster's does.

The same requests go to both, in the same order. Compared are status, reason, details and what is stored; not the words
of messages, which differ by version. The workflows are for a controller that does not exist, so nobody touches them.
"""

from __future__ import annotations

import json
import os

import pytest

from nbflow.kube.access import Cluster, open_access
from nbflow.kube.transport import Transport
from tests.cluster.conftest import ADMIN, GIVEN, LABEL
from tests.kube.api import TestApi

pytestmark = pytest.mark.skipif(
    bool(GIVEN), reason="NBFLOW_CLUSTER_NAMESPACE names a namespace that is not ours"
)
WF = "/apis/argoproj.io/v1alpha1/namespaces/NS/workflows"
CORE = "/api/v1/namespaces/NS"
NOBODYS = {**LABEL, "workflows.argoproj.io/controller-instanceid": "nobody"}
MERGE, STRATEGIC, JSON = (
    f"application/{kind}+json" for kind in ("merge-patch", "strategic-merge-patch", "json-patch")
)


def wf(name, *, spec=None, labels=None, **changed):
    metadata = {**({"name": name} if name else {}), "labels": {**NOBODYS, **(labels or {})}}
    templates = [{"name": "main", "container": {"image": "busybox"}}]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {**metadata, **changed.pop("metadata", {})},
        "spec": {"entrypoint": "main", "suspend": True, "templates": templates, **(spec or {})},
        **changed,
    }


def parameter(value):
    return {"arguments": {"parameters": [{"name": "p", "value": value}]}}


def core(kind, name, **fields):
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **fields}


REQUESTS = {
    "create": ("POST", WF, wf("a")),
    "create again": ("POST", WF, wf("a")),
    "create what was exported": ("POST", WF, wf("b", metadata={"managedFields": [], "selfLink": "/x"})),
    "create with a version": ("POST", WF, wf("c", metadata={"resourceVersion": "5"})),
    "create without a name": ("POST", WF, wf("")),
    "create with a bad name": ("POST", WF, wf("Not A Name")),
    "create with a bad label": ("POST", WF, wf("c", labels={"ok": "not ok!"})),
    "create with a number as label": ("POST", WF, wf("c", labels={"x": 1})),
    "dry run": ("POST", WF + "?dryRun=All", wf("dry")),
    "dry run of what there is": ("POST", WF + "?dryRun=All", wf("a")),
    "bad dry run": ("POST", WF + "?dryRun=yes", wf("c")),
    "a dry run stores nothing": ("GET", WF + "/dry", None),
    "another namespace in the object": ("POST", WF, wf("c", metadata={"namespace": "other"})),
    "no such namespace": ("POST", WF.replace("NS", "nbflow-no-such-namespace"), wf("a")),
    "another kind": ("POST", WF, wf("c", kind="CronWorkflow")),
    "another version": ("POST", WF, wf("c", apiVersion="argoproj.io/v1")),
    "no kind": ("POST", WF, {"metadata": {"name": "c"}, "spec": {}}),
    "no JSON": ("POST", WF, b'{"a":'),
    "a wrong type": ("POST", WF, wf("c", spec={"parallelism": "x"})),
    "no spec": ("POST", WF, {k: v for k, v in wf("c").items() if k != "spec"}),
    "a number as parameter": ("POST", WF, wf("c", spec=parameter(3))),
    "null": ("POST", WF, wf("e", spec={"arguments": None})),
    "get": ("GET", WF + "/a", None),
    "get an unknown one": ("GET", WF + "/zzz", None),
    "get an unknown kind": ("GET", WF.replace("workflows", "sandwiches"), None),
    "get an unknown group": ("GET", "/apis/nobody.example/v1/namespaces/NS/things", None),
    "get an unknown core kind": ("GET", CORE + "/things", None),
    "list": ("GET", WF + "?labelSelector=nbflow.dev/test%3Dcluster", None),
    "list nothing": ("GET", WF + "?labelSelector=a%3Db", None),
    "list in no such namespace": ("GET", WF.replace("NS", "nbflow-no-such-namespace"), None),
    "list pods": ("GET", CORE + "/pods", None),
    "list by a bad selector": ("GET", WF + "?labelSelector=x+in+(a", None),
    "list by an unknown field": ("GET", WF + "?fieldSelector=spec.entrypoint%3Dmain", None),
    "list by name": ("GET", WF + "?fieldSelector=metadata.name%3Da", None),
    "list a page": ("GET", WF + "?limit=1", None),
    "list a page that is none": ("GET", WF + "?limit=1&continue=garbage", None),
    "list what is to come": ("GET", WF + "?resourceVersion=99999999999", None),
    "watch a version that is none": ("GET", WF + "?watch=true&resourceVersion=abc", None),
    "replace a stale one": ("PUT", WF + "/a", wf("a", metadata={"resourceVersion": "1"})),
    "replace without a version": ("PUT", WF + "/a", wf("a")),
    "replace an unknown one": ("PUT", WF + "/zzz", wf("zzz", metadata={"resourceVersion": "1"})),
    "replace by another name": ("PUT", WF + "/a", wf("b", metadata={"resourceVersion": "1"})),
    "merge": ("PATCH", WF + "/a", {"spec": {"suspend": None}, "metadata": {"labels": {"x": "y"}}}, MERGE),
    "merge nothing new": ("PATCH", WF + "/a", {"spec": {"entrypoint": "main"}}, MERGE),
    "merge a status": ("PATCH", WF + "/a", {"status": {"phase": "Running"}}, MERGE),
    "merge into an unknown one": ("PATCH", WF + "/zzz", {"spec": {}}, MERGE),
    "merge another name": ("PATCH", WF + "/a", {"metadata": {"name": "b"}}, MERGE),
    "merge into a stale one": ("PATCH", WF + "/a", {"metadata": {"resourceVersion": "1"}}, MERGE),
    "merge a wrong type": ("PATCH", WF + "/a", {"spec": {"suspend": "x"}}, MERGE),
    "strategic": ("PATCH", WF + "/a", {"spec": {"suspend": True}}, STRATEGIC),
    "a patch of no kind": ("PATCH", WF + "/a", {"spec": {"suspend": True}}),
    "json": ("PATCH", WF + "/a", [{"op": "add", "path": "/metadata/labels/q", "value": "2"}], JSON),
    "json test": ("PATCH", WF + "/a", [{"op": "test", "path": "/spec/entrypoint", "value": "no"}], JSON),
    "json elsewhere": ("PATCH", WF + "/a", [{"op": "remove", "path": "/spec/nothing/here"}], JSON),
    "delete an unknown one": ("DELETE", WF + "/zzz", None),
    "delete another one": ("DELETE", WF + "/a", {"preconditions": {"uid": "nobody"}}),
    "delete dry": ("DELETE", WF + "/a?dryRun=All", None),
    "delete": ("DELETE", WF + "/a", {"propagationPolicy": "Background"}),
    "the log of an unknown pod": ("GET", CORE + "/pods/zzz/log", None),
    "secret": ("POST", CORE + "/secrets", core("Secret", "s", stringData={"a": "b"})),
    "secret in plain": ("POST", CORE + "/secrets", core("Secret", "t", data={"a": "b"})),
    "config map": ("POST", CORE + "/configmaps", core("ConfigMap", "c", data={"a": "b"})),
    "config map of numbers": ("POST", CORE + "/configmaps", core("ConfigMap", "d", data={"a": 1})),
    "delete a config map": ("DELETE", CORE + "/configmaps/c", None),
    "delete a secret": ("DELETE", CORE + "/secrets/s", None),
}
BY_CHANCE = {
    "uid": "*",
    "resourceVersion": "*",
    "creationTimestamp": "*",
    "message": "*",
    "continue": None,
    "managedFields": None,
    "remainingItemCount": None,
}


class Side:
    """One of the two servers."""

    def __init__(self, kubeconfig, namespace):
        from kubernetes.client import ApiClient

        self.access = open_access(Cluster(kubeconfig=str(kubeconfig)))
        self.client, self.namespace = ApiClient(self.access.configuration), namespace

    def ask(self, method, path, body, kind="application/json"):
        headers = {"Accept": "application/json", "Content-Type": kind, **Transport._credentials(self.client)}
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        url = self.access.server + path.replace("NS", self.namespace)
        answer = self.client.rest_client.pool_manager.request(
            method, url, body=data, headers=headers, retries=False, timeout=60
        )
        try:
            found = json.loads(answer.data)
        except ValueError:
            found = answer.data.decode()
        return answer.status, self.plain(found)

    def plain(self, value):
        """Without what is by chance, or differs by version."""
        if isinstance(value, dict):
            known = {k: BY_CHANCE.get(k, self.plain(v)) for k, v in value.items()}
            return {k: v for k, v in known.items() if v is not None}
        if isinstance(value, list):
            return [self.plain(one) for one in value]
        return value.replace(self.namespace, "NS") if isinstance(value, str) else value


@pytest.fixture(scope="module")
def sides(kube, tmp_path_factory):
    name = kube.make_namespace()
    api = TestApi().start()
    api.namespace(name)
    kubeconfig = api.kubeconfig(tmp_path_factory.mktemp("api") / "kubeconfig")
    yield Side(kubeconfig, name), Side(ADMIN, name)
    api.stop()
    kube.remove_namespace(name)


def test_every_request_is_answered_alike(sides):
    ours, theirs = sides
    assert os.environ["KUBECONFIG"] == ADMIN
    for title, request in REQUESTS.items():
        assert (title, ours.ask(*request)) == (title, theirs.ask(*request))
