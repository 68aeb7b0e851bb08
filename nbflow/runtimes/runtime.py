"""The protocol of everything that runs pods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from nbflow.errors import NbflowError
from nbflow.spec.pod import Pod


class PodRejected(NbflowError):
    """The pod can never start here: an image that means nothing, a missing secret, a volume type."""


class RuntimeUnavailable(NbflowError):
    """The pod may start later: a daemon is down, a quota is used up."""


class Objects(Protocol):
    """Where a runtime looks up what pods name: secrets, config maps, claims of the home."""

    def secret(self, name: str) -> Mapping[str, bytes] | None:
        """Key -> value of a Secret, None if there is none."""

    def config_map(self, name: str) -> Mapping[str, str] | None:
        """Key -> value of a ConfigMap, None if there is none."""

    def claim(self, name: str) -> Mapping[str, object] | None:
        """A PersistentVolumeClaim, None if there is none."""


@dataclass(frozen=True, slots=True)
class PodStatus:
    """What the system says of a pod.

    started_at None: not started yet. exit_code None: main still runs (or never ran, then `message` says why).
    finished: the process tree is gone. vanished: it is gone and left no exit code (killed, reboot).
    ready: a daemon that passed its readiness probe; ip: where others reach it then.
    containers: exit codes of the containers that ended, in the order of their ends, where there are several.
    restarted: the last exit codes of those that were started again. failed_init: name and exit code.
    evicted: why the pod had to go, as Kubernetes words it. reasons: why containers were ended, by name.
    limited: containers with a limit on their memory; out_of_memory: those of them that the kernel ended for it.
    """

    name: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    finished: bool = False
    vanished: bool = False
    deadline_exceeded: bool = False
    message: str = ""
    ip: str = ""
    ready: bool = False
    containers: Mapping[str, int] = field(default_factory=dict)
    restarted: Mapping[str, int] = field(default_factory=dict)
    failed_init: tuple[str, int] | None = None
    evicted: str = ""
    reasons: Mapping[str, str] = field(default_factory=dict)
    limited: tuple[str, ...] = ()
    out_of_memory: frozenset[str] = frozenset()


class Runtime(Protocol):
    """Runs pods: as sandboxed processes, in containers, or on a cluster.

    It knows no workflow, store or retry, never waits for a pod and never retries one: it does as told
    and says what it sees. tests/contracts/runtime.py holds it to this text.
    """

    name: str
    notice: str
    """What users should know of this runtime, "" mostly; it may come to be known later. Each is said once."""

    def prepare_pod(self, pod: Pod) -> bool:
        """Make room for the files of `pod`, so that path_of answers and it can be staged.
        False, and nothing is touched, if a pod of that name was created already. Raises as create_pod does."""

    def create_pod(self, pod: Pod) -> None:
        """Start `pod` (staged before by the executor) and return at once; no effect if a pod of that name exists.

        Raises PodRejected if it can never start here, RuntimeUnavailable if it may start later.
        """

    def list_pods(self, workflow_uid: str) -> Mapping[str, PodStatus]:
        """All pods created for a workflow and not deleted, finished ones too, also those of an earlier
        controller: the answer comes from the system, not from memory."""

    def pod_status(self, workflow_uid: str, name: str) -> PodStatus | None:
        """The same of one pod; None if there is none."""

    def finished_pods(self, timeout: timedelta) -> list[str]:
        """Names of pods that ended since the last call; waits up to `timeout` for the first one.
        May name a pod twice; a pod that ended while no controller ran is found by list_pods."""

    def delete_pod(self, name: str, *, grace: timedelta) -> None:
        """End its whole process tree within `grace`: SIGTERM, then SIGKILL. Returns at once. Safe to repeat."""

    def path_of(self, name: str, container_path: str, *, own: bool = False) -> Path:
        """Where on this machine a path of the pod's main container is; symlinks are resolved inside the pod.
        own: it is to be written to; raises PodRejected if it is not the pod's own."""

    def forget_pod(self, name: str, *, keep_root: bool) -> None:
        """Drop all traces of a finished pod but its logs; with keep_root its files stay for looking at."""
