"""A tour of all verbs through a cluster, and what has to be there for it."""

from __future__ import annotations

import shlex

import pytest
import yaml

from tests.kube.argo import WORKFLOWS, node

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


def write_files(folder):
    """The manifests that the tour names."""
    for name, text in FILES.items():
        data = {"apiVersion": "argoproj.io/v1alpha1", **yaml.safe_load(text)}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(data))


def words(line, folder):
    """The words of a line, manifests as files."""
    argv = shlex.split(line)
    return [str(folder / f"{word}.yaml") if word in FILES and i else word for i, word in enumerate(argv)]


@pytest.fixture
def lying_about(cluster):
    """A failed workflow with a pod, one that waits for an answer, and one with artifacts in a bucket: all of them old,
    so that none is @latest."""
    clock, cluster.storage.clock = cluster.storage.clock, lambda: "2024-01-01T00:00:00Z"

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
    cluster.storage.clock = clock
