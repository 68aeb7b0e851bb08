"""Artifacts in a bucket: an object, or all objects below a prefix."""

from __future__ import annotations

import base64
import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from nbflow.artifacts.bucket import BucketDriver, need_client, place_in
from nbflow.artifacts.credentials import Secrets, private_folder, read_key, write_private
from nbflow.artifacts.driver import (
    Artifact,
    ArtifactUnavailable,
    location,
    mapping,
)
from nbflow.errors import NbflowError

_CHUNK = 1024 * 1024
_PART = 8 * _CHUNK
_MISSING = frozenset(("NoSuchKey", "404", "NotFound"))
_LATER = frozenset(
    ("SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "Throttling", "500", "502", "503")
)
_STYLES = {"path": "path", "virtual-hosted": "virtual"}
_BY_HOST = ("amazonaws.com", "amazonaws.com.cn", "storage.googleapis.com", "aliyuncs.com")
_REGION = "us-east-1"


class _Body(Protocol):
    def iter_chunks(self, chunk_size: int) -> Iterator[bytes]: ...

    def close(self) -> None: ...


class _Pages(Protocol):
    def paginate(self, **wanted: object) -> Iterator[Mapping[str, Sequence[Mapping[str, str]]]]: ...


class S3Client(Protocol):
    """What is used of boto3's client, which has no types."""

    def get_object(self, **wanted: str) -> Mapping[str, _Body]: ...

    def delete_object(self, **wanted: str) -> object: ...

    def head_bucket(self, **wanted: str) -> object: ...

    def create_bucket(self, **wanted: object) -> object: ...

    def get_paginator(self, operation: str) -> _Pages: ...

    def upload_file(self, source: str, bucket: str, key: str, **wanted: object) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _S3Bucket:
    """See Bucket. extra: said with each object that is stored."""

    client: S3Client
    name: str
    extra: dict[str, str]

    @property
    def title(self) -> str:
        """How errors name it."""
        return f"bucket {self.name}"

    def fetch(self, key: str, target: Path) -> bool:
        """See Bucket."""
        from botocore.exceptions import ClientError

        try:
            body = self.client.get_object(Bucket=self.name, Key=key)["Body"]
        except ClientError as error:
            if str(error.response.get("Error", {}).get("Code", "")) in _MISSING:
                return False
            raise
        with contextlib.closing(body), target.open("xb") as file:
            for chunk in body.iter_chunks(_CHUNK):
                file.write(chunk)
        return True

    def store(self, key: str, source: Path) -> None:
        """See Bucket."""
        from boto3.exceptions import S3UploadFailedError
        from boto3.s3.transfer import TransferConfig

        parts = TransferConfig(use_threads=False, multipart_chunksize=_PART)
        try:
            self.client.upload_file(os.fspath(source), self.name, key, ExtraArgs=self.extra, Config=parts)
        except S3UploadFailedError as error:
            if error.__context__ is None:
                raise
            raise error.__context__ from None

    def names(self, prefix: str) -> Iterator[str]:
        """See Bucket."""
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix):
            yield from (item["Key"] for item in page.get("Contents", ()))

    def delete(self, key: str) -> None:
        """See Bucket."""
        self.client.delete_object(Bucket=self.name, Key=key)


class S3Driver(BucketDriver):
    """`s3: {endpoint, bucket, key, ...}`, by the official client, which is the extra `s3`."""

    kind = "s3"

    def __init__(self, secrets: Secrets) -> None:
        need_client("boto3", f"{self.kind} artifacts outside of the local repository need", "boto3", "s3")
        self._secrets = secrets

    def save(self, source: Path, artifact: Artifact, *, take: bool) -> None:
        settings = self.settings(artifact)
        wanted = settings.get("createBucketIfNotPresent")
        if wanted is not None:
            with self.opened(artifact, key_needed=True) as (bucket, _):
                region = str(settings.get("region") or _REGION)
                _create_bucket(bucket.client, bucket.name, region, mapping(wanted))
        super().save(source, artifact, take=take)

    def settings(self, artifact: Artifact) -> Mapping[str, object]:
        """The location, in the words of s3."""
        return location(artifact, "s3")

    @contextlib.contextmanager
    def opened(self, artifact: Artifact, *, key_needed: bool = False) -> Iterator[tuple[_S3Bucket, str]]:
        """See BucketDriver."""
        settings = self.settings(artifact)
        name, key = place_in(settings, artifact, self.kind, ("bucket", "key"), key_needed=key_needed)
        encryption = _encryption(mapping(settings.get("encryptionOptions")))
        with self._client(settings, name) as client:
            yield _S3Bucket(client, name, encryption), key

    @contextlib.contextmanager
    def _client(self, settings: Mapping[str, object], bucket: str) -> Iterator[S3Client]:
        """A client with the credentials that the manifest names; its errors become ours."""
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError

        with private_folder(None) as folder:
            try:
                client = boto3.session.Session().client("s3", **self._options(settings, folder))
                try:
                    yield client
                finally:
                    client.close()
            except ClientError as error:
                raise _refused(error.response, f"{self.kind} bucket {bucket}") from None
            except (BotoCoreError, ValueError) as error:
                raise _failed(error, f"{self.kind} bucket {bucket}") from None

    def _options(self, settings: Mapping[str, object], folder: Path) -> dict[str, object]:
        from botocore import UNSIGNED
        from botocore.config import Config

        if settings.get("roleARN"):
            raise NbflowError(
                "s3.roleARN is not supported yet", fix="name accessKeySecret and secretKeySecret"
            )
        endpoint = str(settings.get("endpoint") or "s3.amazonaws.com")
        access = read_key(settings.get("accessKeySecret"), self._secrets)
        secret = read_key(settings.get("secretKeySecret"), self._secrets)
        token = read_key(settings.get("sessionTokenSecret"), self._secrets) or settings.get("sessionToken")
        authority = read_key(settings.get("caSecret"), self._secrets)
        anonymous = not (access and secret) and not settings.get("useSDKCreds")
        config = Config(
            connect_timeout=60,
            read_timeout=60,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": _style(settings, endpoint)},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            **({"signature_version": UNSIGNED} if anonymous else {}),
        )
        options: dict[str, object] = {"config": config, "region_name": str(settings.get("region") or _REGION)}
        if endpoint != "s3.amazonaws.com":
            options["endpoint_url"] = f"http{'' if settings.get('insecure') else 's'}://{endpoint}"
        if access and secret:
            options |= {
                "aws_access_key_id": access,
                "aws_secret_access_key": secret,
                "aws_session_token": token or None,
            }
        if authority:
            options["verify"] = os.fspath(write_private(folder / "ca.pem", authority))
        return options


def _style(settings: Mapping[str, object], endpoint: str) -> str:
    """Where the bucket stands in the URL; what the endpoint is known to want if the manifest does not say."""
    host = endpoint.partition(":")[0]
    usual = "virtual" if any(host == name or host.endswith(f".{name}") for name in _BY_HOST) else "path"
    return _STYLES.get(str(settings.get("addressingStyle") or ""), usual)


def _encryption(options: Mapping[str, object]) -> dict[str, str]:
    if options.get("serverSideCustomerKeySecret"):
        raise NbflowError("s3.encryptionOptions.serverSideCustomerKeySecret is not supported yet")
    if not options.get("enableEncryption"):
        return {}
    if not options.get("kmsKeyId"):
        return {"ServerSideEncryption": "AES256"}
    found = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": str(options["kmsKeyId"])}
    if context := str(options.get("kmsEncryptionContext") or ""):
        found["SSEKMSEncryptionContext"] = base64.b64encode(context.encode()).decode()
    return found


def _create_bucket(client: S3Client, bucket: str, region: str, options: Mapping[str, object]) -> None:
    from botocore.exceptions import ClientError

    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if str(error.response.get("Error", {}).get("Code", "")) not in {"404", "NoSuchBucket"}:
            raise
    else:
        return
    wanted: dict[str, object] = {"Bucket": bucket}
    if region != _REGION:
        wanted["CreateBucketConfiguration"] = {"LocationConstraint": region}
    if options.get("objectLocking"):
        wanted["ObjectLockEnabledForBucket"] = True
    try:
        client.create_bucket(**wanted)
    except ClientError as error:
        if not str(error.response.get("Error", {}).get("Code", "")).startswith("BucketAlready"):
            raise  # else another pod was quicker


def _refused(response: Mapping[str, object], title: str) -> NbflowError:
    """The service's own code and words, which hold no secret."""
    error, about = mapping(response.get("Error")), mapping(response.get("ResponseMetadata"))
    code, status = str(error.get("Code", "")), about.get("HTTPStatusCode")
    message = f"{title}: {code}: {error.get('Message', '')}"
    if code in _LATER or (isinstance(status, int) and (status >= 500 or status == 429)):
        return ArtifactUnavailable(message)
    fix = ""
    if status in {401, 403}:
        fix = "check accessKeySecret and secretKeySecret, or set useSDKCreds"
    elif code == "NoSuchBucket":
        fix = "create it, or set createBucketIfNotPresent"
    return NbflowError(message, fix=fix)


def _failed(error: Exception, title: str) -> NbflowError:
    from botocore.exceptions import ConnectionError as BotoConnectionError
    from botocore.exceptions import HTTPClientError, SSLError

    kind = type(error).__name__
    message = f"{title}: {error}"
    if isinstance(error, SSLError):
        return NbflowError(message)
    if isinstance(error, HTTPClientError | BotoConnectionError) or kind in {
        "IncompleteReadError",
        "ResponseStreamingError",
    }:
        return ArtifactUnavailable(message)
    return NbflowError(message)
