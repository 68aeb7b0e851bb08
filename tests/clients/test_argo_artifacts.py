"""Artifacts of a cluster's workflows, fetched from the repository that the workflow names, S3 by moto."""

from __future__ import annotations

import base64
import gzip
import importlib.util
import io
import tarfile

import pytest

from nbflow.clients.argo import ArgoClient
from nbflow.clients.client import LogOptions
from nbflow.errors import NbflowError, NotFoundError
from tests.artifacts.servers import s3_server
from tests.kube.argo import WORKFLOWS, node, pod_name, set_status
from tests.kube.fixtures import cluster

__all__ = ["cluster"]
pytestmark = pytest.mark.skipif(not importlib.util.find_spec("moto"), reason="moto is not installed")
KEYS = {
    "accessKeySecret": {"name": "s3-cred", "key": "accesskey"},
    "secretKeySecret": {"name": "s3-cred", "key": "secretkey"},
}
MAPS, SECRETS = ("v1", "configmaps"), ("v1", "secrets")


@pytest.fixture(scope="module")
def endpoint():
    with s3_server() as running:
        yield running


@pytest.fixture
def bucket(endpoint, monkeypatch):
    """A bucket, and an environment without any credentials."""
    import boto3

    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_PROFILE",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{endpoint}",
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    client.create_bucket(Bucket="artifacts")
    yield client
    for item in client.list_objects_v2(Bucket="artifacts").get("Contents", ()):
        client.delete_object(Bucket="artifacts", Key=item["Key"])
    client.delete_bucket(Bucket="artifacts")
    client.close()


@pytest.fixture
def secret(cluster):
    values = {"accesskey": "AKIAEXAMPLE", "secretkey": "s3cr3t-w0rd"}
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    cluster.storage.create(SECRETS, "default", {"metadata": {"name": "s3-cred"}, "data": data})


def repository(endpoint, **extra):
    return {"s3": {"endpoint": endpoint, "insecure": True, "bucket": "artifacts", **KEYS, **extra}}


def ran(api, artifacts, *, spec=None, **status):
    """A finished workflow whose one pod left these artifacts."""
    manifest = {"metadata": {"name": "w"}, "spec": {"entrypoint": "main", **(spec or {})}}
    api.storage.create(WORKFLOWS, "default", manifest)
    one = node("w", "w", phase="Succeeded", template="main", outputs={"artifacts": artifacts})
    set_status(api, "w", "Succeeded", [one], **status)


def fetched(name="a"):
    return ArgoClient().artifact("w", "w", name)


def resolved(repository):
    return {"artifactRepositoryRef": {"default": True, "artifactRepository": repository}}


def test_a_key_alone_is_looked_up_in_the_repository_of_the_status(cluster, secret, bucket, endpoint):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("empty"))
    stored = {"w/w/a.tgz": packed.getvalue(), "w/w/plain": b"hello\n", "w/w/z.zip": b"PK\5\6" + bytes(18)}
    for key, data in stored.items():
        bucket.put_object(Bucket="artifacts", Key=key, Body=data)
    named = [{"name": n, "s3": {"key": key}} for n, key in zip("apz", stored, strict=True)]
    ran(cluster, named, **resolved(repository(endpoint, keyFormat="{{workflow.name}}/{{pod.name}}")))
    assert [fetched(name) for name in "apz"] == list(stored.values())
    with pytest.raises(NotFoundError, match='artifact "other" not found'):
        fetched("other")


def test_a_folder_that_was_not_packed_comes_packed(cluster, secret, bucket, endpoint):
    for key in ("dir/one", "dir/deep/two"):
        bucket.put_object(Bucket="artifacts", Key=key, Body=key.encode())
    ran(cluster, [{"name": "a", "s3": {"key": "dir"}}], **resolved(repository(endpoint)))
    with tarfile.open(fileobj=io.BytesIO(fetched())) as archive:
        found = {m.name: archive.extractfile(m).read() for m in archive if m.isfile()}
    assert found == {"artifact/one": b"dir/one", "artifact/deep/two": b"dir/deep/two"}


def test_a_whole_location_needs_no_repository(cluster, secret, bucket, endpoint):
    bucket.put_object(Bucket="artifacts", Key="k", Body=b"x")
    ran(cluster, [{"name": "a", "s3": {**repository(endpoint)["s3"], "key": "k"}}])
    assert fetched() == b"x"


def test_half_a_location_is_the_repositorys_but_for_its_key(cluster, secret, bucket, endpoint):
    """As Argo has it: without an endpoint of its own, the bucket that an artifact names counts for nothing."""
    bucket.put_object(Bucket="artifacts", Key="k", Body=b"x")
    ran(cluster, [{"name": "a", "s3": {"bucket": "elsewhere", "key": "k"}}], **resolved(repository(endpoint)))
    assert fetched() == b"x"


def test_the_templates_own_archive_location_comes_first(cluster, secret, bucket, endpoint):
    bucket.put_object(Bucket="artifacts", Key="k", Body=b"x")
    place = repository(endpoint)["s3"] | {"key": "{{pod.name}}"}
    template = {"name": "main", "container": {"image": "busybox"}, "archiveLocation": {"s3": place}}
    other = {"s3": {"endpoint": "nowhere:1", "bucket": "other"}}
    ran(cluster, [{"name": "a", "s3": {"key": "k"}}], spec={"templates": [template]}, **resolved(other))
    assert fetched() == b"x"


@pytest.mark.parametrize(
    ("spec", "status"),
    [
        ({"artifactRepositoryRef": {"configMap": "places", "key": "mine"}}, {}),
        ({}, {"artifactRepositoryRef": {"configMap": "places", "key": "mine", "namespace": "argo"}}),
        ({}, {}),
    ],
    ids=["named by the workflow", "resolved by the controller", "the namespace's default"],
)
def test_the_repository_is_read_from_its_config_map(cluster, secret, bucket, endpoint, spec, status):
    import yaml

    bucket.put_object(Bucket="artifacts", Key="k", Body=b"x")
    default = not spec and not status
    name = "artifact-repositories" if default else "places"
    annotations = {"workflows.argoproj.io/default-artifact-repository": "mine"} if default else {}
    text = yaml.safe_dump(repository(endpoint))
    found = {"metadata": {"name": name, "annotations": annotations}, "data": {"mine": text}}
    cluster.storage.create(MAPS, "argo" if status else "default", found)
    ran(cluster, [{"name": "a", "s3": {"key": "k"}}], spec=spec, **status)
    assert fetched() == b"x"


def test_an_unknown_repository_is_said(cluster, bucket):
    ran(cluster, [{"name": "a", "s3": {"key": "k"}}])
    with pytest.raises(NbflowError) as error:
        fetched()
    assert error.value.problem == (
        "artifact a (k) cannot be found: the workflow does not say which artifact repository it used"
    )
    assert error.value.fix == (
        "there is no config map artifact-repositories in namespace default: ask who set up Argo"
    )


def test_without_a_right_to_the_secret_the_users_own_credentials_count(
    cluster, secret, bucket, endpoint, tmp_path, monkeypatch
):
    bucket.put_object(Bucket="artifacts", Key="k", Body=b"x")
    ran(cluster, [{"name": "a", "s3": {"key": "k"}}], **resolved(repository(endpoint)))
    rules = [{"apiGroups": ["argoproj.io"], "resources": ["workflows"], "verbs": ["get"]}]
    cluster.allow("limited", rules, "jane")
    cluster.kubeconfig(tmp_path / "kubeconfig", token="limited")
    with pytest.raises(NbflowError) as error:
        fetched()
    assert error.value.problem == (
        "artifact a is in the s3 bucket artifacts, whose credentials cannot be read: "
        'secrets "s3-cred" is forbidden: User "jane" cannot get resource "secrets" in API group "" in the '
        'namespace "default"; and boto3 finds none on this machine'
    )
    assert "AWS_ACCESS_KEY_ID" in error.value.fix
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own")
    assert fetched() == b"x"


def test_pods_with_a_role_of_their_own_leave_the_users_credentials(cluster, bucket, endpoint, monkeypatch):
    bucket.put_object(Bucket="artifacts", Key="k", Body=b"x")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own")
    place = {
        "endpoint": endpoint,
        "insecure": True,
        "bucket": "artifacts",
        "roleARN": "arn:aws:iam::1:role/x",
    }
    ran(cluster, [{"name": "a", "s3": {"key": "k"}}], **resolved({"s3": place}))
    assert fetched() == b"x"


def test_an_address_inside_the_cluster_is_reached_by_a_forwarded_port(
    cluster, secret, bucket, endpoint, monkeypatch
):
    bucket.put_object(Bucket="artifacts", Key="k", Body=b"x")
    inside = repository("minio.argo.svc.invalid:9000")
    ran(cluster, [{"name": "a", "s3": {"key": "k"}}], **resolved(inside))
    with pytest.raises(NbflowError) as error:
        fetched()
    assert error.value.problem == (
        "artifact a is in the s3 bucket artifacts at minio.argo.svc.invalid:9000, a name that is not known on "
        "this machine"
    )
    assert error.value.fix == (
        "if it is a service of the cluster: `kubectl port-forward -n argo svc/minio 9000`, and "
        "AWS_ENDPOINT_URL_S3=http://127.0.0.1:9000"
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://{endpoint}")
    assert fetched() == b"x"


def test_a_place_that_does_not_answer_is_said(cluster, secret, bucket):
    ran(cluster, [{"name": "a", "s3": {"key": "k"}}], **resolved(repository("127.0.0.1:9")))
    with pytest.raises(NbflowError, match="s3 bucket artifacts: ") as error:
        fetched()
    assert "port-forward" in error.value.fix


def test_places_without_a_driver_are_said(cluster):
    place = {"hdfs": {"addresses": ["name-node:8020"]}}
    ran(cluster, [{"name": "a", "hdfs": {"path": "x/y.tgz"}}], **resolved(place))
    with pytest.raises(NbflowError) as error:
        fetched()
    assert error.value.problem == "artifact a is stored in hdfs (x/y.tgz), which nbflow does not reach"


def test_archived_logs_stand_in_for_pods_that_are_gone(cluster, secret, bucket, endpoint):
    bucket.put_object(Bucket="artifacts", Key="w/main.log", Body=b"one\ntwo\nthree\n")
    ran(cluster, [{"name": "main-logs", "s3": {"key": "w/main.log"}}], **resolved(repository(endpoint)))
    client = ArgoClient()
    assert [line.text for line in client.logs("w")] == ["one", "two", "three"]
    assert [line.text for line in client.logs("w", LogOptions(tail=1))] == ["three"]
    assert [line.text for line in client.logs("w", LogOptions(follow=True))] == ["one", "two", "three"]


def test_archived_logs_out_of_reach_are_said(cluster, secret, bucket):
    place = repository("minio.argo.svc.invalid:9000")
    ran(cluster, [{"name": "main-logs", "s3": {"key": "w/main.log"}}], **resolved(place))
    with pytest.raises(NotFoundError) as gone:
        list(ArgoClient().logs("w"))
    assert gone.value.problem.startswith(
        f"the pods are gone ({pod_name('w', 'w', 'main')}), and their archived logs are out of reach: "
    )
    assert "port-forward" in gone.value.fix


def test_packed_nodes_have_artifacts_too(cluster):
    import json

    one = node("w", "w", phase="Succeeded", outputs={"artifacts": [{"name": "a", "raw": {"data": "x"}}]})
    text = base64.b64encode(gzip.compress(json.dumps({"w": one}).encode())).decode()
    ran(cluster, [], compressedNodes=text)
    found = cluster.storage.get(WORKFLOWS, "default", "w")
    found["status"].pop("nodes")
    cluster.storage.replace(WORKFLOWS, "default", "w", found)
    assert fetched() == b"x"


def test_cp_copies_them(cluster, secret, bucket, endpoint, tmp_path):
    from nbflow import cli

    for key in ("w/a.tgz", "w/dir/one", "w/dir/deep/two"):
        bucket.put_object(Bucket="artifacts", Key=key, Body=key.encode())
    named = [{"name": "a", "s3": {"key": "w/a.tgz"}}, {"name": "b", "s3": {"key": "w/dir"}}]
    ran(cluster, named, **resolved(repository(endpoint)))
    words = ["cp", "w", str(tmp_path / "out"), "--path", "{workflowName}/{artifactName}", "--on", "argo"]
    out = io.StringIO()
    assert cli.run(words, out=out, err=out) == 0
    assert out.getvalue() == "".join(f'Created "{tmp_path}/out/w/{p}"\n' for p in ("a/a.tgz", "b/dir"))
    found = {
        str(p.relative_to(tmp_path / "out/w")): p.read_bytes()
        for p in tmp_path.glob("out/w/**/*")
        if p.is_file()
    }
    assert found == {"a/a.tgz": b"w/a.tgz", "b/dir/one": b"w/dir/one", "b/dir/deep/two": b"w/dir/deep/two"}


def test_a_run_has_them_as_python_values(cluster, secret, bucket, endpoint):
    from nbflow.notebook.start import attach

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        about = tarfile.TarInfo("numbers.csv")
        about.size = 8
        archive.addfile(about, io.BytesIO(b"a,b\n1,2\n"))
    bucket.put_object(Bucket="artifacts", Key="w/n.tgz", Body=packed.getvalue())
    bucket.put_object(Bucket="artifacts", Key="given.txt", Body=b"hello")
    outputs = {"artifacts": [{"name": "numbers", "path": "/tmp/numbers.csv", "s3": {"key": "w/n.tgz"}}]}
    given = {"name": "text", "path": "/in", "s3": {"key": "given.txt"}, "archive": {"none": {}}}
    manifest = {"metadata": {"name": "w"}, "spec": {"entrypoint": "main"}}
    cluster.storage.create(WORKFLOWS, "default", {"kind": "Workflow", **manifest})
    one = node("w", "w", phase="Succeeded", template="main", outputs=outputs, inputs={"artifacts": [given]})
    set_status(cluster, "w", "Succeeded", [one], **resolved(repository(endpoint)))
    run = attach("w", client=ArgoClient())
    assert run["w"].outputs.artifacts["numbers"].read_text() == "a,b\n1,2\n"
    assert run["w"].inputs.artifacts["text"].read_text() == "hello"


def manifest_that_takes(**more):
    takes = {"name": "main", "inputs": {"artifacts": [{"name": "data", "path": "/tmp/data.bin"}]}}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "takes"},
        "spec": {
            "entrypoint": "main",
            "templates": [{**takes, "container": {"image": "busybox", "command": ["true"]}}],
            **more,
        },
    }


def argument_of(cluster):
    return cluster.storage.get(WORKFLOWS, "default", "takes")["spec"]["arguments"]["artifacts"]


def test_a_value_is_put_into_the_repository_that_the_workflow_will_use(cluster, secret, bucket, endpoint):
    import yaml

    from nbflow.commands.submission import submit

    text = yaml.safe_dump(repository(endpoint, keyFormat="ignored/for/keys"))
    cluster.storage.create(MAPS, "default", {"metadata": {"name": "my-repos"}, "data": {"mine": text}})
    manifest = manifest_that_takes(artifactRepositoryRef={"configMap": "my-repos", "key": "mine"})
    submit(manifest, artifacts={"data": bytes(range(200))}, client=ArgoClient())
    (argument,) = argument_of(cluster)
    key = argument["s3"].pop("key")
    assert argument == {"name": "data", "s3": {}, "archive": {"none": {}}}
    assert key.startswith("uploads/")
    assert key.endswith("/data.bin")
    assert bucket.get_object(Bucket="artifacts", Key=key)["Body"].read() == bytes(range(200))


def test_a_short_text_needs_no_repository(cluster):
    from nbflow.commands.submission import submit

    submit(manifest_that_takes(), artifacts={"data": b"a short text\n"}, client=ArgoClient())
    assert argument_of(cluster) == [
        {"name": "data", "raw": {"data": "a short text\n"}, "archive": {"none": {}}}
    ]


def test_a_repository_that_is_not_known_is_said_and_nothing_is_created(cluster):
    from nbflow.commands.submission import submit

    with pytest.raises(NbflowError) as caught:
        submit(manifest_that_takes(), artifacts={"data": b"\x00binary"}, client=ArgoClient())
    assert caught.value.problem.startswith("artifact data (uploads/")
    assert (
        "cannot be stored for the cluster: the workflow does not say which artifact repository it used"
        in str(caught.value)
    )
    assert caught.value.fix != ""
    with pytest.raises(NotFoundError):
        ArgoClient().get("takes")
