"""Puts into a pod's root what it starts with: input artifacts, its script, volumes made of secrets and config maps."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from nbflow.artifacts import driver_for, place_of
from nbflow.artifacts.archive import is_tar, unpack_tar, unpack_zip
from nbflow.artifacts.attempts import attempt
from nbflow.artifacts.driver import ArtifactNotFound
from nbflow.errors import NbflowError
from nbflow.runtimes.commands import SCRIPT
from nbflow.runtimes.environment import whole_config_map, whole_secret
from nbflow.runtimes.paths import clean
from nbflow.runtimes.runtime import Objects, PodRejected
from nbflow.runtimes.volumes import items, mount_path
from nbflow.spec.pod import JsonObject, Pod

_LATER = "comes with a later version of nbflow"


class Stager:
    """Stages one pod. own_path: path of the pod -> path on this machine, refused outside of the pod's own root."""

    def __init__(
        self, objects: Objects, repository: Path, scratch: Path, own_path: Callable[[str], Path]
    ) -> None:
        self._objects = objects
        self._repository = repository
        self._scratch = scratch
        self._own_path = own_path

    def stage(self, pod: Pod) -> None:
        """Raises PodRejected, naming what is missing or not understood."""
        self._volumes(pod)
        for artifact in pod.inputs:
            self._artifact(artifact)
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

    def _secret(self, name: str) -> Mapping[str, bytes] | None:
        return self._objects.secret(name)

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

    # --- volumes ---

    def _volumes(self, pod: Pod) -> None:
        if not pod.main.volume_mounts:
            return
        volumes = {str(volume.get("name")): volume for volume in pod.volumes}
        places: dict[tuple[str, str], str] = {}
        for mount in pod.main.volume_mounts:
            name = str(mount.get("name"))
            if name not in volumes:
                raise PodRejected(f"volume '{name}' not found in workflow spec")
            key = (name, str(mount.get("subPath") or ""))
            if key in places and "emptyDir" in volumes[name]:  # one folder under two names
                self._fresh(mount_path(mount)).symlink_to(places[key])
            else:
                places[key] = mount_path(mount)
                self._volume(volumes[name], mount)

    def _volume(self, volume: JsonObject, mount: JsonObject) -> None:
        sources = {kind: source for kind, source in volume.items() if kind != "name"}
        for kind, source in sources.items():
            settings = source if isinstance(source, Mapping) else {}
            if kind == "emptyDir":
                self._own_path(mount_path(mount)).mkdir(parents=True, exist_ok=True)
                return  # where the path has a folder already, that is it
            if kind == "persistentVolumeClaim":
                return  # mounted by the runtime
            if kind in {"secret", "configMap", "projected"}:
                self._files(self._projected(kind, settings), mount)
                return
        kind = next(iter(sources), "nothing")
        raise PodRejected(
            f"volume '{volume.get('name')}' is of the type {kind}, which {_LATER}",
            fix="use emptyDir, persistentVolumeClaim, secret or configMap",
        )

    def _projected(self, kind: str, settings: JsonObject) -> dict[str, tuple[bytes, int]]:
        """Path -> content and mode of all files of a volume."""
        if kind == "projected":
            found: dict[str, tuple[bytes, int]] = {}
            for source in items(settings, "sources"):
                for inner, inner_settings in source.items():
                    if inner not in {"secret", "configMap"} or not isinstance(inner_settings, Mapping):
                        raise PodRejected(f"a projected volume of the type {inner} {_LATER}")
                    merged = {"defaultMode": settings.get("defaultMode"), **inner_settings}
                    found |= self._projected(inner, merged)
            return found
        name = str(settings.get("secretName") or settings.get("name") or "")
        optional = bool(settings.get("optional"))
        values: dict[str, bytes]
        if kind == "secret":
            values = dict(whole_secret(name, self._objects, optional=optional))
        else:
            texts = whole_config_map(name, self._objects, optional=optional)
            values = {key: text.encode("utf-8", "surrogateescape") for key, text in texts.items()}
        usual = settings.get("defaultMode")
        mode = usual if isinstance(usual, int) else (0o400 if kind == "secret" else 0o644)
        chosen = items(settings, "items")
        if not chosen:
            return {key: (value, mode) for key, value in values.items()}
        return dict(_chosen(chosen, values, f'{kind} "{name}"', mode, optional=optional))

    def _files(self, files: Mapping[str, tuple[bytes, int]], mount: JsonObject) -> None:
        target = mount_path(mount)
        wanted = str(mount.get("subPath") or "").strip("/")
        if wanted in files:
            files, target = {os.path.basename(target): files[wanted]}, os.path.dirname(target)
        elif wanted:
            files = {
                path[len(wanted) + 1 :]: file for path, file in files.items() if path.startswith(f"{wanted}/")
            }
        self._own_path(target).mkdir(parents=True, exist_ok=True)
        for path, (content, mode) in files.items():
            place = self._fresh(clean(f"{target}/{path}"))
            with open(place, "xb", opener=_private) as file:
                file.write(content)
            place.chmod(mode & 0o777)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _chosen(
    chosen: list[JsonObject], values: Mapping[str, bytes], where: str, mode: int, *, optional: bool
) -> list[tuple[str, tuple[bytes, int]]]:
    found = []
    for item in chosen:
        key = str(item.get("key", ""))
        path = clean(str(item.get("path", key))).lstrip("/")
        if key in values:
            own = item.get("mode")
            found.append((path, (values[key], own if isinstance(own, int) else mode)))
        elif not optional:
            raise PodRejected(f"references non-existent secret key: {key} in {where}")
    return found


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
