import pytest

from nbflow.clients.selectors import parse_fields, parse_selector
from nbflow.errors import NbflowError
from nbflow.spec.status import WorkflowObject

LABELS = {"app": "web", "tier": "", "workflows.argoproj.io/phase": "Failed"}


@pytest.mark.parametrize(
    ("selector", "meets"),
    [
        ("", True),
        ("app=web", True),
        ("app == web", True),
        ("app=db", False),
        ("app!=db", True),
        ("none!=x", True),
        ("app!=web", False),
        ("app in (db, web)", True),
        ("app notin (db)", True),
        ("none notin (db)", True),
        ("none in (db)", False),
        ("app", True),
        ("!app", False),
        ("!none", True),
        ("tier=", True),
        ("app=web,workflows.argoproj.io/phase in (Failed,Error),!x", True),
        ("app=web,tier=1", False),
    ],
)
def test_selectors(selector, meets):
    assert parse_selector(selector)(LABELS) is meets


@pytest.mark.parametrize("selector", ["app=a b", "=x", "app in", "a>b"])
def test_what_is_no_selector_is_refused(selector):
    with pytest.raises(NbflowError, match="is no label selector"):
        parse_selector(selector)


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("", ["a", "b"]),
        ("metadata.name=a", ["a"]),
        ("metadata.name!=a", ["b"]),
        ("metadata.namespace==default,metadata.name=b", ["b"]),
        ("metadata.namespace=other", []),
    ],
)
def test_fields_of_workflows(selector, names):
    workflows = [WorkflowObject({"name": name, "namespace": "default"}, {}) for name in ("a", "b")]
    assert [w.name for w in workflows if parse_fields(selector)(w)] == names


@pytest.mark.parametrize(
    ("selector", "problem"),
    [("name", "'name' is no field selector"), ("status.phase=x", "field label not supported: status.phase")],
)
def test_a_field_that_cannot_be_asked_for_is_refused(selector, problem):
    with pytest.raises(NbflowError) as refused:
        parse_fields(selector)
    assert refused.value.problem == problem
