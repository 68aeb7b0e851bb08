"""What Argo's custom resource definitions require is there, whoever left it out."""

from __future__ import annotations

from nbflow.clients.argo import ArgoClient
from nbflow.clients.argo_fields import completed
from tests.kube.argo import WORKFLOWS
from tests.kube.fixtures import cluster

__all__ = ["cluster"]


def test_empty_texts_are_written_where_argo_requires_them():
    template = {
        "name": "main",
        "memoize": {"key": "a", "cache": {"configMap": {"name": "c"}}},
        "inputs": {"artifacts": [{"name": "a", "path": "/a", "raw": {}}]},
        "archiveLocation": {"gcs": {"bucket": "b"}},
        "outputs": {
            "artifacts": [{"name": "b", "oss": {"bucket": "b", "key": "k"}, "plugin": {"name": "p"}}]
        },
    }
    assert completed({"kind": "Workflow", "spec": {"templates": [template]}})["spec"]["templates"] == [
        {
            **template,
            "memoize": {"key": "a", "maxAge": "", "cache": {"configMap": {"name": "c"}}},
            "inputs": {"artifacts": [{"name": "a", "path": "/a", "raw": {"data": ""}}]},
            "archiveLocation": {"gcs": {"bucket": "b", "key": ""}},
            "outputs": {
                "artifacts": [
                    {"name": "b", "oss": {"bucket": "b", "key": "k"}, "plugin": {"name": "p", "key": ""}}
                ]
            },
        }
    ]


def test_the_fields_of_a_plugin_template_are_its_own():
    workflow = {"spec": {"templates": [{"name": "main", "plugin": {"hello": {"key": 1}}}]}}
    assert completed(workflow) == workflow


def test_workflows_are_submitted_with_them_in_the_name_of_nbflow(cluster):
    memoized = {"name": "main", "container": {"image": "busybox"}, "memoize": {"key": "a"}}
    manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "w"},
        "spec": {"entrypoint": "main", "templates": [memoized]},
    }
    ArgoClient().submit(manifest)
    stored = cluster.storage.get(WORKFLOWS, "default", "w")
    assert stored["spec"]["templates"][0]["memoize"] == {"key": "a", "maxAge": ""}
    assert [one["manager"] for one in stored["metadata"]["managedFields"]] == ["nbflow"]
