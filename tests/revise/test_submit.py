import pytest

from nbflow.errors import NbflowError
from nbflow.revise.submit import SubmitOptions, apply

WORKFLOW = {
    "kind": "Workflow",
    "metadata": {"generateName": "hello-", "labels": {"a": "1", "b": "2"}},
    "spec": {"entrypoint": "main", "arguments": {"parameters": [{"name": "x", "value": "1"}, {"name": "y"}]}},
}


def test_nothing_given_nothing_changed():
    assert apply(WORKFLOW, SubmitOptions()) == WORKFLOW


def test_every_option():
    options = SubmitOptions(
        name="hello",
        generate_name="other-",
        entrypoint="second",
        parameters=("y=a=b", "z="),
        service_account="me",
        labels="b=3,c=",
        annotations="note=x",
        priority=0,
        namespace="ns",
    )
    assert apply(WORKFLOW, options) == {
        "kind": "Workflow",
        "metadata": {
            "generateName": "other-",
            "name": "hello",
            "namespace": "ns",
            "labels": {"a": "1", "b": "3", "c": ""},
            "annotations": {"note": "x"},
        },
        "spec": {
            "entrypoint": "second",
            "serviceAccountName": "me",
            "priority": 0,
            "arguments": {
                "parameters": [
                    {"name": "y", "value": "a=b"},
                    {"name": "z", "value": ""},
                    {"name": "x", "value": "1"},
                ]
            },
        },
    }


def test_the_object_given_stays_as_it_is():
    before = repr(WORKFLOW)
    apply(WORKFLOW, SubmitOptions(parameters=("x=2",), labels="a=9"))
    assert repr(WORKFLOW) == before


def test_a_namespace_that_is_written_stays():
    assert apply({"metadata": {"namespace": "a"}}, SubmitOptions(namespace="b"))["metadata"] == {
        "namespace": "a"
    }


def test_the_time_of_a_schedule_stands_in_an_annotation():
    given = {"metadata": {"name": "a", "annotations": {"b": "c"}}}
    at = "2024-01-01T12:00:00+01:00"
    assert apply(given, SubmitOptions(scheduled_time=at))["metadata"] == {
        "name": "a",
        "annotations": {"b": "c", "workflows.argoproj.io/scheduled-time": at},
    }


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (SubmitOptions(parameters=("x",)), "expected parameter of the form: NAME=VALUE. Received: x"),
        (SubmitOptions(parameters=("x=1", "x=2")), "spec.arguments.parameters[1].name 'x' is not unique"),
        (
            SubmitOptions(scheduled_time="2024-01-01"),
            "scheduled-time contains invalid time.RFC3339 format. Received: 2024-01-01",
        ),
        (SubmitOptions(labels="a"), "expected labels of the form: NAME1=VALUE1,NAME2=VALUE2. Received: a"),
        (
            SubmitOptions(labels="a=b=c"),
            "expected labels of the form: NAME1=VALUE1,NAME2=VALUE2. Received: a=b=c",
        ),
        (
            SubmitOptions(annotations="=x"),
            "expected annotations of the form: NAME1=VALUE1,NAME2=VALUE2. Received: =x",
        ),
    ],
)
def test_refused(options, problem):
    with pytest.raises(NbflowError) as refused:
        apply(WORKFLOW, options)
    assert refused.value.problem == problem
