"""What the API server, or the way to it, answers instead of what was asked for: in words, with the way out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from nbflow.errors import ConflictError, NbflowError, NotFoundError
from nbflow.kube.resources import ARGO, Resource

_ROUTE_IS_MISSING = ("404 page not found", "the server could not find the requested resource")
_WEBHOOK = re.compile(r'admission webhook "([^"]+)" denied the request:?\s*(.*)', re.DOTALL)
_BROKEN_WEBHOOK = re.compile(r'failed calling webhook "([^"]+)"')
_CLIENT_CERTIFICATE = re.compile(
    r"ALERT_((?:BAD_|UNSUPPORTED_)?CERTIFICATE(?:_EXPIRED|_REVOKED|_REQUIRED|_UNKNOWN)?|UNKNOWN_CA)",
    re.IGNORECASE,
)
_RBAC = re.compile(r'User "(?P<user>[^"]*)" cannot (?P<verb>\w+) resource "(?P<resource>[^"]*)"')


_UNCHECKED = (
    "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)
"""What the API server adds to the faults that a schema finds: true, and of no use to anybody."""


class ExpiredError(NbflowError):
    """The history that a watch wanted to go on from is gone (410): list again."""


class UnavailableError(NbflowError):
    """The API server is not there, or too busy, now: it may answer later."""


class UnauthorizedError(NbflowError):
    """The API server does not know who asks (401)."""


class NotInstalledError(NbflowError):
    """The cluster does not know a kind of Argo's."""


class ForbiddenError(NbflowError):
    """Who asks has no right to it (403)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, for messages. where: the cluster in words."""

    verb: str
    resource: Resource | None
    name: str = ""
    namespace: str = ""
    where: str = ""


def refusal(status: int, body: bytes, asked: Asked) -> NbflowError:
    """The error for an answer that is none of 2xx."""
    answer = _status(body)
    message = str(answer.get("message") or body[:500].decode(errors="replace").strip() or f"HTTP {status}")
    if _BROKEN_WEBHOOK.search(message):
        name = _BROKEN_WEBHOOK.findall(message)[0]
        fix = f"ask the administrator to look after the admission webhook {name}: nothing can be changed without it"
        return NbflowError(message, where=asked.where, fix=fix)
    if found := _WEBHOOK.search(message):
        fix = f"the cluster's policy {found[1]} refuses it: change the manifest as it says, or ask the administrator"
        return NbflowError(found[2].strip() or message, where=asked.where, fix=fix)
    handler = _HANDLERS.get(status, _unavailable if status >= 500 else _other)
    return handler(message, answer, asked)


def _status(body: bytes) -> Mapping[str, object]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}


def _details(answer: Mapping[str, object]) -> Mapping[str, object]:
    found = answer.get("details")
    return found if isinstance(found, Mapping) else {}


def _unauthorized(_: str, __: Mapping[str, object], asked: Asked) -> NbflowError:
    return UnauthorizedError(
        "the API server does not accept your credentials (401 Unauthorized)",
        where=asked.where,
        fix="the token has expired or was revoked: sign in to the cluster again, then try `kubectl get workflows`",
    )


def _forbidden(message: str, _: Mapping[str, object], asked: Asked) -> NbflowError:
    if "exceeded quota" in message:
        fix = "delete what is not needed (`nbflow delete --completed --on argo`), or ask for a higher quota"
        return NbflowError(message, where=asked.where, fix=fix)
    right = _RBAC.search(message)
    verb, plural = (right["verb"], right["resource"]) if right else (asked.verb, _plural(asked))
    scope = f"in namespace {asked.namespace}" if asked.namespace else "in the whole cluster"
    fix = f'ask the administrator for the right to "{verb}" {plural} {scope}; `nbflow doctor --on argo` lists them'
    return ForbiddenError(message, where=asked.where, fix=fix)


def _plural(asked: Asked) -> str:
    return asked.resource.full_name if asked.resource else "it"


def not_installed(resource: Resource, where: str) -> NotInstalledError:
    """The cluster has none of Argo's kinds."""
    return NotInstalledError(
        f"the cluster does not know {resource.full_name}: Argo Workflows is not installed there",
        where=where,
        fix="ask the administrator to install Argo Workflows with its CRDs, choose another --context, "
        "or run it here with --on sandbox",
    )


def _not_found(message: str, answer: Mapping[str, object], asked: Asked) -> NbflowError:
    details = _details(answer)
    if any(text in message for text in _ROUTE_IS_MISSING) and not details.get("name"):
        if asked.resource is not None and asked.resource.group == ARGO:
            return not_installed(asked.resource, asked.where)
        return NbflowError(message, where=asked.where, fix="is that the address of a Kubernetes API server?")
    if details.get("kind") == "namespaces":
        name = details.get("name")
        return NbflowError(
            f'namespace "{name}" not found', where=asked.where, fix="choose another one with -n"
        )
    fix = f"`nbflow list --on argo -n {asked.namespace}` shows those there are" if asked.namespace else ""
    return NotFoundError(
        message, where=asked.where, fix=fix if _plural(asked).startswith("workflows.") else ""
    )


def _conflict(message: str, answer: Mapping[str, object], asked: Asked) -> NbflowError:
    if answer.get("reason") == "AlreadyExists":
        return ConflictError(message, where=asked.where, fix="give it another name, or delete that one first")
    return ConflictError(
        message, where=asked.where, fix="somebody else changed it at the same time: try again"
    )


def _expired(message: str, _: Mapping[str, object], asked: Asked) -> NbflowError:
    return ExpiredError(message, where=asked.where)


def _invalid(message: str, answer: Mapping[str, object], asked: Asked) -> NbflowError:
    causes = _details(answer).get("causes")
    listed = [cause for cause in causes if isinstance(cause, Mapping)] if isinstance(causes, list) else []
    named = [cause for cause in listed if cause.get("field") != "<nil>"]
    said = "; ".join(f"{cause.get('field', '')}: {cause.get('message', '')}" for cause in named)
    message = message.replace(f", {_UNCHECKED}]", "]")
    return NbflowError(message, where=asked.where, fix=f"mend {said}" if said else "mend the manifest")


def _unavailable(message: str, _: Mapping[str, object], asked: Asked) -> NbflowError:
    return UnavailableError(
        message, where=asked.where, fix="the API server has trouble: try again in a while"
    )


def _too_many(message: str, _: Mapping[str, object], asked: Asked) -> NbflowError:
    return UnavailableError(message, where=asked.where, fix="the API server is busy: try again in a while")


def _other(message: str, _: Mapping[str, object], asked: Asked) -> NbflowError:
    fix = ""
    if "field label not supported" in message:
        fix = "metadata.name and metadata.namespace; --status and -l choose by phase and by labels"
    return NbflowError(message, where=asked.where, fix=fix)


_HANDLERS = {
    401: _unauthorized,
    403: _forbidden,
    404: _not_found,
    409: _conflict,
    410: _expired,
    422: _invalid,
    429: _too_many,
}


def unreachable(error: Exception, server: str, where: str) -> NbflowError:
    """The error for a connection that could not be made, or broke."""
    text = " ".join(str(error).split())
    host = server or "the API server"
    if refused := _CLIENT_CERTIFICATE.search(text):
        return UnauthorizedError(
            f"{host} does not accept your client certificate: {refused[1].replace('_', ' ').lower()}",
            where=where,
            fix="it has expired or is of another cluster: get a new kubeconfig from the administrator",
        )
    if "CERTIFICATE_VERIFY_FAILED" in text or "doesn't match" in text:
        fix = "is it the right cluster? The kubeconfig's certificate-authority does not fit its certificate"
        return NbflowError(f"the certificate of {host} is not trusted: {_reason(text)}", where=where, fix=fix)
    reasons = (
        (
            "refused",
            "nothing listens at that address",
            "is the cluster up, and its address in the kubeconfig right?",
        ),
        ("resolve", "its name is not known here", "is the VPN up, and the address in the kubeconfig right?"),
        (
            "Name or service",
            "its name is not known here",
            "is the VPN up, and the address in the kubeconfig right?",
        ),
        ("timed out", "it does not answer", "is the VPN up, and does a firewall stand between?"),
        ("unreachable", "there is no way to it", "is the network, or the VPN, up?"),
    )
    for word, reason, fix in reasons:
        if word in text:
            return UnavailableError(f"{host} cannot be reached: {reason}", where=where, fix=fix)
    return UnavailableError(
        f"the connection to {host} broke: {_reason(text)}", where=where, fix="try again in a while"
    )


def _reason(text: str) -> str:
    """The last words of a chain of errors."""
    return text.rsplit("Caused by ", maxsplit=1)[-1].strip("() ")[:200]
