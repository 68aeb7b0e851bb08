"""Where bytes live: the places artifacts come from and go to, and how they are packed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nbflow.artifacts.driver import Driver
from nbflow.artifacts.local import LocalRepository
from nbflow.artifacts.raw import RawDriver
from nbflow.errors import NbflowError

PLACES = ("s3", "raw", "http", "git", "artifactory", "hdfs", "oss", "gcs", "azure", "plugin")
"""Fields of an artifact that say where it lives; one of them is set."""


def place_of(artifact: Mapping[str, object]) -> str:
    """The place that is set, "" if the artifact has none."""
    return next((place for place in PLACES if artifact.get(place) is not None), "")


def driver_for(artifact: Mapping[str, object], repository: Path) -> Driver:
    """The driver for where an artifact lives. Raises NbflowError for a place that nbflow does not reach yet."""
    place = place_of(artifact)
    location = artifact.get(place) if place else None
    if place == "raw":
        return RawDriver()
    if place == "s3" and isinstance(location, Mapping) and not set(location) - {"key"}:
        return LocalRepository(repository)
    name = artifact.get("name", "")
    said = (
        "no place"
        if not place
        else f"the place {place}" + (" with a bucket of its own" if place == "s3" else "")
    )
    raise NbflowError(
        f"artifact {name} names {said}, which local runs do not reach yet",
        fix="give it as `raw`, let another step make it, or submit with --on argo",
    )
