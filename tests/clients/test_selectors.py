import pytest

from nbflow.clients.selectors import parse_selector
from nbflow.errors import NbflowError

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
