"""Where bytes live: the places artifacts come from and go to, and how they are packed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nbflow.artifacts.credentials import Secrets, no_secrets
from nbflow.artifacts.driver import Driver, location, said
from nbflow.artifacts.local import LocalRepository
from nbflow.artifacts.raw import RawDriver
from nbflow.artifacts.relocate import KEYS, has_location, key_of
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
    place = place_of(artifact)
    if not repository or place not in KEYS or (place == "s3" and location(artifact, "s3").get("endpoint")):
        return artifact
    if place != "s3" and has_location(artifact):
        return artifact
    rest = {name: value for name, value in artifact.items() if name != place}
    return {**rest, **with_key(repository, key_of(artifact))}


def with_key(repository: Mapping[str, object], key: str) -> Mapping[str, object]:
    """A location in a repository."""
    found = {}
    for place in repository:
        settings = {name: value for name, value in location(repository, place).items() if name != "key"}
        found[place] = {**settings, KEYS.get(place, "key"): key}
    return found


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
        case "oss":
            from nbflow.artifacts.oss import OSSDriver

            return OSSDriver(secrets)
        case "gcs":
            from nbflow.artifacts.gcs import GCSDriver

            return GCSDriver(secrets)
        case "azure":
            from nbflow.artifacts.azure import AzureDriver

            return AzureDriver(secrets)
    where = f"the place {place}" if place else "no place"
    raise PlaceNotReached(
        f"{said(artifact)} names {where}, which local runs do not reach",
        fix="use s3, gcs, azure, oss, http, git or raw, let another step make it, or submit with --on argo",
    )
