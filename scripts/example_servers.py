"""Servers on loopback that stand for those of the world: web pages, git repositories, buckets."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

sys.path.append(os.fspath(Path(__file__).parents[1]))
from tests.artifacts.stores import Azure, Google, store  # the servers of the tests

KUBECTL = b"#!/bin/sh\necho 'Client Version: v1.8.0'\n"
PAGES = {
    "/found": (200, b'{"swagger": "2.0"}'),
    "/created": (201, b""),
    "/google": (200, b"<title>google</title>"),
    "/kubectl": (200, KUBECTL),
    "/token": (200, json.dumps({"access_token": "token", "token_type": "bearer"}).encode()),
    "/webhdfs/v1/file.txt": (200, b"a file\n"),
}
HELLO = 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("Hello, world") }\n'
REPOSITORIES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "argo-workflows": ("v2.1.1", {"VERSION": "2.1.1\n"}),
    "example": ("cfe12d6", {"hello/hello.go": HELLO, "hello/go.mod": "module hello\n\ngo 1.18\n"}),
}
"""Name -> (tag, files)."""
STORED = {
    ("my-bucket-name", "path/in/bucket"): b"content\n",
    ("my-container", "path/in/container"): b"content\n",
}
"""(bucket, key) -> content, of Google's and Azure's stores."""
OBJECTS = {
    "test-bucket-name": {"test/mydirectory/file": b"content\n"},
    "my-bucket-name": {"path/in/bucket": b"content\n"},
    "my-bucket": {"2024/main.log": b"a line\n"},
}


@dataclass(frozen=True)
class Servers:
    """Where they are. s3: HOST:PORT."""

    web: str
    s3: str
    google: str
    azure: str


class Web(ThreadingHTTPServer):
    """Serves PAGES, what was put there, and the repositories in a folder."""

    daemon_threads = True

    def __init__(self, repositories: Path) -> None:
        super().__init__(("127.0.0.1", 0), Pages)
        self.repositories = repositories
        self.files: dict[str, bytes] = {}


class Pages(BaseHTTPRequestHandler):
    """One request."""

    server: Web
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""

    def do_GET(self) -> None:
        """A page, a file, or git's protocol."""
        path = urlsplit(self.path).path
        if ".git/" in path:
            self.git(b"")
        elif path in self.server.files:
            self.reply(200, self.server.files[path])
        else:
            self.reply(*PAGES.get(path, (404, b"not found")))

    def do_PUT(self) -> None:
        """Keep a file."""
        self.server.files[urlsplit(self.path).path] = self.body()
        self.reply(201, b"")

    def do_POST(self) -> None:
        """Git's protocol, or a form that is answered as a page is."""
        body = self.body()
        if ".git/" in self.path:
            self.git(body)
        else:
            self.reply(*PAGES.get(urlsplit(self.path).path, (200, b"ok")))

    def body(self) -> bytes:
        """What was sent along."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def reply(self, code: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Answer."""
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def git(self, body: bytes) -> None:
        """Have git's own CGI program answer."""
        parts = urlsplit(self.path)
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.server.repositories),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self.reply(int(headers.pop("Status", "200").split()[0]), content, headers)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Servers]:
    """All of them, for a while. folder: for the repositories."""
    for name, (tag, files) in REPOSITORIES.items():
        make_repository(folder, name, tag, files)
    web = Web(folder)
    threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        with buckets() as s3, store(Google) as google, store(Azure) as azure:
            for server in (google, azure):
                server.buckets = {name for name, _ in STORED} | {"my-bucket"}
                server.objects = dict(STORED)
            yield Servers(f"http://127.0.0.1:{web.server_port}", s3, google.url, azure.url)
    finally:
        web.shutdown()
        web.server_close()


def make_repository(folder: Path, name: str, tag: str, files: Mapping[str, str]) -> None:
    """`NAME.git` with one commit that has a tag."""
    work = folder / f"{name}-work"
    for path, text in files.items():
        place = work / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    who = {f"GIT_{who}_{what}": f"{what}@x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", **who}
    for words in (
        ("init", "-q", "-b", "master"),
        ("add", "."),
        ("commit", "-q", "-m", "first"),
        ("tag", tag),
        ("clone", "-q", "--bare", ".", str(folder / f"{name}.git")),
    ):
        subprocess.run(["git", *words], cwd=work, env=env, check=True, capture_output=True)


@contextlib.contextmanager
def buckets() -> Iterator[str]:
    """HOST:PORT of moto, with OBJECTS in it."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        client = boto3.client(
            "s3",
            endpoint_url=f"http://{host}:{port}",
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",  # noqa: S106
        )
        for bucket, objects in OBJECTS.items():
            client.create_bucket(Bucket=bucket)
            for key, content in objects.items():
                client.put_object(Bucket=bucket, Key=key, Body=content)
        client.close()
        yield f"{host}:{port}"
    finally:
        server.stop()
