"""Memory limits: what the kernel does to containers that want more."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from nbflow.runtimes import cgroups
from nbflow.runtimes.runtime import PodRejected
from nbflow.spec.pod import ContainerSpec, Pod
from nbflow.spec.status import Phase
from nbflow.store.home import Home
from tests.contracts.runtime import UID, Cluster, command, shell

TARGETS = ["host", *(["sandbox"] if shutil.which("bwrap") else [])]
GREEDY = "x = bytearray(200 * 1024 * 1024); print(len(x))"


@pytest.fixture(params=TARGETS)
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Cluster:
    return Cluster.on(request.param, Home(tmp_path / "home"))


def greedy(name: str, limit: str) -> Pod:
    return command(["python3", "-c", GREEDY], name, extra={"resources": {"limits": {"memory": limit}}})


def groups() -> set[str]:
    tree = cgroups.memory_tree()
    return {path.name for path in Path(tree.folder).glob("nbflow-*")} if tree else set()


def test_who_wants_too_much_is_ended_and_that_is_said(cluster: Cluster) -> None:
    if cgroups.memory_tree() is None:
        pytest.skip("we may make no control groups here")
    before = groups()
    assert cluster.run(greedy("pod-1", "300Mi")).phase is Phase.SUCCEEDED
    outcome = cluster.run(greedy("pod-2", "50Mi"))
    assert (outcome.phase, outcome.message) == (Phase.FAILED, "main: OOMKilled (exit code 137)")
    made = groups() - before
    assert len(made) >= 2
    for name in ("pod-1", "pod-2"):
        cluster.runtime.forget_pod(name, keep_root=True)
    assert len(groups() & made) <= len(made) - 2  # those of other runs on this machine may stay


def test_each_container_has_its_own_limit(cluster: Cluster) -> None:
    if cgroups.memory_tree() is None:
        pytest.skip("we may make no control groups here")
    side = ContainerSpec("side", "x", ("sh", "-c", f'python3 -c "{GREEDY}"; sleep 600'))
    pod = greedy("pod-1", "50Mi")
    outcome = cluster.run(replace(pod, containers=(*pod.containers, side), sidecars=("side",)))
    assert (outcome.phase, outcome.message) == (Phase.FAILED, "main: OOMKilled (exit code 137)")
    assert cluster.home.log(UID, "pod-1", "side").read_text().strip() in ("", str(200 * 1024 * 1024))


def test_without_control_groups_the_data_of_a_process_is_limited(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroups, "memory_tree", lambda: None)
    outcome = cluster.run(greedy("pod-1", "100Mi"))
    assert (outcome.phase, outcome.message) == (Phase.FAILED, "main: Error (exit code 1)")
    assert "MemoryError" in cluster.log("pod-1")
    assert cluster.run(greedy("pod-2", "600Mi")).phase is Phase.SUCCEEDED


def test_what_is_no_quantity_is_refused(cluster: Cluster) -> None:
    with pytest.raises(PodRejected, match="container 'main': quantities must match"):
        cluster.executor.start(shell("true", extra={"resources": {"limits": {"memory": "lots"}}}))
