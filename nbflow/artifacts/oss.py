"""Artifacts in Alibaba's object storage, by its interface of S3."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from nbflow.artifacts.driver import Artifact, location
from nbflow.artifacts.s3 import S3Driver
from nbflow.errors import NbflowError

_SAME = ("bucket", "key", "accessKeySecret", "secretKeySecret")


class OSSDriver(S3Driver):
    """`oss: {endpoint, bucket, key, ...}`, by the client of the extra `s3`."""

    kind = "oss"

    def settings(self, artifact: Artifact) -> Mapping[str, object]:
        """The location, in the words of s3."""
        given = location(artifact, "oss")
        if given.get("useSDKCreds"):
            raise NbflowError(
                "oss.useSDKCreds is not supported here", fix="name accessKeySecret and secretKeySecret"
            )
        endpoint = urlsplit(str(given.get("endpoint") or ""))
        return {
            **{field: given[field] for field in _SAME if field in given},
            "endpoint": endpoint.netloc or endpoint.path,
            "insecure": endpoint.scheme == "http",
            "sessionToken": given.get("securityToken"),
            **({"createBucketIfNotPresent": {}} if given.get("createBucketIfNotPresent") else {}),
        }
