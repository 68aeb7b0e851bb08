"""Google's, Azure's and Alibaba's stores of objects, by their official clients, on servers of loopback."""

from __future__ import annotations

import base64
import importlib.util
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nbflow.artifacts import driver_for, relocated
from nbflow.artifacts.driver import ArtifactNotFound, ArtifactUnavailable
from nbflow.errors import NbflowError
from tests.artifacts.servers import s3_server
from tests.artifacts.stores import Azure, Google, Store, store

SECRETS: dict[str, dict[str, bytes]] = {}
LARGE = bytes(range(256)) * 80_000  # of more parts than one

Artifact = dict[str, object]


@dataclass
class Place:
    """at: an artifact with that key. store: the server, where it is ours. missing: what is said of no such bucket."""

    at: Callable[..., Artifact]
    missing: str
    store: Store | None = None


@pytest.fixture(scope="module")
def account_key(tmp_path_factory: pytest.TempPathFactory) -> str:
    key = tmp_path_factory.mktemp("key") / "key"
    words = ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(key)]
    subprocess.run(words, check=True, capture_output=True)
    return key.read_text()


@pytest.fixture
def gcs(account_key: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    pytest.importorskip("google.cloud.storage", reason="google-cloud-storage is not installed")
    with store(Google) as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
        info = {"type": "service_account", "client_email": "me@x", "private_key": account_key}
        info |= {"token_uri": f"{server.url}/token", "project_id": "p"}
        SECRETS["google"] = {"key": json.dumps(info).encode()}
        secret = {"serviceAccountKeySecret": {"name": "google", "key": "key"}}

        def at(key: str, **more: object) -> Artifact:
            return {"name": "a", "gcs": {"bucket": "there", "key": key, **secret, **more}}

        yield Place(at, "gcs bucket nowhere: 404: The specified bucket does not exist.", server)


@pytest.fixture
def azure() -> Iterator[Place]:
    pytest.importorskip("azure.storage.blob", reason="azure-storage-blob is not installed")
    with store(Azure) as server:
        SECRETS["azure"] = {"key": base64.b64encode(b"s3cr3t"), "signature": b"?sv=2024&sig=abc"}
        secret = {"accountKeySecret": {"name": "azure", "key": "key"}}
        own = {"endpoint": f"{server.url}/account", **secret}

        def at(key: str, bucket: str = "there", **more: object) -> Artifact:
            return {"name": "a", "azure": {"container": bucket, "blob": key, **own, **more}}

        yield Place(at, "azure container nowhere: ContainerNotFound: Not Found", server)


@pytest.fixture
def oss() -> Iterator[Place]:
    if not importlib.util.find_spec("moto"):
        pytest.skip("moto is not installed")
    with s3_server() as endpoint:
        SECRETS["oss"] = {"access": b"AKIAEXAMPLE", "secret": b"s3cr3t"}
        keys = {f"{k}KeySecret": {"name": "oss", "key": k} for k in ("access", "secret")}
        own = {"endpoint": f"http://{endpoint}", "bucket": "there", "securityToken": "t", **keys}

        def at(key: str, **more: object) -> Artifact:
            return {"name": "a", "oss": {**own, "key": key, **more}}

        made = at("first", createBucketIfNotPresent=True)
        driver_for(made, Path(), SECRETS.get).save(Path(__file__), made, take=False)
        driver_for(made, Path(), SECRETS.get).delete(made)
        yield Place(at, "oss bucket nowhere: NoSuchBucket: The specified bucket does not exist")


@pytest.fixture(params=["gcs", "azure", "oss"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(request.param)
    return found


def save(artifact: Artifact, source: Path) -> None:
    driver_for(artifact, source.parent, SECRETS.get).save(source, artifact, take=False)


def load(artifact: Artifact, target: Path) -> Path:
    return driver_for(artifact, target.parent, SECRETS.get).load(artifact, target)


def test_files_and_folders_come_back(place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "one").write_bytes(LARGE)
    (folder / "deep" / "two & three").write_text("2")
    (folder / "empty").touch()
    (folder / "out").symlink_to("/etc/passwd")
    save(place.at("some/file"), folder / "one")
    save(place.at("some/folder/"), folder)
    assert load(place.at("some/file"), tmp_path / "file").read_bytes() == LARGE
    for number, key in enumerate(("some/folder", "some/folder/")):
        found = load(place.at(key), tmp_path / str(number))
        files = {str(p.relative_to(found)): p.read_bytes() for p in found.rglob("*") if p.is_file()}
        assert files == {"one": LARGE, "deep/two & three": b"2", "empty": b""}
    driver = driver_for(place.at("some"), tmp_path, SECRETS.get)
    below = ["some/folder/deep/two & three", "some/folder/empty", "some/folder/one"]
    assert list(driver.list(place.at("some"))) == ["some/file", *below]
    assert list(driver.list(place.at("some/file"))) == []
    driver.delete(place.at("some/folder"))
    driver.delete(place.at("some/folder"))
    assert list(driver.list(place.at("some"))) == ["some/file"]


def test_what_is_not_there(place: Place, tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFound, match=r"artifact a is not in the .* there: no key other"):
        load(place.at("other"), tmp_path / "a")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ArtifactNotFound, match="no key found of name other"):
        driver_for(place.at("other"), tmp_path, SECRETS.get).list(place.at("other"))
    with pytest.raises(NbflowError) as refused:
        save(place.at("k", bucket="nowhere"), Path(__file__))
    assert refused.value.problem.rstrip(".") == place.missing.rstrip(".")


@pytest.mark.parametrize("place", ["gcs", "azure"], indirect=True)
def test_refusals_tell_what_to_check_and_troubles_pass(place: Place, tmp_path: Path) -> None:
    assert place.store is not None
    place.store.refuse = 403
    with pytest.raises(NbflowError, match=r"403|AuthorizationFailure") as refused:
        load(place.at("k"), tmp_path / "a")
    assert refused.value.fix.startswith("check the ")
    assert "s3cr3t" not in str(refused.value)
    place.store.refuse = 503
    with pytest.raises(ArtifactUnavailable):
        load(place.at("k"), tmp_path / "b")
    place.store.shutdown()
    place.store.server_close()
    with pytest.raises(ArtifactUnavailable):
        load(place.at("k"), tmp_path / "c")


def test_a_name_that_leads_out_of_its_folder(gcs: Place, tmp_path: Path) -> None:
    assert gcs.store is not None
    gcs.store.objects["there", "d/../../etc/x"] = b""
    with pytest.raises(NbflowError, match="which leads out of its folder"):
        load(gcs.at("d"), tmp_path / "d")


def test_azure_takes_a_key_of_the_account_or_a_signature(azure: Place, tmp_path: Path) -> None:
    assert azure.store is not None
    azure.store.objects["there", "k"] = b"x"
    load(azure.at("k"), tmp_path / "a")
    assert azure.store.asked.pop().startswith("SharedKey account:")
    load(azure.at("k", accountKeySecret={"name": "azure", "key": "signature"}), tmp_path / "b")
    assert azure.store.asked.pop() == ""
    with pytest.raises(NbflowError, match="accountKey secret is required"):
        load(azure.at("k", accountKeySecret=None), tmp_path / "c")


def test_a_folder_of_a_hierarchical_account_looks_like_an_empty_blob(azure: Place, tmp_path: Path) -> None:
    assert azure.store is not None
    azure.store.objects |= {("there", "d"): b"", ("there", "d/f"): b"x"}
    assert (load(azure.at("d"), tmp_path / "d") / "f").read_bytes() == b"x"


def test_google_takes_the_key_of_a_service_account_and_no_other(gcs: Place, tmp_path: Path) -> None:
    assert gcs.store is not None
    gcs.store.objects["there", "k"] = b"x"
    load(gcs.at("k"), tmp_path / "a")
    assert gcs.store.asked.pop() == "Bearer t0ken"
    SECRETS["google"] = {"key": b"hunter2"}
    with pytest.raises(NbflowError, match="holds no key of a service account") as refused:
        load(gcs.at("k"), tmp_path / "b")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "module", "client"),
    [
        ("gcs", "google.cloud.storage", "google-cloud-storage"),
        ("azure", "azure.storage.blob", "azure-storage-blob"),
    ],
)
def test_a_client_that_is_missing_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, kind: str, module: str, client: str
) -> None:
    find = importlib.util.find_spec

    def absent(name: str) -> object:
        if name == module:
            raise ModuleNotFoundError(f"No module named {name.rpartition('.')[0]!r}")
        return find(name)

    monkeypatch.setattr(importlib.util, "find_spec", absent)
    with pytest.raises(NbflowError) as refused:
        driver_for({"name": "a", kind: {}}, Path())
    problem = f"{kind} artifacts need {client}, which is not installed: it comes with nbflow[{kind}]"
    assert str(refused.value) == f"{problem}\n  fix: pip install 'nbflow[{kind}]'"


def test_a_key_alone_is_one_of_the_repository() -> None:
    repository = {"azure": {"endpoint": "https://x", "container": "c", "key": "wf/pod"}}
    moved = {"name": "a", "azure": {"endpoint": "https://x", "container": "c", "blob": "k"}}
    assert relocated({"name": "a", "s3": {"key": "k"}}, repository) == moved
    assert relocated({"name": "a", "azure": {"blob": "k"}}, repository) == moved
    whole = {"name": "a", "gcs": {"bucket": "b", "key": "k"}}
    assert relocated(whole, repository) == whole
