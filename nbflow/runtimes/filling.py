"""Makes the volumes of a pod before it is prepared: empty ones, and those that are files of secrets and config maps."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from nbflow.runtimes.environment import whole_config_map, whole_secret
from nbflow.runtimes.fields import field_of, resource_of
from nbflow.runtimes.memory import make_memory_folder
from nbflow.runtimes.paths import clean
from nbflow.runtimes.runtime import Objects, PodRejected
from nbflow.runtimes.volumes import FILES, items, kind_of, place_of_volume, settings_of
from nbflow.spec.pod import JsonObject, Pod
from nbflow.store.home import Home

Files = dict[str, tuple[bytes, int]]
"""Path in the volume -> content and mode."""


class Filler:
    """host_paths: folders of the machine that pods may mount, as the user allowed it."""

    def __init__(self, home: Home, objects: Objects, host_paths: Callable[[], tuple[str, ...]]) -> None:
        self._home = home
        self._objects = objects
        self._host_paths = host_paths

    def check(self, pod: Pod) -> list[tuple[str, Files]]:
        """What is to be made: folders with their files. Raises PodRejected, naming what is missing; makes nothing."""
        return [
            (place_of_volume(pod, volume, self._home), self._files(pod, volume)) for volume in pod.volumes
        ]

    def fill(self, pod: Pod, wanted: list[tuple[str, Files]]) -> None:
        """Make them."""
        for (place, files), volume in zip(wanted, pod.volumes, strict=True):
            kind = kind_of(volume)
            if kind == "hostPath":
                _host_path(place, str(settings_of(volume).get("type") or ""))
                continue
            if settings_of(volume).get("medium") == "Memory":
                make_memory_folder(os.path.dirname(place), os.fspath(self._home.pod(pod.uid, pod.name)))
            os.makedirs(place, mode=0o700, exist_ok=True)
            os.chmod(place, 0o777 if kind not in FILES else 0o755)
            for path, (content, mode) in files.items():
                _write(place, path, content, mode)

    def _files(self, pod: Pod, volume: JsonObject) -> Files:
        kind, settings = kind_of(volume), settings_of(volume)
        if kind == "persistentVolumeClaim":
            self._check_claim(pod, str(settings.get("claimName", "")))
        if kind == "hostPath":
            check_host_path(str(settings.get("path", "/")), self._host_paths())
        return self._projected(pod, kind, settings) if kind in FILES else {}

    def _check_claim(self, pod: Pod, name: str) -> None:
        if name not in pod.own_claims and self._objects.claim(name) is None:
            raise PodRejected(f'persistentvolumeclaim "{name}" not found', fix=f"nbflow volume create {name}")

    def _projected(self, pod: Pod, kind: str, settings: JsonObject) -> Files:
        if kind == "projected":
            return self._sources(pod, settings)
        if kind == "downwardAPI":
            return dict(_fields(pod, settings))
        name = str(settings.get("secretName") or settings.get("name") or "")
        optional = bool(settings.get("optional"))
        values: Mapping[str, bytes]
        if kind == "secret":
            values = whole_secret(name, self._objects, optional=optional)
        else:
            texts = whole_config_map(name, self._objects, optional=optional)
            values = {key: text.encode("utf-8", "surrogateescape") for key, text in texts.items()}
        usual = settings.get("defaultMode")
        mode = usual if isinstance(usual, int) else (0o400 if kind == "secret" else 0o644)
        chosen = items(settings, "items")
        if not chosen:
            return {key: (value, mode) for key, value in values.items()}
        return dict(_chosen(chosen, values, f'{kind} "{name}"', mode, optional=optional))

    def _sources(self, pod: Pod, settings: JsonObject) -> Files:
        found: Files = {}
        for source in items(settings, "sources"):
            for kind, inner in source.items():
                if kind not in {"secret", "configMap", "downwardAPI"} or not isinstance(inner, Mapping):
                    raise PodRejected(
                        f"a projected volume cannot take a {kind} here: it is a cluster that makes one",
                        fix="leave it out, use a secret, or submit with --on argo",
                    )
                found |= self._projected(pod, kind, {"defaultMode": settings.get("defaultMode"), **inner})
        return found


def _fields(pod: Pod, settings: JsonObject) -> list[tuple[str, tuple[bytes, int]]]:
    usual = settings.get("defaultMode")
    found = []
    for item in items(settings, "items"):
        mode = item.get("mode") or usual
        place = clean(str(item.get("path", ""))).lstrip("/")
        content = _said(item, pod).encode("utf-8", "surrogateescape")
        found.append((place, (content, mode if isinstance(mode, int) else 0o644)))
    return found


def check_host_path(path: str, allowed: Iterable[str]) -> None:
    """Whether a path is in one of the folders that the user allowed. Raises PodRejected."""
    real = os.path.realpath(clean(path))
    folders = [os.path.realpath(folder) for folder in allowed]
    if any(real == folder or real.startswith(folder.rstrip("/") + "/") for folder in folders):
        return
    raise PodRejected(
        f"hostPath {path} is not allowed",
        fix=f'allow it in settings.toml of NBFLOW_HOME: host_paths = "{path}", or set NBFLOW_HOST_PATHS',
    )


def _said(item: JsonObject, pod: Pod) -> str:
    """What a file of the downward API holds."""
    field, resource = item.get("fieldRef"), item.get("resourceFieldRef")
    if isinstance(field, Mapping):
        return field_of(str(field.get("fieldPath", "")), pod)
    if isinstance(resource, Mapping):
        return resource_of(resource, pod, None)
    raise PodRejected(
        f"{item.get('path', 'a file')} of a downwardAPI volume says nothing",
        fix="use fieldRef or resourceFieldRef",
    )


def _host_path(path: str, kind: str) -> None:
    """See that it is there and what it has to be. Raises PodRejected."""
    if kind == "DirectoryOrCreate":
        os.makedirs(path, exist_ok=True)
    elif kind == "FileOrCreate":
        Path(path).touch()
    checks = {"Directory": os.path.isdir, "DirectoryOrCreate": os.path.isdir, "File": os.path.isfile}
    if not checks.get(kind, os.path.exists)(path):
        raise PodRejected(f"hostPath {path} is not there" if not kind else f"hostPath {path} is no {kind}")


def _write(folder: str, path: str, content: bytes, mode: int) -> None:
    place = folder + clean(path)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "xb", opener=_private) as file:
        file.write(content)
    os.chmod(place, mode & 0o777)


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


def remove_secrets(pod: Pod, home: Home) -> None:
    """Take the files of secret volumes away, before what the pod left may be kept for looking at."""
    for volume in pod.volumes:
        if kind_of(volume) in ("secret", "projected"):
            shutil.rmtree(place_of_volume(pod, volume, home), ignore_errors=True)
