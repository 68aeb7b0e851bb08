"""Repositories that a ConfigMap or a template names, logs as artifacts, and artifactGC: against buckets on loopback."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nbflow.clients.local import LocalClient
from nbflow.store import Home
from nbflow.store.presence import controller_of
from tests.artifacts.servers import s3_server

pytestmark = pytest.mark.skipif(not importlib.util.find_spec("moto"), reason="moto is not installed")

Json = dict[str, object]
KEYS = {f"{name}Secret": {"name": "cred", "key": name} for name in ("accessKey", "secretKey")}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as running:
        yield running


@pytest.fixture
def bucket(endpoint: str) -> Iterator[Callable[[], dict[str, bytes]]]:
    import boto3

    client = boto3.session.Session().client(
        "s3", endpoint_url=f"http://{endpoint}", region_name="us-east-1",
        aws_access_key_id="x", aws_secret_access_key="x",
    )  # fmt: skip
    client.create_bucket(Bucket="mine")

    def content() -> dict[str, bytes]:
        found = {}
        for item in client.list_objects_v2(Bucket="mine").get("Contents", ()):
            with contextlib.suppress(client.exceptions.NoSuchKey):  # it went meanwhile
                found[item["Key"]] = client.get_object(Bucket="mine", Key=item["Key"])["Body"].read()
        return found

    yield content
    for key in content():
        client.delete_object(Bucket="mine", Key=key)
    client.delete_bucket(Bucket="mine")
    client.close()


@pytest.fixture
def client(tmp_path: Path, endpoint: str) -> Iterator[LocalClient]:
    home = Home(tmp_path / "home")
    made = LocalClient("host", home)
    made.create(
        {"kind": "Secret", "metadata": {"name": "cred"}, "stringData": {"accessKey": "a", "secretKey": "b"}}
    )
    yield made
    running = controller_of(home)
    if running is not None:
        os.kill(running.pid, signal.SIGTERM)


def location(endpoint: str, **more: object) -> Json:
    return {"endpoint": endpoint, "insecure": True, "bucket": "mine", **KEYS, **more}


def make(**output: object) -> Json:
    artifact = {"name": "out", "path": "/tmp/out", "archive": {"none": {}}, **output}
    container = {"image": "alpine", "command": ["sh", "-c", "echo said; echo made > /tmp/out"]}
    return {"name": "make", "container": container, "outputs": {"artifacts": [artifact]}}


def read() -> Json:
    container = {"image": "alpine", "command": ["cat", "/tmp/in"]}
    return {
        "name": "read",
        "inputs": {"artifacts": [{"name": "in", "path": "/tmp/in"}]},
        "container": container,
    }


def both(**arguments: object) -> Json:
    given = {"artifacts": [{"name": "in", **(arguments or {"from": "{{steps.make.outputs.artifacts.out}}"})}]}
    first, second = (
        {"name": "make", "template": "make"},
        {"name": "read", "template": "read", "arguments": given},
    )
    return {"name": "main", "steps": [[first], [second]]}


def run(client: LocalClient, templates: list[Json], **spec: object) -> dict[str, Json]:
    name = client.submit(
        {"metadata": {"name": "wf"}, "spec": {"entrypoint": "main", "templates": templates, **spec}}
    ).name
    wait(lambda: client.get(name).status.finished_at, lambda: client.get(name).to_dict())
    status = client.get(name).status
    assert status.phase == "Succeeded", [node.message for node in status.nodes.values()]
    return {node.display_name: dict(node.outputs or {}) for node in status.nodes.values()}


def wait(true: Callable[[], object], found: Callable[[], object] = lambda: None) -> None:
    """found: what to show if it never comes true."""
    end = time.monotonic() + 300
    while not true():
        assert time.monotonic() < end, found()
        time.sleep(0.05)


def names(bucket: Callable[[], dict[str, bytes]]) -> list[str]:
    return sorted(name.partition("/")[0] + "/.../" + name.rpartition("/")[2] for name in bucket())


def test_a_repository_of_a_config_map(
    client: LocalClient, endpoint: str, bucket: Callable[[], dict[str, bytes]]
) -> None:
    import yaml

    text = yaml.safe_dump(
        {"s3": location(endpoint, keyFormat="own/{{workflow.name}}/{{pod.name}}"), "archiveLogs": True}
    )
    item = {"kind": "ConfigMap", "metadata": {"name": "artifact-repositories"}, "data": {"my-key": text}}
    client.create(item)
    found = run(client, [both(), make(), read()], artifactRepositoryRef={"key": "my-key"})
    content = bucket()
    pods = sorted(name.split("/")[2] for name in content)
    assert sorted(name.rpartition("/")[2] for name in content) == ["main.log", "main.log", "out"]
    assert {name.split("/")[0] + "/" + name.split("/")[1] for name in content} == {"own/wf"}
    assert all(pod.startswith("wf-") for pod in pods)
    assert sorted(content.values()) == [b"made\n", b"made\n", b"said\n"]
    artifacts = found["make"]["artifacts"]
    assert [artifact["name"] for artifact in artifacts] == ["out", "main-logs"]  # type: ignore[index, union-attr]
    node = next(node for node in client.get("wf").status.nodes.values() if node.display_name == "make")
    assert client.artifact("wf", node.id, "main-logs") == b"said\n"


def test_a_location_of_a_template_and_keys_alone(
    client: LocalClient, endpoint: str, bucket: Callable[[], dict[str, bytes]]
) -> None:
    place = {"s3": location(endpoint, key="at/{{pod.name}}")}
    templates = [
        both(s3={"key": "chosen/here"}),
        {**make(s3={"key": "chosen/here"}), "archiveLocation": place},
        {**read(), "archiveLocation": {**place, "archiveLogs": True}},
    ]
    run(client, templates)
    assert names(bucket) == ["at/.../main.log", "chosen/.../here"]
    assert bucket()["chosen/here"] == b"made\n"


@pytest.mark.parametrize(
    ("workflow", "artifact", "completed", "deleted"),
    [
        ("", "", ["chosen/.../here"], ["chosen/.../here"]),
        ("OnWorkflowCompletion", "", [], []),
        ("OnWorkflowDeletion", "", ["chosen/.../here"], []),
        ("OnWorkflowCompletion", "Never", ["chosen/.../here"], ["chosen/.../here"]),
        ("", "OnWorkflowDeletion", ["chosen/.../here"], []),
    ],
)
def test_when_artifacts_go(
    client: LocalClient, endpoint: str, bucket: Callable[[], dict[str, bytes]],
    workflow: str, artifact: str, completed: list[str], deleted: list[str],
) -> None:  # fmt: skip
    own = {"artifactGC": {"strategy": artifact}} if artifact else {}
    template = {**make(s3=location(endpoint, key="chosen/here"), **own), "name": "main"}
    spec = {"artifactGC": {"strategy": workflow}} if workflow else {}
    run(client, [template], **spec)
    wait(lambda: names(bucket) == completed)
    client.delete("wf")
    assert names(bucket) == deleted


def test_a_repository_that_is_none(client: LocalClient) -> None:
    item = {"kind": "ConfigMap", "metadata": {"name": "repos"}, "data": {"empty": "a: b"}}
    client.create(item)
    reference = {"configMap": "repos", "key": "empty"}
    spec = {
        "entrypoint": "main",
        "templates": [{**make(), "name": "main"}],
        "artifactRepositoryRef": reference,
    }
    client.submit({"metadata": {"name": "wf"}, "spec": spec})
    wait(lambda: client.get("wf").status.finished_at)
    [node] = client.get("wf").status.nodes.values()
    assert node.message.startswith("artifact repository repos#empty names no place: one of s3, ")
