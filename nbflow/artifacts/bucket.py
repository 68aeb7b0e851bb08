"""What the stores of objects have in common: an artifact is an object, or all objects below a prefix."""

from __future__ import annotations

import importlib.util
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from nbflow.artifacts.driver import Artifact, ArtifactNotFound, said
from nbflow.errors import NbflowError


class Bucket(Protocol):
    """One bucket, by the client of its service."""

    @property
    def title(self) -> str:
        """How errors name it."""

    def fetch(self, key: str, target: Path) -> bool:
        """Whether there is such an object; then it is at `target`, which must not exist before."""

    def store(self, key: str, source: Path) -> None:
        """Keep a file."""

    def names(self, prefix: str) -> Iterator[str]:
        """The keys that begin so, in their order."""

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""


class BucketDriver(ABC):
    """A driver.Driver for a service of buckets; who derives from it opens them."""

    @abstractmethod
    def opened(
        self, artifact: Artifact, *, key_needed: bool = False
    ) -> AbstractContextManager[tuple[Bucket, str]]:
        """Its bucket and key, with the credentials that the manifest names; errors of the service become ours."""

    def load(self, artifact: Artifact, scratch: Path) -> Path:
        with self.opened(artifact) as (bucket, key):
            if key and bucket.fetch(key, scratch):
                return scratch
            found = False
            for name in bucket.names(prefix_of(key)):
                found = True
                _fetch_below(bucket, name, prefix_of(key), scratch)
            if not found:
                raise ArtifactNotFound(f"{said(artifact)} is not in the {bucket.title}: no key {key}")
            return scratch

    def save(self, source: Path, artifact: Artifact, *, take: bool) -> None:  # noqa: ARG002
        with self.opened(artifact, key_needed=True) as (bucket, key):
            for path, name in _files(source, key):
                bucket.store(name, path)

    def delete(self, artifact: Artifact) -> None:
        with self.opened(artifact, key_needed=True) as (bucket, key):
            bucket.delete(key)
            for name in list(bucket.names(prefix_of(key))):
                bucket.delete(name)

    def list(self, artifact: Artifact) -> Sequence[str]:
        with self.opened(artifact) as (bucket, key):
            found = [name for name in bucket.names(prefix_of(key)) if not name.endswith("/")]
            if not found and not (key and next(bucket.names(key), "") == key):
                raise ArtifactNotFound(f"no key found of name {key}")
            return found


def need_client(module: str, what: str, package: str, extra: str) -> None:
    """Raises NbflowError if the client of a service is not installed; `what` needs it."""
    if not _is_installed(module):
        raise NbflowError(
            f"{what} {package}, which is not installed: it comes with nbflow[{extra}]",
            fix=f"pip install 'nbflow[{extra}]'",
        )


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package around it
        return False


def prefix_of(key: str) -> str:
    """What the keys of a folder begin with."""
    return key if key.endswith("/") or not key else f"{key}/"


def place_in(
    settings: Artifact, artifact: Artifact, kind: str, fields: tuple[str, str], *, key_needed: bool
) -> tuple[str, str]:
    """The bucket and the key of a location, by the names of their fields. Raises NbflowError."""
    bucket, key = fields
    found, name = str(settings.get(bucket) or ""), str(settings.get(key) or "")
    if not found:
        raise NbflowError(f"{said(artifact)}: {kind}.{bucket} is required", fix=f"set the {bucket}")
    if "\0" in name:
        raise NbflowError(f"{said(artifact)} has the key {name!r}, which is no path")
    if key_needed and not name.lstrip("/"):
        raise NbflowError(f"{said(artifact)}: {kind}.{key} is required")
    return found, name.lstrip("/")


def _fetch_below(bucket: Bucket, name: str, prefix: str, folder: Path) -> None:
    """One object of a folder. Its name may not lead out of it."""
    parts = [part for part in name.removeprefix(prefix).split("/") if part not in {"", "."}]
    if ".." in parts or "\0" in name:
        raise NbflowError(f"the {bucket.title} has the key {name!r}, which leads out of its folder")
    place = folder.joinpath(*parts)
    try:
        if name.endswith("/"):
            place.mkdir(parents=True, exist_ok=True)
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        bucket.fetch(name, place)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise NbflowError(f"the {bucket.title} has {name!r} as an object and as a folder") from None


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
