"""The documented rights are enough for every verb, and no verb leaves one of them unused."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
import yaml

from nbflow import cli
from nbflow.commands.doctor_cluster import RIGHTS
from nbflow.errors import NbflowError
from nbflow.kube.resources import resource_of
from tests.kube.argo import WORKFLOWS, node
from tests.kube.fixtures import argo, cluster

__all__ = ["argo", "cluster"]
DOCS = Path(__file__).parents[2] / "docs/rbac"
POD = "{name: main, container: {image: busybox, command: [echo]}}"
FILES = {
    "wf": f"{{kind: Workflow, metadata: {{generateName: w-}}, spec: {{entrypoint: main, templates: [{POD}]}}}}",
    "caller": "{kind: Workflow, metadata: {generateName: c-}, spec: {workflowTemplateRef: {name: shared}}}",
    "template": (
        f"{{kind: WorkflowTemplate, metadata: {{name: shared}}, spec: {{entrypoint: main, templates: [{POD}]}}}}"
    ),
    "cluster": (
        f"{{kind: ClusterWorkflowTemplate, metadata: {{name: all}}, "
        f"spec: {{entrypoint: main, templates: [{POD}]}}}}"
    ),
    "cron": (
        "{kind: CronWorkflow, metadata: {name: nightly}, spec: {schedules: ['0 3 * * *'], "
        f"workflowSpec: {{entrypoint: main, templates: [{POD}]}}}}}}"
    ),
}
TOUR = """\
submit --wait -o name wf
submit --log wf
submit --watch wf
submit --server-dry-run -o name wf
list
get @latest
watch @latest
wait @latest
logs @latest
logs -f @latest
retry again --wait
resubmit again --wait
suspend waiting
node set waiting --node-field-selector displayName=ask -p choice=yes
resume waiting
stop held
terminate held
template create template
template update template
template get shared
template list
template lint template
lint caller
submit --wait caller
submit --from workflowtemplate/shared
template delete shared
cron create cron
cron update cron
cron get nightly
cron list
cron lint cron
cron suspend nightly
cron resume nightly
cron backfill nightly --start 'Mon, 01 Jan 2024 00:00:00 UTC' --end 'Wed, 03 Jan 2024 00:00:00 UTC'
submit --from cronwf/nightly
cron delete nightly
secret create s --from-literal=a=b
secret list
secret delete s
configmap create c --from-literal=a=b
configmap list
configmap delete c
volume create v
volume list
volume delete v
delete waiting held"""
OF_THE_CLUSTER = """\
cluster-template create cluster
cluster-template update cluster
cluster-template get all
cluster-template list
cluster-template lint cluster
submit --from clusterworkflowtemplate/all
cluster-template delete all
list -A
template list -A
cron list -A"""


def rules(name, role=""):
    found = [one for one in yaml.safe_load_all((DOCS / name).read_text()) if role in one["metadata"]["name"]]
    return [rule for one in found for rule in one["rules"]]


def pairs(documented):
    """(verb, resource) of rules."""
    return {(v, r) for rule in documented for r in rule["resources"] for v in rule["verbs"]}


@pytest.fixture
def run(tmp_path, monkeypatch):
    import shlex

    monkeypatch.setenv("NBFLOW_HOME", str(tmp_path / "home"))
    for name, text in FILES.items():
        data = {"apiVersion": "argoproj.io/v1alpha1", **yaml.safe_load(text)}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(data))

    def words(line):
        argv = shlex.split(line)
        return [
            str(tmp_path / f"{word}.yaml") if word in FILES and i else word for i, word in enumerate(argv)
        ]

    def do(line):
        out = io.StringIO()
        assert cli.run([*words(line), "--on", "argo"], out=out, err=out) == 0, f"{line}: {out.getvalue()}"
        return out.getvalue()

    return do


@pytest.fixture
def lying_about(cluster):
    """A failed workflow with a pod, one that waits for an answer, and one with artifacts in a bucket."""

    def create(name, phase, *nodes, spec=None, **status):
        found = {"phase": phase, "nodes": {one["id"]: one for one in nodes}, **status}
        manifest = {
            "metadata": {"name": name},
            "spec": {"entrypoint": "main", "templates": [], **(spec or {})},
        }
        cluster.storage.create(WORKFLOWS, "default", {"kind": "Workflow", **manifest, "status": found})

    create("again", "Failed", node("again", "again", phase="Failed", template="main"))
    pod = {"metadata": {"name": "again"}, "spec": {"containers": []}}
    cluster.storage.create(("v1", "pods"), "default", pod)
    supplied = {"outputs": {"parameters": [{"name": "choice", "valueFrom": {"supplied": {}}}]}}
    ask = node("waiting", "waiting.ask", "Suspend", "Running", boundary="waiting", **supplied)
    create("waiting", "Running", node("waiting", "waiting", "DAG", "Running", children=["waiting.ask"]), ask)
    create("held", "Running", spec={"suspend": True})
    kept = {"outputs": {"artifacts": [{"name": "a", "s3": {"key": "k"}}]}}
    ref = {"artifactRepositoryRef": {"configMap": "places", "key": "p", "namespace": "default"}}
    create("stored", "Succeeded", node("stored", "stored", phase="Succeeded", **kept), **ref)
    keys = {f"{key}KeySecret": {"name": "cred", "key": key} for key in ("access", "secret")}
    place = {"s3": {"endpoint": "127.0.0.1:9", "bucket": "b", **keys}}
    places = {"metadata": {"name": "places"}, "data": {"p": yaml.safe_dump(place)}}
    cluster.storage.create(("v1", "configmaps"), "default", places)
    data = {"access": "YQ==", "secret": "Yg=="}
    cluster.storage.create(("v1", "secrets"), "default", {"metadata": {"name": "cred"}, "data": data})


def test_a_submitter_needs_all_the_documented_rights_and_no_other(argo, lying_about, run, tmp_path):
    from nbflow.clients.argo import ArgoClient

    documented = rules("submitter.yaml")
    jane = argo.allow("limited", documented, "jane")
    argo.kubeconfig(tmp_path / "kubeconfig", token="limited")
    for line in TOUR.splitlines():
        run(line)
    with contextlib.suppress(
        NbflowError
    ):  # the bucket is not there, but that is seen with its credentials only
        ArgoClient().artifact("stored", "stored", "a")
    claim = {"kind": "PersistentVolumeClaim", "metadata": {"name": "v"}, "spec": {}}
    assert not ArgoClient().create(claim).existed
    assert ArgoClient().create(claim).existed
    used = {(verb, resource) for verb, resource, _ in jane.used}
    assert used == pairs(documented)
    assert {namespace for _, _, namespace in jane.used} == {"default"}


def test_the_rights_for_the_whole_cluster_are_as_documented(argo, run, tmp_path):
    own = rules("submitter.yaml")
    around = [*rules("cluster-templates.yaml", "authors"), *rules("all-namespaces.yaml")]
    jane = argo.allow("limited", own, "jane", cluster=around)
    argo.kubeconfig(tmp_path / "kubeconfig", token="limited")
    for line in OF_THE_CLUSTER.splitlines():
        run(line)
    assert {(verb, resource) for verb, resource, namespace in jane.used if not namespace} == pairs(around)


def test_readers_of_cluster_templates_can_refer_to_them(argo, run, tmp_path):
    run("cluster-template create cluster")
    jane = argo.allow(
        "limited", rules("submitter.yaml"), "jane", cluster=rules("cluster-templates.yaml", "templates")
    )
    argo.kubeconfig(tmp_path / "kubeconfig", token="limited")
    assert run("submit --wait -o name --from clusterworkflowtemplate/all").startswith("all-")
    run("cluster-template get all")
    assert ("list", "clusterworkflowtemplates", "") in jane.used
    with pytest.raises(NbflowError, match=r'cannot delete resource "clusterworkflowtemplates"'):
        run("cluster-template delete all")


def test_without_the_right_to_look_around_it_is_said(argo, run, tmp_path):
    argo.allow("limited", rules("submitter.yaml"), "jane")
    argo.kubeconfig(tmp_path / "kubeconfig", token="limited")
    with pytest.raises(NbflowError) as refused:
        run("list -A")
    assert refused.value.fix == (
        'ask the administrator for the right to "list" workflows in the whole cluster; '
        "`nbflow doctor --on argo` lists them"
    )
    with pytest.raises(NbflowError, match="cannot list resource"):
        run("list -n team")


def test_doctor_asks_for_what_is_documented():
    asked = {
        (verb, resource_of(kind).plural + (f"/{part}" if part else ""))
        for kind, part, verbs, _, _ in RIGHTS
        for verb in verbs
    }
    documented = pairs(rules("submitter.yaml")) | pairs(rules("cluster-templates.yaml", "cluster-templates"))
    assert asked == documented
