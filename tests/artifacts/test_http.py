from __future__ import annotations

import resource
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbflow.artifacts import driver_for
from nbflow.artifacts.attempts import attempt
from nbflow.artifacts.driver import ArtifactNotFound, ArtifactUnavailable
from nbflow.errors import NbflowError
from tests.artifacts.servers import WebServer, web_server

SECRETS = {
    "login": {"user": b"anna", "password": b"s3cr3t-w0rd"},
    "oauth": {"id": b"me", "secret": b"s3cr3t-w0rd", "url": b""},
}
BASIC = {
    "basicAuth": {
        "usernameSecret": {"name": "login", "key": "user"},
        "passwordSecret": {"name": "login", "key": "password"},
    }
}


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as running:
        yield running


def at(url: str, **settings: object) -> dict[str, object]:
    return {"name": "a", "path": "/a", "http": {"url": url, **settings}}


def load(artifact: dict[str, object], folder: Path, secrets: object = SECRETS.get) -> bytes:
    place = driver_for(artifact, folder, secrets).load(artifact, folder / "scratch")
    return place.read_bytes()


def save(artifact: dict[str, object], source: Path) -> None:
    driver_for(artifact, source.parent, SECRETS.get).save(source, artifact, take=False)


def test_a_file_is_fetched_with_its_headers(server: WebServer, tmp_path: Path) -> None:
    server.files["/f"] = b"content"
    headers = [{"name": "X-One", "value": "1"}, {"name": "Accept", "value": "text/plain"}]
    assert load(at(server.url("/f"), headers=headers), tmp_path) == b"content"
    [(method, path, sent)] = server.asked
    assert (method, path, sent["x-one"], sent["accept"]) == ("GET", "/f", "1", "text/plain")
    assert "authorization" not in sent


def test_artifactory_is_a_server_with_a_user(server: WebServer, tmp_path: Path) -> None:
    server.want("anna", "s3cr3t-w0rd")
    (tmp_path / "source").write_bytes(b"content")
    artifact = {"name": "a", "artifactory": {"url": server.url("/repo/f.tgz"), **BASIC["basicAuth"]}}
    save(artifact, tmp_path / "source")
    assert server.files == {"/repo/f.tgz": b"content"}
    assert load(artifact, tmp_path) == b"content"


def test_user_and_password_come_from_a_secret(server: WebServer, tmp_path: Path) -> None:
    server.files["/f"] = b"content"
    server.want("anna", "s3cr3t-w0rd")
    assert load(at(server.url("/f"), auth=BASIC), tmp_path) == b"content"
    with pytest.raises(NbflowError, match="401") as caught:
        load(at(server.url("/f").replace("//", "//anna:s3cr3t-wrong@") + "?sig=s3cr3t"), tmp_path / "x")
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.fix == "check the credentials"


def test_a_missing_secret_or_key_is_named(server: WebServer, tmp_path: Path) -> None:
    with pytest.raises(NbflowError, match='secret "login" not found'):
        load(at(server.url("/f"), auth=BASIC), tmp_path, {}.get)
    with pytest.raises(NbflowError, match="non-existent secret key: password in secret login"):
        load(at(server.url("/f"), auth=BASIC), tmp_path, {"login": {"user": b"anna"}}.get)
    assert server.asked == []


def test_oauth2_sends_a_token(server: WebServer, tmp_path: Path) -> None:
    server.files["/f"] = b"content"
    secrets = {"oauth": {**SECRETS["oauth"], "url": server.url("/token").encode()}}
    oauth2: dict[str, object] = {
        "clientIDSecret": {"name": "oauth", "key": "id"},
        "clientSecretSecret": {"name": "oauth", "key": "secret"},
        "tokenURLSecret": {"name": "oauth", "key": "url"},
        "scopes": ["read", "list"],
        "endpointParams": [{"key": "audience", "value": "us"}],
    }
    server.answers["/token"] = [401]  # then the credentials go into the form
    assert load(at(server.url("/f"), auth={"oauth2": oauth2}), tmp_path, secrets.get) == b"content"
    assert server.forms == [
        {
            "grant_type": ["client_credentials"],
            "scope": ["read list"],
            "audience": ["us"],
            "client_id": ["me"],
            "client_secret": ["s3cr3t-w0rd"],
        }
    ]
    assert server.asked[-1][2]["authorization"] == "Bearer t0ken"


def test_redirects_take_credentials_nowhere_else(server: WebServer, tmp_path: Path) -> None:
    with web_server() as other:
        other.files["/there"] = b"content"
        server.redirects = {"/f": (302, "/g"), "/g": (307, other.url("/there"))}
        headers = [{"name": "X-Token", "value": "s3cr3t"}]
        assert load(at(server.url("/f"), auth=BASIC, headers=headers), tmp_path) == b"content"
        assert ["authorization" in sent and "x-token" in sent for _, _, sent in server.asked] == [True, True]
        assert [("authorization" in sent, "x-token" in sent) for _, _, sent in other.asked] == [
            (False, False)
        ]


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/f"])
def test_redirects_stay_in_the_web(server: WebServer, tmp_path: Path, target: str) -> None:
    server.redirects["/f"] = (302, target)
    with pytest.raises(NbflowError, match="failed with reason: 302"):
        load(at(server.url("/f")), tmp_path)


@pytest.mark.parametrize(
    "url", ["", "file:///etc/passwd", "ftp://x/y", "http://", "http://a b/", "/etc/passwd"]
)
def test_what_is_no_url(url: str, tmp_path: Path) -> None:
    with pytest.raises(NbflowError, match="the url of artifact a is no http or https URL"):
        load(at(url), tmp_path)


def test_what_is_not_there_is_not_found(server: WebServer, tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFound, match=r"GET http://127.0.0.1:.*/none failed with reason: 404"):
        load(at(server.url("/none")), tmp_path)


def test_what_breaks_off_is_tried_again(server: WebServer, tmp_path: Path) -> None:
    with pytest.raises(ArtifactUnavailable, match="broke off after 3 of 10 bytes"):
        load(at(server.url("/short")), tmp_path)
    server.files["/f"] = b"content"
    server.answers["/f"] = [503, 429]
    waited: list[float] = []
    assert (
        attempt(lambda: load(at(server.url("/f")), tmp_path / "..", SECRETS.get), wait=waited.append)
        == b"content"
    )
    assert waited == [1.0, 1.6]


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with web_server() as gone:
        url = gone.url("/f")
    with pytest.raises(ArtifactUnavailable, match="failed: Connection refused"):
        load(at(url), tmp_path)


def test_a_file_is_put_after_a_redirect_too(server: WebServer, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x" * 100_000)
    server.redirects["/in"] = (307, "/data")
    save(at(server.url("/in"), auth=BASIC), source)
    assert server.files == {"/data": b"x" * 100_000}
    assert source.exists()
    with pytest.raises(NbflowError, match="is a folder, and a URL holds one file"):
        save(at(server.url("/in")), tmp_path)


def test_certificates_of_both_sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("server", "client"):
        subprocess.run(
            f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} "
            f"-addext subjectAltName=IP:127.0.0.1 -keyout {name}.key -out {name}.pem",
            shell=True,
            cwd=tmp_path, check=True, capture_output=True,
        )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    context.load_verify_locations(tmp_path / "client.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
    secrets = {"tls": {n: (tmp_path / f"client.{n}").read_bytes() for n in ("pem", "key")}}
    auth = {
        "clientCert": {
            "clientCertSecret": {"name": "tls", "key": "pem"},
            "clientKeySecret": {"name": "tls", "key": "key"},
        }
    }
    before = {path.name for path in tmp_path.iterdir()}
    with web_server(context) as server:
        server.files["/f"] = b"content"
        assert load(at(server.url("/f"), auth=auth), tmp_path, secrets.get) == b"content"
        with pytest.raises(NbflowError):
            load(at(server.url("/f")), tmp_path, secrets.get)
    assert {path.name for path in tmp_path.iterdir()} - before == {"scratch"}


def test_memory_stays_flat(server: WebServer, tmp_path: Path) -> None:
    server.files["/f"] = bytes(150_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    artifact = at(server.url("/f"))
    place = driver_for(artifact, tmp_path).load(artifact, tmp_path / "scratch")
    assert place.stat().st_size == 150_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000
