"""Artifacts in Azure's blob storage."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, cast
from urllib.parse import urlsplit

from nbflow.artifacts.bucket import BucketDriver, need_client, place_in, prefix_of
from nbflow.artifacts.credentials import Secrets, read_key
from nbflow.artifacts.driver import Artifact, ArtifactUnavailable, location
from nbflow.errors import NbflowError

_PART = 8 * 1024 * 1024
_SIGNATURE = re.compile(r"[?&][^=]+=[^&]+")
_OPTIONS = {
    "retry_total": 0,
    "connection_timeout": 60,
    "read_timeout": 60,
    "max_single_put_size": _PART,
    "max_block_size": _PART,
    "max_single_get_size": _PART,
    "max_chunk_get_size": _PART,
}


class _Download(Protocol):
    size: int

    def readinto(self, file: BinaryIO) -> int: ...


class _Client(Protocol):
    """What is used of Azure's client of a container."""

    def download_blob(self, blob: str) -> _Download: ...

    def upload_blob(self, name: str, data: BinaryIO, *, overwrite: bool) -> object: ...

    def list_blob_names(self, *, name_starts_with: str) -> Iterator[str]: ...

    def delete_blob(self, blob: str) -> None: ...

    def close(self) -> None: ...


class AzureDriver(BucketDriver):
    """`azure: {endpoint, container, blob, ...}`, by the official client, which is the extra `azure`."""

    def __init__(self, secrets: Secrets) -> None:
        need_client("azure.storage.blob", "azure artifacts need", "azure-storage-blob", "azure")
        self._secrets = secrets

    @contextlib.contextmanager
    def opened(self, artifact: Artifact, *, key_needed: bool = False) -> Iterator[tuple[_Container, str]]:
        """See BucketDriver."""
        from azure.core.exceptions import AzureError, HttpResponseError

        settings = location(artifact, "azure")
        name, key = place_in(settings, artifact, "azure", ("container", "blob"), key_needed=key_needed)
        title = f"azure container {name}"
        try:
            with contextlib.closing(_client(settings, name, self._credential(settings))) as client:
                yield _Container(client, f"container {name}"), key
        except HttpResponseError as error:
            code = getattr(error, "error_code", None) or error.status_code
            message = f"{title}: {getattr(code, 'value', code)}: {error.reason}"
            if (error.status_code or 0) >= 500 or error.status_code == 429:
                raise ArtifactUnavailable(message) from None
            fix = "check the accountKeySecret and its rights" if error.status_code in {401, 403} else ""
            raise NbflowError(message, fix=fix) from None
        except AzureError as error:  # no connection, or one that broke
            raise ArtifactUnavailable(f"{title}: {error.message}") from None

    def _credential(self, settings: Mapping[str, object]) -> object:
        """What the client proves itself with: a key of the account, a signature, or what the machine has."""
        if settings.get("useSDKCreds"):
            need_client("azure.identity", "azure.useSDKCreds needs", "azure-identity", "azure")
            from azure.identity import DefaultAzureCredential

            return DefaultAzureCredential()
        key = read_key(settings.get("accountKeySecret"), self._secrets)
        if not key:
            raise NbflowError("accountKey secret is required for Azure Blob Storage if useSDKCreds is false")
        if _SIGNATURE.search(key):
            return key.lstrip("?")
        return {"account_name": _account(str(settings.get("endpoint") or "")), "account_key": key}


def _client(settings: Mapping[str, object], container: str, credential: object) -> _Client:
    from azure.storage.blob import ContainerClient

    endpoint = str(settings.get("endpoint") or "")
    try:
        return cast("_Client", ContainerClient(endpoint, container, credential=credential, **_OPTIONS))
    except ValueError as error:
        raise NbflowError(f"azure.endpoint {endpoint!r} cannot be used: {error}") from None


def _account(endpoint: str) -> str:
    """The account that an endpoint names: in its host, or in the path of a server on this machine."""
    parts = urlsplit(endpoint)
    if parts.hostname in {"127.0.0.1", "localhost"}:
        return parts.path.strip("/").partition("/")[0]
    return (parts.hostname or "").partition(".")[0]


@dataclass(frozen=True, slots=True)
class _Container:
    """See bucket.Bucket."""

    client: _Client
    title: str

    def fetch(self, key: str, target: Path) -> bool:
        """See Bucket. A folder of a hierarchical account looks like an empty object."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            found = self.client.download_blob(key)
        except ResourceNotFoundError as error:
            if getattr(error, "error_code", "") == "BlobNotFound":
                return False
            raise
        if not found.size and next(iter(self.names(prefix_of(key))), ""):
            return False
        with target.open("xb") as file:
            found.readinto(file)
        return True

    def store(self, key: str, source: Path) -> None:
        """See Bucket."""
        with source.open("rb") as file:
            self.client.upload_blob(key, file, overwrite=True)

    def names(self, prefix: str) -> Iterator[str]:
        """See Bucket."""
        return iter(self.client.list_blob_names(name_starts_with=prefix))

    def delete(self, key: str) -> None:
        """See Bucket."""
        from azure.core.exceptions import ResourceNotFoundError

        with contextlib.suppress(ResourceNotFoundError):
            self.client.delete_blob(key)
