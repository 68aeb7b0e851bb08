"""Artifacts in Google Cloud Storage."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from nbflow.artifacts.bucket import BucketDriver, need_client, place_in
from nbflow.artifacts.credentials import Secrets, read_key
from nbflow.artifacts.driver import Artifact, ArtifactUnavailable, location
from nbflow.errors import NbflowError

_PART = 8 * 1024 * 1024
_TIMEOUT = 60.0


class _Blob(Protocol):
    name: str

    def download_to_file(self, file: BinaryIO, **options: object) -> None: ...

    def upload_from_filename(self, name: str, **options: object) -> None: ...

    def delete(self, **options: object) -> None: ...


class _Bucket(Protocol):
    def blob(self, name: str, chunk_size: int | None = None) -> _Blob: ...

    def list_blobs(self, **options: object) -> Iterator[_Blob]: ...


class _Client(Protocol):
    """What is used of Google's client."""

    def bucket(self, name: str) -> _Bucket: ...

    def close(self) -> None: ...


class GCSDriver(BucketDriver):
    """`gcs: {bucket, key, serviceAccountKeySecret}`, by the official client, which is the extra `gcs`."""

    def __init__(self, secrets: Secrets) -> None:
        need_client("google.cloud.storage", "gcs artifacts need", "google-cloud-storage", "gcs")
        self._secrets = secrets

    @contextlib.contextmanager
    def opened(self, artifact: Artifact, *, key_needed: bool = False) -> Iterator[tuple[_GCSBucket, str]]:
        """See BucketDriver."""
        from google.api_core.exceptions import GoogleAPICallError
        from google.auth.exceptions import GoogleAuthError, TransportError
        from requests.exceptions import RequestException

        settings = location(artifact, "gcs")
        name, key = place_in(settings, artifact, "gcs", ("bucket", "key"), key_needed=key_needed)
        title = f"gcs bucket {name}"
        try:
            client = _client(read_key(settings.get("serviceAccountKeySecret"), self._secrets))
            with contextlib.closing(client):
                yield _GCSBucket(client.bucket(name), f"bucket {name}"), key
        except GoogleAPICallError as error:
            message = f"{title}: {error.code}: {_words(error.response, error.message)}"
            if (error.code or 0) >= 500 or error.code == 429:
                raise ArtifactUnavailable(message) from None
            raise NbflowError(message, fix=_fix(error.code)) from None
        except TransportError as error:
            raise ArtifactUnavailable(f"{title}: {error}") from None
        except GoogleAuthError as error:
            raise NbflowError(f"{title}: {error}", fix="name a serviceAccountKeySecret") from None
        except RequestException as error:
            raise ArtifactUnavailable(f"{title}: {error}") from None


def _client(key: str) -> _Client:
    from google.cloud import storage

    if not key:
        return cast("_Client", storage.Client(project="unnamed"))
    try:
        return cast("_Client", storage.Client.from_service_account_info(json.loads(key)))
    except (ValueError, KeyError):
        raise NbflowError(
            "the serviceAccountKeySecret of gcs holds no key of a service account",
            fix="put the JSON file there that Google gave you for it",
        ) from None


def _words(response: object, message: str) -> str:
    """What the service said: the client puts its own words around that."""
    text = str(getattr(response, "text", "") or "")
    try:
        return str(json.loads(text)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return text.strip()[:300] or message


def _fix(code: int | None) -> str:
    return "check the serviceAccountKeySecret and its rights" if code in {401, 403} else ""


@dataclass(frozen=True, slots=True)
class _GCSBucket:
    """See bucket.Bucket."""

    bucket: _Bucket
    title: str

    def fetch(self, key: str, target: Path) -> bool:
        """See Bucket."""
        from google.api_core.exceptions import NotFound

        with target.open("xb") as file:
            try:
                self.bucket.blob(key).download_to_file(file, retry=None, timeout=_TIMEOUT)
            except NotFound:
                target.unlink()
                return False
        return True

    def store(self, key: str, source: Path) -> None:
        """See Bucket."""
        self.bucket.blob(key, chunk_size=_PART).upload_from_filename(
            str(source), retry=None, timeout=_TIMEOUT
        )

    def names(self, prefix: str) -> Iterator[str]:
        """See Bucket."""
        return (blob.name for blob in self.bucket.list_blobs(prefix=prefix, retry=None, timeout=_TIMEOUT))

    def delete(self, key: str) -> None:
        """See Bucket."""
        from google.api_core.exceptions import NotFound

        with contextlib.suppress(NotFound):
            self.bucket.blob(key).delete(retry=None, timeout=_TIMEOUT)
