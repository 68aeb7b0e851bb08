"""What every place for artifacts can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from nbflow.errors import NbflowError

Artifact = Mapping[str, object]
"""An artifact in Argo's JSON: `name`, `path`, and where it lives."""


class ArtifactNotFound(NbflowError):
    """There is no such artifact: no error if it is optional."""


class ArtifactUnavailable(NbflowError):
    """The place does not answer, or not now: another try may succeed."""


class Driver(Protocol):
    """One kind of place.

    A driver must not try again (its caller does), must not pack or unpack, must not follow symlinks out of what it
    was given, must not keep more than a few MB in memory, and must not put a secret into an error or a log.
    """

    def load(self, artifact: Artifact, scratch: Path) -> Path:
        """Have the artifact as a file or folder: at `scratch`, which does not exist yet, or where it is anyway.

        In the second case the caller only reads it. Raises ArtifactNotFound, ArtifactUnavailable.
        """

    def save(self, source: Path, artifact: Artifact, *, take: bool) -> None:
        """Store a file or folder; take: `source` may be moved away. A reader sees the old or the new, never a part."""

    def delete(self, artifact: Artifact) -> None:
        """Remove it. Safe to repeat."""

    def list(self, artifact: Artifact) -> Sequence[str]:
        """The keys of all files below a folder: none for a file. Raises ArtifactNotFound."""


def location(artifact: Artifact, place: str) -> Mapping[str, object]:
    """What an artifact says of a place: `http`, `git`, ..."""
    return mapping(artifact.get(place))


def mapping(value: object) -> Mapping[str, object]:
    """A JSON object, empty if it is none."""
    return value if isinstance(value, Mapping) else {}


def said(artifact: Artifact) -> str:
    """How errors name an artifact."""
    return f"artifact {artifact.get('name', '')}"
