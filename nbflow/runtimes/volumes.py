"""Which paths a pod claims for itself, and where its volumes are on this machine.

A volume is a folder, which is mounted into the containers that name it: claims outlive the pod (in the home, or in
the folder of the workflow they were made for), paths of the host are the machine's, all others live with the pod.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace

from nbflow.errors import NbflowError
from nbflow.runtimes.commands import SCRIPT
from nbflow.runtimes.memory import memory_folder
from nbflow.runtimes.paths import clean, resolve
from nbflow.runtimes.runtime import PodRejected
from nbflow.spec.pod import ContainerSpec, JsonObject, Pod
from nbflow.store.home import Home
from nbflow.units import size

FILES = ("secret", "configMap", "projected", "downwardAPI")
"""Volumes made of files that we write; read-only for the pod."""

_WITH_POD = ("emptyDir", "ephemeral", *FILES)
"""Volumes that live and die with the pod."""

CLAIM, HOST_PATH = "persistentVolumeClaim", "hostPath"


def declared_paths(pod: Pod) -> list[str]:
    """Every path that the pod's manifest names: inputs, outputs, mounts, working folder, the script's place."""
    return [path for path in (*_named(pod), *output_paths(pod)) if path]


def _named(pod: Pod) -> Iterator[str]:
    yield from (clean(str(artifact["path"])) for artifact in pod.inputs if artifact.get("path"))
    yield from (mount_path(mount) for mount in pod.main.volume_mounts)
    if pod.main.working_dir:
        yield clean(pod.main.working_dir)
    if pod.main.source is not None:
        yield SCRIPT


def output_paths(pod: Pod) -> list[str]:
    """Where outputs are expected."""
    found: list[str] = []
    for parameter in items(pod.outputs, "parameters"):
        source = parameter.get("valueFrom")
        if isinstance(source, Mapping) and source.get("path"):
            found.append(clean(str(source["path"])))
    found += [
        clean(str(artifact["path"])) for artifact in items(pod.outputs, "artifacts") if artifact.get("path")
    ]
    return found


def items(data: JsonObject, key: str) -> list[JsonObject]:
    """The objects of a list in JSON data; empty if there is none."""
    value = data.get(key)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


def mount_path(mount: JsonObject) -> str:
    """Where a volume mount is."""
    return clean(str(mount.get("mountPath", "/")))


def kind_of(volume: JsonObject) -> str:
    """`emptyDir`, `secret`, ...; emptyDir if it says nothing, as in Kubernetes."""
    return next((key for key, value in volume.items() if key != "name" and value is not None), "emptyDir")


def settings_of(volume: JsonObject) -> JsonObject:
    """What the volume says about its source."""
    found = volume.get(kind_of(volume))
    return found if isinstance(found, Mapping) else {}


def read_only_mounts(pod: Pod) -> set[str]:
    """Where main mounts what it may not write to."""
    fixed = {str(volume.get("name")) for volume in pod.volumes if kind_of(volume) in FILES}
    return {
        mount_path(mount)
        for mount in pod.main.volume_mounts
        if mount.get("readOnly") or str(mount.get("name")) in fixed
    }


def mounts_of(pod: Pod, home: Home) -> dict[str, str]:
    """Path -> place on this machine of all that main mounts, outer paths first. Raises PodRejected."""
    if not pod.main.volume_mounts:
        return {}
    places = {str(volume.get("name")): (volume, place_of_volume(pod, volume, home)) for volume in pod.volumes}
    found = {}
    for mount in sorted(pod.main.volume_mounts, key=mount_path):
        name = str(mount.get("name"))
        if name not in places:
            raise PodRejected(f"volume '{name}' not found in workflow spec")
        path = mount_path(mount)
        if path == "/":
            raise PodRejected("a volume cannot take the place of /")
        volume, place = places[name]
        inner = clean(str(mount.get("subPath") or "/"))
        if inner != "/":
            place = resolve(inner, place, {})[0]  # no link in a volume leads out of it
            if kind_of(volume) not in FILES and not os.path.isfile(place):
                os.makedirs(place, exist_ok=True)
        found[path] = place
    return found


def place_of_volume(pod: Pod, volume: JsonObject, home: Home) -> str:
    """The folder (or file) of this machine that a volume is. Raises PodRejected for a type that we do not have."""
    kind, settings = kind_of(volume), settings_of(volume)
    if kind == CLAIM:
        return claim_folder(pod, str(settings.get("claimName", "")), home)
    if kind == HOST_PATH:
        return clean(str(settings.get("path", "/")))
    if kind in _WITH_POD:
        name, folder = _plain(str(volume.get("name"))), os.fspath(home.pod(pod.uid, pod.name))
        in_memory = memory_folder(folder) if settings.get("medium") == "Memory" else ""
        return os.path.join(in_memory or f"{folder}/volumes", name)
    raise PodRejected(
        f"volume '{volume.get('name')}' is of the type {kind}, which means nothing outside of a cluster",
        fix="use emptyDir, persistentVolumeClaim, secret, configMap, projected, downwardAPI or hostPath, "
        "or submit with --on argo",
    )


def size_limits(pod: Pod) -> tuple[tuple[str, str, int], ...]:
    """Name, limit as written and limit in bytes of each volume that may grow no larger. Raises PodRejected."""
    found = []
    for volume in pod.volumes:
        limit = settings_of(volume).get("sizeLimit") if kind_of(volume) == "emptyDir" else None
        try:
            if limit is not None and size(str(limit)) > 0:
                found.append((str(volume.get("name")), str(limit), size(str(limit))))
        except NbflowError as error:
            raise PodRejected(f"volume '{volume.get('name')}': {error.problem}", fix=error.fix) from error
    return tuple(found)


def claim_folder(pod: Pod, claim: str, home: Home) -> str:
    """Where the files of a claim are: a claim made for the workflow goes with it."""
    plain = _plain(claim)
    return os.fspath(home.claims(pod.uid) / plain if claim in pod.own_claims else home.claim(plain))


def _plain(name: str) -> str:
    if "/" in name or name in {"", ".", ".."}:
        raise PodRejected(f"{name!r} is no name of a claim or volume")
    return name


def mirrored(pod: Pod, container: ContainerSpec) -> ContainerSpec:
    """The container with main's mounts besides its own, if it asks for that."""
    if container is pod.main or not container.extra.get("mirrorVolumeMounts"):
        return container
    own = {mount_path(mount) for mount in container.volume_mounts}
    more = (mount for mount in pod.main.volume_mounts if mount_path(mount) not in own)
    return replace(container, volume_mounts=(*container.volume_mounts, *more))
