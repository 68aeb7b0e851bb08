"""Artifacts in a bucket: an object, or all objects below a prefix."""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from nbflow.artifacts.credentials import Secrets, private_folder, read_key, write_private
from nbflow.artifacts.driver import (
    Artifact,
    ArtifactNotFound,
    ArtifactUnavailable,
    location,
    mapping,
    said,
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


class S3Driver:
    """`s3: {endpoint, bucket, key, ...}`, by the official client, which is the extra `s3`."""

    def __init__(self, secrets: Secrets) -> None:
        if importlib.util.find_spec("boto3") is None:
            raise NbflowError(
                "s3 artifacts outside of the local repository need boto3, which is not installed",
                fix="pip install 'nbflow[s3]'",
            )
        self._secrets = secrets

    def load(self, artifact: Artifact, scratch: Path) -> Path:
        settings = location(artifact, "s3")
        bucket, key = _place(artifact)
        with self._client(settings, bucket) as client:
            if key and _fetch(client, bucket, key, scratch):
                return scratch
            found = False
            for name in _names(client, bucket, _prefix(key)):
                found = True
                _fetch_below(client, bucket, name, _prefix(key), scratch)
            if not found:
                raise ArtifactNotFound(f"{said(artifact)} is not in the bucket {bucket}: no key {key}")
        return scratch

    def save(self, source: Path, artifact: Artifact, *, take: bool) -> None:  # noqa: ARG002
        settings = location(artifact, "s3")
        bucket, key = _place(artifact)
        if not key:
            raise NbflowError(f"{said(artifact)}: s3.key is required")
        extra = _encryption(mapping(settings.get("encryptionOptions")))
        with self._client(settings, bucket) as client:
            wanted = settings.get("createBucketIfNotPresent")
            if wanted is not None:
                _create_bucket(client, bucket, str(settings.get("region") or _REGION), mapping(wanted))
            for path, name in _files(source, key):
                _store(client, bucket, name, path, extra)

    def delete(self, artifact: Artifact) -> None:
        bucket, key = _place(artifact)
        if not key:
            raise NbflowError(f"{said(artifact)}: s3.key is required")
        with self._client(location(artifact, "s3"), bucket) as client:
            client.delete_object(Bucket=bucket, Key=key)
            for name in _names(client, bucket, _prefix(key)):
                client.delete_object(Bucket=bucket, Key=name)

    def list(self, artifact: Artifact) -> Sequence[str]:
        bucket, key = _place(artifact)
        with self._client(location(artifact, "s3"), bucket) as client:
            found = [name for name in _names(client, bucket, _prefix(key)) if not name.endswith("/")]
            if not found and not (key and _exists(client, bucket, key)):
                raise ArtifactNotFound(f"no key found of name {key}")
            return found

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
                raise _refused(error.response, bucket) from None
            except (BotoCoreError, ValueError) as error:
                raise _failed(error, bucket) from None

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
        token = read_key(settings.get("sessionTokenSecret"), self._secrets)
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


def _place(artifact: Artifact) -> tuple[str, str]:
    settings = location(artifact, "s3")
    bucket, key = str(settings.get("bucket") or ""), str(settings.get("key") or "")
    if not bucket:
        raise NbflowError(f"{said(artifact)}: s3.bucket is required", fix="set the bucket, or the key alone")
    if "\0" in key:
        raise NbflowError(f"{said(artifact)} has the key {key!r}, which is no path")
    return bucket, key.lstrip("/")


def _prefix(key: str) -> str:
    return key if key.endswith("/") or not key else f"{key}/"


def _style(settings: Mapping[str, object], endpoint: str) -> str:
    """Where the bucket stands in the URL; what the endpoint is known to want if the manifest does not say."""
    host = endpoint.partition(":")[0]
    usual = "virtual" if any(host == name or host.endswith(f".{name}") for name in _BY_HOST) else "path"
    return _STYLES.get(str(settings.get("addressingStyle") or ""), usual)


def _names(client: S3Client, bucket: str, prefix: str) -> Iterator[str]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from (item["Key"] for item in page.get("Contents", ()))


def _exists(client: S3Client, bucket: str, key: str) -> bool:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key, MaxKeys=1)
    first = next(iter(pages), {})  # in the order of the keys: if it is there, it comes first
    return any(item["Key"] == key for item in first.get("Contents", ()))


def _fetch(client: S3Client, bucket: str, key: str, target: Path) -> bool:
    """Whether there is such an object; then it is at `target`."""
    from botocore.exceptions import ClientError

    try:
        body = client.get_object(Bucket=bucket, Key=key)["Body"]
    except ClientError as error:
        if str(error.response.get("Error", {}).get("Code", "")) in _MISSING:
            return False
        raise
    with contextlib.closing(body), target.open("xb") as file:
        for chunk in body.iter_chunks(_CHUNK):
            file.write(chunk)
    return True


def _fetch_below(client: S3Client, bucket: str, name: str, prefix: str, folder: Path) -> None:
    """One object of a folder. Its name may not lead out of it."""
    parts = [part for part in name.removeprefix(prefix).split("/") if part not in {"", "."}]
    if ".." in parts or "\0" in name:
        raise NbflowError(f"the bucket {bucket} has the key {name!r}, which leads out of its folder")
    place = folder.joinpath(*parts)
    try:
        if name.endswith("/"):
            place.mkdir(parents=True, exist_ok=True)
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        _fetch(client, bucket, name, place)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise NbflowError(f"the bucket {bucket} has {name!r} as an object and as a folder") from None


def _files(source: Path, key: str) -> Iterator[tuple[Path, str]]:
    """All files and where they go; links are left out, as nobody knows where they lead."""
    if not source.is_dir():
        yield source, key
        return
    for folder, _, names in os.walk(source):
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path, f"{key.rstrip('/')}/{path.relative_to(source).as_posix()}"


def _store(client: S3Client, bucket: str, key: str, source: Path, extra: dict[str, str]) -> None:
    from boto3.exceptions import S3UploadFailedError
    from boto3.s3.transfer import TransferConfig

    parts = TransferConfig(use_threads=False, multipart_chunksize=_PART)
    try:
        client.upload_file(os.fspath(source), bucket, key, ExtraArgs=extra, Config=parts)
    except S3UploadFailedError as error:
        if error.__context__ is None:
            raise
        raise error.__context__ from None


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


def _refused(response: Mapping[str, object], bucket: str) -> NbflowError:
    """The service's own code and words, which hold no secret."""
    error, about = mapping(response.get("Error")), mapping(response.get("ResponseMetadata"))
    code, status = str(error.get("Code", "")), about.get("HTTPStatusCode")
    message = f"s3 bucket {bucket}: {code}: {error.get('Message', '')}"
    if code in _LATER or (isinstance(status, int) and (status >= 500 or status == 429)):
        return ArtifactUnavailable(message)
    fix = ""
    if status in {401, 403}:
        fix = "check accessKeySecret and secretKeySecret, or set useSDKCreds"
    elif code == "NoSuchBucket":
        fix = "create it, or set createBucketIfNotPresent"
    return NbflowError(message, fix=fix)


def _failed(error: Exception, bucket: str) -> NbflowError:
    from botocore.exceptions import ConnectionError as BotoConnectionError
    from botocore.exceptions import HTTPClientError, SSLError

    kind = type(error).__name__
    message = f"s3 bucket {bucket}: {error}"
    if isinstance(error, SSLError):
        return NbflowError(message)
    if isinstance(error, HTTPClientError | BotoConnectionError) or kind in {
        "IncompleteReadError",
        "ResponseStreamingError",
    }:
        return ArtifactUnavailable(message)
    return NbflowError(message)
