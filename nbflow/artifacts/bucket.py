"""What the stores of objects have in common: an artifact is an object, or all objects below a prefix."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Sequence
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


def load(bucket: Bucket, key: str, artifact: Artifact, scratch: Path) -> Path:
    """Have it at `scratch`, as a file or a folder. Raises ArtifactNotFound."""
    if key and bucket.fetch(key, scratch):
        return scratch
    found = False
    for name in bucket.names(prefix_of(key)):
        found = True
        _fetch_below(bucket, name, prefix_of(key), scratch)
    if not found:
        raise ArtifactNotFound(f"{said(artifact)} is not in the {bucket.title}: no key {key}")
    return scratch


def save(bucket: Bucket, key: str, source: Path) -> None:
    """Store a file, or all files of a folder; links are left out, as nobody knows where they lead."""
    for path, name in _files(source, key):
        bucket.store(name, path)


def remove(bucket: Bucket, key: str) -> None:
    """Remove the object and all below it."""
    bucket.delete(key)
    for name in list(bucket.names(prefix_of(key))):
        bucket.delete(name)


def listed(bucket: Bucket, key: str) -> Sequence[str]:
    """All keys below a folder: none for a file. Raises ArtifactNotFound."""
    found = [name for name in bucket.names(prefix_of(key)) if not name.endswith("/")]
    if not found and not (key and next(bucket.names(key), "") == key):
        raise ArtifactNotFound(f"no key found of name {key}")
    return found


def has_client(module: str) -> bool:
    """Whether the client of a service is installed."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package around it
        return False


def prefix_of(key: str) -> str:
    """What the keys of a folder begin with."""
    return key if key.endswith("/") or not key else f"{key}/"


def place_in(settings: Artifact, artifact: Artifact, kind: str, bucket: str, key: str) -> tuple[str, str]:
    """The bucket and the key of a location; `bucket` and `key` are the fields' names. Raises NbflowError."""
    found, name = str(settings.get(bucket) or ""), str(settings.get(key) or "")
    if not found:
        raise NbflowError(f"{said(artifact)}: {kind}.{bucket} is required", fix=f"set the {bucket}")
    if "\0" in name:
        raise NbflowError(f"{said(artifact)} has the key {name!r}, which is no path")
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
    if not source.is_dir():
        yield source, key
        return
    for folder, _, names in os.walk(source):
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path, f"{key.rstrip('/')}/{path.relative_to(source).as_posix()}"
