"""An S3 location as it can be used from here: credentials that the user has, an address that this machine reaches."""

from __future__ import annotations

import base64
import binascii
import importlib.util
import os
import socket
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from nbflow.artifacts.credentials import read_key
from nbflow.artifacts.driver import Artifact, mapping
from nbflow.errors import NbflowError, NotFoundError
from nbflow.kube.api import Api
from nbflow.kube.resources import SECRET, JSONObject

_KEYS = ("accessKeySecret", "secretKeySecret", "sessionTokenSecret")
_ADDRESSES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


class ClusterSecrets:
    """Secrets of a namespace, read with the user's own rights. Each is asked for once, and held in memory."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: dict[str, Mapping[str, bytes] | None] = {}

    def __call__(self, name: str) -> Mapping[str, bytes] | None:
        """Its keys and values, None if there is no such Secret. Raises NbflowError if it may not be read."""
        if name not in self._known:
            self._known[name] = self._read(name)
        return self._known[name]

    def _read(self, name: str) -> Mapping[str, bytes] | None:
        try:
            data = mapping(self._api.get(SECRET, name).get("data"))
            return {key: base64.b64decode(str(value)) for key, value in data.items()}
        except NotFoundError:
            return None
        except binascii.Error as error:
            raise NbflowError(f'secret "{name}" holds what is no base64') from error


def with_credentials(artifact: Artifact, secrets: ClusterSecrets) -> Artifact:
    """The artifact with credentials that work from here: the secrets it names, else what boto3 finds here.

    Raises NbflowError if it names secrets that cannot be read, and there is nothing else.
    """
    settings = mapping(artifact.get("s3"))
    problem = _unreadable(settings, secrets)
    if problem is None and settings.get("accessKeySecret"):
        return {**artifact, "s3": _without(settings, ("roleARN",))}
    # The pods' own role, or secrets that are not for this user's eyes: the user's own credentials, then.
    own = {**_without(settings, (*_KEYS, "roleARN")), "useSDKCreds": _has_credentials()}
    if problem is not None and not own["useSDKCreds"]:
        raise NbflowError(
            f"artifact {artifact.get('name', '')} is in the s3 bucket {settings.get('bucket')}, whose credentials "
            f"cannot be read: {problem.problem}; and boto3 finds none on this machine",
            where=problem.where,
            fix="ask the administrator for the right to get that secret, or set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
        )
    return {**artifact, "s3": own}


def addresses(artifact: Artifact, namespace: str) -> Sequence[Artifact]:
    """The artifact at each address worth trying: its own if the name is known here, then AWS_ENDPOINT_URL_S3.

    Raises NbflowError if there is none: the repository has an address inside the cluster alone.
    """
    settings = mapping(artifact.get("s3"))
    endpoint = str(settings.get("endpoint") or "s3.amazonaws.com")
    found = [settings] if _is_known(endpoint) else []
    if url := next((os.environ[name] for name in _ADDRESSES if os.environ.get(name)), ""):
        parts = urlsplit(url)
        found.append({**settings, "endpoint": parts.netloc, "insecure": parts.scheme == "http"})
    if not found:
        raise NbflowError(
            f"artifact {artifact.get('name', '')} is in the s3 bucket {settings.get('bucket')} at {endpoint}, "
            "a name that is not known on this machine",
            where=f"namespace {namespace}",
            fix=way_in(endpoint, namespace),
        )
    return [{**artifact, "s3": one} for one in found]


def way_in(endpoint: str, namespace: str) -> str:
    """How to reach a service inside the cluster."""
    host, _, port = endpoint.partition(":")
    service, _, rest = host.partition(".")
    port = port or "9000"
    return (
        f"if it is a service of the cluster: `kubectl port-forward -n {rest.split('.')[0] or namespace} "
        f"svc/{service} {port}`, and AWS_ENDPOINT_URL_S3=http://127.0.0.1:{port}"
    )


def _unreadable(settings: JSONObject, secrets: ClusterSecrets) -> NbflowError | None:
    """What is wrong with the secrets that are named, None if they are there."""
    try:
        for field in _KEYS:
            read_key(settings.get(field), secrets)
    except NbflowError as error:
        return error
    return None


def _has_credentials() -> bool:
    """Whether boto3 finds any on this machine. Where it is not installed, the driver says so."""
    if importlib.util.find_spec("botocore") is None:
        return True
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    try:
        return Session().get_credentials() is not None
    except BotoCoreError:
        return False


def _is_known(endpoint: str) -> bool:
    parts = urlsplit(f"//{endpoint}")
    try:
        socket.getaddrinfo(parts.hostname, parts.port or 443)
    except (OSError, ValueError, UnicodeError):
        return False
    return True


def _without(settings: JSONObject, fields: Sequence[str]) -> dict[str, object]:
    return {key: value for key, value in settings.items() if key not in fields}
