"""Puts into a pod's root what it starts with: input artifacts and its script."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from nbflow.artifacts import driver_for, place_of, relocated
from nbflow.artifacts.archive import is_tar, unpack_tar, unpack_zip
from nbflow.artifacts.attempts import attempt
from nbflow.artifacts.driver import ArtifactNotFound
from nbflow.errors import NbflowError
from nbflow.runtimes.commands import SCRIPT
from nbflow.runtimes.paths import clean
from nbflow.runtimes.runtime import PodRejected
from nbflow.spec.pod import JsonObject, Pod


class Stager:
    """Stages one pod. own_path: path of the pod -> path on this machine, refused outside of the pod's own root."""

    def __init__(
        self,
        repository: Path,
        scratch: Path,
        own_path: Callable[[str], Path],
        secret: Callable[[str], Mapping[str, bytes] | None],
    ) -> None:
        self._repository = repository
        self._secret = secret
        self._scratch = scratch
        self._own_path = own_path

    def stage(self, pod: Pod) -> None:
        """Raises PodRejected, naming what is missing or not understood."""
        for artifact in pod.inputs:
            self._artifact(relocated(artifact, pod.repository))
        if pod.main.source is not None:
            place = self._fresh(SCRIPT)
            place.write_bytes(pod.main.source.encode("utf-8", "surrogateescape"))
            place.chmod(0o755)

    # --- artifacts ---

    def _artifact(self, artifact: JsonObject) -> None:
        name = artifact.get("name", "")
        if not artifact.get("path"):
            raise PodRejected(f"artifact '{name}' has no path")
        if not place_of(artifact):
            if artifact.get("optional"):
                return
            raise PodRejected(f"required artifact '{name}' not supplied")
        scratch = self._scratch / "input"
        try:
            found = attempt(lambda: self._load(artifact, scratch))
            self._place(artifact, found, own=found == scratch)
        except ArtifactNotFound as error:
            if not artifact.get("optional"):
                raise PodRejected(
                    f"artifact {name} failed to load: {error.problem}", fix=error.fix
                ) from error
        except NbflowError as error:
            raise PodRejected(f"artifact {name} failed to load: {error.problem}", fix=error.fix) from error
        finally:
            _remove(scratch)

    def _load(self, artifact: JsonObject, scratch: Path) -> Path:
        _remove(scratch)  # an earlier attempt may have broken off
        return driver_for(artifact, self._repository, self._secret).load(artifact, scratch)

    def _place(self, artifact: JsonObject, found: Path, *, own: bool) -> None:
        target = self._fresh(clean(str(artifact["path"])))
        archive = artifact.get("archive")
        archive = archive if isinstance(archive, Mapping) else {}
        if found.is_dir():
            shutil.copytree(found, target, symlinks=True)
        elif archive.get("zip") is not None:
            unpack_zip(found, target)
        elif archive.get("none") is None and (archive.get("tar") is not None or is_tar(found)):
            unpack_tar(found, target)
        elif own:
            shutil.move(found, target)
        else:
            shutil.copyfile(found, target)
        mode = artifact.get("mode")
        if isinstance(mode, int):
            _change_mode(target, mode, recurse=bool(artifact.get("recurseMode")))

    def _fresh(self, path: str) -> Path:
        """The place of a path, its folder made, what was there removed."""
        if path == "/":
            raise PodRejected("an artifact or volume cannot take the place of /")
        place = self._own_path(path)
        _remove(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        return place


def _change_mode(path: Path, mode: int, *, recurse: bool) -> None:
    path.chmod(mode)
    if recurse and path.is_dir():
        for inner in sorted(path.rglob("*"), reverse=True):
            if not inner.is_symlink():
                inner.chmod(mode)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
