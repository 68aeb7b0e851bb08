"""Requests to the API server, through the official client's own connections, TLS and credentials."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlencode

from nbflow import __version__
from nbflow.kube.access import Access
from nbflow.kube.decoding import decoded
from nbflow.kube.refusals import Asked, refusal, unreachable
from nbflow.kube.warning_headers import Warnings

if TYPE_CHECKING:
    from kubernetes.client import ApiClient
    from urllib3 import BaseHTTPResponse

CONNECT_SECONDS, READ_SECONDS = 10.0, 60.0
_LONGEST_LINE = 1 << 20
_AGENT = f"nbflow/{__version__}"
"""Who wrote an object, in its managedFields and in the audit log."""
Query = Mapping[str, str | int | bool | None]


class Stream(Protocol):
    """Bytes of an answer that go on."""

    def lines(self) -> Iterator[bytes]:
        """Line by line, without line ends. Ends when the server ends it; raises NbflowError if it breaks."""

    def close(self) -> None:
        """End it at once, from any thread."""


class Transport:
    """Sends one request and gives its answer. Knows no kind of object, and never tries again."""

    def __init__(self, access: Access) -> None:
        self._client: ApiClient | None = None
        self._lock = threading.Lock()
        self.access = access
        self.warnings = Warnings()

    def renew(self, access: Access) -> None:
        """From now on with these credentials."""
        with self._lock:
            self.access, self._client = access, None

    def send(
        self, method: str, path: str, asked: Asked, query: Query, body: object = None, kind: str = ""
    ) -> object:
        """The JSON of the answer. kind: the content type. Raises NbflowError for an answer that is none of 2xx."""
        response = self._open(method, path, query, body, kind or "application/json", READ_SECONDS)
        try:
            data = self._read(response)
        finally:
            response.release_conn()
        if not 200 <= response.status < 300:
            raise refusal(response.status, data, asked)
        return decoded(data) if data else {}

    def stream(self, path: str, asked: Asked, query: Query, read_seconds: float) -> HTTPStream:
        """The lines of the answer as they come. read_seconds: so long may it be silent. Raises NbflowError as above."""
        response = self._open("GET", path, query, None, "", read_seconds)
        if not 200 <= response.status < 300:
            data = self._read(response)
            response.release_conn()
            raise refusal(response.status, data, asked)
        return HTTPStream(response, self.access)

    def _read(self, response: BaseHTTPResponse) -> bytes:
        from urllib3.exceptions import HTTPError

        try:
            return response.read()
        except (HTTPError, HTTPException, OSError) as error:
            raise unreachable(error, self.access.server, self.access.where) from error

    def _open(
        self, method: str, path: str, query: Query, body: object, kind: str, read_seconds: float
    ) -> BaseHTTPResponse:
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError

        client = self._official()
        url = self.access.server.rstrip("/") + path + _query(query)
        headers = {**client.default_headers, "Accept": "application/json, */*", **self._credentials(client)}
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), kind
        try:
            response: BaseHTTPResponse = client.rest_client.pool_manager.request(
                method,
                url,
                body=data,
                headers=headers,
                timeout=Timeout(connect=CONNECT_SECONDS, read=read_seconds),
                preload_content=False,
                retries=False,
            )
        except (HTTPError, HTTPException, OSError) as error:
            raise unreachable(error, self.access.server, self.access.where) from error
        self.warnings.add(response.headers.getlist("Warning"))
        return response

    def _official(self) -> ApiClient:
        from kubernetes.client import ApiClient

        with self._lock:
            if self._client is None:
                configuration = self.access.configuration
                configuration.connection_pool_maxsize = 64
                self._client = ApiClient(configuration)
                self._client.user_agent = _AGENT
            return self._client

    @staticmethod
    def _credentials(client: ApiClient) -> dict[str, str]:
        """The header that says who asks; the official client renews a token that has run out."""
        token = client.configuration.auth_settings().get("BearerToken")
        return {token["key"]: token["value"]} if token and token.get("value") else {}


class HTTPStream:
    """The lines of an answer. One thread reads, any may close."""

    def __init__(self, response: BaseHTTPResponse, access: Access) -> None:
        self._response, self._access = response, access
        self._closed = False

    def lines(self) -> Iterator[bytes]:
        from urllib3.exceptions import HTTPError

        rest = bytearray()
        try:
            for block in self._response.stream(1 << 16):
                rest += block
                if b"\n" in block or len(rest) > _LONGEST_LINE:
                    *whole, last = bytes(rest).split(b"\n")
                    rest = bytearray(last)
                    yield from whole
            if rest:
                yield bytes(rest)
        except (HTTPError, HTTPException, OSError, ValueError, AttributeError) as error:
            if not self._closed:
                raise unreachable(error, self._access.server, self._access.where) from error
        finally:
            self.close()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            # A thread that reads holds the response's buffer: shut the socket down under it, then it lets go by itself
            # and comes here, too.
            with contextlib.suppress(Exception):
                self._response.shutdown()  # type: ignore[attr-defined, unused-ignore]
        with contextlib.suppress(Exception):
            self._response.close()


def _query(query: Query) -> str:
    given = {key: _text(value) for key, value in query.items() if value not in (None, "", False)}
    return f"?{urlencode(given)}" if given else ""


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
