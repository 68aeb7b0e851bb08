"""Where bytes live: the places artifacts come from and go to, and how they are packed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nbflow.artifacts.credentials import Secrets, no_secrets
from nbflow.artifacts.driver import Driver, location, said
from nbflow.artifacts.local import LocalRepository
from nbflow.artifacts.raw import RawDriver
from nbflow.errors import NbflowError

PLACES = ("s3", "raw", "http", "git", "artifactory", "hdfs", "oss", "gcs", "azure", "plugin")
"""Fields of an artifact that say where it lives; one of them is set."""


class PlaceNotReached(NbflowError):
    """An artifact lives where no driver of nbflow's reaches."""


def place_of(artifact: Mapping[str, object]) -> str:
    """The place that is set, "" if the artifact has none."""
    return next((place for place in PLACES if artifact.get(place) is not None), "")


def relocated(artifact: Mapping[str, object], repository: Mapping[str, object]) -> Mapping[str, object]:
    """An artifact that names a key alone, in the repository: a location with its own key; {} for the home's."""
    own = location(artifact, "s3") if place_of(artifact) == "s3" else {}
    if not repository or not own or own.get("endpoint"):
        return artifact
    rest = {name: value for name, value in artifact.items() if name != "s3"}
    return {**rest, **with_key(repository, str(own.get("key") or ""))}


def with_key(repository: Mapping[str, object], key: str) -> Mapping[str, object]:
    """A location in a repository."""
    return {place: {**location(repository, place), "key": key} for place in repository}


def driver_for(artifact: Mapping[str, object], repository: Path, secrets: Secrets = no_secrets) -> Driver:
    """The driver for where an artifact lives. Raises PlaceNotReached if there is none.

    secrets: where the credentials are looked up that the artifact names.
    """
    place = place_of(artifact)
    settings = location(artifact, place) if place else {}
    if place == "s3" and not settings.get("endpoint"):
        return LocalRepository(
            repository
        )  # no whole location: Argo takes all but the key from its repository
    match place:
        case "raw":
            return RawDriver()
        case "http" | "artifactory":
            from nbflow.artifacts.http import HTTPDriver

            return HTTPDriver(secrets)
        case "git":
            from nbflow.artifacts.git import GitDriver

            return GitDriver(secrets)
        case "s3":
            from nbflow.artifacts.s3 import S3Driver

            return S3Driver(secrets)
    where = f"the place {place}" if place else "no place"
    raise PlaceNotReached(
        f"{said(artifact)} names {where}, which local runs do not reach",
        fix="use s3, http, git or raw, let another step make it, or submit with --on argo",
    )
