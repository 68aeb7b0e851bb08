"""Self-reported progress: the file in which a pod says how far it got, and how it is read.

Argo's executor keeps the last line of the file that ARGO_PROGRESS_FILE names, "N/M". Its folder is a volume of all
containers of the pod there; here main's own root has it where main is alone.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nbflow.errors import NbflowError
from nbflow.runtimes.paths import no_links
from nbflow.runtimes.security import security_of
from nbflow.spec.pod import ContainerSpec, JsonObject, Pod
from nbflow.spec.sums import parse_progress

ARGO_FOLDER = "/var/run/argo"
PROGRESS_FILE = f"{ARGO_FOLDER}/progress"

_VOLUME = "var-run-argo"
_LAST_LINE = 4096


def argo_variables(pod: Pod, container: ContainerSpec) -> dict[str, str]:
    """What Argo tells every container in its environment."""
    return {
        "ARGO_CONTAINER_NAME": container.name,
        "ARGO_NODE_ID": pod.node_id,
        "ARGO_WORKFLOW_NAME": pod.workflow,
        "ARGO_PROGRESS_FILE": PROGRESS_FILE,
    }


def with_argo_volume(pod: Pod) -> Pod:
    """The pod with Argo's folder as a volume, if the root of main cannot be the place of it."""
    alone = len(pod.containers) == 1 and not pod.init_containers
    settings = pod.main.extra.get("securityContext") or pod.extra.get("securityContext")
    if alone and not (settings and security_of(pod, pod.main).read_only_root):
        return pod
    return replace(
        pod,
        volumes=(*pod.volumes, {"name": _VOLUME, "emptyDir": {}}),
        containers=tuple(map(_mounting, pod.containers)),
        init_containers=tuple(map(_mounting, pod.init_containers)),
    )


def _mounting(container: ContainerSpec) -> ContainerSpec:
    mount: JsonObject = {"name": _VOLUME, "mountPath": ARGO_FOLDER}
    if any(f"{ARGO_FOLDER}/".startswith(f"{own.get('mountPath')}/") for own in container.volume_mounts):
        return container  # what is mounted around it is the place of it
    return replace(container, volume_mounts=(*container.volume_mounts, mount))


def read_progress(path_of: Callable[[str], Path]) -> str:
    """The progress that a pod says it made, "" if it says none. path_of: path of the pod -> path on this machine."""
    try:
        with open(path_of(PROGRESS_FILE), "rb", opener=no_links) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                return ""
            file.seek(max(0, found.st_size - _LAST_LINE))
            lines = file.read(_LAST_LINE).decode("ascii", "replace").strip()
    except (OSError, NbflowError):
        return ""
    last = lines.rpartition("\n")[2].strip()
    return last if parse_progress(last)[1] else ""
