"""Takes from a pod's root what it made: output parameters, artifacts, its result."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from nbflow.artifacts import driver_for, place_of, relocated, with_key
from nbflow.artifacts.archive import pack_tar, pack_zip
from nbflow.artifacts.attempts import attempt
from nbflow.artifacts.credentials import Secrets, no_secrets
from nbflow.errors import NbflowError
from nbflow.runtimes.paths import clean, no_links
from nbflow.runtimes.volumes import items
from nbflow.spec.pod import JsonObject, Pod

RESULT_LIMIT = 256 * 1024
"""Bytes of `outputs.result` that are kept, the last ones, as Argo keeps them."""

_LARGEST_PARAMETER = 64 * 1024 * 1024


class Capture:
    """Captures the outputs of one pod; what is missing is told in `problems`, in Argo's words.

    path_of: path of the pod -> path on this machine, links resolved. scratch: an existing private folder.
    secrets: where the credentials of places are looked up.
    """

    def __init__(
        self,
        pod: Pod,
        repository: Path,
        scratch: Path,
        path_of: Callable[[str], Path],
        secrets: Secrets = no_secrets,
    ) -> None:
        self.problems: list[str] = []
        self._pod = pod
        self._repository = repository
        self._scratch = scratch
        self._path_of = path_of
        self._secrets = secrets

    def outputs(self, exit_code: int | None, result: Path | None) -> dict[str, object]:
        """All outputs in Argo's JSON, as far as they are there."""
        found: dict[str, object] = {}
        parameters = [self._parameter(parameter) for parameter in items(self._pod.outputs, "parameters")]
        artifacts = [self._artifact(artifact) for artifact in items(self._pod.outputs, "artifacts")]
        if parameters:
            found["parameters"] = parameters
        if kept := [artifact for artifact in artifacts if artifact is not None]:
            found["artifacts"] = kept
        if result is not None and result.exists():
            found["result"] = read_result(result)
        if exit_code is not None:
            found["exitCode"] = str(exit_code)
        return found

    def _parameter(self, parameter: JsonObject) -> JsonObject:
        source = parameter.get("valueFrom")
        if not isinstance(source, Mapping) or not source.get("path"):
            return parameter
        path = clean(str(source["path"]))
        try:
            value = self._text(path)
        except OSError as error:
            if source.get("default") is None:
                reason = (error.strerror or str(error)).lower()
                self.problems.append(f"open {path}: {reason}")
                return parameter
            value = str(source["default"])
        return {**parameter, "value": value.removesuffix("\n")}

    def _text(self, path: str) -> str:
        place = self._path_of(path)
        with open(place, "rb", opener=no_links) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise IsADirectoryError(21, "is a directory")
            return file.read(_LARGEST_PARAMETER).decode("utf-8", "replace")

    def _artifact(self, artifact: JsonObject) -> JsonObject | None:
        path = clean(str(artifact.get("path", "")))
        try:
            place = self._path_of(path)
            mode = os.lstat(place).st_mode
        except OSError as error:
            if not artifact.get("optional"):
                reason = (error.strerror or str(error)).lower()
                self.problems.append(f"{path}: {reason}")
            return None
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            self.problems.append(f"{path} is not a regular file or directory")
            return None
        try:
            return self._store(artifact, place, os.path.basename(path) or "root")
        except OSError as error:
            self.problems.append(f"failed to save artifact {artifact.get('name', '')}: {error.strerror}")
        except NbflowError as error:
            self.problems.append(f"failed to save artifact {artifact.get('name', '')}: {error.problem}")
        return None

    def _located(self, artifact: JsonObject, file_name: str) -> JsonObject:
        """The artifact with its place, which is the repository's if it names none."""
        repository = self._pod.repository
        if place_of(artifact):
            return relocated(artifact, repository)
        home = {"s3": {"key": self._pod.artifact_key}}
        [place] = (repository or home).values()
        key = f"{place.get('key', '')}/{file_name}" if isinstance(place, Mapping) else file_name
        return {**artifact, **with_key(repository or home, key)}

    def logs(self, logs: Mapping[str, Path]) -> list[JsonObject]:
        """Keep the logs of containers, by their names, as artifacts."""
        kept = []
        for container, path in logs.items():
            artifact = self._located(
                {"name": f"{container}-logs", "archive": {"none": {}}}, f"{container}.log"
            )
            try:
                driver = driver_for(artifact, self._repository, self._secrets)
                attempt(partial(driver.save, path, artifact, take=False))
            except NbflowError as error:
                self.problems.append(f"failed to save artifact {container}-logs: {error.problem}")
            else:
                kept.append(artifact)
        return kept

    def _store(self, artifact: JsonObject, place: Path, own_name: str) -> JsonObject:
        """Pack and save; returns the artifact with where it is now."""
        name = str(artifact.get("name", ""))
        archive = artifact.get("archive")
        archive = archive if isinstance(archive, Mapping) else {}
        staged = self._scratch / secrets.token_hex(8)
        if archive.get("none") is not None:
            file_name, source = own_name, place
        elif archive.get("zip") is not None:
            file_name, source = f"{name}.zip", staged
            pack_zip(place, staged)
        else:
            file_name, source = f"{name}.tgz", staged
            tar = archive.get("tar")
            level = tar.get("compressionLevel") if isinstance(tar, Mapping) else None
            pack_tar(place, staged, level=level if isinstance(level, int) else -1)
        saved = self._located(artifact, file_name)
        try:
            driver = driver_for(saved, self._repository, self._secrets)
            attempt(lambda: driver.save(source, saved, take=source == staged))
        finally:
            staged.unlink(missing_ok=True)
        return saved


def read_result(path: Path) -> str:
    """Stdout without its last newline, at most RESULT_LIMIT bytes of its end."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - RESULT_LIMIT - 1))
        data = file.read()
    return data.removesuffix(b"\n")[-RESULT_LIMIT:].decode("utf-8", "replace")
