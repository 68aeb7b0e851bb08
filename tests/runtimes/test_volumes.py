"""Volumes: what pods see of them, and what is left of them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from nbflow.runtimes.runtime import PodRejected
from nbflow.spec.status import Phase
from nbflow.store.home import Home
from tests.contracts.runtime import UID, Cluster, shell

TARGETS = ["host", *(["sandbox"] if shutil.which("bwrap") else [])]


@pytest.fixture(params=TARGETS)
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Cluster:
    return Cluster.on(request.param, Home(tmp_path / "home"))


def mounted(volume: dict[str, object], path: str = "/v", **mount: object) -> dict[str, object]:
    return {
        "volumes": ({"name": "v", **volume},),
        "volume_mounts": ({"name": "v", "mountPath": path, **mount},),
    }


def test_an_unknown_claim_is_refused_by_name(cluster: Cluster) -> None:
    with pytest.raises(PodRejected) as caught:
        cluster.executor.start(shell("true", **mounted({"persistentVolumeClaim": {"claimName": "gone"}})))
    assert caught.value.problem == 'persistentvolumeclaim "gone" not found'
    assert caught.value.fix == "nbflow volume create gone"
    assert not (cluster.home.root / "volumes").exists()


def test_a_claim_made_for_the_workflow_lies_with_it(cluster: Cluster) -> None:
    claim = mounted({"persistentVolumeClaim": {"claimName": "wf-w"}})
    cluster.run(replace(shell("echo kept > /v/x", **claim), own_claims=("wf-w",)))
    assert (cluster.home.workflow(UID) / "claims/wf-w/x").read_text() == "kept\n"


def test_sub_paths(cluster: Cluster) -> None:
    claim = {"persistentVolumeClaim": {"claimName": "data"}}
    env = ({"name": "WHO", "value": "me"},)
    cluster.run(shell("echo a > /v/x", **mounted(claim, subPath="deep/er")))
    cluster.run(shell("echo b > /v/x", "pod-2", env=env, **mounted(claim, subPathExpr="$(WHO)")))
    folder = cluster.home.root / "volumes/data"
    assert [(folder / name / "x").read_text() for name in ("deep/er", "me")] == ["a\n", "b\n"]


def test_no_link_in_a_volume_leads_out_of_it(cluster: Cluster) -> None:
    claim = {"persistentVolumeClaim": {"claimName": "data"}}
    cluster.run(shell("ln -s / /v/way-out", **mounted(claim)))
    cluster.run(shell("ls /v", "pod-2", **mounted(claim, subPath="way-out/etc")))
    assert cluster.log("pod-2") == ""


def test_fields_of_the_pod_as_files(cluster: Cluster) -> None:
    fields = [
        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
        {"path": "in/name", "fieldRef": {"fieldPath": "metadata.name"}, "mode": 0o440},
    ]
    pod = shell("cat /v/labels /v/in/name", **mounted({"downwardAPI": {"items": fields}}))
    cluster.run(replace(pod, labels={"b": 'x"y', "a": "1"}))
    assert cluster.log("pod-1") == 'a="1"\nb="x\\"y"pod-1'


def test_a_path_of_the_host_has_to_be_allowed(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    volume = mounted({"hostPath": {"path": str(tmp_path / "data"), "type": "Directory"}})
    with pytest.raises(PodRejected, match="is not allowed"):
        cluster.executor.start(shell("echo x > /v/x", **volume))
    monkeypatch.setenv("NBFLOW_HOST_PATHS", str(tmp_path / "data"))
    assert cluster.run(shell("echo x > /v/x", "pod-2", **volume)).phase is Phase.SUCCEEDED
    assert (tmp_path / "data/x").read_text() == "x\n"
    cluster.runtime.forget_pod("pod-2", keep_root=False)
    assert (tmp_path / "data/x").exists()


def test_an_empty_volume_goes_with_its_pod(cluster: Cluster) -> None:
    outputs = {"parameters": [{"name": "p", "valueFrom": {"path": "/v/x"}}]}
    outcome = cluster.run(
        shell("echo x > /v/x", outputs=outputs, **mounted({"emptyDir": {"medium": "Memory"}}))
    )
    assert outcome.outputs is not None
    assert outcome.outputs["parameters"] == [{"name": "p", "valueFrom": {"path": "/v/x"}, "value": "x"}]
    folder = cluster.home.pod(UID, "pod-1")
    assert (folder / "volumes/v/x").exists()
    cluster.runtime.forget_pod("pod-1", keep_root=False)
    assert [path.name for path in folder.iterdir()] == ["main.log"]
