"""What every runtime has to do: subclass `RuntimeContract` and give it a fixture `target`.

The pods are real: each test starts processes and waits for their ends through the runtime.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nbflow.runtimes import open_runtime
from nbflow.runtimes.executor import DEADLINE_EXCEEDED, Executor
from nbflow.runtimes.runtime import PodStatus, Runtime
from nbflow.spec.pod import ContainerSpec, Pod, PodOutcome
from nbflow.spec.status import Phase
from nbflow.store.home import Home

UID = "0000-uid"
PATIENCE = timedelta(seconds=30)


@dataclass
class Objects:
    secrets: dict[str, dict[str, bytes]] = field(default_factory=dict)
    config_maps: dict[str, dict[str, str]] = field(default_factory=dict)
    claims: set[str] = field(default_factory=lambda: {"data", "go"})

    def secret(self, name: str) -> Mapping[str, bytes] | None:
        return self.secrets.get(name)

    def config_map(self, name: str) -> Mapping[str, str] | None:
        return self.config_maps.get(name)

    def claim(self, name: str) -> Mapping[str, object] | None:
        return {"metadata": {"name": name}} if name in self.claims else None


@dataclass
class Cluster:
    """A home with a runtime on it, as a controller would have it."""

    target: str
    home: Home
    runtime: Runtime
    executor: Executor
    objects: Objects

    @classmethod
    def on(cls, target: str, home: Home, objects: Objects | None = None) -> Cluster:
        objects = objects or Objects()
        runtime = open_runtime(target, home, objects)
        if runtime.name != target:
            pytest.skip(runtime.notice)
        return cls(target, home, runtime, Executor(runtime, home, objects), objects)

    def again(self) -> Cluster:
        """What the next controller has: the same home, nothing in memory."""
        return Cluster.on(self.target, self.home, self.objects)

    def wait(self, *names: str) -> None:
        """Until these pods have ended."""
        missing = set(names)
        end = time.monotonic() + PATIENCE.total_seconds()
        while missing:
            missing.difference_update(self.runtime.finished_pods(timedelta(seconds=1)))
            assert time.monotonic() < end, f"{missing} did not end"

    def status(self, name: str) -> PodStatus:
        status = self.runtime.pod_status(UID, name)
        assert status is not None
        return status

    def finish(self, pod: Pod) -> PodOutcome:
        self.wait(pod.name)
        return self.executor.finish(pod, self.status(pod.name))

    def run(self, pod: Pod) -> PodOutcome:
        self.executor.start(pod)
        return self.finish(pod)

    def log(self, name: str) -> str:
        return self.home.log(UID, name, "main").read_text()

    def wait_for_log(self, name: str, text: str) -> None:
        until(lambda: self.home.log(UID, name, "main").exists() and text in self.log(name))


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for something that nothing tells of."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def shell(script: str, name: str = "pod-1", **fields: object) -> Pod:
    """A pod that runs a shell script."""
    return command(["sh", "-c", script], name, **fields)


def command(line: list[str], name: str = "pod-1", **fields: object) -> Pod:
    """A pod that runs a command."""
    own = {key: fields.pop(key) for key in tuple(fields) if key in ContainerSpec.__dataclass_fields__}
    container = ContainerSpec(name="main", image="alpine:3.23", command=tuple(line), **own)  # type: ignore[arg-type]
    fields.setdefault("annotations", {"nbflow.dev/python": sys.executable})
    fields.setdefault("artifact_key", f"wf/{name}")
    return Pod(
        name=name,
        workflow="wf",
        uid=UID,
        node_id=f"{name}-id",
        template="t",
        containers=(container,),
        **fields,  # type: ignore[arg-type]
    )


def processes(marker: str) -> list[int]:
    """Processes with this text in their command line."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if marker in line:
                found.append(int(folder.name))
    return found


class RuntimeContract:
    """The suite. `target`: the name of the runtime."""

    @pytest.fixture
    def cluster(self, target: str, tmp_path: Path) -> Cluster:
        return Cluster.on(target, Home(tmp_path / "home"))

    # --- a pod's life ---

    def test_runs_a_command_and_tells_how_it_ended(self, cluster: Cluster) -> None:
        before = datetime.now(UTC)
        outcome = cluster.run(command(["echo", "hello world"]))
        assert cluster.log("pod-1") == "hello world\n"
        assert (outcome.phase, outcome.message, outcome.exit_code) == (Phase.SUCCEEDED, "", 0)
        assert outcome.outputs == {"exitCode": "0"}
        assert outcome.started_at is not None
        assert outcome.finished_at is not None
        slack = timedelta(seconds=0.1)  # file times are coarser than the clock
        assert before - slack <= outcome.started_at <= outcome.finished_at + slack
        assert outcome.finished_at <= datetime.now(UTC) + slack

    @pytest.mark.parametrize(("script", "code"), [("exit 3", 3), ("kill $$", 143), ("kill -KILL $$", 137)])
    def test_exit_codes(self, cluster: Cluster, script: str, code: int) -> None:
        outcome = cluster.run(shell(script))
        assert outcome.exit_code == code
        assert (outcome.phase, outcome.message) == (Phase.FAILED, f"main: Error (exit code {code})")

    def test_a_missing_program_is_a_failed_pod_that_names_it(self, cluster: Cluster) -> None:
        outcome = cluster.run(command(["no-such-program", "x"]))
        reason = 'failed to find name in PATH: exec: "no-such-program": executable file not found in $PATH'
        assert (outcome.phase, outcome.exit_code) == (Phase.FAILED, 64)
        assert outcome.message == f"main: Error (exit code 64): {reason}"
        assert cluster.log("pod-1") == f"Error: {reason}\n"
        assert cluster.again().status("pod-1").finished

    def test_the_log_holds_both_streams_and_the_result_stdout_alone(self, cluster: Cluster) -> None:
        outcome = cluster.run(shell("echo out; sleep 0.1; echo err >&2; exit 1", wants_result=True))
        assert cluster.log("pod-1") == "out\nerr\n"
        assert outcome.outputs == {"result": "out", "exitCode": "1"}

    @pytest.mark.parametrize("wants_result", [False, True])
    def test_opening_dev_stderr_cuts_nothing_off(self, cluster: Cluster, wants_result: bool) -> None:
        script = "echo one; sleep 0.1; echo two >/dev/stderr; sleep 0.1; echo three >/dev/stdout; exit 4"
        outcome = cluster.run(shell(script, wants_result=wants_result, deadline=PATIENCE))
        assert cluster.log("pod-1") == "one\ntwo\nthree\n"
        assert outcome.exit_code == 4
        assert outcome.outputs is not None
        assert outcome.outputs.get("result") == ("one\nthree" if wants_result else None)

    def test_creating_a_pod_twice_runs_it_once(self, cluster: Cluster) -> None:
        pod = shell("echo once")
        cluster.executor.start(pod)
        cluster.executor.start(pod)
        cluster.runtime.create_pod(pod)
        cluster.wait("pod-1")
        cluster.executor.start(pod)
        cluster.again().executor.start(pod)
        assert cluster.log("pod-1") == "once\n"

    def test_a_status_while_it_runs(self, cluster: Cluster) -> None:
        cluster.executor.start(shell("echo up; read -r line </dev/zero"))
        cluster.wait_for_log("pod-1", "up")
        status = cluster.status("pod-1")
        assert status.started_at is not None
        assert status == PodStatus("pod-1", started_at=status.started_at)
        assert cluster.runtime.list_pods(UID) == {"pod-1": status}
        assert cluster.runtime.list_pods("another-uid") == {}
        assert cluster.runtime.pod_status(UID, "pod-2") is None
        assert cluster.runtime.finished_pods(timedelta(0)) == []
        cluster.runtime.delete_pod("pod-1", grace=timedelta(0))
        cluster.wait("pod-1")

    @pytest.mark.parametrize(
        ("script", "progress"),
        [
            ("printf '1/9\\n 4/9 \\n'", "4/9"),
            ("echo nothing", ""),
            ("echo 9/4", ""),
            ("printf 0/0", ""),
            ("head -c 9999 /dev/zero; echo; echo 3/7", "3/7"),
        ],
    )
    def test_how_far_a_pod_says_it_got_is_the_last_line_of_its_progress_file(
        self, cluster: Cluster, script: str, progress: str
    ) -> None:
        pod = shell(f"{{ {script}; }} > $ARGO_PROGRESS_FILE; echo up; read -r line </dev/zero")
        cluster.executor.start(pod)
        cluster.wait_for_log("pod-1", "up")
        assert cluster.again().executor.progress(pod) == progress
        cluster.runtime.delete_pod("pod-1", grace=timedelta(0))
        assert cluster.finish(pod).progress == progress

    def test_a_progress_file_that_is_none(self, cluster: Cluster, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("1/2\n")
        for script in (f"ln -s {tmp_path}/secret", "mkdir", "mkfifo", "true"):
            pod = shell(f"{script} $ARGO_PROGRESS_FILE", name=f"pod-{script.split()[0]}")
            assert (cluster.run(pod).phase, cluster.executor.progress(pod)) == (Phase.SUCCEEDED, "")

    @pytest.mark.parametrize(
        ("script", "extra", "said"),
        [
            ("echo no disk > /dev/termination-log; exit 3", {}, ": no disk"),
            ("echo no disk > /tmp/why; exit 3", {"terminationMessagePath": "/tmp/why"}, ": no disk"),
            ("echo shown; exit 3", {}, ""),
            ("echo 1; echo 2 >&2; exit 3", {"terminationMessagePolicy": "FallbackToLogsOnError"}, ": 1\n2"),
            (
                "echo log; echo why > /dev/termination-log; exit 3",
                {"terminationMessagePolicy": "FallbackToLogsOnError"},
                ": why",
            ),
        ],
    )
    def test_the_last_words_of_main_stand_behind_its_exit_code(
        self, cluster: Cluster, script: str, extra: dict[str, str], said: str
    ) -> None:
        assert cluster.run(shell(script, extra=extra)).message == f"main: Error (exit code 3){said}"
        fine = cluster.run(shell(script.replace("exit 3", "exit 0"), "pod-2", extra=extra))
        assert (fine.phase, fine.message) == (Phase.SUCCEEDED, "")

    def test_argo_tells_a_container_what_it_is(self, cluster: Cluster) -> None:
        env = ({"name": "ARGO_NODE_ID", "value": "mine"}, {"name": "NAME", "value": "$(ARGO_WORKFLOW_NAME)"})
        cluster.run(shell("echo $ARGO_CONTAINER_NAME $ARGO_NODE_ID $ARGO_WORKFLOW_NAME", env=env))
        assert cluster.log("pod-1") == "main pod-1-id wf\n"

    def test_sh_is_a_shell_that_manifests_are_written_for(self, cluster: Cluster) -> None:
        outcome = cluster.run(shell("echo -n a; echo b >& /tmp/x; cat /tmp/x", outputs=_parameter("/tmp/x")))
        assert outcome.phase is Phase.SUCCEEDED
        assert cluster.log("pod-1") == "ab\n"

    def test_the_environment_is_clean(self, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NBFLOW_TEST_LEAK", "1")
        cluster.run(
            shell("env", env=({"name": "GIVEN", "value": "it is\n$HOME"}, {"name": "a.b-c", "value": "1"}))
        )
        names = {line.partition("=")[0] for line in cluster.log("pod-1").splitlines()}
        assert "GIVEN=it is\n$HOME\n" in cluster.log("pod-1")
        assert {"PATH", "HOME", "LANG", "GIVEN"} <= names
        assert not names & {"NBFLOW_TEST_LEAK", "PYTHONPATH", "VIRTUAL_ENV"}

    def test_python_is_the_submitters(self, cluster: Cluster) -> None:
        check = "import sys, pydantic; print(sys.prefix, pydantic.__file__)"
        for number, name in enumerate(("python", "python3")):
            cluster.run(command([name, "-c", check], f"pod-{number}"))
            import pydantic

            assert cluster.log(f"pod-{number}") == f"{sys.prefix} {pydantic.__file__}\n"

    def test_no_descriptor_of_ours_reaches_the_pod(self, cluster: Cluster) -> None:
        cluster.run(shell("ls -l /proc/self/fd | grep -c home/"))
        assert int(cluster.log("pod-1")) <= 2  # stdout and stderr
        cluster.run(shell("ls -l /proc/self/fd | grep -c user: || true", "pod-2"))
        assert cluster.log("pod-2") == "0\n"

    # --- what outlives whom ---

    def test_a_pod_outlives_its_controller(self, cluster: Cluster, tmp_path: Path) -> None:
        go = tmp_path / "home/volumes/go"
        if cluster.target == "host":
            wait, fields = f"until [ -e {go}/now ]; do sleep 0.01; done", {}
        else:
            wait, fields = "until [ -e /go/now ]; do sleep 0.01; done", _claim("go", "/go")
        script = f"echo begun; {wait}; echo done; echo value > /tmp/out; exit 5"
        pod = shell(script, wants_result=True, outputs=_parameter("/tmp/out"), **fields)
        starter = f"""
import os, signal, sys
from tests.contracts.runtime import *
from tests.contracts.runtime import _claim, _parameter
cluster = Cluster.on({cluster.target!r}, Home(Path({os.fspath(cluster.home.root)!r})))
cluster.executor.start(eval(sys.stdin.read()))
os.kill(os.getpid(), signal.SIGKILL)
"""
        done = subprocess.run(
            [sys.executable, "-c", starter],
            input=repr(pod),
            text=True,
            capture_output=True,
            check=False,
            env=_env(),
        )
        assert done.returncode == -signal.SIGKILL, done.stderr
        found = cluster.runtime.list_pods(UID)["pod-1"]
        assert not found.finished
        cluster.wait_for_log("pod-1", "begun")
        go.mkdir(parents=True, exist_ok=True)
        (go / "now").touch()
        outcome = cluster.finish(pod)
        assert cluster.log("pod-1") == "begun\ndone\n"
        assert (outcome.phase, outcome.exit_code) == (Phase.FAILED, 5)
        expected = {"name": "out", "valueFrom": {"path": "/tmp/out"}, "value": "value"}
        assert outcome.outputs == {"parameters": [expected], "result": "begun\ndone", "exitCode": "5"}

    def test_a_pod_that_ended_while_nobody_looked(self, cluster: Cluster) -> None:
        pod = shell("echo x > /tmp/out", outputs=_parameter("/tmp/out"))
        cluster.executor.start(pod)
        cluster.wait("pod-1")
        later = cluster.again()
        status = later.runtime.list_pods(UID)["pod-1"]
        assert (status.finished, status.exit_code) == (True, 0)
        outcome = later.executor.finish(pod, status)
        assert outcome.outputs is not None
        assert outcome.outputs["parameters"] == [
            {"name": "out", "valueFrom": {"path": "/tmp/out"}, "value": "x"}
        ]

    def test_a_killed_wrapper_is_a_vanished_pod(self, cluster: Cluster) -> None:
        cluster.executor.start(shell("echo up; sleep 30"))
        cluster.wait_for_log("pod-1", "up")
        record = cluster.home.pod(UID, "pod-1") / "status"
        wrapper = int(
            next(line.split()[1] for line in record.read_text().splitlines() if line.startswith("pid "))
        )
        os.kill(wrapper, signal.SIGKILL)
        cluster.wait("pod-1")
        status = cluster.status("pod-1")
        assert (status.finished, status.vanished, status.exit_code) == (True, True, None)
        outcome = cluster.executor.finish(shell("echo up; sleep 30"), status)
        assert outcome.phase is Phase.ERROR
        assert outcome.message.startswith("pod deleted")

    def test_a_pod_that_was_only_prepared_is_started_anew(self, cluster: Cluster) -> None:
        pod = shell("cat /tmp/here || echo fresh", outputs=_parameter("/tmp/here"))
        assert cluster.runtime.prepare_pod(pod)
        cluster.runtime.path_of("pod-1", "/tmp/here", own=True).write_text("stale\n")
        (cluster.home.pod(UID, "pod-1") / "status").write_text("start 1.0\n")  # its controller died just then
        assert cluster.again().runtime.list_pods(UID) == {}
        cluster.again().run(pod)
        assert cluster.log("pod-1").endswith("fresh\n")

    # --- ends that are asked for ---

    def test_the_deadline_ends_it(self, cluster: Cluster) -> None:
        script = "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done"
        outcome = cluster.run(shell(script, deadline=timedelta(seconds=0.4), wants_result=True))
        assert (outcome.phase, outcome.message) == (Phase.FAILED, DEADLINE_EXCEEDED)
        assert cluster.log("pod-1") == "up\nbye\n"
        assert outcome.exit_code == 7

    def test_a_deadline_that_is_met(self, cluster: Cluster) -> None:
        started = time.monotonic()
        outcome = cluster.run(shell("echo quick", deadline=timedelta(seconds=60)))
        assert (outcome.phase, outcome.message, outcome.exit_code) == (Phase.SUCCEEDED, "", 0)
        assert time.monotonic() - started < 20

    def test_delete_lets_traps_run(self, cluster: Cluster) -> None:
        cluster.executor.start(shell("trap 'echo bye; exit 143' TERM; echo up; while :; do sleep 0.05; done"))
        cluster.wait_for_log("pod-1", "up")
        cluster.runtime.delete_pod("pod-1", grace=PATIENCE)
        cluster.runtime.delete_pod("pod-1", grace=PATIENCE)
        cluster.wait("pod-1")
        assert cluster.log("pod-1") == "up\nbye\n"
        assert (cluster.status("pod-1").exit_code, cluster.status("pod-1").vanished) == (143, False)

    def test_delete_kills_after_the_grace(self, cluster: Cluster) -> None:
        cluster.executor.start(shell("trap '' TERM; echo up; while :; do sleep 0.05; done"))
        cluster.wait_for_log("pod-1", "up")
        started = time.monotonic()
        cluster.runtime.delete_pod("pod-1", grace=timedelta(seconds=0.3))
        assert time.monotonic() - started < 0.25
        cluster.wait("pod-1")
        assert (cluster.status("pod-1").exit_code, cluster.status("pod-1").vanished) == (137, False)

    def test_a_later_controller_kills_after_the_grace(self, cluster: Cluster) -> None:
        cluster.executor.start(shell("trap '' TERM; echo up; while :; do sleep 0.05; done"))
        cluster.wait_for_log("pod-1", "up")
        cluster.runtime.delete_pod("pod-1", grace=timedelta(seconds=1))
        later = cluster.again()
        assert list(later.runtime.list_pods(UID)) == ["pod-1"]
        later.wait("pod-1")
        assert later.status("pod-1").exit_code == 137

    def test_delete_right_after_the_start(self, cluster: Cluster) -> None:
        marker = f"4{os.getpid()}.75"
        for number in range(5):
            name = f"pod-{number}"
            cluster.executor.start(shell(f"sleep {marker}", name))
            cluster.runtime.delete_pod(name, grace=timedelta(seconds=20))
            started = time.monotonic()
            cluster.wait(name)
            assert time.monotonic() - started < 10
            assert cluster.status(name).exit_code == 143
        until(lambda: processes(f"sleep {marker}") == [])

    def test_delete_of_what_is_not_there(self, cluster: Cluster) -> None:
        cluster.runtime.delete_pod("nobody", grace=timedelta(seconds=1))
        cluster.run(shell("true"))
        cluster.runtime.delete_pod("pod-1", grace=timedelta(seconds=1))
        cluster.runtime.forget_pod("nobody", keep_root=False)

    def test_background_processes_end_with_the_pod(self, cluster: Cluster) -> None:
        marker = f"7{os.getpid()}.25"
        outcome = cluster.run(
            shell(f"sleep {marker} & (sleep {marker} >/dev/null 2>&1 &) ; echo main", wants_result=True)
        )
        assert outcome.outputs == {"result": "main", "exitCode": "0"}
        until(lambda: processes(f"sleep {marker}") == [])

    # --- files ---

    def test_parallel_pods_with_the_same_paths_never_meet(self, cluster: Cluster) -> None:
        script = "mkdir -p /tmp/deep; echo $ME > /tmp/deep/x; sleep 0.2; cat /tmp/deep/x"
        outputs = {"artifacts": [{"name": "deep", "path": "/tmp/deep"}]}
        pods = [
            shell(script, f"pod-{n}", env=({"name": "ME", "value": str(n)},), outputs=outputs)
            for n in range(4)
        ]
        for pod in pods:
            cluster.executor.start(pod)
        cluster.wait(*(pod.name for pod in pods))
        assert [cluster.log(pod.name) for pod in pods] == [f"{n}\n" for n in range(4)]

    def test_forgetting_keeps_the_log(self, cluster: Cluster) -> None:
        for number, keep in enumerate((True, False)):
            name = f"pod-{number}"
            cluster.run(shell("echo said; echo x > /tmp/x", name, outputs=_parameter("/tmp/x")))
            cluster.runtime.forget_pod(name, keep_root=keep)
            cluster.runtime.forget_pod(name, keep_root=keep)
            assert cluster.log(name) == "said\n"
            assert (cluster.home.pod(UID, name) / "root/tmp/x").exists() is keep
        assert cluster.runtime.list_pods(UID) == {}

    def test_a_link_never_leads_out_of_the_pod(self, cluster: Cluster, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("of the host")
        paths = {"absolute": f"{secret}", "relative": "../" * 20 + f"{secret}", "loop": "/tmp/loop"}
        script = "; ".join(f"ln -s {target} /tmp/{name}" for name, target in paths.items())
        outputs = {
            "parameters": [{"name": n, "valueFrom": {"path": f"/tmp/{n}", "default": "none"}} for n in paths],
            "artifacts": [{"name": n, "path": f"/tmp/{n}", "optional": True} for n in paths],
        }
        outcome = cluster.run(shell(script, outputs=outputs))
        assert outcome.outputs is not None
        assert [p["value"] for p in outcome.outputs["parameters"]] == ["none"] * 3  # type: ignore[attr-defined]
        assert "artifacts" not in outcome.outputs

    def test_secrets_are_in_no_command_line_and_no_file(self, cluster: Cluster) -> None:
        cluster.objects.secrets["s"] = {"key": b"Xyzzy-4711"}
        env = ({"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "s", "key": "key"}}},)
        pod = shell("echo up; [ $PASSWORD = Xyzzy-4711 ] && echo right; sleep 30", env=env)
        pod = shell(pod.main.command[2].replace("Xyzzy-4711", "Xyzzy-$((4700+11))"), env=env)
        cluster.executor.start(pod)
        cluster.wait_for_log("pod-1", "right")
        assert processes("Xyzzy-4711") == []
        found = subprocess.run(
            ["grep", "-rl", "Xyzzy-4711", cluster.home.root], capture_output=True, check=False
        )
        assert found.stdout == b""
        cluster.runtime.delete_pod("pod-1", grace=timedelta(0))
        cluster.wait("pod-1")


def _parameter(path: str) -> dict[str, object]:
    return {"parameters": [{"name": "out", "valueFrom": {"path": path}}]}


def _claim(name: str, path: str) -> dict[str, object]:
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": name}}
    return {"volumes": (volume,), "volume_mounts": ({"name": "v", "mountPath": path},)}


def _env() -> dict[str, str]:
    root = Path(__file__).parents[2]
    return {**os.environ, "PYTHONPATH": os.fspath(root)}
