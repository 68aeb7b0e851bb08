"""Volumes: what pods see of them, and what is left of them."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nbflow.runtimes.memory import free_orphaned_memory, memory_folder
from nbflow.runtimes.runtime import PodRejected
from nbflow.spec.pod import ContainerSpec
from nbflow.spec.status import Phase
from nbflow.store.home import Home
from tests.contracts.runtime import UID, Cluster, processes, shell, until

TARGETS = ["host", *(["sandbox"] if shutil.which("bwrap") else [])]


@pytest.fixture(params=TARGETS)
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster.on(request.param, Home(tmp_path / "home"))
    yield cluster
    shutil.rmtree(tmp_path / "home", ignore_errors=True)
    free_orphaned_memory()


def test_memory_is_given_back_when_the_home_is_gone(cluster: Cluster) -> None:
    cluster.run(shell("true", **mounted({"emptyDir": {"medium": "Memory"}})))
    place = Path(memory_folder(os.fspath(cluster.home.pod(UID, "pod-1"))))
    free_orphaned_memory()
    assert place.exists()
    cluster.home.root.rename(cluster.home.root.with_name("gone"))
    free_orphaned_memory()
    assert not place.exists()
    cluster.home.root.mkdir()


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
    assert (cluster.home.workflow(UID) / ".claims/wf-w/x").read_text() == "kept\n"


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


@pytest.mark.parametrize("volume", [{}, {"medium": "Memory"}])
def test_an_empty_volume_goes_with_its_pod(cluster: Cluster, volume: dict[str, str]) -> None:
    outputs = {"parameters": [{"name": "p", "valueFrom": {"path": "/v/x"}}]}
    outcome = cluster.run(shell("echo x > /v/x", outputs=outputs, **mounted({"emptyDir": volume})))
    assert outcome.outputs is not None
    assert outcome.outputs["parameters"] == [{"name": "p", "valueFrom": {"path": "/v/x"}, "value": "x"}]
    folder = cluster.home.pod(UID, "pod-1")
    place = Path(memory_folder(os.fspath(folder))) if volume else folder / "volumes"
    assert (place / "v/x").read_text() == "x\n"
    cluster.runtime.forget_pod("pod-1", keep_root=False)
    assert [path.name for path in folder.iterdir()] == ["main.log"]
    assert not (place / "v").exists()


def test_a_volume_in_memory_is_a_tmpfs_that_containers_share(cluster: Cluster) -> None:
    volume = mounted({"emptyDir": {"medium": "Memory"}})
    mounts = volume["volume_mounts"]
    first = ContainerSpec("first", "x", ("sh", "-c", "echo shared > /v/x"), volume_mounts=mounts)  # type: ignore[arg-type]
    pod = shell("stat -fc %T /v/.; cat /v/x", **volume)
    outcome = cluster.run(replace(pod, init_containers=(first,)))
    assert (outcome.phase, cluster.log("pod-1")) == (Phase.SUCCEEDED, "tmpfs\nshared\n")
    place = Path(memory_folder(os.fspath(cluster.home.pod(UID, "pod-1"))))
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    cluster.runtime.forget_pod("pod-1", keep_root=True)
    assert not place.exists()


@pytest.mark.parametrize("medium", ["", "Memory"])
def test_a_volume_that_outgrows_its_limit_ends_the_pod(cluster: Cluster, medium: str) -> None:
    volume = mounted({"emptyDir": {"medium": medium, "sizeLimit": "100Ki"}})
    sleep = f"sleep 614{os.getpid()}"  # nobody else's
    outcome = cluster.run(shell(f"head -c 200000 /dev/zero > /v/x; {sleep}", **volume))
    message = 'Usage of EmptyDir volume "v" exceeds the limit "100Ki".'
    assert (outcome.phase, outcome.message) == (Phase.FAILED, message)
    until(lambda: not processes(sleep))  # the kernel ends what was in bubblewrap after bubblewrap


def test_what_containers_may_use_as_files_and_variables(cluster: Cluster) -> None:
    names = ("limits.cpu", "requests.cpu", "limits.memory", "requests.memory")
    items = [{"path": n, "resourceFieldRef": {"containerName": "main", "resource": n}} for n in names]
    milli = {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}
    env = ({"name": "MILLI", "valueFrom": milli},)
    resources = {"limits": {"cpu": "1500m"}, "requests": {"memory": "1.5Mi"}}
    script = "for i in limits.cpu requests.cpu limits.memory requests.memory; do cat /v/$i; echo; done; echo $MILLI"
    volume = mounted({"downwardAPI": {"items": items}})
    cluster.run(shell(script, env=env, extra={"resources": resources}, **volume))
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert cluster.log("pod-1") == f"2\n2\n{machine}\n1572864\n1500\n"


def test_a_token_of_a_service_account_is_for_clusters(cluster: Cluster) -> None:
    sources = [{"secret": {"name": "s"}}, {"serviceAccountToken": {"path": "token"}}]
    cluster.objects.secrets["s"] = {"k": b"v"}
    with pytest.raises(PodRejected) as caught:
        cluster.executor.start(shell("true", **mounted({"projected": {"sources": sources}})))
    problem = "a projected volume cannot take a serviceAccountToken here: it is a cluster that makes one"
    assert caught.value.problem == problem


def test_a_projected_volume_of_all_sources_with_their_modes(cluster: Cluster) -> None:
    cluster.objects.secrets["s"] = {"user": b"anna", "pass": b"geheim"}
    cluster.objects.config_maps["c"] = {"a.conf": "x=1"}
    name = {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}
    sources = [
        {"secret": {"name": "s", "items": [{"key": "pass", "path": "deep/pass", "mode": 0o600}]}},
        {"configMap": {"name": "c"}},
        {"downwardAPI": {"items": [name]}},
        {"configMap": {"name": "gone", "optional": True}},
    ]
    volume = mounted({"projected": {"defaultMode": 0o440, "sources": sources}})
    pod = shell(
        "cd /v; for i in deep/pass a.conf name; do stat -c '%a %n' $i; cat $i; echo; done; ls", **volume
    )
    cluster.run(pod)
    expected = "600 deep/pass\ngeheim\n440 a.conf\nx=1\n440 name\npod-1\na.conf\ndeep\nname\n"
    assert cluster.log("pod-1") == expected
