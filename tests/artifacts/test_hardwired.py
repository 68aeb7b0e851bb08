"""Artifacts from servers and to servers, through the command line and a real controller."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nbflow.artifacts import driver_for
from tests.artifacts.servers import WebServer, repository, s3_server, web_server

ROOT = Path(__file__).parent.parent.parent
WALKTHROUGH = ROOT.parent / "shared" / "walkthrough" / "22-hardwired-artifact.yaml"
PASSWORD = f"s3cr3t-{os.urandom(8).hex()}"
BUCKET = "my-bucket-name"

pytestmark = [
    pytest.mark.skipif(not importlib.util.find_spec("moto"), reason="moto is not installed"),
    pytest.mark.skipif(not shutil.which("git"), reason="git is not installed"),
    pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed"),
]

OWN = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: places-}
spec:
  entrypoint: main
  templates:
  - name: main
    inputs:
      artifacts:
      - name: code
        path: /code
        git:
          repo: WEB/app.git
          revision: master
          usernameSecret: &user {name: login, key: user}
          passwordSecret: &password {name: login, key: password}
      - name: tool
        path: /opt/tool
        mode: 0755
        http: {url: WEB/tool, auth: {basicAuth: {usernameSecret: *user, passwordSecret: *password}}}
      - name: absent
        path: /absent
        optional: true
        http: {url: WEB/none, auth: {basicAuth: {usernameSecret: *user, passwordSecret: *password}}}
      - name: absent-too
        path: /absent-too
        optional: true
        s3: &s3
          endpoint: S3
          insecure: true
          bucket: my-bucket-name
          key: none
          accessKeySecret: {name: my-s3-credentials, key: accessKey}
          secretKeySecret: {name: my-s3-credentials, key: secretKey}
    outputs:
      artifacts:
      - name: report
        path: /tmp/report
        archive: {none: {}}
        http: {url: WEB/report, auth: {basicAuth: {usernameSecret: *user, passwordSecret: *password}}}
      - name: folder
        path: /tmp/folder
        archive: {none: {}}
        s3: {<<: *s3, bucket: new-bucket, key: out/folder, createBucketIfNotPresent: {}}
    container:
      image: debian
      command: [sh, -c]
      args:
      - ls /absent /absent-too; cat /code/README; /opt/tool > /tmp/report; mkdir /tmp/folder; date > /tmp/folder/date
"""


@dataclass
class Cli:
    """The command line in a home of its own."""

    home: Path

    def __call__(self, *words: object) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "NBFLOW_HOME": str(self.home), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "nbflow.cli", *map(str, words)]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)

    def secret(self, name: str, **values: str) -> None:
        words = [f"--from-literal={key}={value}" for key, value in values.items()]
        assert self("secret", "create", name, *words).returncode == 0

    def submit(self, manifest: str) -> dict[str, object]:
        path = self.home.parent / "manifest.yaml"
        path.write_text(manifest)
        done = self("submit", "--no-strict", "--wait", "-o", "json", path)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    found = Cli(tmp_path / "home")
    yield found
    found("controller", "stop")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WebServer]:
    with web_server() as running:
        running.repositories = tmp_path / "served"
        repository(running.repositories, "app")
        yield running


@pytest.fixture
def buckets() -> Iterator[str]:
    import boto3

    with s3_server() as endpoint:
        client = boto3.session.Session().client(
            "s3",
            endpoint_url=f"http://{endpoint}",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            region_name="us-east-1",
        )
        client.create_bucket(Bucket=BUCKET)
        client.put_object(Bucket=BUCKET, Key="path/in/bucket/one", Body=b"1")
        client.put_object(Bucket=BUCKET, Key="path/in/bucket/deep/two", Body=b"22")
        client.close()
        yield endpoint


def seen_by_others(cli: Cli, name: str) -> str:
    """All that is shown or stored of a workflow, but for the store where Secrets live."""
    assert cli.home.stat().st_mode & 0o077 == 0
    files = [p for p in cli.home.rglob("*") if p.is_file() and not p.name.startswith("nbflow.sqlite")]
    texts = [path.read_bytes().decode("latin-1") for path in files]
    verbs = (["get", name, "-o", "json"], ["get", name], ["logs", name], ["list"], ["graph", name])
    return "".join(texts) + "".join(cli(*verb).stdout for verb in verbs)


@contextlib.contextmanager
def watched_processes(secret: str) -> Iterator[list[str]]:
    """Command lines that show the secret, as `ps` of anybody would, seen as long as the block lasts."""
    found: list[str] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.002):
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    line = (process / "cmdline").read_bytes().decode("latin-1")
                    if secret in line:
                        found.append(line)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def readable_by_others(secret: str, home: Path) -> list[Path]:
    """Files that hold the secret, and that others may read: their own mode and those of all folders above say so."""
    found = []
    born = home.stat().st_ctime - 60
    temporary = [p for p in Path(tempfile.gettempdir()).iterdir() if p.lstat().st_mtime > born]
    for folder in (home, *temporary):
        for place, names, files in os.walk(folder):
            names[:] = [name for name in names if (Path(place, name).lstat().st_mode & 0o005) == 0o005]
            for path in (Path(place, name) for name in files):
                if path.lstat().st_mtime < born:
                    continue
                with contextlib.suppress(OSError):
                    if (
                        path.lstat().st_mode & 0o004
                        and path.is_file()
                        and secret.encode() in path.read_bytes()
                    ):
                        found.append(path)
    return found


@pytest.mark.walkthrough
@pytest.mark.skipif(not WALKTHROUGH.is_file(), reason="../shared/walkthrough is not here")
def test_the_walkthrough_s_artifacts(cli: Cli, server: WebServer, buckets: str) -> None:
    server.files["/kubectl"] = b"#!/bin/sh\necho pod\n"
    cli.secret("my-s3-credentials", accessKey="AKIAEXAMPLE", secretKey=PASSWORD)
    manifest = (
        WALKTHROUGH.read_text()
        .replace("https://github.com/argoproj/argo.git", server.url("/app.git"))
        .replace(
            "https://storage.googleapis.com/kubernetes-release/release/v1.8.0/bin/linux/amd64/kubectl",
            server.url("/kubectl"),
        )
        .replace("endpoint: storage.googleapis.com", f"endpoint: {buckets}\n          insecure: true")
        .replace(
            "ls -l /src",
            "/bin/kubectl; stat -c '%a %n' /bin/kubectl; cat /s3/one /s3/deep/two; echo; ls -l /src",
        )
    )
    before = shutil.which("kubectl")
    with watched_processes(PASSWORD) as shown:
        made = cli.submit(manifest)
    assert shown == []
    assert made["status"]["phase"] == "Succeeded", made["status"]  # type: ignore[index]
    name = made["metadata"]["name"]  # type: ignore[index]
    lines = [line.partition(": ")[2] for line in cli("logs", name).stdout.splitlines()]
    assert lines[:3] == ["pod", "755 /bin/kubectl", "122"]
    names = {line.split()[-1] for line in lines if line.startswith(("-", "d", "l"))}
    assert names == {"README", "/bin/kubectl", "one", "deep"}
    assert shutil.which("kubectl") == before
    assert PASSWORD not in seen_by_others(cli, name)
    assert readable_by_others(PASSWORD, cli.home) == []


def test_places_in_and_out(cli: Cli, server: WebServer, buckets: str) -> None:
    server.files["/tool"] = b"#!/bin/sh\necho made by a tool\n"
    server.want("anna", PASSWORD)
    cli.secret("login", user="anna", password=PASSWORD)
    cli.secret("my-s3-credentials", accessKey="AKIAEXAMPLE", secretKey=PASSWORD)
    with watched_processes(PASSWORD) as shown:
        made = cli.submit(OWN.replace("WEB", server.url("")).replace("S3\n", f"{buckets}\n"))
    assert shown == []
    [node] = made["status"]["nodes"].values()  # type: ignore[index]
    assert (node["phase"], node.get("message", "")) == ("Succeeded", "")
    name = made["metadata"]["name"]  # type: ignore[index]
    assert sorted(line.partition(": ")[2] for line in cli("logs", name).stdout.splitlines()) == [
        "hello",
        "ls: cannot access '/absent': No such file or directory",
        "ls: cannot access '/absent-too': No such file or directory",
    ]
    assert server.files["/report"] == b"made by a tool\n"
    keys = {f"{key}Secret": {"name": "cred", "key": key} for key in ("accessKey", "secretKey")}
    place = {"endpoint": buckets, "insecure": True, "bucket": "new-bucket", "key": "out/folder", **keys}
    folder = {"name": "a", "s3": place}
    secrets = {"cred": {"accessKey": b"x", "secretKey": b"x"}}
    found = driver_for(folder, cli.home, secrets.get).load(folder, cli.home.parent / "back")
    assert [path.name for path in found.iterdir()] == ["date"]
    assert PASSWORD not in seen_by_others(cli, name)
    assert readable_by_others(PASSWORD, cli.home) == []


@pytest.mark.parametrize(
    ("secrets", "message"),
    [
        ({}, 'artifact code failed to load: secret "login" not found'),
        (
            {"user": "anna"},
            "artifact code failed to load: references non-existent secret key: password in secret login",
        ),
    ],
)
def test_a_missing_secret_is_named(
    cli: Cli, server: WebServer, secrets: dict[str, str], message: str
) -> None:
    if secrets:
        cli.secret("login", **secrets)
    made = cli.submit(OWN.replace("WEB", server.url("")).replace("S3\n", "127.0.0.1:1\n"))
    [node] = made["status"]["nodes"].values()  # type: ignore[index]
    assert (node["phase"], node["message"]) == ("Error", message)
    assert server.asked == []
