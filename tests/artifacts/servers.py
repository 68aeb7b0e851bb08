"""Servers on loopback: files by HTTP, git repositories by HTTP, buckets by moto."""

from __future__ import annotations

import base64
import contextlib
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


class WebServer(ThreadingHTTPServer):
    """Serves `files`, keeps what is put there and what was asked; may want a user and password."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), WebHandler)
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, tuple[int, str]] = {}
        self.answers: dict[str, list[int]] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.forms: list[dict[str, list[str]]] = []
        self.authorization = ""
        self.repositories: Path | None = None
        self.scheme = "http"

    def url(self, path: str) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}{path}"

    def want(self, user: str, password: str) -> None:
        self.authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away early is what some tests are about."""


class WebHandler(BaseHTTPRequestHandler):
    server: WebServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def reply(self, code: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def refused(self) -> bool:
        server, path = self.server, urlsplit(self.path).path
        server.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        body = self.headers.get("Content-Length")
        if path in server.redirects:
            if body:
                self.body()
            code, target = server.redirects[path]
            self.reply(code, headers={"Location": target})
        elif server.answers.get(path):
            if body:
                self.body()
            self.reply(server.answers[path].pop(0))
        elif server.authorization and self.headers.get("Authorization") != server.authorization:
            if body:
                self.body()
            self.reply(401, headers={"WWW-Authenticate": 'Basic realm="test"'})
        else:
            return False
        return True

    def do_GET(self) -> None:
        if self.refused():
            return
        path = urlsplit(self.path).path
        if self.server.repositories is not None and ".git/" in path:
            self.git()
        elif path == "/short":
            self.reply(200, b"abc", {"Content-Length": "10", "Connection": "close"})
            self.close_connection = True
        elif path in self.server.files:
            self.reply(200, self.server.files[path])
        else:
            self.reply(404)

    def do_PUT(self) -> None:
        if not self.refused():
            self.server.files[urlsplit(self.path).path] = self.body()
            self.reply(201)

    def do_POST(self) -> None:
        if self.refused():
            return
        if self.server.repositories is not None and ".git/" in self.path:
            self.git()
            return
        self.server.forms.append(parse_qs(self.body().decode()))
        self.reply(200, b'{"access_token": "t0ken", "token_type": "bearer"}')

    def git(self) -> None:
        """Git's own CGI program."""
        parts = urlsplit(self.path)
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.server.repositories),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "GIT_CONFIG_NOSYSTEM": "1",
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        body = self.chunks() if self.headers.get("Transfer-Encoding") == "chunked" else self.body()
        done = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self.reply(int(headers.pop("Status", "200").split()[0]), content, headers)

    def chunks(self) -> bytes:
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found


@contextlib.contextmanager
def web_server(context: ssl.SSLContext | None = None) -> Iterator[WebServer]:
    server = WebServer()
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.scheme = "https"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def git(folder: Path, *words: str) -> str:
    """Git as somebody who has no settings."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": f"{what}@x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    allowed = ["-c", "protocol.file.allow=always", "-c", "init.defaultBranch=master"]
    done = subprocess.run(["git", *allowed, *words], cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def repository(root: Path, name: str, **files: str) -> Path:
    """A repository `NAME.git` to serve, made from a working copy beside it with one commit of `files`."""
    work = root / f"{name}-work"
    work.mkdir(parents=True)
    git(work, "init", "-q")
    commit(work, "first", **(files or {"README": "hello\n"}))
    bare = root / f"{name}.git"
    git(root, "clone", "-q", "--bare", str(work), str(bare))
    for setting in ("uploadpack.allowAnySHA1InWant",):
        git(bare, "config", setting, "true")
    git(work, "remote", "add", "origin", str(bare))
    return work


def commit(work: Path, message: str, **files: str) -> str:
    for name, text in files.items():
        (work / name).write_text(text)
    git(work, "add", ".")
    git(work, "commit", "-q", "-m", message)
    return git(work, "rev-parse", "HEAD")


@contextlib.contextmanager
def s3_server() -> Iterator[str]:
    """HOST:PORT of a server of buckets that checks no signature."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"{host}:{port}"
    finally:
        server.stop()
