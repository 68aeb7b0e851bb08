import pytest

from nbflow.clients.client import Request
from nbflow.errors import NbflowError, NotFoundError


@pytest.fixture
def started(nbflow, hello, client):
    nbflow("submit", "--wait", hello)
    return "hello-0"


@pytest.mark.parametrize(
    ("words", "request_", "said"),
    [
        (["stop", "--message", "enough"], Request("stop", message="enough"), "stopped"),
        (["terminate"], Request("terminate"), "terminated"),
        (["suspend"], Request("suspend"), "suspended"),
        (["resume"], Request("resume"), "resumed"),
    ],
)
def test_verbs_ask(nbflow, started, client, words, request_, said):
    assert nbflow(*words, "@latest").out == f"workflow hello-0 {said}\n"
    assert client.asked == [("hello-0", request_)]


def test_node_selectors_become_ids(nbflow, started, client):
    nbflow("resume", started, "--node-field-selector", "displayName=hello-0")
    assert client.asked == [(started, Request("resume", nodes=("hello-0",)))]
    with pytest.raises(NotFoundError, match="no node of workflow 'hello-0' matches"):
        nbflow("stop", started, "--node-field-selector", "phase=Pending")


def test_a_dry_run_asks_nothing(nbflow, started, client):
    assert nbflow("stop", started, "--dry-run").out == "workflow hello-0 stopped (dry-run)\n"
    assert client.asked == []


@pytest.mark.parametrize("verb", ["stop", "terminate", "resume", "delete"])
def test_a_verb_needs_to_know_of_what(nbflow, verb):
    with pytest.raises(NbflowError, match="requires"):
        nbflow(verb)


def test_delete(nbflow, hello, client):
    for name in ("a1", "a2", "b1"):
        nbflow("submit", "--name", name, hello)
    assert nbflow("delete", "--prefix", "a", "--dry-run").out.count("(dry-run)") == 2
    assert nbflow("delete", "--prefix", "a").out == "Workflow 'a2' deleted\nWorkflow 'a1' deleted\n"
    missing = nbflow("delete", "nope", "b1")
    assert (missing.code, missing.out, missing.err) == (
        2,
        "Workflow 'b1' deleted\n",
        "Workflow 'nope' not found\n",
    )
    assert nbflow("delete", "--all").out == "No resources found\n"
