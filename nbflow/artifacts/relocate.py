"""Where an artifact lives that says only a part of it: the rest is what its repository says for all."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from nbflow.artifacts.driver import Artifact, mapping
from nbflow.errors import NbflowError

JSONObject = Mapping[str, object]
_NEEDED = {
    "s3": ("endpoint", "bucket", "key"),
    "git": ("repo",),
    "artifactory": ("url", "usernameSecret"),
    "azure": ("endpoint", "container", "blob"),
    "hdfs": ("addresses",),
    "raw": (),
    "http": ("url",),
    "gcs": ("bucket", "key"),
    "oss": ("bucket", "endpoint", "key"),
    "plugin": ("name", "configuration", "key"),
}
"""What a place has to name to be a whole location, as Argo has it (HasLocation)."""
KEYS = {"s3": "key", "gcs": "key", "oss": "key", "plugin": "key", "azure": "blob", "hdfs": "path"}
"""What the key is called in each place that has one."""
_REPOSITORIES = ("artifactory", "azure", "gcs", "hdfs", "oss", "plugin", "s3")
"""The kinds of repositories, in the order in which Argo takes the one that is set."""


def has_location(location: JSONObject) -> bool:
    """Whether it says all of where it is, so that no repository is asked."""
    return any(
        isinstance(settings := location.get(place), Mapping) and all(settings.get(field) for field in needed)
        for place, needed in _NEEDED.items()
    )


def relocate(artifact: Artifact, repository: JSONObject) -> Artifact:
    """The artifact, in the repository unless it has a whole location of its own: of that it keeps the key alone.

    repository: an `archiveLocation`, or what a config map of repositories has. Raises NbflowError if neither
    says where the artifact is.
    """
    if has_location(artifact):
        return artifact
    place = next((one for one in _REPOSITORIES if isinstance(repository.get(one), Mapping)), "")
    if not place:
        raise NbflowError(
            f"artifact {artifact.get('name', '')} names no whole location, and no repository is known"
        )
    plain = {field: value for field, value in artifact.items() if field not in _NEEDED}
    return {**plain, place: _keyed(place, mapping(repository[place]), key_of(artifact))}


def key_of(artifact: Artifact) -> str:
    """The key by which the artifact is kept in its place, "" if it has none."""
    for place in _NEEDED:
        settings = artifact.get(place)
        if isinstance(settings, Mapping):
            if place in {"http", "artifactory"}:
                return urlsplit(str(settings.get("url") or "")).path
            return str(settings.get(KEYS.get(place, "")) or "")
    return ""


def _keyed(place: str, settings: JSONObject, key: str) -> JSONObject:
    if place != "artifactory":
        return {**settings, KEYS[place]: key}
    base = urlsplit(str(settings.get("url") or settings.get("repoURL") or ""))
    return {**settings, "url": urlunsplit(base._replace(path=posixpath.join("/", key)))}
