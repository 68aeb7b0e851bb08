"""Which paths a pod claims for itself, and the volumes that come from outside of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from nbflow.runtimes.commands import SCRIPT
from nbflow.runtimes.paths import clean
from nbflow.runtimes.runtime import PodRejected
from nbflow.spec.pod import JsonObject, Pod
from nbflow.store.home import Home


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


def read_only_mounts(pod: Pod) -> set[str]:
    """Where main mounts volumes that it may not write to."""
    return {mount_path(mount) for mount in pod.main.volume_mounts if mount.get("readOnly")}


def claim_mounts(pod: Pod, home: Home) -> dict[str, str]:
    """Path -> folder of this machine, for the volumes that outlive the pod: claims are folders of the home."""
    claims = {
        str(volume.get("name")): str(claim["claimName"])
        for volume in pod.volumes
        if isinstance(claim := volume.get("persistentVolumeClaim"), Mapping) and "claimName" in claim
    }
    found = {}
    for mount in pod.main.volume_mounts:
        claim_name = claims.get(str(mount.get("name")))
        if claim_name is None:
            continue
        if "/" in claim_name or claim_name in {"", ".", ".."}:
            raise PodRejected(f'persistentvolumeclaim "{claim_name}" is no name of a claim')
        folder = os.path.join(home.root, "volumes", claim_name)
        source = folder + clean(str(mount.get("subPath") or "/")).rstrip("/")
        os.makedirs(source, mode=0o700, exist_ok=True)
        found[mount_path(mount)] = source
    return found
