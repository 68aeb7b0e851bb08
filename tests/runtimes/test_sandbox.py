from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import replace
from pathlib import Path

import pytest

from nbflow.runtimes import open_runtime
from nbflow.runtimes.machine import machine
from nbflow.runtimes.runtime import PodRejected
from nbflow.spec.status import Phase
from nbflow.store.home import Home
from tests.contracts.runtime import (
    UID,
    Cluster,
    Objects,
    RuntimeContract,
    _claim,
    command,
    processes,
    shell,
    until,
)

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("bwrap") is None, reason="the sandbox needs bubblewrap"
)


class TestContract(RuntimeContract):
    @pytest.fixture
    def target(self) -> str:
        return "sandbox"


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster.on("sandbox", Home(tmp_path / "home"))


def parameter(path: str) -> dict[str, object]:
    return {"parameters": [{"name": "out", "valueFrom": {"path": path}}]}


def test_a_pod_has_namespaces_of_its_own(cluster: Cluster) -> None:
    cluster.run(shell("for n in user mnt pid uts; do readlink /proc/self/ns/$n; done; hostname", "my-pod"))
    *inside, host = cluster.log("my-pod").split()
    outside = [os.fspath(Path(f"/proc/self/ns/{name}").readlink()) for name in ("user", "mnt", "pid", "uts")]
    assert not set(inside) & set(outside)
    assert host == "my-pod"


def test_any_absolute_path_is_the_pods_own(cluster: Cluster) -> None:
    script = (
        "for f in /a /tmp/a /mnt/a /root/a /var/tmp/a /home/a /run/a; do echo x > $f && cat $f || exit; done"
    )
    assert cluster.run(shell(script)).phase is Phase.SUCCEEDED
    assert not os.path.lexists("/a")
    assert not os.path.lexists("/mnt/a")
    again = shell("cat /a /tmp/a /mnt/a /root/a /var/tmp/a /home/a /run/a 2>/dev/null | wc -l", "pod-2")
    cluster.runtime.forget_pod("pod-1", keep_root=False)
    cluster.run(again)
    assert cluster.log("pod-2").strip() == "0"  # the root was used again, without what was in it


def test_nothing_of_the_host_is_writable(cluster: Cluster, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("untouched")
    script = """
    for f in /usr/x /etc/x /usr/bin/env /etc/passwd /bin/x /proc/sys/vm/swappiness /proc/sysrq-trigger; do
      (cat $f 2>/dev/null | head -1; echo x) > $f && echo "wrote $f"
    done 2>/dev/null
    mount -o remount,rw /usr 2>/dev/null && echo remounted
    unshare -Urm mount -o remount,rw,bind /usr 2>/dev/null && echo remounted
    umount /usr 2>/dev/null && echo unmounted
    echo end"""
    cluster.run(shell(f"{script}; ls {tmp_path} {Path.home()}/.ssh 2>/dev/null; cat {target} 2>/dev/null"))
    assert cluster.log("pod-1") == "end\n"
    assert target.read_text() == "untouched"


def test_home_folders_are_hidden_but_for_the_python_environment(cluster: Cluster) -> None:
    python = os.path.realpath(sys.executable)
    cluster.run(
        shell(f"ls -A /home {Path.home()} $HOME | grep -v -e : -e '^$' ; test -x {python} && echo python")
    )
    *seen, last = cluster.log("pod-1").splitlines()
    allowed = {
        part
        for path in _shown()
        for folder in (Path.home(), Path("/home"))
        if Path(path).is_relative_to(folder)
        for part in Path(path).relative_to(folder).parts[:1]
    }
    assert set(seen) <= allowed
    assert last == "python"


def _shown() -> list[str]:
    return [path for path in machine(sys.executable, "").mounts if path not in {"/", "/usr", "/etc", "/opt"}]


def test_the_tree_ends_when_the_wrapper_is_killed(cluster: Cluster) -> None:
    marker = f"8{os.getpid()}.5"
    cluster.executor.start(
        shell(f"trap '' TERM; setsid sleep {marker} & nohup sleep {marker} & echo up; sleep {marker}")
    )
    cluster.wait_for_log("pod-1", "up")
    until(lambda: len(processes(f"sleep {marker}")) >= 3)
    record = (cluster.home.pod(UID, "pod-1") / "status").read_text()
    os.kill(int(record.split("pid ")[1].split()[0]), 9)
    cluster.wait("pod-1")
    until(lambda: processes(f"sleep {marker}") == [])


def test_a_pod_sees_only_its_own_processes(cluster: Cluster) -> None:
    cluster.run(shell("ls /proc | grep -c '^[0-9]'"))
    assert int(cluster.log("pod-1")) <= 5


def test_host_aliases_are_names_that_the_pod_alone_knows(cluster: Cluster) -> None:
    aliases = [{"ip": "127.0.0.2", "hostnames": ["minio", "minio.argo"]}]
    script = "python3 -c 'import socket; print(socket.gethostbyname(\"minio.argo\"))'; tail -2 /etc/hosts"
    outcome = cluster.run(replace(shell(script), extra={"hostAliases": aliases}))
    assert outcome.phase is Phase.SUCCEEDED
    assert cluster.log("pod-1") == (
        "127.0.0.2\n# Entries added by HostAliases.\n127.0.0.2\tminio\tminio.argo\n"
    )
    with pytest.raises(PodRejected, match="hostAliases: each needs an ip and its hostnames"):
        cluster.run(replace(shell("true", "pod-2"), extra={"hostAliases": [{"ip": "1\n2", "hostnames": []}]}))


def test_a_program_that_is_brought_along_wins_over_one_beside_python(cluster: Cluster) -> None:
    name = next(path.name for path in Path(sys.executable).parent.iterdir() if path.name.startswith("pytest"))
    tool = {"name": "tool", "path": f"/bin/{name}", "mode": 0o755, "raw": {"data": "#!/bin/sh\necho mine"}}
    outcome = cluster.run(shell(f"{name}; python3 -c 'import pydantic'", inputs=(tool,)))
    assert (cluster.log("pod-1"), outcome.phase) == ("mine\n", Phase.SUCCEEDED)


@pytest.mark.parametrize(
    "path", ["/bin/nbtool", "/usr/local/bin/nbtool", "/usr/local/new/folder/nbtool", "/opt/nb/tool"]
)
def test_an_input_may_lie_in_a_system_folder(cluster: Cluster, path: str) -> None:
    tool = {"name": "tool", "path": path, "mode": 0o755, "raw": {"data": "#!/bin/sh\necho tool $1\n"}}
    script = (
        f"{path} runs; ls /usr/bin/env /bin/sh /usr/share >/dev/null && "
        "awk 'BEGIN { print 1 }' && python3 -c 'print(2)'"
    )
    outcome = cluster.run(shell(script, inputs=(tool,)))
    assert (cluster.log("pod-1"), outcome.phase) == ("tool runs\n1\n2\n", Phase.SUCCEEDED)
    assert not os.path.lexists(path)
    cluster.runtime.forget_pod("pod-1", keep_root=False)
    assert not (cluster.home.pod(UID, "pod-1") / "root").exists()


def test_outputs_may_lie_in_system_folders(cluster: Cluster) -> None:
    outputs = {
        "parameters": [
            {"name": "new", "valueFrom": {"path": "/etc/app/app.conf"}},
            {"name": "old", "valueFrom": {"path": "/etc/hostname"}},
            {"name": "read", "valueFrom": {"path": "/etc/os-release"}},
        ]
    }
    before = Path("/etc/hostname").read_text()
    script = (
        "echo a=1 > /etc/app/app.conf; echo mine > /etc/hostname; getent passwd root; getent hosts localhost"
    )
    outcome = cluster.run(shell(script, outputs=outputs))
    assert outcome.outputs is not None
    values = {p["name"]: p.get("value") for p in outcome.outputs["parameters"]}  # type: ignore[attr-defined]
    assert values == {
        "new": "a=1",
        "old": "mine",
        "read": Path("/etc/os-release").read_text().removesuffix("\n"),
    }
    assert Path("/etc/hostname").read_text() == before


def test_the_working_folder_is_made(cluster: Cluster) -> None:
    for number, folder in enumerate(("/src/app", "/usr/src/app", "/usr/share", "/tmp")):
        cluster.run(shell("pwd; echo x > ./nbfile && cat ./nbfile", f"pod-{number}", working_dir=folder))
        assert cluster.log(f"pod-{number}") == f"{folder}\nx\n"


def test_an_undeclared_write_to_a_system_folder_says_why(cluster: Cluster) -> None:
    outcome = cluster.run(shell("echo x > /usr/share/nbflow-test"))
    assert outcome.phase is Phase.FAILED
    assert "Read-only file system" in cluster.log("pod-1")


def test_a_folder_of_the_machine_cannot_be_replaced(cluster: Cluster) -> None:
    for path in ("/usr", "/proc/x", "/"):
        with pytest.raises(PodRejected, match=r"which a pod cannot write to|cannot take the place of /"):
            cluster.executor.start(shell("true", inputs=({"name": "a", "path": path, "raw": {"data": "x"}},)))
    assert cluster.runtime.list_pods(UID) == {}


def test_staging_follows_no_link_out_of_the_root(cluster: Cluster, tmp_path: Path) -> None:
    folder = tmp_path / "packed"
    folder.mkdir()
    (folder / "link").symlink_to("/etc")
    (folder / "file").touch()
    repository = cluster.home.artifacts
    shutil.copytree(folder, repository / "folder", symlinks=True)
    inputs = (
        {"name": "a", "path": "/in", "s3": {"key": "folder"}},
        {"name": "b", "path": "/in/link/nbflow-test", "raw": {"data": "x"}},
    )
    with pytest.raises(PodRejected, match="is in a folder of the machine"):
        cluster.executor.start(shell("true", inputs=inputs))
    assert not os.path.lexists("/etc/nbflow-test")


def test_a_claim_outlives_its_pods(cluster: Cluster) -> None:
    cluster.run(shell("echo kept > /mnt/vol/file", "pod-1", **_claim("data", "/mnt/vol")))
    outcome = cluster.run(
        shell("cat /work/file", "pod-2", outputs=parameter("/work/file"), **_claim("data", "/work"))
    )
    assert cluster.log("pod-2") == "kept\n"
    assert outcome.outputs is not None
    assert outcome.outputs["parameters"] == [
        {"name": "out", "valueFrom": {"path": "/work/file"}, "value": "kept"}
    ]
    read_only = _claim("data", "/work")
    read_only["volume_mounts"] = ({"name": "v", "mountPath": "/work", "readOnly": True},)
    assert cluster.run(shell("echo x > /work/file", "pod-3", **read_only)).phase is Phase.FAILED
    assert (cluster.home.root / "volumes/data/file").read_text() == "kept\n"


def test_a_claims_name_is_no_path(cluster: Cluster) -> None:
    with pytest.raises(PodRejected, match="is no name of a claim or volume"):
        cluster.executor.start(shell("true", **_claim("../../etc", "/work")))


def test_the_home_of_nbflow_is_hidden_in_shown_folders(tmp_path: Path) -> None:
    project = tmp_path / "project"
    python = _environment(project / ".venv")
    (Path(_site(project / ".venv")) / "project.pth").write_text(f"{project}\n")
    (project / "module.py").write_text("answer = 42\n")
    cluster = Cluster.on("sandbox", Home(project / "home"))
    (project / "home").mkdir(exist_ok=True)
    (project / "home/nbflow.sqlite").write_text("all secrets")
    script = (
        f"cd {project} && ls -A; ls -A home; ln -s {project}/home/nbflow.sqlite /tmp/out; "
        "python -c 'import module; print(module.answer)'"
    )
    outputs = {"parameters": [{"name": "out", "valueFrom": {"path": "/tmp/out", "default": "hidden"}}]}
    outcome = cluster.run(shell(script, annotations={"nbflow.dev/python": python}, outputs=outputs))
    assert cluster.log("pod-1") == ".venv\nhome\nmodule.py\n42\n"
    assert outcome.outputs is not None
    assert outcome.outputs["parameters"][0]["value"] == "hidden"  # type: ignore[index]


@pytest.mark.root
@pytest.mark.skipif(
    os.geteuid() != 0 or not any(Path("/opt").iterdir()), reason="needs to write to /opt, which pods see"
)
def test_the_home_of_nbflow_is_hidden_in_system_folders() -> None:
    home = Path(f"/opt/nbflow-test-{os.getpid()}")
    home.mkdir()
    try:
        (home / "secret").touch()
        cluster = Cluster.on("sandbox", Home(home))
        farm = ({"name": "a", "path": "/opt/nb/file", "raw": {"data": "own"}},)
        for name, inputs, said in (("plain", (), ""), ("farm", farm, "own")):
            script = f"ls -A {home} /.machine{home} 2>&1 | grep '^secret'; ln -s {home}/secret /x; cat /opt/nb/file"
            cluster.run(shell(script, name, inputs=inputs))
            assert cluster.log(name).replace("cat: /opt/nb/file: No such file or directory\n", "") == said
            with pytest.raises(NotADirectoryError):
                cluster.runtime.path_of(name, "/x").read_bytes()
    finally:
        shutil.rmtree(home)


def test_a_package_that_was_installed_later_is_seen(tmp_path: Path) -> None:
    python = _environment(tmp_path / "env")
    cluster = Cluster.on("sandbox", Home(tmp_path / "home"))
    script = ["python", "-c", "import later"]
    annotations = {"nbflow.dev/python": python}
    assert cluster.run(command(script, "pod-1", annotations=annotations)).exit_code == 1
    (tmp_path / "later").mkdir()
    (tmp_path / "later/later.py").touch()
    (Path(_site(tmp_path / "env")) / "later.pth").write_text(f"{tmp_path}/later\n")
    assert cluster.run(command(script, "pod-2", annotations=annotations)).exit_code == 0


def test_an_environment_in_a_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user_home = tmp_path / "user"
    python = _environment(user_home / "envs/one")
    editable = user_home / "code/mine"
    editable.mkdir(parents=True)
    (editable / "mine.py").write_text("print('editable')\n")
    info = Path(_site(user_home / "envs/one")) / "mine-1.dist-info"
    info.mkdir()
    (info / "direct_url.json").write_text(f'{{"url": "file://{editable}", "dir_info": {{"editable": true}}}}')
    (Path(_site(user_home / "envs/one")) / "finder.pth").write_text(
        f"import sys; sys.path.append({str(editable)!r})\n"
    )
    (user_home / "private").write_text("do not look")
    monkeypatch.setenv("HOME", os.fspath(user_home))
    cluster = Cluster.on("sandbox", Home(tmp_path / "home"))
    script = f"import os, sys, mine; print(sys.prefix, os.listdir({str(user_home)!r}))"
    pod = command(["python", "-c", script], annotations={"nbflow.dev/python": python})
    cluster.run(pod)
    seen = sorted(path.name for path in user_home.iterdir())
    assert "private" in seen
    said = cluster.log("pod-1").splitlines()
    assert said[0] == "editable"
    assert said[1] in {f"{user_home}/envs/one ['envs', 'code']", f"{user_home}/envs/one ['code', 'envs']"}


def _environment(folder: Path) -> str:
    venv.create(folder, with_pip=False, symlinks=True)
    return os.fspath(folder / "bin/python")


def _site(folder: Path) -> str:
    return sysconfig.get_path("purelib", "venv", {"base": os.fspath(folder), "platbase": os.fspath(folder)})


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")
def test_root_may_give_files_away_in_a_pod(cluster: Cluster) -> None:
    cluster.run(
        shell(
            "touch /x; chown 1234:1234 /x && stat -c %u:%g /x; tar -C / -cf - x | tar -C /tmp -xpf - && ls /tmp/x"
        )
    )
    assert cluster.log("pod-1") == "1234:1234\n/tmp/x\n"
    cluster.runtime.forget_pod("pod-1", keep_root=False)
    assert not (cluster.home.pod(UID, "pod-1") / "root").exists()


def test_a_root_that_was_spoilt_is_not_used_again(cluster: Cluster) -> None:
    spoil = (
        "rm -rf /tmp /var/tmp; ln -s /etc /tmp; ln -s / /var/tmp; chmod 777 /root; rm /bin; "
        "mkdir -p /x/y; chmod 0 /x"
    )
    outcome = cluster.run(shell(spoil))
    assert outcome.phase is Phase.SUCCEEDED, cluster.log("pod-1")
    cluster.runtime.forget_pod("pod-1", keep_root=False)
    cluster.run(shell("stat -c '%F %a' /tmp /root /var/tmp; readlink /bin; ls / | grep -c x", "pod-2"))
    bin_folder = os.fspath(Path("/bin").readlink()) if Path("/bin").is_symlink() else ""
    expected = ["directory 1777", "directory 700", "directory 1777", bin_folder, "0"]
    assert cluster.log("pod-2").splitlines() == [line for line in expected if line]
    assert Path("/etc/passwd").exists()


def test_without_bubblewrap_pods_run_as_plain_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    runtime = open_runtime("sandbox", Home(tmp_path), Objects())
    assert runtime.name == "host"
    assert "bubblewrap is not installed" in runtime.notice


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root to make a user")
@pytest.mark.skipif(shutil.which("useradd") is None, reason="needs useradd")
def test_an_ordinary_user_has_the_same_sandbox() -> None:
    python = "/usr/bin/python3"
    probe = [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    root = Path(__file__).parents[2]
    if not Path(python).exists() or subprocess.run(probe, check=False).returncode:
        pytest.skip("needs a Python of the machine that ordinary users can run")
    name = f"nbflow{os.getpid()}"
    subprocess.run(["useradd", "--create-home", name], check=True)
    try:
        argv = [
            "runuser",
            "-u",
            name,
            "--",
            "env",
            f"PYTHONPATH={root}",
            "PYTHONDONTWRITEBYTECODE=1",
            python,
            "-c",
            _AS_USER,
        ]
        readable = ["runuser", "-u", name, "--", "test", "-r", root / "nbflow" / "__init__.py"]
        if subprocess.run(readable, check=False).returncode:
            pytest.skip("the sources are not readable for ordinary users")
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60, cwd="/")
        assert done.stdout.splitlines()[-1:] == ["all right"], done.stdout + done.stderr
    finally:
        subprocess.run(["userdel", "--remove", name], check=False, capture_output=True)


_AS_USER = r"""
import datetime, os, pathlib
from nbflow.runtimes import open_runtime
from nbflow.runtimes.executor import Executor
from nbflow.spec.pod import ContainerSpec, Pod
from nbflow.store.home import Home

home = Home(pathlib.Path.home() / "state")
(pathlib.Path.home() / "private").touch()
runtime = open_runtime("sandbox", home, None)
assert runtime.name == "sandbox", runtime.notice
executor = Executor(runtime, home, None)
script = "tool; echo x > /etc/x || echo closed; id -u; python -c 'print(1)'; echo out > /usr/local/out; ls -A "
script += str(pathlib.Path.home())
inputs = ({"name": "t", "path": "/bin/tool", "mode": 0o755, "raw": {"data": "#!/bin/sh\necho tool"}},)
outputs = {"parameters": [{"name": "p", "valueFrom": {"path": "/usr/local/out"}}]}
main = ContainerSpec("main", "alpine", ("sh", "-c", script))
pod = Pod("p", "w", "u", "n", "t", (main,), inputs=inputs, outputs=outputs, artifact_key="w/p")
executor.start(pod)
while "p" not in runtime.finished_pods(datetime.timedelta(seconds=20)):
    pass
outcome = executor.finish(pod, runtime.pod_status("u", "p"))
log = home.log("u", "p", "main").read_text()
lines = [line for line in log.splitlines() if "Read-only" not in line]
assert lines[:3] == ["tool", "closed", str(os.getuid())], log
assert "private" not in log, log
assert outcome.outputs["parameters"][0]["value"] == "out", outcome
runtime.forget_pod("p", keep_root=False)
assert not (home.pod("u", "p") / "root").exists()
print("all right")
"""


def test_a_pod_may_run_as_another_user(cluster: Cluster) -> None:
    extra = {"securityContext": {"runAsUser": 1234, "runAsGroup": 4321}}
    pod = shell("id -u; id -g; echo $HOME; echo mine > /tmp/x; stat -c %u /tmp/x", extra=extra)
    outputs = {"parameters": [{"name": "p", "valueFrom": {"path": "/tmp/x"}}]}
    outcome = cluster.run(replace(pod, outputs=outputs))
    assert (outcome.phase, cluster.log("pod-1")) == (Phase.SUCCEEDED, "1234\n4321\n/\n1234\n")
    assert outcome.outputs is not None
    assert outcome.outputs["parameters"][0]["value"] == "mine"  # type: ignore[index]
    whole = replace(shell("id -u", "pod-2"), extra={"securityContext": {"runAsUser": 77}})
    cluster.run(whole)
    assert cluster.log("pod-2") == "77\n"


def test_runs_as_root_or_not(cluster: Cluster) -> None:
    extra = {"securityContext": {"runAsUser": 0, "runAsNonRoot": True}}
    with pytest.raises(PodRejected, match="has runAsNonRoot and runAsUser: 0, which is root"):
        cluster.executor.start(shell("true", extra=extra))


def test_a_root_that_is_read_only(cluster: Cluster) -> None:
    volume = {"name": "v", "emptyDir": {}}
    pod = shell(
        "touch /x /tmp/x 2>/dev/null || echo no; echo yes > /v/x; cat /v/x; cat /argo/staging/script >/dev/null",
        extra={"securityContext": {"readOnlyRootFilesystem": True}},
        volumes=(volume,), volume_mounts=({"name": "v", "mountPath": "/v"},), source="x",
    )  # fmt: skip
    cluster.run(pod)
    assert cluster.log("pod-1") == "no\nyes\n"


def test_capabilities_are_dropped_and_none_is_added_that_a_container_lacks(cluster: Cluster) -> None:
    if os.geteuid():
        pytest.skip("an ordinary user's pods have none")
    show = "grep CapEff /proc/self/status | cut -f2"
    contexts = [
        {},
        {"capabilities": {"drop": ["ALL"]}},
        {"capabilities": {"drop": ["ALL"], "add": ["CHOWN", "SYS_ADMIN"]}},
        {"capabilities": {"add": ["SYS_ADMIN"]}},
    ]
    for number, context in enumerate(contexts):
        cluster.run(shell(show, f"pod-{number}", extra={"securityContext": context}))
    found = [int(cluster.log(f"pod-{number}"), 16) for number in range(len(contexts))]
    assert found[1:] == [0, 1, found[0]]
