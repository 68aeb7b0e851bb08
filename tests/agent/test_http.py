"""Requests of http templates, to a real server on loopback."""

from __future__ import annotations

import base64
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme

from nbflow.agent.http import LARGEST, carry_out

SECRETS = {"token": {"key": b"s3cret", "line": b"s3cret\n"}}


class Server(ThreadingHTTPServer):
    """Answers by the path: /STATUS, /echo, /slow, /large, /to?URL, /loop."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, list[tuple[str, str]], bytes]] = []
        self.release = threading.Event()
        self.scheme = "http"

    def url(self, path: str) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}{path}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients go away early here."""


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path, self.headers.items(), body))
        path, _, query = self.path.partition("?")
        if path == "/echo":
            self.reply(200, body, {"X-Trace-ID": "7", "Content-Type": "text/plain"})
        elif path == "/to":
            self.reply(int(query[:3]), b"", {"Location": query[4:]})
        elif path == "/slow":
            self.server.release.wait(30)
            self.reply(200, b"late")
        elif path == "/trickle":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"a")
            self.wfile.flush()
            self.server.release.wait(30)
        elif path == "/large":
            self.reply(200, b"x" * (LARGEST + 1))
        else:
            self.reply(int(path[1:]), b"said")

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer  # noqa: N815

    def reply(self, code: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.release.set()
    made.shutdown()
    thread.join()
    made.server_close()


def ask(url: str, **more: object) -> dict[str, object]:
    return carry_out({"url": url, **more}, SECRETS.get)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/200", {"phase": "Succeeded", "outputs": {"result": "said"}}),
        ("/299", {"phase": "Succeeded", "outputs": {"result": "said"}}),
        (
            "/404",
            {
                "phase": "Failed",
                "message": "received non-2xx response code: 404",
                "outputs": {"result": "said"},
            },
        ),
        (
            "/300",
            {
                "phase": "Failed",
                "message": "received non-2xx response code: 300",
                "outputs": {"result": "said"},
            },
        ),
    ],
)
def test_without_a_condition_2xx_is_a_success(server: Server, path: str, expected: dict[str, object]) -> None:
    assert ask(server.url(path)) == expected


@pytest.mark.parametrize(
    ("condition", "path", "message"),
    [
        ("response.statusCode == 404", "/404", ""),
        ('response.body contains "ai" and response.statusCode in [200, 201]', "/201", ""),
        ('response.headers["X-Trace-Id"][0] == "7"', "/echo", ""),
        (
            'response.headers.Get("x-trace-id") == "7" && response.headers.Values("X-TRACE-ID")[0] == "7"',
            "/echo",
            "",
        ),
        ('request.method == "POST" && request.headers["X-A"] == ["b"] && request.body == "hi"', "/echo", ""),
        ('request.url endsWith "/200" && request.bodyBytes == nil', "/200", ""),
        ('"X-Secret" in request.headers', "/200", "evaluated false"),
        ('response.body == "no"', "/200", """successCondition 'response.body == "no"' evaluated false"""),
        ("response.statusCode", "/200", "unable to cast expression result '200' to bool"),
        ("nothing == 1", "/200", "unknown name nothing"),
        ('asInt("1") == 1', "/200", "unknown name asInt"),
    ],
)
def test_a_condition_decides_instead(server: Server, condition: str, path: str, message: str) -> None:
    headers = [
        {"name": "X-A", "value": "b"},
        {"name": "X-Secret", "valueFrom": {"secretKeyRef": {"name": "token", "key": "key"}}},
    ]
    found = ask(server.url(path), method="POST", body="hi", headers=headers, successCondition=condition)
    assert (found["phase"], message in str(found.get("message", ""))) == (
        "Failed" if message else "Succeeded",
        True,
    )


def test_what_is_sent(server: Server) -> None:
    found = ask(
        server.url("/echo?a=b c&d=%20"),
        method="PUT",
        body="grüß\n",
        headers=[
            {"name": "x-lower", "value": "one"},
            {"name": "x-lower", "value": "two"},
            {"name": "Host", "value": "elsewhere.example"},
            {"name": "Authorization", "valueFrom": {"secretKeyRef": {"name": "token", "key": "key"}}},
        ],
    )
    assert found == {"phase": "Succeeded", "outputs": {"result": "grüß\n"}}
    [(method, path, headers, body)] = server.asked
    assert (method, path, body) == ("PUT", "/echo?a=b%20c&d=%20", "grüß\n".encode())
    assert headers == [
        ("User-Agent", "nbflow"),
        ("x-lower", "one"),
        ("x-lower", "two"),
        ("Host", "elsewhere.example"),
        ("Authorization", "s3cret"),
        ("Content-Length", "7"),
    ]


def test_bytes_take_the_place_of_the_body(server: Server) -> None:
    body = base64.b64encode(b"\x00\xff").decode()
    found = ask(
        server.url("/echo"),
        method="POST",
        body="not this",
        bodyFrom={"bytes": body},
        successCondition="request.bodyBytes == [0, 255]",
    )
    assert found["phase"] == "Succeeded"
    assert server.asked[0][3] == b"\x00\xff"


def test_a_get_has_no_body_unless_it_is_given(server: Server) -> None:
    assert ask(server.url("/200"), method="")["phase"] == "Succeeded"
    assert [(method, dict(headers).get("Content-Length")) for method, _, headers, _ in server.asked] == [
        ("GET", None)
    ]


@pytest.mark.parametrize(("code", "method", "body"), [(302, "GET", b""), (307, "POST", b"hi")])
def test_redirects_are_followed_as_by_go(server: Server, code: int, method: str, body: bytes) -> None:
    found = ask(server.url(f"/to?{code}=/echo"), method="POST", body="hi")
    assert found == {"phase": "Succeeded", "outputs": {"result": body.decode()}}
    assert (server.asked[1][0], server.asked[1][3]) == (method, body)


def test_credentials_stay_with_their_host(server: Server) -> None:
    onward = server.url("/200").replace("127.0.0.1", "localhost")
    header = {"name": "Authorization", "valueFrom": {"secretKeyRef": {"name": "token", "key": "key"}}}
    assert ask(server.url(f"/to?302={onward}"), headers=[header])["phase"] == "Succeeded"
    sent = [dict(headers).get("Authorization") for _, _, headers, _ in server.asked]
    assert sent == ["s3cret", None]


def test_endless_redirects_end(server: Server) -> None:
    url = server.url("/to?302=/to?302=/x")
    server.RequestHandlerClass.do_GET = lambda self: self.reply(302, b"", {"Location": url})
    try:
        assert ask(url) == {"phase": "Failed", "message": f'Get "{url}": stopped after 10 redirects'}
    finally:
        Handler.do_GET = Handler.answer


@pytest.mark.parametrize(
    ("url", "more", "message"),
    [
        ("ftp://host/x", {}, 'Get "ftp://host/x": unsupported protocol scheme "ftp"'),
        ("/x", {}, 'Get "/x": unsupported protocol scheme ""'),
        ("http:///x", {}, 'Get "http:///x": http: no Host in request URL'),
        (
            "http://127.0.0.1:1/",
            {},
            'Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused',
        ),
        ("http://127.0.0.1:port/", {}, 'parse "http://127.0.0.1:port/": invalid URL'),
        ("http://a\nb/", {}, "parse \"'http://a\\nb/'\": net/url: invalid control character in URL"),
        ("http://h/", {"method": "A B"}, 'net/http: invalid method "A B"'),
        (
            "http://me:secret@127.0.0.1:1/",
            {"method": "POST"},
            'Post "http://me:***@127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused',
        ),
        (
            "http://h/",
            {"headers": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "token", "key": "line"}}}]},
            'Get "http://h/": net/http: invalid header field value for "X"',
        ),
        (
            "http://h/",
            {"headers": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "none", "key": "k"}}}]},
            'secrets "none" not found',
        ),
        (
            "http://h/",
            {"headers": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "token", "key": "k"}}}]},
            "secret 'token' does not have the key 'k'",
        ),
        ("http://h/", {"bodyFrom": {"bytes": "%"}}, "bodyFrom.bytes is no base64"),
    ],
)
def test_what_cannot_be_asked_fails(url: str, more: dict[str, object], message: str) -> None:
    assert ask(url, **more) == {"phase": "Failed", "message": message}


def test_its_time_is_limited(server: Server) -> None:
    url = server.url("/slow")
    late = {"phase": "Failed", "message": f'Get "{url}": context deadline exceeded'}
    started = time.monotonic()
    assert ask(url, timeoutSeconds=1) == late
    assert ask(url, timeoutSeconds=0) == late
    trickle = ask(server.url("/trickle"), timeoutSeconds=1)
    assert trickle == {"phase": "Failed", "message": "context deadline exceeded"}
    assert time.monotonic() - started < 25


def test_what_no_status_can_hold_is_an_error(server: Server) -> None:
    assert ask(server.url("/large")) == {
        "phase": "Error",
        "message": "HTTP request completed successfully but an error occurred when patching its result: "
        f"the body is larger than {LARGEST} bytes",
    }


def test_certificates_are_checked_unless_told_otherwise(server: Server) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.scheme = "https"
    url = server.url("/200")
    refused = ask(url)
    assert refused["phase"] == "Failed"
    assert str(refused["message"]).startswith(f'Get "{url}": tls: failed to verify certificate: ')
    assert ask(url, insecureSkipVerify=True) == {"phase": "Succeeded", "outputs": {"result": "said"}}


def test_a_proxy_of_the_machine_is_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url(""))
    monkeypatch.setenv("no_proxy", "inside.example")
    server.RequestHandlerClass.do_GET = lambda self: self.reply(200, self.path.encode(), {})
    try:
        found = ask("http://me:secret@somewhere.example:8080/x?y=z")
        assert found == {"phase": "Succeeded", "outputs": {"result": "http://somewhere.example:8080/x?y=z"}}
        assert "no such host" in str(ask("http://inside.example/")["message"])
        assert ask(server.url("/x")) == {"phase": "Succeeded", "outputs": {"result": "/x"}}
    finally:
        Handler.do_GET = Handler.answer
