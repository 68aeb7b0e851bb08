"""What retry, resubmit and node set change; `tests/clients/test_argo_reference.py` compares it with Argo's own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nbflow.errors import ConflictError
from nbflow.revise.node_set import NodeValues, resume, set_nodes
from nbflow.revise.resubmit import ResubmitOptions, resubmit
from nbflow.revise.retry import RetryOptions, retry
from nbflow.revise.stored import from_cron_workflow, from_template

NOW = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)
TIME = "2024-05-01T12:00:00Z"
FAILED = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"name": "w", "labels": {"workflows.argoproj.io/completed": "true", "mine": "1"}},
    "spec": {
        "shutdown": "Stop",
        "activeDeadlineSeconds": 0,
        "arguments": {"parameters": [{"name": "a", "value": "1"}]},
    },
    "status": {
        "phase": "Failed",
        "message": "child failed",
        "finishedAt": "2024-01-01T00:01:00Z",
        "nodes": {
            "w": {
                "id": "w",
                "name": "w",
                "type": "DAG",
                "phase": "Failed",
                "children": ["w-1"],
                "message": "x",
            },
            "w-1": {
                "id": "w-1",
                "name": "w.a",
                "type": "Pod",
                "phase": "Succeeded",
                "children": ["w-2"],
                "boundaryID": "w",
            },
            "w-2": {"id": "w-2", "name": "w.b", "type": "Pod", "phase": "Failed", "boundaryID": "w"},
        },
    },
}


def test_retry_runs_again_what_failed_and_what_is_above_it():
    retried = retry(FAILED, RetryOptions(), NOW)
    assert [node["id"] for node in retried.pods] == ["w-2"]
    assert retried.workflow == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "w", "labels": {"mine": "1"}},
        "spec": {"arguments": {"parameters": [{"name": "a", "value": "1"}]}},
        "status": {
            "startedAt": TIME,
            "finishedAt": None,
            "conditions": [{"type": "Completed", "status": "False"}],
            "nodes": {
                "w": {
                    "id": "w",
                    "name": "w",
                    "type": "DAG",
                    "phase": "Running",
                    "children": ["w-1"],
                    "startedAt": TIME,
                    "finishedAt": None,
                },
                "w-1": {**FAILED["status"]["nodes"]["w-1"], "children": []},
            },
        },
    }


def test_retry_takes_new_parameters():
    options = RetryOptions(parameters=("a=2", "b=3"))
    spec = retry(FAILED, options, NOW).workflow["spec"]
    assert spec["arguments"]["parameters"] == [{"name": "a", "value": "2"}, {"name": "b", "value": "3"}]


@pytest.mark.parametrize(
    ("phase", "problem"),
    [
        ("Running", "Cannot retry a workflow in phase Running"),
        (
            "Succeeded",
            "To retry a succeeded workflow, set the options restartSuccessful and nodeFieldSelector",
        ),
    ],
)
def test_retry_is_refused_where_nothing_failed(phase, problem):
    workflow = {**FAILED, "status": {**FAILED["status"], "phase": phase}}
    with pytest.raises(ConflictError) as refused:
        retry(workflow, RetryOptions(), NOW)
    assert refused.value.problem == problem


def test_a_successful_node_can_be_restarted():
    workflow = {**FAILED, "status": {**FAILED["status"], "phase": "Succeeded"}}
    options = RetryOptions(restart_successful=True, node_field_selector="name=w.a")
    retried = retry(workflow, options, NOW, chosen={"w-1"})
    assert list(retried.workflow["status"]["nodes"]) == ["w"]
    assert [node["id"] for node in retried.pods] == ["w-1", "w-2"]


def test_resubmit_makes_a_new_workflow_of_the_same_spec():
    assert resubmit(FAILED, ResubmitOptions(), NOW, suffix="x") == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {
            "generateName": "w-",
            "labels": {"mine": "1", "workflows.argoproj.io/resubmitted-from-workflow": "w"},
        },
        "spec": {"arguments": {"parameters": [{"name": "a", "value": "1"}]}},
    }


def test_a_memoized_resubmit_keeps_what_succeeded():
    new = resubmit(FAILED, ResubmitOptions(memoized=True), NOW, suffix="abcde")
    assert new["metadata"]["name"] == "w-abcde"
    nodes = {node["name"]: node for node in new["status"]["nodes"].values()}
    assert [(name, node["type"], node["phase"]) for name, node in nodes.items()] == [
        ("w-abcde", "DAG", "Pending"),
        ("w-abcde.a", "Skipped", "Skipped"),
        ("w-abcde.b", "Pod", "Pending"),
    ]
    assert nodes["w-abcde.a"]["message"] == "original pod: w-1"
    assert nodes["w-abcde"]["children"] == [nodes["w-abcde.a"]["id"]]
    assert nodes["w-abcde.b"]["startedAt"] is None


ASKING = {
    "metadata": {"name": "w"},
    "spec": {"suspend": True},
    "status": {
        "phase": "Running",
        "nodes": {
            "w-1": {
                "id": "w-1",
                "type": "Suspend",
                "phase": "Running",
                "outputs": {
                    "parameters": [
                        {"name": "x", "globalName": "g", "valueFrom": {"supplied": {}, "default": "no"}}
                    ]
                },
            }
        },
    },
}


def test_node_set_gives_a_suspended_node_its_outputs():
    values = NodeValues("Succeeded", "done", {"x": "yes"})
    status = set_nodes(ASKING, ["w-1"], values, NOW)["status"]
    assert status["outputs"] == {"parameters": [{"name": "g", "value": "yes"}]}
    assert status["nodes"]["w-1"] == {
        "id": "w-1",
        "type": "Suspend",
        "phase": "Succeeded",
        "finishedAt": TIME,
        "message": "done",
        "outputs": {"parameters": [{"name": "x", "globalName": "g", "value": "yes"}]},
    }
    assert ASKING["status"]["nodes"]["w-1"]["phase"] == "Running"


@pytest.mark.parametrize(
    ("chosen", "values", "problem"),
    [
        (["w-1"], NodeValues(outputs={"y": "1"}), "node is not expecting output parameter 'y'"),
        (["w-1"], NodeValues("Skipped"), "Skipped is an invalid phase to set to"),
        (
            ["other"],
            NodeValues("Failed"),
            "currently, set only targets suspend nodes: no suspend nodes matching nodeFieldSelector",
        ),
    ],
)
def test_node_set_refuses(chosen, values, problem):
    with pytest.raises(ConflictError) as refused:
        set_nodes(ASKING, chosen, values, NOW)
    assert refused.value.problem == problem


def test_resume_takes_defaults():
    resumed = resume(ASKING, NOW, by="map[User:jane]")
    assert resumed["spec"] == {}
    node = resumed["status"]["nodes"]["w-1"]
    assert (node["phase"], node["message"]) == ("Succeeded", "Resumed by: map[User:jane]")
    assert node["outputs"]["parameters"] == [{"name": "x", "globalName": "g", "value": "no"}]
    assert resume({"spec": {}, "status": {}}, NOW) is None


def test_workflows_from_stored_templates():
    assert from_template("t", cluster_scope=True) == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {
            "generateName": "t-",
            "labels": {"workflows.argoproj.io/cluster-workflow-template": "t"},
        },
        "spec": {"workflowTemplateRef": {"name": "t", "clusterScope": True}},
    }
    cron = {"metadata": {"name": "c", "uid": "1"}, "spec": {"workflowSpec": {"entrypoint": "main"}}}
    made = from_cron_workflow(cron, NOW)
    assert made["spec"] == {"entrypoint": "main"}
    assert made["metadata"]["annotations"] == {"workflows.argoproj.io/scheduled-time": "2024-05-01T12:00:00Z"}
    assert made["metadata"]["ownerReferences"][0]["uid"] == "1"
