"""The program of an http template: one request, judged by its answer, as Argo's agent does it.

Messages have the form that Go's client gives them. No header that comes from a Secret is in any of them.
"""

from __future__ import annotations

import base64
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from types import FrameType
from typing import NoReturn, cast

from nbflow.agent.report import Order, Secrets, read_order, secret, write_report
from nbflow.agent.requesting import Request, RequestError, send, shown
from nbflow.errors import NbflowError

LARGEST = 1536 * 1024
"""Bytes of an answer that become `outputs.result`: what a cluster takes into its status."""

_TOO_LARGE = (
    "HTTP request completed successfully but an error occurred when patching its result: "
    f"the body is larger than {LARGEST} bytes"
)
_LATE = "context deadline exceeded"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Headers
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


class _Late(BaseException):
    """The time of the request is up."""


def carry_out(http: Mapping[str, object], secrets: Callable[[str], Secrets | None]) -> dict[str, object]:
    """Send the request; phase, message and outputs of the node, in Argo's words."""
    try:
        request = request_of(http, secrets)
        answer = _within(http.get("timeoutSeconds"), request, lambda: _ask(request))
        if len(answer.body) > LARGEST:
            return {"phase": "Error", "message": _TOO_LARGE}
        message = _judge(http, answer)
    except NbflowError as error:
        return {"phase": "Failed", "message": error.problem}
    phase = {"phase": "Failed", "message": message} if message else {"phase": "Succeeded"}
    return {**phase, "outputs": {"result": answer.text}}


def request_of(http: Mapping[str, object], secrets: Callable[[str], Secrets | None]) -> Request:
    """The request with its headers from Secrets filled in. Raises NbflowError."""
    headers = []
    for header in cast("list[Mapping[str, object]]", http.get("headers") or []):
        source = header.get("valueFrom")
        reference = source.get("secretKeyRef") if isinstance(source, Mapping) else None
        if isinstance(reference, Mapping):
            value = _from_secret(str(reference.get("name", "")), str(reference.get("key", "")), secrets)
        else:
            value = str(header.get("value") or "").encode()
        headers.append((str(header.get("name", "")), value))
    return Request(
        method=str(http.get("method") or "GET"),
        url=str(http.get("url", "")),
        headers=tuple(headers),
        body=_body(http),
        verify=not http.get("insecureSkipVerify"),
    )


def _from_secret(name: str, key: str, secrets: Callable[[str], Secrets | None]) -> bytes:
    found = secrets(name)
    if found is None:
        raise NbflowError(f'secrets "{name}" not found')
    if key not in found:
        raise NbflowError(f"secret '{name}' does not have the key '{key}'")
    return found[key]


def _body(http: Mapping[str, object]) -> bytes:
    source = http.get("bodyFrom")
    if not isinstance(source, Mapping):
        return str(http.get("body") or "").encode("utf-8", "surrogateescape")
    try:
        return base64.b64decode(str(source.get("bytes") or ""), validate=True)
    except ValueError:
        raise NbflowError("bodyFrom.bytes is no base64") from None


def _within(seconds: object, request: Request, ask: Callable[[], Answer]) -> Answer:
    """Do it in that time; None is as long as it takes, as in Argo (its documentation says 30 seconds)."""
    if seconds is None:
        return ask()
    if not isinstance(seconds, int) or seconds <= 0:
        raise RequestError(request, _LATE)
    signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return ask()
    except _Late:
        raise RequestError(request, _LATE) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _ring(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _Late


def _ask(request: Request) -> Answer:
    with send(request) as response:
        answer = Answer(response.status, _headers(response), _read(response))
    print(f"{request.method} {shown(request.url)}: {answer.status}, {len(answer.body)} bytes")  # noqa: T201
    return answer


def _read(response: HTTPResponse) -> bytes:
    try:
        return response.read(LARGEST + 1)
    except _Late:
        raise NbflowError(_LATE) from None
    except (OSError, HTTPException) as error:
        raise NbflowError("unexpected EOF" if isinstance(error, HTTPException) else str(error)) from None


class Headers(dict[str, object]):
    """What Go calls http.Header: lists of values by name, and two methods, `response.headers.Get("etag")`."""

    def get(self, key: str, default: object = None) -> object:
        """A list of values by its name as Go writes it, or a method: those come first, as in Go."""
        if key not in {"Get", "Values"}:
            return super().get(key, default)
        from nbflow.templating.golang.values import Function

        return Function(key, self._first if key == "Get" else self._values)

    def add(self, name: str, value: str) -> None:
        """One more value of a header."""
        self.setdefault(canonical(name), cast("list[str]", []))
        self._values(name).append(value)

    def _values(self, name: object) -> list[str]:
        return cast("list[str]", super().get(canonical(str(name)), []))

    def _first(self, name: object) -> str:
        return next(iter(self._values(name)), "")


def canonical(name: str) -> str:
    """A header's name as Go writes it: Content-Type, X-Request-Id."""
    return "-".join(part.capitalize() for part in name.split("-"))


def _headers(response: HTTPResponse) -> Headers:
    found = Headers()
    for name, value in response.getheaders():
        found.add(name, value)
    return found


def _judge(http: Mapping[str, object], answer: Answer) -> str:
    """Why the answer is no success, "" if it is one. Raises NbflowError if the condition makes no sense."""
    condition = str(http.get("successCondition") or "")
    if not condition:
        good = 200 <= answer.status < 300
        return "" if good else f"received non-2xx response code: {answer.status}"
    from datetime import UTC, datetime

    from nbflow.templating.expressions import Clock, compile_expression

    result = compile_expression(condition).run_in(_scope(http, answer), Clock(datetime.now(UTC), 0))
    if not isinstance(result, bool):
        raise NbflowError(f"unable to cast expression result '{result}' to bool")
    return "" if result else f"successCondition '{condition}' evaluated false"


def _scope(http: Mapping[str, object], answer: Answer) -> dict[str, object]:
    """What a condition sees. Headers from Secrets are not among those of the request."""
    headers = cast("list[Mapping[str, object]]", http.get("headers") or [])
    plain = {str(h["name"]): [str(h.get("value") or "")] for h in headers if h.get("valueFrom") is None}
    return {
        "request": {
            "method": str(http.get("method") or ""),
            "url": str(http.get("url", "")),
            "body": str(http.get("body") or ""),
            "bodyBytes": list(_body(http)) if http.get("bodyFrom") else None,
            "headers": plain,
        },
        "response": {"statusCode": answer.status, "body": answer.text, "headers": answer.headers},
    }


def main(argv: Sequence[str]) -> int:
    """Carry out an order; what became of it goes into the report."""
    order: Order = read_order(argv)
    report = carry_out(cast("Mapping[str, object]", order["http"]), secret)
    write_report(order, report)
    if report["phase"] == "Succeeded":
        return 0
    print(f"Error: {report['message']}", file=sys.stderr)  # noqa: T201 - the log of the node
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
