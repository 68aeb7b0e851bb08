"""Logs of the pods of a workflow in a cluster: of many at once, before they exist, while they run, after they went."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from nbflow.clients import argo_podlog, argo_readers
from nbflow.clients.argo import ArgoClient
from nbflow.clients.argo_podlog import PodLog
from nbflow.clients.client import LogOptions
from nbflow.errors import NbflowError, NotFoundError
from nbflow.kube.refusals import UnavailableError
from tests.kube.argo import PODS, WORKFLOWS, node, node_id, pod, pod_name, set_status
from tests.kube.fixtures import cluster

__all__ = ["cluster"]


@pytest.fixture
def uid(cluster):
    manifest = {"metadata": {"name": "w"}, "spec": {"entrypoint": "main"}}
    return cluster.storage.create(WORKFLOWS, "default", manifest)["metadata"]["uid"]


def names(count):
    return [f"w.{i}" for i in range(count)]


def nodes(count, phase):
    root = node("w", "w", "DAG", phase, children=names(count))
    return [root, *(node("w", name, phase=phase, template="t", boundary="w") for name in names(count))]


def start(api, uid, name, phase="Running", container="main"):
    found = pod("w", name, "t", uid, phase, container)
    api.storage.create(PODS, "default", found)
    return found["metadata"]["name"]


def becomes(api, name, phase):
    found = api.storage.get(PODS, "default", name)
    api.storage.replace(PODS, "default", name, {**found, "status": {**found["status"], "phase": phase}})


def following(options=LogOptions(follow=True)):
    lines, done = [], []

    def read():
        lines.extend(logs)
        done.append(True)

    logs = ArgoClient().logs("w", options)
    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return logs, thread, done, lines


def wait_until(true, seconds=20.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def test_many_pods_are_followed_at_once_from_before_they_exist(cluster, uid):
    _, thread, done, lines = following()
    wait_until(lambda: len(cluster.watches) == 2)
    pods = [start(cluster, uid, name, "Pending") for name in names(12)]
    for name in pods:
        becomes(cluster, name, "Running")
    for turn in range(5):
        for name in pods:
            cluster.log(name, f"{name} {turn}")
    for name in pods:
        cluster.end_log(name)
        becomes(cluster, name, "Succeeded")
    set_status(cluster, "w", "Succeeded", nodes(12, "Succeeded"))
    thread.join(30)
    assert done
    assert len(lines) == 60
    for name in pods:
        assert [line.text for line in lines if line.pod == name] == [f"{name} {turn}" for turn in range(5)]


def test_dropped_connections_neither_lose_nor_repeat_a_line(cluster, uid):
    name = start(cluster, uid, "w.0")
    _, thread, done, lines = following()
    same = time.time()
    for number in range(60):
        # Several lines of the same instant are told apart, too; a zero at the end of a time is not written.
        cluster.log(name, str(number), at=same + 0.1 * (number // 3))
        if number % 4 == 0:
            wait_until(lambda: any("/log" in path for _, path, _ in cluster.requests))
            wait_until(lambda n=number: len(lines) > n - 8)
            cluster.drop()
    cluster.end_log(name)
    becomes(cluster, name, "Succeeded")
    set_status(cluster, "w", "Succeeded", nodes(1, "Succeeded"))
    thread.join(60)
    assert done
    assert [line.text for line in lines] == [str(number) for number in range(60)]


def test_logs_that_are_there_come_pod_by_pod(cluster, uid):
    at = datetime(2024, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
    for name in names(2):
        made = start(cluster, uid, name)
        for text in ("one", "two", "three"):
            cluster.log(made, f"{name} {text}", at=at.timestamp())
    set_status(cluster, "w", "Running", nodes(2, "Running"))
    client = ArgoClient()
    lines = list(client.logs("w"))
    assert [line.text for line in lines] == [f"{n} {t}" for n in names(2) for t in ("one", "two", "three")]
    assert lines[0].at == at
    assert lines[0].pod == pod_name("w", "w.0", "t")
    assert [line.text for line in client.logs("w", LogOptions(tail=1, pods=(node_id("w", "w.1"),)))] == [
        "w.1 three"
    ]
    assert [line.text for line in client.logs("w", LogOptions(grep="0 t"))] == ["w.0 two", "w.0 three"]
    assert list(client.logs("w", LogOptions(since=timedelta(hours=1)))) == []
    assert len(list(client.logs("w", LogOptions(since_time=at - timedelta(seconds=1))))) == 6


@pytest.mark.parametrize("said", [True, False])
def test_pods_named_by_node_id_are_found(cluster, uid, said):
    """Workflows of old: pod names v1, which those before v3.3 do not say."""
    if said:
        found = cluster.storage.get(WORKFLOWS, "default", "w")
        found["metadata"]["annotations"] = {"workflows.argoproj.io/pod-name-format": "v1"}
        cluster.storage.replace(WORKFLOWS, "default", "w", found)
    set_status(cluster, "w", "Running", nodes(1, "Running"))
    made = pod("w", "w.0", "t", uid)
    made["metadata"]["name"] = node_id("w", "w.0")
    cluster.storage.create(PODS, "default", made)
    cluster.log(made["metadata"]["name"], "hello")
    (line,) = ArgoClient().logs("w", LogOptions(pods=(node_id("w", "w.0"),)))
    assert (line.pod, line.text) == (node_id("w", "w.0"), "hello")
    set_status(cluster, "w", "Succeeded", nodes(1, "Succeeded"))
    for follow in (False, True):
        assert [found.text for found in ArgoClient().logs("w", LogOptions(follow=follow))] == ["hello"]
        cluster.end_log(line.pod)


def test_container_sets_show_all_containers_of_the_user(cluster, uid):
    name = start(cluster, uid, "w.0", container="first")
    cluster.log(name, "hello", container="first")
    cluster.log(name, "argo's own", container="wait")
    assert [(line.container, line.text) for line in ArgoClient().logs("w")] == [("first", "hello")]


def test_logs_of_pods_that_are_gone_are_explained(cluster, uid):
    set_status(cluster, "w", "Succeeded", nodes(2, "Succeeded"))
    with pytest.raises(NotFoundError) as gone:
        list(ArgoClient().logs("w"))
    assert gone.value.problem == (
        f"the pods are gone, and their logs with them: {pod_name('w', 'w.0', 't')}, {pod_name('w', 'w.1', 't')}"
    )
    assert "podGC" in gone.value.fix


def test_archived_logs_stand_in_for_pods_that_are_gone(cluster, uid):
    root, child = nodes(1, "Succeeded")
    child["outputs"] = {"artifacts": [{"name": "main-logs", "raw": {"data": "one\ntwo\n"}}]}
    set_status(cluster, "w", "Succeeded", [root, child])
    assert [line.text for line in ArgoClient().logs("w")] == ["one", "two"]
    assert [line.text for line in ArgoClient().logs("w", LogOptions(follow=True))] == ["one", "two"]


def test_a_log_can_be_closed_at_once(cluster, uid):
    start(cluster, uid, "w.0")
    logs, thread, done, _ = following()
    wait_until(lambda: any("/log" in path for _, path, _ in cluster.requests))
    logs.close()
    thread.join(3)
    assert done


STARTS = (
    'time=2026-11-23T14:58:26.496Z level=INFO msg="capturing logs" argo=true',
    'time=2026-11-23T14:58:26.500Z level=INFO msg="waiting for signals" argo=true signalPath=/var/run/argo/signal',
)
ENDS = [f'time=2026-11-23T14:58:27.502Z level=INFO msg="saved {i}" error=<nil> argo=true' for i in range(40)]


@pytest.mark.parametrize("follow", [False, True])
def test_what_the_executor_says_of_itself_is_no_line_of_the_users(cluster, uid, follow):
    name = start(cluster, uid, "w.0", "Succeeded")
    mine = ["one", "time=now level=INFO msg=mine", "argo=true", "three", "without an end"]
    for text in (*STARTS, *mine[:-1], mine[-1] + ENDS[0], *ENDS):
        cluster.log(name, text)
    cluster.end_log(name)
    set_status(cluster, "w", "Succeeded", nodes(1, "Succeeded"))

    def shown(**options):
        return [line.text for line in ArgoClient().logs("w", LogOptions(follow=follow, **options))]

    assert shown() == mine
    assert shown(tail=2) == mine[-2:]
    assert shown(tail=0) == []
    assert shown(tail=99) == mine


def test_a_tail_is_followed_by_what_comes(cluster, uid):
    name = start(cluster, uid, "w.0")
    for text in (*STARTS, "one", "two", "three"):
        cluster.log(name, text)
    _, thread, done, lines = following(LogOptions(follow=True, tail=2))
    wait_until(lambda: len(lines) == 2)
    for text in ("four", *ENDS):
        cluster.log(name, text)
    cluster.end_log(name)
    set_status(cluster, "w", "Succeeded", nodes(1, "Succeeded"))
    thread.join(30)
    assert done
    assert [line.text for line in lines] == ["two", "three", "four"]


def test_more_pods_than_connections_are_followed_in_turns(cluster, uid, monkeypatch):
    monkeypatch.setattr(argo_readers, "FOLLOWED", 3)
    monkeypatch.setattr(argo_readers, "_SHORTEST", 0.05)
    pods = [start(cluster, uid, name) for name in names(30)]
    before = threading.active_count()
    _, thread, done, lines = following()
    wait_until(lambda: len([path for _, path, _ in cluster.requests if path.endswith("/log")]) >= 30)
    most = 0
    for turn in range(4):
        for name in pods:
            cluster.log(name, f"{name} {turn}")
        wait_until(lambda turn=turn: len(lines) == 30 * (turn + 1))
        threads = [one for one in threading.enumerate() if one.name.startswith("nbflow log")]
        assert len(threads) <= 7
        most = max(most, len(cluster.connections))
    for name in pods:
        cluster.end_log(name)
        becomes(cluster, name, "Succeeded")
    set_status(cluster, "w", "Succeeded", nodes(30, "Succeeded"))
    thread.join(30)
    assert done
    assert most <= 3 + 7 + 2
    for name in pods:
        assert [line.text for line in lines if line.pod == name] == [f"{name} {turn}" for turn in range(4)]
    wait_until(lambda: threading.active_count() <= before + len(cluster.connections))


def test_pods_that_ended_are_read_once_and_by_few(cluster, uid):
    pods = [start(cluster, uid, name, "Succeeded") for name in names(50)]
    for name in pods:
        cluster.log(name, name)
        cluster.end_log(name)
    set_status(cluster, "w", "Succeeded", nodes(50, "Succeeded"))
    lines = list(ArgoClient().logs("w", LogOptions(follow=True)))
    assert sorted(line.text for line in lines) == sorted(pods)
    assert len([path for _, path, _ in cluster.requests if path.endswith("/log")]) == 50
    assert len(cluster.connections) <= argo_readers.FOLLOWED + 6


def test_a_connection_that_ends_in_good_order_is_not_the_end_of_the_log(cluster, uid):
    """As when a kubelet restarts."""
    name = start(cluster, uid, "w.0")
    _, thread, done, lines = following()
    for number in range(3):
        cluster.log(name, str(number))
        wait_until(lambda number=number: len(lines) == number + 1)
        cluster.hang_up(name)
    cluster.log(name, "last")
    cluster.end_log(name)
    becomes(cluster, name, "Succeeded")
    set_status(cluster, "w", "Succeeded", nodes(1, "Succeeded"))
    thread.join(20)
    assert done
    assert [line.text for line in lines] == ["0", "1", "2", "last"]


def test_a_log_that_is_silent_for_long_is_no_server_that_is_away(cluster, uid):
    """A connection that is silent for too long is made anew, for hours if need be."""
    now, silent = time.monotonic(), UnavailableError("it does not answer")
    log = PodLog(ArgoClient().api, start(cluster, uid, "w.0"), "main", LogOptions(follow=True))
    log._away_since = now - 3600
    with pytest.raises(UnavailableError):
        log.pause_after(silent, now)
    cluster.end_log(log.pod)
    assert list(log.read(threading.Event(), follow=True)) == []
    for _ in range(50):
        log._away_since = now - 3600
        assert log.pause_after(silent, now - 90) <= 0.1


@pytest.mark.parametrize("follow", [False, True])
def test_a_log_that_cannot_be_had_keeps_nobody_from_those_of_others(cluster, uid, follow, monkeypatch):
    monkeypatch.setattr(argo_podlog, "_PATIENCE_SECONDS", 0.0)
    pods = [start(cluster, uid, name, "Succeeded") for name in names(3)]
    for name in pods:
        cluster.log(name, name)
        cluster.end_log(name)
    said = "Get https://10.0.0.7:10250/containerLogs: dial tcp: connect: no route to host"
    cluster.fail("GET", f"/{pods[0]}/log$", 500, "InternalError", said, times=99)
    set_status(cluster, "w", "Succeeded", nodes(3, "Succeeded"))
    logs, lines = ArgoClient().logs("w", LogOptions(follow=follow)), []
    with pytest.raises(NbflowError) as error:
        lines.extend(line.text for line in logs)
    assert str(error.value) == (
        f"workflow w: the log of pod {pods[0]} cannot be had: {said}\n"
        "  fix: the API server has trouble: try again in a while"
    )


@pytest.mark.parametrize("follow", [False, True])
def test_a_pod_that_ended_before_its_container_began_has_no_log(cluster, uid, follow):
    pods = [start(cluster, uid, name, "Failed") for name in names(2)]
    cluster.log(pods[1], "hello")
    cluster.end_log(pods[1])
    said = f'container "main" in pod "{pods[0]}" is waiting to start: PodInitializing'
    cluster.fail("GET", f"/{pods[0]}/log$", 400, "BadRequest", said, times=99)
    set_status(cluster, "w", "Failed", nodes(2, "Failed"))
    assert [line.text for line in ArgoClient().logs("w", LogOptions(follow=follow))] == ["hello"]


def test_a_missing_right_ends_it_at_once(cluster, uid, tmp_path):
    for name in names(3):
        start(cluster, uid, name)
    rules = [
        {"apiGroups": ["argoproj.io"], "resources": ["workflows"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]},
    ]
    cluster.allow("limited", rules, "jane")
    cluster.kubeconfig(tmp_path / "kubeconfig", token="limited")
    for follow in (False, True):
        with pytest.raises(NbflowError, match='User "jane" cannot get resource "pods/log"'):
            list(ArgoClient().logs("w", LogOptions(follow=follow)))


def test_archived_logs_stand_in_for_pods_that_go_while_the_workflow_is_followed(cluster, uid):
    """One is gone before, one goes before its log is read, one stays."""

    def status(phase, ended):
        root, *pods = nodes(3, phase)
        for number, one in enumerate(pods[:ended]):
            archived = {"name": "main-logs", "raw": {"data": f"archived {number}\n"}}
            one.update(phase="Succeeded", outputs={"artifacts": [archived]})
        set_status(cluster, "w", phase, [root, *pods])

    status("Running", 1)
    second = pod_name("w", "w.1", "t")
    cluster.fail("GET", f"/{second}/log$", 404, "NotFound", f'pods "{second}" not found', times=99)
    _, thread, done, lines = following()
    wait_until(lambda: lines)
    assert lines[0].text == "archived 0"
    start(cluster, uid, "w.1")
    wait_until(lambda: any(path.endswith(f"/{second}/log") for _, path, _ in cluster.requests))
    cluster.storage.delete(PODS, "default", second)
    third = start(cluster, uid, "w.2")
    cluster.log(third, "live")
    wait_until(lambda: len(lines) == 2)
    cluster.end_log(third)
    becomes(cluster, third, "Succeeded")
    status("Succeeded", 3)
    thread.join(20)
    assert done
    assert [line.text for line in lines] == ["archived 0", "live", "archived 1"]
