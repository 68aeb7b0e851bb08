"""Measure what it takes to follow a large workflow in a cluster, and write what was found into README.md.

python benchmarks/cluster.py [--print]

The cluster is the tests' own API in this process; each follower is a process of its own, whose CPU time is counted.
The workflow is a fan-out of 5,000 with nodes such as Argo's controller writes, packed as it packs what is larger than
1 MB. It changes once a second, which is as often as Argo's controller may (by default every ten seconds), 40 nodes each
time.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import pty
import re
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from figures import tell

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.kube.api import TestApi  # noqa: E402
from tests.kube.argo import PODS, WORKFLOWS, pod, set_status  # noqa: E402

NAME, NODES, CHANGED = "fan-out-x7k2p", 5_000, 40
SECONDS, WARM = 30, 6
"""So long is measured, after so many states that are not."""
PODS_FOLLOWED = 300
TICKS = os.sysconf("SC_CLK_TCK")
PYTHON = f"""
from nbflow.clients.argo import ArgoClient
for update in ArgoClient().watch("{NAME}"):
    print(update.sequence, len(update.nodes), flush=True)
"""
NBFLOW = [sys.executable, "-m", "nbflow.cli"]


def node(number: int, phase: str) -> dict[str, object]:
    """As a step of a loop looks, its log archived."""
    found: dict[str, object] = {
        "id": f"{NAME}-{number * 2654435761 % 2**32}",
        "name": f"{NAME}[0].each({number}:{number})",
        "displayName": f"each({number}:{number})",
        "type": "Pod",
        "templateName": "each",
        "templateScope": f"local/{NAME}",
        "phase": phase,
        "boundaryID": NAME,
        "startedAt": "2026-11-28T07:00:00Z",
        "finishedAt": None,
        "progress": "0/1",
        "inputs": {"parameters": [{"name": "item", "value": str(number)}]},
        "hostNodeName": "kind-control-plane",
        "nodeFlag": {"retried": False},
    }
    if phase == "Succeeded":
        key = f"{NAME}/{NAME}-each-{number}/main.log"
        artifacts = [{"name": "main-logs", "s3": {"key": key}}]
        found.update(
            finishedAt="2026-11-28T07:00:09Z",
            progress="1/1",
            outputs={"exitCode": "0", "artifacts": artifacts},
        )
        found["resourcesDuration"] = {"cpu": 0, "memory": number % 7}
    return found


def packed(done: int) -> str:
    """The nodes of the workflow when `done` of them have succeeded."""
    leaves = [node(number, "Succeeded" if number < done else "Running") for number in range(NODES)]
    ids = [str(leaf["id"]) for leaf in leaves]
    root = {
        **node(0, "Running"),
        "id": NAME,
        "name": NAME,
        "displayName": NAME,
        "type": "Steps",
        "children": [f"{NAME}-1"],
    }
    group = {
        **node(0, "Running"),
        "id": f"{NAME}-1",
        "name": f"{NAME}[0]",
        "type": "StepGroup",
        "children": ids,
    }
    nodes = {str(one["id"]): one for one in (root, group, *leaves)}
    return base64.b64encode(gzip.compress(json.dumps(nodes, separators=(",", ":")).encode())).decode()


STATES = [packed(NODES // 2 + turn * CHANGED) for turn in range(SECONDS + WARM)]


def share(api: TestApi, follow: Callable[[], subprocess.Popen[bytes]]) -> tuple[float, bool]:
    """Of a core, while the workflow changes once a second, and whether the follower then saw the end."""
    manifest = {"metadata": {"name": NAME}, "spec": {"entrypoint": "main", "templates": []}}
    api.storage.create(WORKFLOWS, "default", manifest)
    set_status(api, NAME, "Running", [], compressedNodes=STATES[0])
    process = follow()
    with api.storage.news:
        api.storage.news.wait_for(lambda: api.watches, 60)
    for state in STATES[1:WARM]:
        change(api, state)
    before, began = ticks(process), time.monotonic()
    for state in STATES[WARM:]:
        change(api, state)
    found = (ticks(process) - before) / TICKS / (time.monotonic() - began)
    set_status(api, NAME, "Succeeded", [], compressedNodes=packed(NODES))
    ended = process.wait(60) == 0
    api.storage.delete(WORKFLOWS, "default", NAME)
    return found, ended


def change(api: TestApi, state: str) -> None:
    began = time.monotonic()
    set_status(api, NAME, "Running", [], compressedNodes=state)
    time.sleep(max(0.0, began + 1.0 - time.monotonic()))


def ticks(process: subprocess.Popen[bytes]) -> int:
    fields = Path("/proc", str(process.pid), "stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def measured() -> Iterator[tuple[str, str, str]]:
    """What, how much, and the mark it has to meet."""
    with tempfile.TemporaryDirectory() as folder, TestApi().start() as api:
        os.environ["KUBECONFIG"] = str(api.kubeconfig(Path(folder, "kubeconfig")))
        for what, follower in (
            ("`client.watch` in Python", piped([sys.executable, "-c", PYTHON])),
            ("`nbflow watch` into a pipe", piped([*NBFLOW, "watch", NAME, "--on", "argo"])),
            ("`nbflow watch` on a terminal", on_a_terminal),
        ):
            used, done = share(api, follower)
            yield (
                f"{what}, {NODES:,} nodes, {CHANGED} of them change each second",
                f"{used:.1%} of a core",
                "10 %",
            )
            if not done:
                raise SystemExit(f"{what} did not see the end")
        yield from logs(api)


def piped(argv: list[str]) -> Callable[[], subprocess.Popen[bytes]]:
    return lambda: subprocess.Popen(argv, stdout=subprocess.DEVNULL)


def on_a_terminal() -> subprocess.Popen[bytes]:
    """`nbflow watch` in a window of 120 by 40, whose output somebody takes."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 120))
    argv = [*NBFLOW, "watch", NAME, "--on", "argo"]
    process = subprocess.Popen(argv, stdout=theirs, stdin=theirs, env={**os.environ, "TERM": "xterm"})
    os.close(theirs)
    threading.Thread(target=_drain, args=(ours,), daemon=True).start()
    return process


def _drain(terminal: int) -> None:
    with suppress(OSError):
        while os.read(terminal, 1 << 16):
            pass


def logs(api: TestApi) -> Iterator[tuple[str, str, str]]:
    """All pods of a workflow followed at once, each of which writes a line every five seconds."""
    uid = api.storage.create(WORKFLOWS, "default", {"metadata": {"name": "talk"}, "spec": {}})["metadata"][
        "uid"
    ]
    names = [f"talk.{number}" for number in range(PODS_FOLLOWED)]
    pods = [
        api.storage.create(PODS, "default", pod("talk", name, "t", uid))["metadata"]["name"] for name in names
    ]
    process = subprocess.Popen([*NBFLOW, "logs", "-f", "talk", "--on", "argo"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    turns = 6
    for turn in range(turns):
        if turn == 2:
            before, began = ticks(process), time.monotonic()
        for name in pods:
            api.log(name, f"line {turn}")
        time.sleep(5.0)
    used = (ticks(process) - before) / TICKS / (time.monotonic() - began)
    status = Path("/proc", str(process.pid), "status").read_text()
    threads, memory = (int(re.findall(rf"{word}:\s+(\d+)", status)[0]) for word in ("Threads", "VmRSS"))
    connections = len(api.connections)
    for name in pods:
        api.end_log(name)
        found = api.storage.get(PODS, "default", name)
        api.storage.replace(
            PODS, "default", name, {**found, "status": {**found["status"], "phase": "Succeeded"}}
        )
    set_status(api, "talk", "Succeeded", [])
    lines = process.communicate(timeout=120)[0].count(b"\n")
    yield f"`nbflow logs -f`, {PODS_FOLLOWED} pods, a line each in 5 s", f"{used:.1%} of a core", ""
    yield "its threads, connections, memory", f"{threads}, {connections}, {memory / 1000:.0f} MB", ""
    yield "its lines missing", f"{turns * len(pods) - lines}", "0"


def main() -> None:
    tell("cluster", __doc__ or "", measured())


if __name__ == "__main__":
    main()
