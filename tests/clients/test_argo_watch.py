"""The watch of a workflow in a cluster: whatever becomes of the connection, each state of a node arrives."""

from __future__ import annotations

import base64
import gzip
import json
import random
import sys
import threading
import time

import pytest

from nbflow.clients.argo import ArgoClient
from nbflow.clients.argo_nodes import OFFLOADED, unpack
from nbflow.clients.client import LogOptions
from nbflow.errors import NbflowError, NotFoundError
from nbflow.kube import watch as watch_module
from nbflow.kube.access import Cluster
from nbflow.kube.api import Pauses
from nbflow.spec.status import Phase
from tests.kube.argo import WORKFLOWS, node, set_status
from tests.kube.fixtures import cluster

__all__ = ["cluster"]
PHASES = ("Pending", "Running", "Succeeded")


def create(api, name="w", **metadata):
    manifest = {"metadata": {"name": name, **metadata}, "spec": {"entrypoint": "main"}}
    return api.storage.create(WORKFLOWS, "default", manifest)


def states(count, phase_of):
    """A root and `count` pods."""
    children = [f"w.{i}" for i in range(count)]
    root = node("w", "w", "DAG", "Running", children=children)
    return [root, *(node("w", f"w.{i}", phase=phase_of(i), boundary="w") for i in range(count))]


def collect(watch, seen, done):
    try:
        for update in watch:
            for one in (*update.workflow.status.nodes.values(), *update.nodes):
                seen.append((update.sequence, one.display_name, one.phase))
        done.append(None)
    except Exception as error:  # noqa: BLE001  # looked at by the test
        done.append(error)


def watching(api, client=None):
    seen, done = [], []
    watch = (client or ArgoClient()).watch("w")
    thread = threading.Thread(target=collect, args=(watch, seen, done), daemon=True)
    thread.start()
    return watch, thread, seen, done


def wait_until(true, seconds=20.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def test_a_watch_dropped_fifty_times_at_random_loses_no_transition(cluster, monkeypatch):
    # It comes back at once: what is shown is what it then knows, and the pauses have tests of their own.
    monkeypatch.setattr(watch_module, "Pauses", lambda **_: Pauses(first=0.001, longest=0.005))
    rng = random.Random(7)
    create(cluster)
    set_status(cluster, "w", "Running", states(20, lambda _: "Pending"))
    _, thread, seen, done = watching(cluster)
    progress = [0] * 20
    drops = 0
    while any(p < 2 for p in progress):
        chosen = rng.choice([i for i in range(20) if progress[i] < 2])
        progress[chosen] += 1
        set_status(cluster, "w", "Running", states(20, lambda i: PHASES[progress[i]]))
        while drops < 50 and rng.random() < 0.6:
            wait_until(lambda: cluster.watches or rng.random() < 0.01)
            drops += bool(cluster.drop())
    while drops < 50:
        wait_until(lambda: cluster.watches)
        drops += bool(cluster.drop())
    set_status(cluster, "w", "Succeeded", states(20, lambda _: "Succeeded"))
    thread.join(30)
    assert done == [None]
    for i in range(20):
        mine = [phase.value for _, name, phase in seen if name == str(i)]
        assert list(dict.fromkeys(mine)) == list(PHASES)
    numbers = sorted({number for number, _, _ in seen})
    assert numbers == list(range(numbers[-1] + 1))


def test_a_forgotten_history_is_listed_again(cluster):
    create(cluster)
    set_status(cluster, "w", "Running", states(1, lambda _: "Pending"))
    _, thread, seen, done = watching(cluster)
    wait_until(lambda: cluster.watches)
    listed = len([path for method, path, query in cluster.requests if "watch" not in query])
    cluster.storage.compact()
    with cluster.storage.news:
        cluster.drop()
        set_status(cluster, "w", "Running", states(1, lambda _: "Running"))
        cluster.storage.compact()
    wait_until(lambda: (1, "0", Phase.RUNNING) in seen)
    set_status(cluster, "w", "Succeeded", states(1, lambda _: "Succeeded"))
    thread.join(20)
    assert done == [None]
    assert seen[-1][1:] == ("0", Phase.SUCCEEDED)
    assert len([path for method, path, query in cluster.requests if "watch" not in query]) > listed


def test_a_server_that_restarts_is_waited_for(cluster):
    create(cluster)
    set_status(cluster, "w", "Running", states(1, lambda _: "Pending"))
    _, thread, seen, done = watching(cluster)
    wait_until(lambda: cluster.watches)
    cluster.stop()
    set_status(cluster, "w", "Running", states(1, lambda _: "Running"))
    set_status(cluster, "w", "Succeeded", states(1, lambda _: "Succeeded"))
    cluster.start()
    thread.join(20)
    assert done == [None]
    assert [phase for _, name, phase in seen if name == "0"] == [
        Phase.PENDING,
        Phase.RUNNING,
        Phase.SUCCEEDED,
    ]


def test_bookmarks_keep_the_version_fresh(cluster):
    """A quiet workflow among busy ones: after a break the watch goes on where the bookmark was, not before."""
    create(cluster)
    set_status(cluster, "w", "Running", states(1, lambda _: "Pending"))
    cluster.bookmark_seconds = 0.02
    _, thread, _, done = watching(cluster)
    wait_until(lambda: cluster.watches)
    for i in range(5):
        create(cluster, f"other-{i}")
    newest = str(cluster.storage.version)
    time.sleep(0.2)
    cluster.drop()
    wait_until(lambda: any(f"resourceVersion={newest}" in query for _, _, query in cluster.requests))
    set_status(cluster, "w", "Failed", states(1, lambda _: "Failed"))
    thread.join(20)
    assert done == [None]


def test_busy_and_broken_answers_are_tried_again(cluster):
    create(cluster)
    set_status(cluster, "w", "Running", states(1, lambda _: "Pending"))
    cluster.fail("GET", "/workflows$", 429, "TooManyRequests", "too many requests", times=2)
    cluster.fail("GET", "/workflows$", 503, "ServiceUnavailable", "apiserver is shutting down", times=2)
    cluster.fail("GET", "/workflows$", times=2)
    _, thread, seen, done = watching(cluster)
    wait_until(lambda: cluster.watches)
    set_status(cluster, "w", "Succeeded", states(1, lambda _: "Succeeded"))
    thread.join(20)
    assert done == [None]
    assert seen[-1][1:] == ("0", Phase.SUCCEEDED)


def test_a_lost_right_ends_the_watch_in_words(cluster, tmp_path):
    create(cluster)
    rules = [{"apiGroups": ["argoproj.io"], "resources": ["workflows"], "verbs": ["get"]}]
    cluster.allow("limited", rules, "jane")
    cluster.kubeconfig(tmp_path / "kubeconfig", token="limited")
    _, thread, _, done = watching(cluster)
    thread.join(20)
    assert isinstance(done[0], NbflowError)
    assert done[0].fix.startswith(
        'ask the administrator for the right to "list" workflows in namespace default'
    )


def test_a_deleted_workflow_is_said(cluster):
    create(cluster)
    _, thread, _, done = watching(cluster)
    wait_until(lambda: cluster.watches)
    cluster.storage.delete(WORKFLOWS, "default", "w")
    create(cluster)
    thread.join(20)
    assert isinstance(done[0], NotFoundError)
    assert done[0].problem == 'workflows.argoproj.io "w" was deleted'


@pytest.mark.parametrize("again", [False, True])
def test_what_happens_before_the_watch_begins_is_told(cluster, again):
    create(cluster)
    watch = ArgoClient().watch("w")
    assert next(watch).workflow.name == "w"
    cluster.storage.delete(WORKFLOWS, "default", "w")
    if again:
        create(cluster)
    with pytest.raises(NotFoundError, match="was deleted"):
        list(watch)


def test_logs_of_a_workflow_that_is_deleted_end(cluster):
    from nbflow.clients.client import LogOptions

    create(cluster)
    logs = ArgoClient().logs("w", LogOptions(follow=True))
    cluster.storage.delete(WORKFLOWS, "default", "w")
    assert list(logs) == []


def test_a_watch_can_be_closed_at_once_from_another_thread(cluster):
    create(cluster)
    watch, thread, _, done = watching(cluster)
    wait_until(lambda: cluster.watches)
    watch.close()
    thread.join(2)
    assert done == [None]
    wait_until(lambda: not cluster.watches)


def packed(nodes):
    return base64.b64encode(gzip.compress(json.dumps({one["id"]: one for one in nodes}).encode())).decode()


def test_packed_nodes_are_unpacked(cluster):
    create(cluster)
    nodes = states(3, lambda _: "Running")
    set_status(cluster, "w", "Running", [], compressedNodes=packed(nodes))
    later = [{**one, "phase": "Succeeded"} if one["displayName"] in {"1", "2"} else one for one in nodes]
    workflow = ArgoClient().get("w")
    assert [one.display_name for one in workflow.status.nodes.values()] == ["w", "0", "1", "2"]
    assert "compressedNodes" not in workflow.status.extra
    _, thread, seen, done = watching(cluster)
    wait_until(lambda: cluster.watches)
    set_status(cluster, "w", "Succeeded", [], compressedNodes=packed(later))
    thread.join(20)
    assert done == [None]
    changed = [(name, phase) for number, name, phase in seen if number == 1]
    assert changed == [("1", Phase.SUCCEEDED), ("2", Phase.SUCCEEDED)]


@pytest.mark.parametrize("packing", ["zstandard", "brotli"])
def test_other_packings_are_unpacked_if_they_are_installed(cluster, packing, monkeypatch):
    library = pytest.importorskip(packing)
    create(cluster)
    data = json.dumps({one["id"]: one for one in states(3, lambda _: "Running")}).encode()
    text = base64.b64encode(library.compress(data)).decode()
    set_status(cluster, "w", "Running", [], compressedNodes=text)
    assert [n.display_name for n in ArgoClient().get("w").status.nodes.values()] == ["w", "0", "1", "2"]
    unpack.cache_clear()
    monkeypatch.setitem(sys.modules, packing, None)
    monkeypatch.setitem(sys.modules, "compression", None)
    with pytest.raises(NbflowError) as error:
        ArgoClient().get("w")
    said = {"zstandard": "zstd"}.get(packing, packing)
    assert error.value.problem == f"the nodes are packed with {said}, which this Python cannot read"
    assert error.value.fix == "pip install 'nbflow[packings]'"


def test_broken_packed_nodes_are_said(cluster):
    create(cluster)
    set_status(cluster, "w", "Running", [], compressedNodes=base64.b64encode(b"\x1f\x8bnonsense").decode())
    with pytest.raises(NbflowError, match=r"the packed nodes \(compressedNodes\) cannot be read"):
        ArgoClient().get("w")


def test_offloaded_nodes_are_explained(cluster):
    create(cluster)
    set_status(cluster, "w", "Running", [], offloadNodeStatusVersion="fnv:123")
    client = ArgoClient()
    assert client.get("w").status.message == OFFLOADED
    _, thread, _, done = watching(cluster, client)
    wait_until(lambda: cluster.watches)
    set_status(cluster, "w", "Failed", [], offloadNodeStatusVersion="fnv:124")
    thread.join(20)
    assert done == [None]
    from nbflow.revise.retry import RetryOptions

    with pytest.raises(NbflowError, match="offloaded"):
        client.retry("w", RetryOptions())


@pytest.mark.slow
def test_five_thousand_nodes_are_followed_at_under_a_tenth_of_a_core(cluster):
    """One change a second, as a controller writes them; the API's own work is a process of its own."""
    create(cluster)
    nodes = states(5000, lambda _: "Pending")
    set_status(cluster, "w", "Running", [], compressedNodes=packed(nodes))
    texts = []
    for second in range(6):
        for one in nodes[1 + second * 40 : 41 + second * 40]:
            one.update(phase="Succeeded", finishedAt="2024-01-01T00:00:00Z")
        texts.append(packed(nodes))
    from tests.clients.usage import follow_in_a_process

    used, elapsed, changed = follow_in_a_process(
        lambda i: set_status(cluster, "w", "Running", [], compressedNodes=texts[i]),
        lambda: set_status(cluster, "w", "Succeeded", [], compressedNodes=texts[-1]),
        len(texts),
    )
    assert changed == 240
    assert used < elapsed * 0.1, f"{used:.2f} s of {elapsed:.1f} s"


def test_another_context_is_asked_by_name(cluster, tmp_path):
    create(cluster)
    cluster.kubeconfig(tmp_path / "kubeconfig", context="mine")
    assert ArgoClient(Cluster(context="mine")).get("w").name == "w"
    with pytest.raises(NbflowError, match="the kubeconfig has no context 'other'"):
        ArgoClient(Cluster(context="other")).get("w")


def test_a_workflow_that_went_before_the_watch_began_is_missed(cluster):
    cluster.storage.create(WORKFLOWS, "default", {"metadata": {"name": "w"}, "spec": {}})
    updates = ArgoClient().watch("w")
    next(updates)
    lines = ArgoClient().logs("w", LogOptions(follow=True))
    cluster.storage.delete(WORKFLOWS, "default", "w")
    with pytest.raises(NotFoundError, match='"w" was deleted'):
        list(updates)
    assert list(lines) == []
