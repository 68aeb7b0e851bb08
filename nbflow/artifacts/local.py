"""The artifact repository of a home: a folder, where keys are paths."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from nbflow.artifacts.driver import Artifact, ArtifactNotFound
from nbflow.errors import NbflowError


class LocalRepository:
    """Artifacts with nothing but a key, `s3: {key: ...}`: what Argo keeps in its default repository."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def place(self, artifact: Artifact) -> Path:
        """Where an artifact is or would be. Raises NbflowError for a key that leads out of the repository."""
        s3 = artifact.get("s3")
        key = str(s3.get("key", "")) if isinstance(s3, Mapping) else ""
        parts = [part for part in key.split("/") if part not in {"", "."}]
        if not parts or ".." in parts or "\0" in key:
            raise NbflowError(f"artifact {artifact.get('name', '')} has the key {key!r}, which is no path")
        return self._root.joinpath(*parts)

    def load(self, artifact: Artifact, scratch: Path) -> Path:  # noqa: ARG002
        place = self.place(artifact)
        if not place.exists():
            key = place.relative_to(self._root)
            raise ArtifactNotFound(
                f"artifact {artifact.get('name', '')} is not in the repository: no key {key}"
            )
        return place

    def save(self, source: Path, artifact: Artifact, *, take: bool) -> None:
        place = self.place(artifact)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = place.with_name(f".{secrets.token_hex(8)}")
        try:
            if take:
                source.rename(fresh)
            elif source.is_dir():
                shutil.copytree(source, fresh, symlinks=True)
            else:
                shutil.copyfile(source, fresh)
            _put(fresh, place)
        except BaseException:
            _remove(fresh)
            raise

    def delete(self, artifact: Artifact) -> None:
        place = self.place(artifact)
        _remove(place)
        for parent in place.parents:
            if parent == self._root:
                return
            try:
                parent.rmdir()
            except OSError:
                return

    def list(self, artifact: Artifact) -> Sequence[str]:
        s3 = artifact.get("s3")
        whole = not (isinstance(s3, Mapping) and s3.get("key"))
        place = self._root if whole else self.place(artifact)
        if place.is_file():
            return []  # it has nothing below it, as in a bucket
        if not place.is_dir() and not whole:
            raise ArtifactNotFound(f"no key found of name {place.relative_to(self._root)}")
        files = (
            path for path in sorted(place.rglob("*")) if path.is_file() and not path.name.startswith(".")
        )
        return [os.fspath(path.relative_to(self._root)) for path in files]


def _put(fresh: Path, place: Path) -> None:
    """Move into place; what was there goes."""
    if place.is_dir() or (fresh.is_dir() and place.exists()):
        old = fresh.with_name(fresh.name + ".old")
        place.rename(old)
        fresh.rename(place)
        _remove(old)
    else:
        fresh.replace(place)


def _remove(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
