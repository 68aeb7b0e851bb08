"""The bytes of an artifact, as `cp` and notebooks want them."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from nbflow.artifacts import driver_for
from nbflow.artifacts.credentials import Secrets


def read_artifact(artifact: Mapping[str, object], secrets: Secrets, repository: Path | None = None) -> bytes:
    """What is stored; a folder that was stored without an archive comes as a .tar.gz.

    repository: of this machine's own, for artifacts that name a key alone.
    Raises NbflowError if it is not there, or in a place that is not reached from here.
    """
    with tempfile.TemporaryDirectory(prefix="nbflow-") as scratch:
        driver = driver_for(artifact, repository or Path(scratch), secrets)
        place = driver.load(artifact, Path(scratch, "artifact"))
        return _packed(place) if place.is_dir() else place.read_bytes()


def copy_artifact(
    artifact: Mapping[str, object], secrets: Secrets, repository: Path | None, target: Path
) -> None:
    """Put what is stored at `target`, a file or a folder; what was there goes. Raises NbflowError as above."""
    with tempfile.TemporaryDirectory(prefix=".nbflow-", dir=target.parent) as scratch:
        driver = driver_for(artifact, repository or Path(scratch), secrets)
        place, fresh = driver.load(artifact, Path(scratch, "loaded")), Path(scratch, "fresh")
        if place.is_dir():
            shutil.copytree(place, fresh, symlinks=True)
        else:
            shutil.copyfile(place, fresh)
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        fresh.replace(target)


def _packed(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.add(folder, arcname=folder.name)
    return buffer.getvalue()
