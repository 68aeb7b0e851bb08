"""Pods of several containers and daemons: real processes under a real supervisor."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from nbflow.runtimes.folder import PodFolder
from nbflow.spec.pod import ContainerSpec, Pod
from nbflow.spec.status import Phase
from nbflow.store.home import Home
from tests.contracts.runtime import UID, Cluster, shell, until

TARGETS = ["host", *(["sandbox"] if shutil.which("bwrap") else [])]
SERVER = """
import http.server, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(sys.argv[2].encode())
http.server.HTTPServer(("", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture(params=TARGETS)
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster.on(request.param, Home(tmp_path / "home"))
    yield cluster
    for name, status in cluster.runtime.list_pods(UID).items():
        if not status.finished:
            cluster.runtime.delete_pod(name, grace=timedelta(0))
            cluster.wait(name)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Cluster]:
    if "sandbox" not in TARGETS:
        pytest.skip("bubblewrap is not installed")
    cluster = Cluster.on("sandbox", Home(tmp_path / "home"))
    yield cluster
    for name, status in cluster.runtime.list_pods(UID).items():
        if not status.finished:
            cluster.runtime.delete_pod(name, grace=timedelta(0))
            cluster.wait(name)


def container(name: str, script: str, **fields: object) -> ContainerSpec:
    return ContainerSpec(name, "alpine:3.23", ("sh", "-c", script), **fields)  # type: ignore[arg-type]


def with_sidecar(script: str, *sidecars: ContainerSpec, name: str = "pod-1", **fields: object) -> Pod:
    pod = shell(script, name, **fields)
    return replace(pod, containers=(*pod.containers, *sidecars), sidecars=tuple(c.name for c in sidecars))


def container_set(*containers: ContainerSpec, **fields: object) -> Pod:
    return replace(shell("true"), containers=containers, **fields)  # type: ignore[arg-type]


def log_of(cluster: Cluster, container: str, pod: str = "pod-1") -> str:
    return cluster.home.log(UID, pod, container).read_text()


def server(port: int, answer: str) -> tuple[str, ...]:
    return ("python3", "-c", SERVER, str(port), answer)


def test_any_container_may_say_how_far_the_pod_got(cluster: Cluster) -> None:
    wait = "until [ -e $ARGO_PROGRESS_FILE ]; do sleep 0.01; done; cat $ARGO_PROGRESS_FILE"
    pod = with_sidecar(wait, container("side", "echo 5/9 > $ARGO_PROGRESS_FILE; sleep 100"))
    outcome = cluster.run(pod)
    assert (outcome.phase, outcome.progress, cluster.log("pod-1")) == (Phase.SUCCEEDED, "5/9", "5/9\n")


def daemon(name: str, port: int, answer: str, probe: dict[str, object] | None = None) -> Pod:
    probe = probe or {"httpGet": {"path": "/", "port": port}}
    main = ContainerSpec("main", "x", server(port, answer), extra={"readinessProbe": probe})
    return replace(shell("true", name), containers=(main,), daemon=True)


# --- init containers, sidecars ---


def test_init_containers_run_one_by_one_and_share_volumes(cluster: Cluster) -> None:
    mount = ({"name": "v", "mountPath": "/v"},)
    pod = shell("cat /v/x", volumes=({"name": "v", "emptyDir": {}},), volume_mounts=mount)
    first = container("first", "echo 1 >> /v/x", volume_mounts=mount)
    second = container("second", "echo 2 >> /v/x", extra={"mirrorVolumeMounts": True})
    outcome = cluster.run(replace(pod, init_containers=(first, second)))
    assert (outcome.phase, cluster.log("pod-1")) == (Phase.SUCCEEDED, "1\n2\n")


def test_an_init_container_that_fails_fails_the_pod(cluster: Cluster) -> None:
    pod = replace(shell("echo never"), init_containers=(container("prepare", "exit 3"),))
    outcome = cluster.run(pod)
    assert (outcome.phase, outcome.message) == (Phase.FAILED, "prepare: Error (exit code 3)")
    assert cluster.log("pod-1") == ""


def test_a_sidecar_ends_with_main(cluster: Cluster) -> None:
    mount = ({"name": "v", "mountPath": "/v"},)
    sidecar = container("side", "echo up; echo up > /v/up; sleep 600", volume_mounts=mount)
    script = "until [ -s /v/up ]; do sleep 0.02; done; echo out > /tmp/out; echo result"
    outputs = {"parameters": [{"name": "p", "valueFrom": {"path": "/tmp/out"}}]}
    pod = with_sidecar(
        script, sidecar, wants_result=True, outputs=outputs, volume_mounts=mount,
        volumes=({"name": "v", "emptyDir": {}},),
    )  # fmt: skip
    outcome = cluster.run(pod)
    assert (outcome.phase, outcome.message, outcome.exit_code) == (Phase.SUCCEEDED, "", 0)
    assert outcome.outputs == {
        "parameters": [{"name": "p", "valueFrom": {"path": "/tmp/out"}, "value": "out"}],
        "result": "result",
        "exitCode": "0",
    }
    assert log_of(cluster, "side") == "up\n"
    cluster.runtime.forget_pod("pod-1", keep_root=False)
    assert sorted(p.name for p in cluster.home.pod(UID, "pod-1").iterdir()) == ["main.log", "side.log"]


def test_a_sidecar_that_fails_by_itself_fails_the_pod(cluster: Cluster) -> None:
    outcome = cluster.run(with_sidecar("sleep 0.5", container("side", "exit 2")))
    assert (outcome.phase, outcome.message) == (Phase.FAILED, "side: Error (exit code 2)")


def test_a_deadline_ends_all_containers(cluster: Cluster) -> None:
    pod = with_sidecar("sleep 600", container("side", "sleep 600"), deadline=timedelta(seconds=0.3))
    outcome = cluster.run(pod)
    assert (outcome.phase, outcome.message) == (
        Phase.FAILED,
        "Pod was active on the node longer than the specified deadline",
    )


def test_a_pod_that_is_deleted_or_killed_leaves_nothing(cluster: Cluster) -> None:
    for name in ("pod-1", "pod-2"):
        pod = with_sidecar("echo up; exec sleep 611", container("side", "exec sleep 611"), name=name)
        cluster.executor.start(pod)
        cluster.wait_for_log(name, "up")
    cluster.runtime.delete_pod("pod-1", grace=timedelta(seconds=20))
    cluster.wait("pod-1")
    assert cluster.status("pod-1").exit_code == 143
    if cluster.target == "host":
        cluster.runtime.delete_pod("pod-2", grace=timedelta(0))
    else:
        record = PodFolder(os.fspath(cluster.home.pod(UID, "pod-2"))).read()
        assert record is not None
        assert record.pid is not None
        os.kill(record.pid, signal.SIGKILL)  # the supervisor itself
    cluster.wait("pod-2")
    assert cluster.status("pod-2").vanished == (cluster.target == "sandbox")
    until(lambda: not processes("sleep", "611"))


def test_a_pod_whose_home_is_gone_ends(cluster: Cluster) -> None:
    cluster.executor.start(with_sidecar("echo up; exec sleep 612", container("side", "exec sleep 612")))
    cluster.wait_for_log("pod-1", "up")
    shutil.rmtree(cluster.home.root)
    until(lambda: not processes("sleep", "612"))
    cluster.wait("pod-1")


def processes(*words: str) -> list[str]:
    """Of all users."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if [word.decode(errors="replace") for word in line[:-1]] == list(words):
            found.append(process.name)
    return found


# --- container sets ---


def test_a_container_set_runs_in_the_order_of_its_graph(cluster: Cluster) -> None:
    mount = ({"name": "v", "mountPath": "/v"},)
    parts = [
        container("a", "echo a >> /v/x", volume_mounts=mount),
        container("main", "echo main >> /v/x; cat /v/x", volume_mounts=mount, dependencies=("b",)),
        container("b", "sleep 0.1; echo b >> /v/x", volume_mounts=mount, dependencies=("a",)),
    ]
    outcome = cluster.run(container_set(*parts, volumes=({"name": "v", "emptyDir": {}},)))
    assert outcome.containers == dict.fromkeys(("a", "b", "main"), (Phase.SUCCEEDED, ""))
    assert cluster.log("pod-1") == "a\nb\nmain\n"


def test_a_container_that_fails_ends_the_set(cluster: Cluster) -> None:
    parts = [
        container("a", "exit 4"),
        container("b", "echo never", dependencies=("a",)),
        container("c", "sleep 600"),
    ]
    outcome = cluster.run(container_set(*parts))
    assert (outcome.phase, outcome.message) == (Phase.FAILED, "a: Error (exit code 4)")
    assert outcome.containers == {
        "a": (Phase.FAILED, "a: Error (exit code 4)"),
        "b": (Phase.ERROR, 'b: Error (exit code 64): dependency "a" exited with non-zero code: 4'),
        "c": (Phase.FAILED, "c: Error (exit code 143)"),
    }


def test_containers_of_a_set_are_tried_again(cluster: Cluster) -> None:
    strategy = {"retryStrategy": {"retries": 2, "duration": "10ms"}}
    script = "echo try; [ -f mark ] && exit 0; touch mark; exit 1"
    outcome = cluster.run(container_set(container("a", script), extra={"containerSet": strategy}))
    assert (outcome.phase, cluster.home.log(UID, "pod-1", "a").read_text()) == (Phase.SUCCEEDED, "try\ntry\n")


# --- daemons and their networks ---


def wait_ready(cluster: Cluster, name: str) -> str:
    until(lambda: cluster.status(name).ready)
    return cluster.status(name).ip


def get(address: str, port: int) -> str:
    with urllib.request.urlopen(f"http://{address}:{port}/", timeout=10) as answer:
        return str(answer.read().decode())


@pytest.mark.parametrize("kind", ["httpGet", "tcpSocket", "exec"])
def test_a_daemon_is_ready_when_its_probe_says_so(sandbox: Cluster, kind: str) -> None:
    how: dict[str, object] = {"exec": {"command": ["sh", "-c", "[ -f /tmp/there ]"]}}.get(
        kind, {"port": 18080}
    )
    script = 'touch /tmp/there; exec python3 -c "$0" 18080 hello'
    main = ContainerSpec("main", "x", ("sh", "-c", script, SERVER), extra={"readinessProbe": {kind: how}})
    sandbox.executor.start(replace(shell("true", kind), containers=(main,), daemon=True))
    address = wait_ready(sandbox, kind)  # a name of its own: the address of a pod follows from it
    peers = sandbox.home.peers(UID)
    until(lambda: peers.exists() and peers.read_text() == f"{address} 18080\n")
    assert get(address, 18080) == "hello"


def test_daemons_with_the_same_port_do_not_meet(sandbox: Cluster) -> None:
    for name in ("one", "two"):
        sandbox.executor.start(daemon(name, 18081, name))
    addresses = {name: wait_ready(sandbox, name) for name in ("one", "two")}
    if "127.0.0.1" in addresses.values():
        pytest.skip("this kernel allows pods no network of their own")
    assert {name: get(address, 18081) for name, address in addresses.items()} == {"one": "one", "two": "two"}
    with pytest.raises(OSError):  # noqa: PT011 - refused, by whatever name
        socket.create_connection(("127.0.0.1", 18081), 1).close()
    # A pod with a network of its own sees the daemons of its workflow, too, and a loopback that nobody else has.
    line = f"python3 -c \"import urllib.request as u; print(u.urlopen('http://{addresses['two']}:18081').read())\""
    outcome = sandbox.run(with_sidecar(line, container("side", "sleep 600"), name="three"))
    assert (outcome.phase, sandbox.log("three")) == (Phase.SUCCEEDED, "b'two'\n")


def test_a_daemon_has_its_port_whoever_else_has_it(sandbox: Cluster) -> None:
    """The second one listens on all addresses, those of its peers included."""
    sandbox.executor.start(daemon("one", 18082, "one"))
    address, peers = wait_ready(sandbox, "one"), sandbox.home.peers(UID)
    until(lambda: peers.exists() and peers.read_text() == f"{address} 18082\n")
    sandbox.executor.start(daemon("two", 18082, "two"))
    assert get(wait_ready(sandbox, "two"), 18082) == "two"


def test_a_port_that_opens_late_is_reached_by_pods_that_run_already(sandbox: Cluster) -> None:
    go = mounted_claim("go")
    script = 'until [ -f /go/now ]; do sleep 0.02; done; exec python3 -c "$0" 18083 late'
    main = ContainerSpec("main", "x", ("sh", "-c", script, SERVER), volume_mounts=go["volume_mounts"])  # type: ignore[arg-type]
    late = replace(shell("true", "late", **go), containers=(main,), daemon=True)
    sandbox.executor.start(late)
    address = wait_ready(sandbox, "late")  # it has no probe
    if address == "127.0.0.1":
        pytest.skip("this kernel allows pods no network of their own")
    ask = f"until exec 3<>/dev/tcp/{address}/18083; do touch /go/now; sleep 0.05; done 2>/dev/null; echo met"
    asking = with_sidecar("true", container("side", "sleep 600"), name="asking", volumes=late.volumes)
    own = replace(asking.main, command=("bash", "-c", ask), volume_mounts=go["volume_mounts"])
    outcome = sandbox.run(replace(asking, containers=(own, *asking.containers[1:])))
    assert (outcome.phase, sandbox.log("asking")) == (Phase.SUCCEEDED, "met\n")


def mounted_claim(name: str) -> dict[str, object]:
    claim = {"name": name, "persistentVolumeClaim": {"claimName": name}}
    return {"volumes": (claim,), "volume_mounts": ({"name": name, "mountPath": f"/{name}"},)}


def test_without_a_way_out_the_runtime_says_so(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for program in ("bwrap", "python3", "sh"):
        (tmp_path / program).symlink_to(shutil.which(program) or "/nowhere")
    monkeypatch.setenv("PATH", str(tmp_path))
    cluster.run(shell("true"))
    assert cluster.runtime.notice == ""
    cluster.run(with_sidecar("true", container("side", "sleep 600"), name="pod-2"))
    assert cluster.runtime.notice == (
        "pods with sidecars or daemons reach nothing outside of this machine: neither slirp4netns nor pasta is here "
        "(to mend it: apt-get install slirp4netns)"
    )


# --- probes and hooks ---


def test_a_container_that_is_not_alive_any_more_is_ended(cluster: Cluster) -> None:
    probe = {
        "exec": {"command": ["sh", "-c", "[ ! -f /tmp/sick ]"]},
        "periodSeconds": 0.1,
        "failureThreshold": 2,
    }
    extra = {"livenessProbe": probe, "lifecycle": {"preStop": {"exec": {"command": ["touch", "/tmp/asked"]}}}}
    script = "trap '[ -f /tmp/asked ] && echo asked first; exit 7' TERM; touch /tmp/sick; while :; do sleep 0.05; done"
    outputs = {"parameters": [{"name": "p", "valueFrom": {"path": "/tmp/sick"}}]}
    pod = shell(script, extra=extra, outputs=outputs)
    outcome = cluster.run(pod)
    message = "main: Error (exit code 7): Liveness probe failed"
    assert (outcome.phase, outcome.message) == (Phase.FAILED, message)
    assert cluster.log("pod-1") == "Killing: Liveness probe failed\nasked first\n"


TOO_EARLY = {"parameters": [{"name": "p", "valueFrom": {"path": "/tmp/too-early", "default": "no"}}]}


def test_a_container_that_does_not_start_in_time_is_ended(cluster: Cluster) -> None:
    never = {"exec": {"command": ["false"]}, "periodSeconds": 0.1, "terminationGracePeriodSeconds": 0}
    alive = {"exec": {"command": ["touch", "/tmp/too-early"]}, "periodSeconds": 0.05}
    outcome = cluster.run(
        shell(
            "trap '' TERM; sleep 600",
            extra={"startupProbe": never, "livenessProbe": alive},
            outputs=TOO_EARLY,
        )
    )
    message = "main: Error (exit code 137): Startup probe failed"
    assert (outcome.phase, outcome.message) == (Phase.FAILED, message)
    assert not cluster.runtime.path_of("pod-1", "/tmp/too-early").exists()


def test_hooks_at_the_start(cluster: Cluster) -> None:
    hook = {"postStart": {"exec": {"command": ["sh", "-c", "echo hooked > /tmp/hooked"]}}}
    script = "until [ -s /tmp/hooked ]; do sleep 0.02; done; cat /tmp/hooked"
    outputs = {"parameters": [{"name": "p", "valueFrom": {"path": "/tmp/hooked"}}]}
    outcome = cluster.run(shell(script, extra={"lifecycle": hook}, outputs=outputs))
    assert (outcome.phase, cluster.log("pod-1")) == (Phase.SUCCEEDED, "hooked\n")
    bad = {"postStart": {"exec": {"command": ["false"]}}}
    outcome = cluster.run(shell("sleep 600", "pod-2", extra={"lifecycle": bad}))
    assert outcome.message == "main: Error (exit code 143): PostStartHook failed"


def test_probes_and_hooks_run_among_the_processes_of_the_container(sandbox: Cluster) -> None:
    if os.geteuid():
        pytest.skip("an ordinary user's pods have user namespaces of their own")
    hook = {"postStart": {"exec": {"command": ["pkill", "-USR1", "-f", "while"]}}}
    script = "trap 'echo signalled; exit 0' USR1; while :; do sleep 0.05; done"
    outcome = sandbox.run(shell(script, extra={"lifecycle": hook}))
    assert (outcome.phase, sandbox.log("pod-1")) == (Phase.SUCCEEDED, "signalled\n")


def test_a_deadline_runs_the_hook_before_the_end(cluster: Cluster) -> None:
    extra = {"lifecycle": {"preStop": {"exec": {"command": ["touch", "/tmp/asked"]}}}}
    script = "trap '[ -f /tmp/asked ] && echo asked first; exit 7' TERM; while :; do sleep 0.05; done"
    outputs = {"parameters": [{"name": "p", "valueFrom": {"path": "/tmp/asked"}}]}
    cluster.run(shell(script, extra=extra, deadline=timedelta(seconds=0.5), outputs=outputs))
    assert cluster.log("pod-1") == "asked first\n"


def test_a_sidecar_is_reached_by_loopback_alone(sandbox: Cluster) -> None:
    side = ContainerSpec("side", "x", server(80, "private"))
    script = "until exec 3<>/dev/tcp/127.0.0.1/80; do sleep 0.05; done 2>/dev/null; echo connected"
    pod = with_sidecar("true", side)
    main = ContainerSpec("main", "x", ("bash", "-c", script))
    outcome = sandbox.run(replace(pod, containers=(main, side)))
    assert (outcome.phase, sandbox.log("pod-1")) == (Phase.SUCCEEDED, "connected\n")


def test_a_daemon_that_restarts(cluster: Cluster) -> None:
    main = container("main", "echo up; exit 1", extra={"restartPolicy": "Always"})
    cluster.executor.start(replace(shell("true"), containers=(main,), daemon=True))
    until(lambda: cluster.status("pod-1").ready and cluster.log("pod-1").count("up") > 1)
    cluster.runtime.delete_pod("pod-1", grace=timedelta(seconds=5))
    cluster.wait("pod-1")
    assert cluster.status("pod-1").finished


@pytest.mark.slow
def test_nothing_is_left_of_many_mixed_pods(sandbox: Cluster) -> None:
    """NBFLOW_MIXED_RUNS: how many, 20 unless told."""
    seen: set[str] = set()  # namespaces of daemons
    side = container("side", "exec sleep 613")
    for number in range(int(os.environ.get("NBFLOW_MIXED_RUNS", "20"))):
        name = f"pod-{number}"
        kind = number % 4
        script = "exec sleep 613" if kind in (1, 2) else "true"
        pod = daemon(name, 18082, name) if kind == 3 else with_sidecar(script, side, name=name)
        sandbox.executor.start(pod)
        if kind == 1:
            sandbox.runtime.delete_pod(name, grace=timedelta(0))
        elif kind == 2:
            until(lambda name=name: PodFolder(os.fspath(sandbox.home.pod(UID, name))).read().pid is not None)  # type: ignore[misc]
            os.kill(PodFolder(os.fspath(sandbox.home.pod(UID, name))).read().pid, signal.SIGKILL)  # type: ignore[union-attr, arg-type]
        elif kind == 3:
            wait_ready(sandbox, name)
            seen.add(
                str(
                    Path(
                        f"/proc/{PodFolder(os.fspath(sandbox.home.pod(UID, name))).read().pid}/ns/net"
                    ).readlink()
                )
            )  # type: ignore[union-attr]
            sandbox.runtime.delete_pod(name, grace=timedelta(seconds=5))
        sandbox.wait(name)
        sandbox.runtime.forget_pod(name, keep_root=False)
    seen -= {str(Path("/proc/self/ns/net").readlink())}
    until(lambda: not processes("sleep", "613") and not seen & network_namespaces())
    folders = {path.name for path in sandbox.home.workflow(UID).glob("pod-*/*")}
    assert folders <= {"main.log", "side.log"}


def network_namespaces() -> set[str]:
    """Those that some process of ours is in."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found.add(str((process / "ns/net").readlink()))
        except OSError:
            continue
    return found
