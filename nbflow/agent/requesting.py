"""One HTTP request as Go's client makes it: what is refused, what is followed, and what its errors say."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit

from nbflow.errors import NbflowError

MOST_REDIRECTS = 10
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NO_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_KEPT = "/%:@!$&'()*+,;=~-._"
_PRIVATE = ("authorization", "www-authenticate", "cookie", "cookie2")
"""Headers that do not go to another host by a redirect."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that is complete. headers: may hold secrets. verify: the certificate of the server."""

    method: str
    url: str
    headers: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    body: bytes = b""
    verify: bool = True


class RequestError(NbflowError):
    """A request that got no answer, in the words of Go's client."""

    def __init__(self, request: Request, reason: str) -> None:
        super().__init__(f'{request.method.capitalize()} "{shown(request.url)}": {reason}')


def shown(url: str) -> str:
    """A URL as it may be shown: with its password masked, as Go masks it."""
    parts = _parts(url)
    if parts is None or parts.password is None:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username}:***@{host}"))


@contextlib.contextmanager
def send(request: Request) -> Iterator[HTTPResponse]:
    """The answer, redirects followed. Raises RequestError."""
    for _ in range(MOST_REDIRECTS):
        _check(request)
        connection = _connection(request)
        try:
            response = _exchange(connection, request)
            onward = _onward(request, response)
            if onward is None:
                yield response
                return
        finally:
            connection.close()
        request = onward
    raise RequestError(request, f"stopped after {MOST_REDIRECTS} redirects")


def _check(request: Request) -> None:
    """What Go's client refuses before it says a word."""
    if not _TOKEN.fullmatch(request.method):
        raise NbflowError(f'net/http: invalid method "{request.method}"')
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in request.url):
        raise NbflowError(f'parse "{request.url!a}": net/url: invalid control character in URL')
    parts = _parts(request.url)
    if parts is None:
        raise NbflowError(f'parse "{request.url}": invalid URL')
    if parts.scheme not in {"http", "https"}:
        raise RequestError(request, f'unsupported protocol scheme "{parts.scheme}"')
    if not parts.hostname:
        raise RequestError(request, "http: no Host in request URL")
    for name, value in request.headers:
        if not _TOKEN.fullmatch(name):
            raise RequestError(request, f'net/http: invalid header field name "{name}"')
        if _NO_VALUE.search(value):
            raise RequestError(request, f'net/http: invalid header field value for "{name}"')


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return None
    return parts


def _connection(request: Request) -> HTTPConnection:
    parts = urlsplit(request.url)
    proxy = _proxy(parts) if request.verify else None
    host, port = str(parts.hostname), parts.port
    if parts.scheme == "http":
        return HTTPConnection(proxy.hostname or "", proxy.port) if proxy else HTTPConnection(host, port)
    context = ssl.create_default_context()
    if not request.verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if proxy is None:
        return HTTPSConnection(host, port, context=context)
    connection = HTTPSConnection(proxy.hostname or "", proxy.port, context=context)
    connection.set_tunnel(host, port)
    return connection


def _proxy(parts: SplitResult) -> SplitResult | None:
    """What the environment names, never for this machine itself."""
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return None  # to look closer costs more than the request
    from urllib.request import getproxies, proxy_bypass

    address = getproxies().get(parts.scheme)
    host = str(parts.hostname)
    if not address or host in {"localhost", "127.0.0.1", "::1"} or proxy_bypass(host):
        return None
    return urlsplit(address if "://" in address else f"http://{address}")


def _exchange(connection: HTTPConnection, request: Request) -> HTTPResponse:
    try:
        _put(connection, request)
        return connection.getresponse()
    except (OSError, HTTPException) as error:
        raise RequestError(request, _reason(error, urlsplit(request.url))) from None


def _put(connection: HTTPConnection, request: Request) -> None:
    parts = urlsplit(request.url)
    target = quote(parts.path or "/", _KEPT) + (f"?{quote(parts.query, _KEPT + '?')}" if parts.query else "")
    if parts.scheme == "http" and connection.host != parts.hostname:
        target = f"http://{parts.netloc.rpartition('@')[2]}{target}"  # by a proxy
    connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
    names = {name.lower() for name, _ in request.headers}
    if "host" not in names:
        connection.putheader("Host", parts.netloc.rpartition("@")[2])
    if "user-agent" not in names:
        connection.putheader("User-Agent", "nbflow")
    if parts.username is not None and "authorization" not in names:
        connection.putheader("Authorization", _basic(parts))
    for name, value in request.headers:
        connection.putheader(name, value)
    if (request.body or request.method in {"POST", "PUT", "PATCH"}) and "content-length" not in names:
        connection.putheader("Content-Length", str(len(request.body)))
    connection.endheaders(request.body or None)


def _basic(parts: SplitResult) -> str:
    from base64 import b64encode

    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


def _onward(request: Request, response: HTTPResponse) -> Request | None:
    """The request that follows a redirect, None if the answer is the answer."""
    location = response.getheader("Location")
    if response.status not in {301, 302, 303, 307, 308} or not location:
        return None
    url = urljoin(request.url, location)
    parts = _parts(url)
    if parts is None:
        raise RequestError(request, f'failed to parse Location header "{location}"')
    headers = request.headers
    if not _same_domain(str(urlsplit(request.url).hostname), str(parts.hostname)):
        headers = tuple(h for h in headers if h[0].lower() not in _PRIVATE)
    if _parts(location) and urlsplit(location).netloc:
        headers = tuple(h for h in headers if h[0].lower() != "host")
    if response.status in {307, 308}:
        return replace(request, url=url, headers=headers)
    method = request.method if request.method in {"GET", "HEAD"} else "GET"
    return replace(request, method=method, url=url, headers=headers, body=b"")


def _same_domain(before: str, after: str) -> bool:
    return after == before or after.endswith(f".{before}")


def _reason(error: Exception, parts: SplitResult) -> str:
    """Why, as Go says it; nothing of the request's headers stands in it."""
    host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"tls: {error.reason or 'handshake failed'}"
    if isinstance(error, socket.gaierror):
        return f"dial tcp: lookup {host}: no such host"
    if isinstance(error, ConnectionRefusedError):
        return f"dial tcp {host}:{port}: connect: connection refused"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "EOF" if isinstance(error, ConnectionError) else f"malformed HTTP response: {type(error).__name__}"
