"""What is left of many workflows, however they ended: nothing but what they stored."""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from nbflow.clients.client import Request
from nbflow.clients.local import LocalClient
from nbflow.errors import NbflowError
from nbflow.runtimes.memory import memory_folder
from nbflow.store import Home
from nbflow.store.presence import controller_of

RUNS = int(os.environ.get("NBFLOW_MIXED_RUNS", "100"))
AT_ONCE = 4
MEMORY = {"name": "mem", "emptyDir": {"medium": "Memory"}}
CLAIM = {"metadata": {"name": "work"}, "spec": {"resources": {"requests": {"storage": "1Mi"}}}}
SERVER = "import http.server as h; h.HTTPServer(('', 18090), h.SimpleHTTPRequestHandler).serve_forever()"
ASK = "until exec 3<>/dev/tcp/$0/18090; do sleep 0.05; done 2>/dev/null; sleep 0.2"
Manifest = dict[str, object]


def shell(name: str, script: str, **fields: object) -> Manifest:
    mounts = fields.pop("volumeMounts", None)
    container = {
        "image": "alpine",
        "command": ["sh", "-c", script],
        **({"volumeMounts": mounts} if mounts else {}),
    }
    return {"name": name, "container": container, **fields}


def steps(*calls: list[Manifest]) -> Manifest:
    return {"name": "main", "steps": list(calls)}


def step(name: str, template: str, **fields: object) -> Manifest:
    return {"name": name, "template": template, **fields}


def mounted(name: str) -> list[Manifest]:
    return [{"name": name, "mountPath": f"/mnt/{name}"}]


def loops() -> Manifest:
    call = step("loop", "one", withItems=[1, 2, 3])
    return {"templates": [steps([call]), shell("one", "echo x > /tmp/x; sleep 0.2")]}


def sidecar() -> Manifest:
    side = {"name": "side", "image": "alpine", "command": ["sleep", "600"]}
    main = shell(
        "main",
        "echo x > /mnt/mem/x; sleep 0.3",
        volumeMounts=mounted("mem"),
        volumes=[MEMORY],
        sidecars=[side],
    )
    return {"templates": [main]}


def daemon() -> Manifest:
    probe = {"tcpSocket": {"port": 18090}, "periodSeconds": 1}
    server = {"image": "python:3", "command": ["python3", "-c", SERVER], "readinessProbe": probe}
    ask = {"name": "ask", "inputs": {"parameters": [{"name": "ip"}]}}
    ask["container"] = {"image": "bash", "command": ["bash", "-c", ASK, "{{inputs.parameters.ip}}"]}
    arguments = {"parameters": [{"name": "ip", "value": "{{steps.server.ip}}"}]}
    main = steps([step("server", "server")], [step("ask", "ask", arguments=arguments)])
    return {"templates": [main, {"name": "server", "daemon": True, "container": server}, ask]}


def claims() -> Manifest:
    write = shell("write", "echo x > /mnt/work/x", volumeMounts=mounted("work"))
    read = shell("read", "cat /mnt/work/x; sleep 0.2", volumeMounts=mounted("work"))
    main = steps([step("write", "write")], [step("read", "read")])
    return {"templates": [main, write, read], "volumeClaimTemplates": [CLAIM]}


def job() -> Manifest:
    container = {"name": "x", "image": "alpine", "command": ["sleep", "0.3"]}
    pod = {"spec": {"containers": [container], "restartPolicy": "Never"}}
    item = {"kind": "Job", "metadata": {"generateName": "job-"}, "spec": {"template": pod}}
    resource = {"action": "create", "setOwnerReference": True, "manifest": str(item)}
    waits = {"successCondition": "status.succeeded > 0", "failureCondition": "status.failed > 0"}
    return {"templates": [{"name": "main", "resource": {**resource, **waits}}]}


def long() -> Manifest:
    return {"templates": [shell("main", "trap '' TERM; sleep 600 & wait; sleep 600")]}


KINDS: tuple[Callable[[], Manifest], ...] = (loops, sidecar, daemon, claims, job, long)


class Runs:
    """Many workflows in one home, and what befalls them."""

    def __init__(self, home: Home, chance: random.Random) -> None:
        self.home, self.chance = home, chance
        targets = ("sandbox", "host") if shutil.which("bwrap") else ("host",)
        self.clients = {target: LocalClient(target, home) for target in targets}
        self.going: dict[str, LocalClient] = {}
        self.spared_until = 0.0

    def submit(self, number: int) -> None:
        kind = KINDS[number % len(KINDS)]
        client = self.again()
        name = f"{kind.__name__}-{number}"
        client.submit({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"name": name},
            "spec": {"entrypoint": "main", **kind()},
        })  # fmt: skip
        self.going[name] = client

    def befall(self, name: str) -> None:
        """One of the things that happen to workflows."""
        client = self.going.pop(name)
        time.sleep(self.chance.random() * 0.8)
        fates = ["delete", "stop", "terminate", "kill a pod", "kill the controller"]
        fate = self.chance.choice(fates if name.startswith("long") else [*fates, "", "", ""])
        try:
            if fate in ("stop", "terminate"):
                client.ask(name, Request(fate))
            elif fate == "kill a pod":
                self.kill(self.wrappers(client.get(name).uid))
            elif fate == "kill the controller":
                self.kill_controller()
            if fate in ("delete", "kill the controller") and name.startswith("long"):
                client.delete(name)
        except NbflowError:
            return  # it ended meanwhile

    def kill_controller(self) -> None:
        """Not too often: one that ends again and again is not started for ever."""
        running = controller_of(self.home)
        if running is not None and time.monotonic() > self.spared_until:
            self.spared_until = time.monotonic() + 25
            self.kill([running.pid])

    def again(self) -> LocalClient:
        """A client of another process, so to speak: it knows nothing of controllers that died."""
        return LocalClient(self.chance.choice(sorted(self.clients)), self.home)

    def wrappers(self, uid: str) -> list[int]:
        lines = [
            line
            for path in self.home.workflow(uid).glob("*/status")
            for line in path.read_text().splitlines()
        ]
        return [int(line.split()[1]) for line in lines if line.startswith("pid ")]

    def kill(self, pids: list[int]) -> None:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def finish(self) -> None:
        """All end, and all are deleted."""
        client = self.again()
        end = time.monotonic() + 240
        while any(not workflow.status.finished_at for workflow in client.list()):
            for workflow in client.list():
                if workflow.name.startswith("long") and not workflow.status.finished_at:
                    try:
                        client.ask(workflow.name, Request("terminate"))
                    except NbflowError:
                        continue
            assert time.monotonic() < end, [w.name for w in client.list() if not w.status.finished_at]
            time.sleep(0.2)
        for workflow in client.list():
            client.delete(workflow.name)


def traces(home: Home) -> dict[str, list[str]]:
    """Processes with something of the home in what they were started with, and mounts of it."""
    mark, found = os.fsencode(home.root), []
    controller = controller_of(home)
    spared = {os.getpid(), controller.pid if controller else 0}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        except OSError:
            continue
        if mark in told and int(process.name) not in spared:
            found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    mounts = [line for line in Path("/proc/self/mounts").read_text().splitlines() if str(home.root) in line]
    return {"processes": found, "mounts": mounts}


def listening() -> set[str]:
    """Our own addresses that somebody listens on: 127.64.0.0 to 127.127.255.255."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    local = [line.split()[1] for line in lines if line.split()[3] == "0A"]
    return {address for address in local if address[6:8] == "7F" and 0x40 <= int(address[4:6], 16) < 0x80}


def namespaces(home: Home, kept: dict[str, str]) -> None:
    """Note the networks of what runs now."""
    for path in home.root.glob("workflows/*/*/status"):
        for line in path.read_text(errors="replace").splitlines():
            if line.startswith("pid "):
                try:
                    kept[str(path)] = str(Path(f"/proc/{line.split()[1]}/ns/net").readlink())
                except OSError:
                    continue


def networks() -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            yield str((process / "ns/net").readlink())
        except OSError:
            continue


@pytest.mark.slow
def test_nothing_is_left_of_a_hundred_mixed_runs(tmp_path: Path) -> None:
    """NBFLOW_MIXED_RUNS: how many."""
    home, chance = Home(tmp_path / "home"), random.Random(7)
    ports, folders = listening(), private_folders()
    memory = memory_folders()
    kept: dict[str, str] = {}
    runs = Runs(home, chance)
    for number in range(RUNS):
        runs.submit(number)
        namespaces(home, kept)
        if len(runs.going) >= AT_ONCE:
            runs.befall(chance.choice(sorted(runs.going)))
    for name in sorted(runs.going):
        runs.befall(name)
    runs.finish()
    own = str(Path("/proc/self/ns/net").readlink())
    until(lambda: traces(home) == {"processes": [], "mounts": []}, lambda: traces(home))
    until(lambda: not set(kept.values()) - {own} & set(networks()), lambda: kept)
    until(lambda: listening() <= ports, listening)
    until(
        lambda: list((home.root / "workflows").iterdir()) == [],
        lambda: list((home.root / "workflows").rglob("*")),
    )
    assert all(
        not path.is_dir() or path.name == "roots" or not list(path.iterdir()) for path in leftovers(home)
    )
    assert private_folders() <= folders
    assert memory_folders() <= memory
    next(iter(runs.clients.values())).close()
    running = controller_of(home)
    if running is not None:
        os.kill(running.pid, signal.SIGTERM)


def private_folders() -> set[Path]:
    """Those for credentials."""
    return set(Path(tempfile.gettempdir()).glob(".private-*"))


def memory_folders() -> set[str]:
    folder = Path(memory_folder("/")).parent
    return {path.name for path in folder.iterdir()} if memory_folder("/") else set()


def leftovers(home: Home) -> list[Path]:
    return [home.root / name for name in ("workflows", "artifacts", "volumes", "roots")]


def until(true: Callable[[], bool], shown: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, shown()
        time.sleep(0.1)


def test_workflows_with_the_same_port_and_the_same_paths_do_not_meet(tmp_path: Path) -> None:
    """Two at once: a daemon at the same port each, and the same absolute paths for other things."""
    if not shutil.which("bwrap"):
        pytest.skip("bubblewrap is not installed")
    client = LocalClient("sandbox", Home(tmp_path / "home"))
    for name in ("one", "two"):
        client.submit(same_place(name))
    end = time.monotonic() + 60
    while any(not workflow.status.finished_at for workflow in client.list()):
        assert time.monotonic() < end, client.list()
        time.sleep(0.1)
    found = {}
    for name in ("one", "two"):
        nodes = {node.display_name: node for node in client.get(name).status.nodes.values()}
        parameters = (nodes["ask"].outputs or {})["parameters"]
        found[name] = [parameter["value"] for parameter in parameters]  # type: ignore[index, union-attr]
    assert found == {"one": ["served one", "file one"], "two": ["served two", "file two"]}
    os.kill(controller_of(Home(tmp_path / "home")).pid, signal.SIGTERM)  # type: ignore[union-attr]


def same_place(name: str) -> Mapping[str, object]:
    serve = (
        "import http.server as h\n"
        "class H(h.BaseHTTPRequestHandler):\n"
        f"    def do_GET(s): s.send_response(200); s.end_headers(); s.wfile.write(b'served {name}')\n"
        "h.HTTPServer(('', 18091), H).serve_forever()"
    )
    probe = {"httpGet": {"port": 18091}, "periodSeconds": 1}
    server = {"image": "python:3", "command": ["python3", "-c", serve], "readinessProbe": probe}
    fetch = "import sys, urllib.request as u; print(u.urlopen(f'http://{sys.argv[1]}:18091').read().decode())"
    script = f'echo file {name} > /tmp/same; sleep 1; python3 -c "$0" $1 > /tmp/served'
    outputs = [{"name": file, "valueFrom": {"path": f"/tmp/{file}"}} for file in ("served", "same")]
    ask = shell("ask", script)
    ask |= {"inputs": {"parameters": [{"name": "ip"}]}, "outputs": {"parameters": outputs}}
    ask["container"]["command"] += [fetch, "{{inputs.parameters.ip}}"]  # type: ignore[index]
    arguments = {"parameters": [{"name": "ip", "value": "{{steps.server.ip}}"}]}
    main = steps([step("server", "server")], [step("ask", "ask", arguments=arguments)])
    templates = [main, {"name": "server", "daemon": True, "container": server}, ask]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name},
        "spec": {"entrypoint": "main", "templates": templates},
    }
