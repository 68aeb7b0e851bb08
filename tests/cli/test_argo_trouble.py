"""What holds a workflow up in a cluster is said while somebody waits for it, with what to do."""

from __future__ import annotations

import io
import threading
import time

import pytest

from nbflow import cli
from nbflow.clients import argo_nodes, argo_watching
from nbflow.clients.argo_nodes import UNTAKEN
from tests.kube.argo import WORKFLOWS, node, set_status
from tests.kube.fixtures import cluster

__all__ = ["cluster"]
PULLING = 'ImagePullBackOff: Back-off pulling image "nope:1"'
ADVICE = (
    "w: the image cannot be pulled (nope:1)\n  fix: check its name and tag; a private one needs "
    "`imagePullSecrets`, and that secret in the namespace\n"
)


class Screen(io.StringIO):
    """Text that somebody waits for."""

    def until(self, text):
        end = time.monotonic() + 30
        while text not in self.getvalue():
            assert time.monotonic() < end, self.getvalue()
            time.sleep(0.02)


@pytest.fixture
def waiting(cluster, tmp_path, monkeypatch):
    """Begins a command line that waits; gives its stdout, stderr, and how to hear its exit code."""
    monkeypatch.setenv("NBFLOW_HOME", str(tmp_path / "home"))
    cluster.storage.create(WORKFLOWS, "default", {"metadata": {"name": "w"}, "spec": {"entrypoint": "main"}})

    def begin(*words):
        out, err, codes = Screen(), Screen(), []
        run = lambda: codes.append(cli.run([*words, "--on", "argo"], out=out, err=err))  # noqa: E731
        thread = threading.Thread(target=run, daemon=True)
        thread.start()

        def ended():
            thread.join(30)
            return codes[0]

        return out, err, ended

    return begin


def ends(cluster):
    """Nobody may miss the log of a node that never started."""
    set_status(cluster, "w", "Succeeded", [node("w", "w", phase="Succeeded", startedAt=None)])


@pytest.mark.parametrize(
    "words", [("wait", "w"), ("watch", "w"), ("logs", "-f", "w")], ids=lambda words: words[0]
)
def test_a_pod_that_cannot_start_is_said_once_while_one_waits(cluster, waiting, words):
    _, err, ended = waiting(*words)
    set_status(cluster, "w", "Running", [node("w", "w", phase="Pending", message=PULLING)])
    err.until(ADVICE)
    set_status(cluster, "w", "Running", [node("w", "w", phase="Pending", message=PULLING, progress="0/2")])
    ends(cluster)
    assert ended() == 0
    assert err.getvalue().count("the image cannot be pulled") == 1


def test_why_it_failed_is_said_with_what_to_do(cluster, waiting):
    _, err, ended = waiting("wait", "w")
    message = "OOMKilled (exit code 137)"
    set_status(cluster, "w", "Failed", [node("w", "w", phase="Failed", message=message)], message=message)
    assert ended() == 1
    assert (
        "w: it ran out of memory\n  fix: raise `resources.limits.memory` of the template\n" in err.getvalue()
    )


@pytest.mark.parametrize(
    "words", [("wait", "w"), ("watch", "w"), ("logs", "-f", "w")], ids=lambda words: words[0]
)
def test_a_workflow_that_no_controller_takes_up_is_said(cluster, waiting, words, monkeypatch):
    for module in (argo_nodes, argo_watching):
        monkeypatch.setattr(module, "UNTAKEN_SECONDS", 0.2)
    _, err, ended = waiting(*words)
    err.until(UNTAKEN)
    out = io.StringIO()
    assert cli.run(["get", "w", "--on", "argo"], out=out, err=out) == 0
    assert f"Message:             {UNTAKEN}\n" in out.getvalue()
    ends(cluster)
    assert ended() == 0
    assert err.getvalue().count(UNTAKEN) == 1


def test_doctor_sees_that_nobody_takes_workflows_up(cluster, waiting, monkeypatch):
    monkeypatch.setattr(argo_nodes, "UNTAKEN_SECONDS", -1)
    out = io.StringIO()
    assert cli.run(["doctor", "--on", "argo"], out=out, err=out) == 0
    assert "warn controller   no workflow controller has taken it up: w\n" in out.getvalue()
    set_status(cluster, "w", "Succeeded", [node("w", "w", phase="Succeeded")])
    out = io.StringIO()
    assert cli.run(["doctor", "--on", "argo"], out=out, err=out) == 0
    assert "ok   controller   no workflow waits to be taken up\n" in out.getvalue()
