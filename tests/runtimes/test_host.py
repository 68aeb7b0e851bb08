from __future__ import annotations

from pathlib import Path

import pytest

from nbflow.runtimes.host import rewrite
from nbflow.spec.status import Phase
from nbflow.store.home import Home
from tests.contracts.runtime import UID, Cluster, RuntimeContract, _claim, command, shell


class TestContract(RuntimeContract):
    @pytest.fixture
    def target(self) -> str:
        return "host"


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster.on("host", Home(tmp_path / "home"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cat /tmp/x", "cat /r/tmp/x"),
        ("cat /tmp/x.txt /tmp/xy /tmp/x-1", "cat /tmp/x.txt /tmp/xy /tmp/x-1"),
        ("cp /tmp/x/y >/tmp/x; echo '/tmp/x'", "cp /r/tmp/x/y >/r/tmp/x; echo '/r/tmp/x'"),
        ("see /tmp/x. Or --file=/tmp/x,", "see /r/tmp/x. Or --file=/r/tmp/x,"),
        ("/other/tmp/x ./tmp/x a/tmp/x", "/other/tmp/x ./tmp/x a/tmp/x"),
        ("/tmp/x/deep /tmp", "/r/tmp/x/deep /tmp"),
    ],
)
def test_declared_paths_are_rewritten_and_nothing_else(text: str, expected: str) -> None:
    assert rewrite(text, ("/tmp/x/deep", "/tmp/x"), "/r") == expected


def test_command_args_source_and_env_are_rewritten(cluster: Cluster, tmp_path: Path) -> None:
    inputs = ({"name": "in", "path": "/data/in", "raw": {"data": "content"}},)
    pod = command(
        ["sh"],
        source="cat /data/in; cat $FILE; echo /data/inside",
        env=({"name": "FILE", "value": "/data/in"},),
        inputs=inputs,
        working_dir="/elsewhere",
    )
    outcome = cluster.run(pod)
    assert outcome.phase is Phase.SUCCEEDED
    assert cluster.log("pod-1") == "contentcontent/data/inside\n"
    root = cluster.home.pod(UID, "pod-1") / "root"
    assert (root / "data/in").read_text() == "content"
    assert not Path("/data/in").exists()


def test_a_claim_outlives_its_pods(cluster: Cluster) -> None:
    cluster.run(shell("echo kept > /mnt/vol/file", "pod-1", **_claim("data", "/mnt/vol")))
    cluster.run(shell("cat /data/file", "pod-2", **_claim("data", "/data")))
    assert cluster.log("pod-2") == "kept\n"
