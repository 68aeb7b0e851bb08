import pytest
from pydantic import ValidationError

from nbflow.spec.workflow import CronWorkflow, Workflow, WorkflowTemplate

MANIFEST = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"generateName": "a-", "labels": {"x": "y"}, "finalizers": ["z"]},
    "spec": {
        "entrypoint": "main",
        "arguments": {"parameters": [{"name": "p", "value": "5"}]},
        "templates": [
            {
                "name": "main",
                "steps": [[{"name": "a", "template": "b", "withItems": [1, {"a": [None]}]}], []],
            },
            {
                "name": "b",
                "container": {"image": "x", "env": [{"name": "A", "value": ""}]},
                "activeDeadlineSeconds": "{{x}}",
            },
            {"name": "c", "suspend": {}},
        ],
        "podGC": {"strategy": "OnPodSuccess"},
        "futureField": {"kept": True},
    },
}


def test_load_and_dump_give_the_manifest_back():
    assert Workflow.from_dict(MANIFEST).to_dict() == MANIFEST


def test_a_model_is_frozen_and_typed():
    workflow = Workflow.from_dict(MANIFEST)
    assert workflow.spec.templates[0].steps[0][0].template == "b"
    assert [t.kinds() for t in workflow.spec.templates] == [("steps",), ("container",), ("suspend",)]
    with pytest.raises(ValidationError):
        workflow.spec.entrypoint = "other"


def test_numbers_become_texts_only_where_argo_says_so():
    workflow = Workflow.from_dict(
        {"spec": {"arguments": {"parameters": [{"name": "p", "value": 1e21, "default": False}]}}}
    )
    parameter = workflow.spec.arguments.parameters[0]
    assert (parameter.value, parameter.default) == ("1000000000000000000000", "false")
    with pytest.raises(ValidationError):
        Workflow.from_dict({"spec": {"entrypoint": 5}})


def test_null_is_absent():
    workflow = Workflow.from_dict({"spec": {"entrypoint": None, "templates": None}})
    assert (workflow.spec.entrypoint, workflow.spec.templates) == ("", ())


def test_other_kinds():
    spec = {"schedules": ["* * * * *"], "workflowSpec": {"entrypoint": "a"}}
    assert CronWorkflow.from_dict({"spec": spec}).spec.workflow_spec.entrypoint == "a"
    assert WorkflowTemplate.from_dict({"spec": {"templates": [{"name": "a"}]}}).spec.template("a").name == "a"
