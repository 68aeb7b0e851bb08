"""HTTP requests for artifacts: streamed both ways, redirected with care, and silent about what must stay secret."""

from __future__ import annotations

import base64
import http.client
import io
import shutil
import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO, NoReturn, cast

from nbflow.artifacts.driver import ArtifactNotFound, ArtifactUnavailable
from nbflow.errors import NbflowError

TIMEOUT = 60.0
"""Seconds without an answer, or without a byte, after which a place counts as silent."""

_CHUNK = 256 * 1024
_LATER = frozenset((408, 425, 429, 500, 502, 503, 504))


class Refused(NbflowError):
    """The server answered, and will not do it."""


@dataclass(frozen=True, slots=True, repr=False)
class Access:
    """What is sent along. headers: to the host that was asked for, and to no other it redirects to."""

    headers: tuple[tuple[str, str], ...] = ()
    context: ssl.SSLContext | None = None


def shown(url: str) -> str:
    """A URL as errors show it: without user, password and query, which may be a signature."""
    parts = urllib.parse.urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urllib.parse.urlunsplit((parts.scheme, host, parts.path, "..." if parts.query else "", ""))


def check_url(url: str, what: str) -> None:
    """Only http and https, and a host. Raises NbflowError."""
    try:
        parts = urllib.parse.urlsplit(url)
        bad = parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0
    except ValueError:
        bad = True
    if bad or any(ord(letter) <= 32 or ord(letter) == 127 for letter in url):
        raise NbflowError(f"{what} is no http or https URL", fix="write it as https://HOST/PATH")


def get(url: str, target: Path, access: Access) -> None:
    """Fetch a URL into a new file. Raises ArtifactNotFound, ArtifactUnavailable, NbflowError."""
    with _open("GET", url, None, access) as response, target.open("xb") as file:
        try:
            shutil.copyfileobj(response, file, _CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise ArtifactUnavailable(f"GET {shown(url)} broke off: {_reason(error)}") from None
        expected = response.headers.get("Content-Length")
        if expected and expected.isdigit() and file.tell() != int(expected):
            raise ArtifactUnavailable(f"GET {shown(url)} broke off after {file.tell()} of {expected} bytes")


def put(url: str, source: Path, access: Access) -> None:
    """Send a file. Raises as get does."""
    with _open("PUT", url, source, access):
        pass


def post(url: str, body: bytes, access: Access) -> bytes:
    """Send a small form, return the small answer. Raises as get does."""
    with _open("POST", url, body, access) as response:
        return response.read(1024 * 1024)


def _open(method: str, url: str, body: Path | bytes | None, access: Access) -> http.client.HTTPResponse:
    check_url(url, shown(url))
    request = _Request(method, _bare(url), body, (*_user(url), *access.headers))
    context = access.context or ssl.create_default_context()
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _Redirect())
    try:
        return cast("http.client.HTTPResponse", opener.open(request, timeout=TIMEOUT))
    except urllib.error.HTTPError as error:
        error.close()
        _refuse(method, url, error.code, error.reason)
    except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, ssl.SSLError):
            raise NbflowError(f"{method} {shown(url)} failed: {_reason(reason)}") from None
        raise ArtifactUnavailable(f"{method} {shown(url)} failed: {_reason(reason)}") from None
    finally:
        request.close()


def _refuse(method: str, url: str, code: int, reason: str) -> NoReturn:
    message = f"{method} {shown(url)} failed with reason: {code} {reason}"
    if code == 404 and method == "GET":
        raise ArtifactNotFound(message)
    if code in _LATER:
        raise ArtifactUnavailable(message)
    fix = "check the credentials" if code in {401, 403} else ""
    raise Refused(message, fix=fix)


def _reason(error: object) -> str:
    """Why, in the system's words; nothing of the request stands in them."""
    if isinstance(error, ssl.SSLError):
        return str(getattr(error, "verify_message", "") or error.reason or "TLS failed")
    if isinstance(error, OSError):
        return error.strerror or ("timed out" if isinstance(error, TimeoutError) else type(error).__name__)
    return type(error).__name__ if isinstance(error, Exception) else str(error)


def _bare(url: str) -> str:
    """The URL without user and password."""
    parts = urllib.parse.urlsplit(url)
    path = urllib.parse.quote(parts.path, safe="/%:@!$&'()*+,;=~-._")
    query = urllib.parse.quote(parts.query, safe="/?%:@!$&'()*+,;=~-._")
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, query, ""))


def _user(url: str) -> tuple[tuple[str, str], ...]:
    """A user in the URL is sent as Go's client sends it."""
    parts = urllib.parse.urlsplit(url)
    if parts.username is None:
        return ()
    return (basic(urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or "")),)


def basic(user: str, password: str) -> tuple[str, str]:
    """The header of basic authentication."""
    word = base64.b64encode(f"{user}:{password}".encode("utf-8", "surrogateescape")).decode()
    return ("Authorization", f"Basic {word}")


class _Request(urllib.request.Request):
    """A request whose body can be sent once more, and whose headers stay with its host."""

    def __init__(
        self, method: str, url: str, content: Path | bytes | None, headers: tuple[tuple[str, str], ...]
    ) -> None:
        self.content, self.sent = content, headers
        self.follower: _Request | None = None
        self.file: IO[bytes] | None = None
        size: int | None = None
        if isinstance(content, Path):
            self.file = content.open("rb")
            size = content.stat().st_size
        elif content is not None:
            self.file, size = io.BytesIO(content), len(content)
        super().__init__(url, data=self.file, method=method)
        self.add_header("User-agent", "nbflow")
        if size is not None:
            kind = "application/x-www-form-urlencoded" if method == "POST" else "application/octet-stream"
            self.add_unredirected_header("Content-type", kind)
            self.add_unredirected_header("Content-length", str(size))
        for name, value in headers:
            self.add_unredirected_header(name, value)

    def close(self) -> None:
        if self.file is not None:
            self.file.close()
        if self.follower is not None:
            self.follower.close()


class _Redirect(urllib.request.HTTPRedirectHandler):
    """As Go's client: ten at most; GET goes on, a body goes on with 307 and 308; headers stay with the host."""

    max_redirections = 10

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],  # noqa: ARG002
        code: int,
        msg: str,  # noqa: ARG002
        headers: Message,  # noqa: ARG002
        newurl: str,
    ) -> urllib.request.Request | None:
        method = req.get_method()
        if not isinstance(req, _Request) or (method != "GET" and code not in {307, 308}):
            return None
        if urllib.parse.urlsplit(newurl).scheme not in {"http", "https"}:
            return None
        old, new = urllib.parse.urlsplit(req.full_url), urllib.parse.urlsplit(newurl)
        same = (old.scheme, old.netloc) == (new.scheme, new.netloc) or _upgraded(old, new)
        req.follower = _Request(method, _bare(newurl), req.content, req.sent if same else _user(newurl))
        return req.follower

    http_error_308 = urllib.request.HTTPRedirectHandler.http_error_302


def _upgraded(old: urllib.parse.SplitResult, new: urllib.parse.SplitResult) -> bool:
    """The same host, by TLS now."""
    return (old.scheme, new.scheme) == ("http", "https") and old.hostname == new.hostname
