from __future__ import annotations

import importlib.util
import ssl
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbflow.artifacts import driver_for
from nbflow.artifacts.driver import ArtifactNotFound, ArtifactUnavailable
from nbflow.errors import NbflowError
from tests.artifacts.servers import s3_server, web_server

SECRETS = {"cred": {"access": b"AKIAEXAMPLE", "secret": b"s3cr3t-w0rd", "token": b"s3cr3t-t0ken"}}
KEYS = {
    f"{name}Secret": {"name": "cred", "key": key}
    for name, key in (("accessKey", "access"), ("secretKey", "secret"), ("sessionToken", "token"))
}

needs_moto = pytest.mark.skipif(not importlib.util.find_spec("moto"), reason="moto is not installed")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    if not importlib.util.find_spec("moto"):
        pytest.skip("moto is not installed")
    with s3_server() as running:
        yield running


@pytest.fixture
def bucket(endpoint: str, tmp_path: Path) -> dict[str, object]:
    """The settings of a bucket that is not there yet."""
    name = f"bucket-{uuid.uuid4()}"
    return {"endpoint": endpoint, "insecure": True, "bucket": name, "createBucketIfNotPresent": {}, **KEYS}


def at(bucket: dict[str, object], key: str, **settings: object) -> dict[str, object]:
    return {"name": "a", "path": "/a", "s3": {**bucket, "key": key, **settings}}


def save(artifact: dict[str, object], source: Path) -> None:
    driver_for(artifact, source.parent, SECRETS.get).save(source, artifact, take=False)


def load(artifact: dict[str, object], place: Path) -> Path:
    return driver_for(artifact, place.parent, SECRETS.get).load(artifact, place)


def test_files_and_folders_come_back(bucket: dict[str, object], tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "one").write_text("1")
    (folder / "deep" / "two").write_text("2")
    (folder / "out").symlink_to("/etc/passwd")
    save(at(bucket, "some/file"), folder / "one")
    save(at(bucket, "some/folder/"), folder)
    assert load(at(bucket, "some/file"), tmp_path / "file").read_text() == "1"
    for number, key in enumerate(("some/folder", "some/folder/")):
        place = load(at(bucket, key), tmp_path / str(number))
        found = {str(p.relative_to(place)): p.read_text() for p in place.rglob("*") if p.is_file()}
        assert found == {"one": "1", "deep/two": "2"}
    driver = driver_for(at(bucket, ""), tmp_path, SECRETS.get)
    assert driver.list(at(bucket, "some")) == ["some/file", "some/folder/deep/two", "some/folder/one"]
    driver.delete(at(bucket, "some/folder"))
    driver.delete(at(bucket, "some/folder"))
    assert driver.list(at(bucket, "some")) == ["some/file"]


def test_large_files_go_in_parts(bucket: dict[str, object], tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(range(256)) * 80_000)
    save(at(bucket, "k", encryptionOptions={"enableEncryption": True}), source)
    assert load(at(bucket, "k"), tmp_path / "back").read_bytes() == source.read_bytes()


def test_what_is_not_there(bucket: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    with pytest.raises(NbflowError, match=r"s3 bucket bucket-.*: NoSuchBucket: ") as caught:
        load(at(bucket, "k"), tmp_path / "a")
    assert caught.value.fix == "create it, or set createBucketIfNotPresent"
    save(at(bucket, "k"), tmp_path / "f")
    with pytest.raises(ArtifactNotFound, match=r"artifact a is not in the bucket bucket-.*: no key other"):
        load(at(bucket, "other"), tmp_path / "b")


def test_a_bucket_is_made_only_if_asked(bucket: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    plain = {key: value for key, value in bucket.items() if key != "createBucketIfNotPresent"}
    with pytest.raises(NbflowError, match="NoSuchBucket"):
        save(at(plain, "k"), tmp_path / "f")
    save(at(bucket, "k", region="eu-west-1"), tmp_path / "f")
    save(at(bucket, "k", region="eu-west-1"), tmp_path / "f")


def test_keys_do_not_lead_out_of_the_folder(bucket: dict[str, object], tmp_path: Path) -> None:
    import boto3

    save(at(bucket, "dir/ok"), _file(tmp_path / "f"))
    client = boto3.session.Session().client(
        "s3", endpoint_url=f"http://{bucket['endpoint']}", aws_access_key_id="x", aws_secret_access_key="x",
        region_name="us-east-1",
    )  # fmt: skip
    client.put_object(Bucket=bucket["bucket"], Key="dir/../../escaped", Body=b"x")
    client.close()
    with pytest.raises(NbflowError, match="which leads out of its folder"):
        load(at(bucket, "dir"), tmp_path / "a")
    assert not (tmp_path / "escaped").exists()


def _file(path: Path) -> Path:
    path.write_text("x")
    return path


def test_credentials_are_missing(bucket: dict[str, object], tmp_path: Path) -> None:
    artifact = at(bucket, "k")
    with pytest.raises(NbflowError, match='secret "cred" not found'):
        driver_for(artifact, tmp_path).load(artifact, tmp_path / "a")


@needs_moto
def test_keys_are_sent_signed_and_never_said(tmp_path: Path) -> None:
    with web_server() as server:
        server.answers["/b/k"] = [503, 403]
        endpoint = server.url("").removeprefix("http://")
        artifact = at({"endpoint": endpoint, "insecure": True, "bucket": "b", **KEYS}, "k")
        with pytest.raises(ArtifactUnavailable, match="s3 bucket b: 503"):
            load(artifact, tmp_path / "a")
        with pytest.raises(NbflowError, match="s3 bucket b: 403") as caught:
            load(artifact, tmp_path / "a")
        assert "s3cr3t" not in str(caught.value)
        assert caught.value.fix == "check accessKeySecret and secretKeySecret, or set useSDKCreds"
        sent = [headers for _, _, headers in server.asked]
        assert [headers["x-amz-security-token"] for headers in sent] == ["s3cr3t-t0ken"] * 2
        assert all("Credential=AKIAEXAMPLE/" in headers["authorization"] for headers in sent)
        server.files["/b/k"] = b"public"
        public = at({"endpoint": endpoint, "insecure": True, "bucket": "b"}, "k")
        assert load(public, tmp_path / "p").read_bytes() == b"public"
        assert "authorization" not in server.asked[-1][2]
    with pytest.raises(ArtifactUnavailable, match="Could not connect to the endpoint URL"):
        load(artifact, tmp_path / "b")


@needs_moto
def test_the_credentials_of_the_machine_and_the_region(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAMACHINE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-machine")
    with web_server() as server:
        server.files["/b/k"] = b"x"
        endpoint = server.url("").removeprefix("http://")
        own = {
            "endpoint": endpoint,
            "insecure": True,
            "bucket": "b",
            "region": "eu-west-3",
            "useSDKCreds": True,
        }
        assert load(at(own, "k"), tmp_path / "a").read_bytes() == b"x"
        sent = server.asked[-1][2]["authorization"]
        assert "Credential=AKIAMACHINE/" in sent
        assert "/eu-west-3/s3/aws4_request" in sent


@needs_moto
def test_an_authority_of_a_secret(tmp_path: Path) -> None:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    secrets = {**SECRETS, "ca": {"crt": authority.cert_pem.bytes()}}
    with web_server(context) as server:
        server.files["/b/k"] = b"x"
        own = {"endpoint": server.url("").removeprefix("https://"), "bucket": "b", **KEYS}
        trusted = at(own, "k", caSecret={"name": "ca", "key": "crt"})
        found = driver_for(trusted, tmp_path, secrets.get).load(trusted, tmp_path / "a")
        assert found.read_bytes() == b"x"
        with pytest.raises(NbflowError, match="SSL validation failed"):
            load(at(own, "k"), tmp_path / "b")


@needs_moto
@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"roleARN": "arn:aws:iam::1:role/x"}, "s3.roleARN is not supported yet"),
        (
            {
                "encryptionOptions": {
                    "enableEncryption": True,
                    "serverSideCustomerKeySecret": {"name": "x", "key": "y"},
                }
            },
            "s3.encryptionOptions.serverSideCustomerKeySecret is not supported yet",
        ),
    ],
)
def test_what_is_refused_in_words(
    bucket: dict[str, object], tmp_path: Path, settings: dict[str, object], problem: str
) -> None:
    (tmp_path / "source").write_text("x")
    with pytest.raises(NbflowError) as caught:
        save(at(bucket, "k", **settings), tmp_path / "source")
    assert caught.value.problem == problem


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NbflowError, match="need boto3, which is not installed") as caught:
        driver_for({"name": "a", "s3": {"endpoint": "h:1", "bucket": "b", "key": "k"}}, tmp_path)
    assert caught.value.fix == "pip install 'nbflow[s3]'"
