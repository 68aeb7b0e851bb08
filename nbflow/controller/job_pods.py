"""The pods of one object, a Job or a Pod, as the process has them that runs the object (jobs.py)."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Mapping
from datetime import timedelta

from nbflow.controller.pod_specs import Json, mapping, pod_of
from nbflow.errors import NotFoundError
from nbflow.runtimes import open_runtime
from nbflow.runtimes.executor import Executor
from nbflow.runtimes.folder import PodFolder
from nbflow.spec.pod import Pod, PodOutcome
from nbflow.spec.status import Phase
from nbflow.store import Home, Store

STEP = "nbflow.dev/step"
"""The annotation of an object that a step waits for: UID/POD of the step."""

_WAIT = timedelta(seconds=0.5)


def step_of(item: Mapping[str, object]) -> str:
    """The step that waits for an object, "" for none."""
    return str(mapping(mapping(item, "metadata"), "annotations").get(STEP) or "")


def is_awaited(home: Home, item: Mapping[str, object] | None) -> bool:
    """Whether a step waits for an object, and lives."""
    step = step_of(item or {})
    return bool(step) and PodFolder(os.fspath(home.pod(*step.split("/", 1)))).alive()


class ObjectEnded(Exception):
    """The object is gone, or the step that waited for it."""


class ObjectPods:
    """Runs them side by side. kind, name, uid: of the object, whose uid is also that of their files."""

    def __init__(
        self, home: Home, store: Store, kind: str, item: Json, annotations: Mapping[str, str]
    ) -> None:
        self._home, self._store, self._kind = home, store, kind
        metadata = mapping(item, "metadata")
        self.name, self._uid = str(metadata["name"]), str(metadata["uid"])
        self._annotations = annotations
        self._running: dict[str, Pod] = {}
        self._runtime = open_runtime(annotations.get("nbflow.dev/target", "sandbox"), home, store.objects)
        self._executor = Executor(self._runtime, home, store.objects)
        self.stopping = False

    @property
    def active(self) -> int:
        """How many run."""
        return len(self._running)

    def start(self, name: str, template: Json, env: Mapping[str, str] | None = None) -> None:
        """Start one. Raises NbflowError if it can never start."""
        pod = pod_of(name, template, self.name, self._uid, self._annotations, env or {})
        self._executor.start(pod)
        self._running[name] = pod

    def ended(self) -> list[tuple[str, PodOutcome]]:
        """Those that ended since the last call; waits a while for the first. Raises ObjectEnded if that is so."""
        self._check()
        self._runtime.finished_pods(_WAIT)
        over = [name for name in self._running if self._is_over(name)]
        return [(name, self._outcome(self._running.pop(name))) for name in over]

    def _outcome(self, pod: Pod) -> PodOutcome:
        status = self._runtime.pod_status(self._uid, pod.name)
        outcome = (
            PodOutcome(Phase.ERROR, "pod deleted") if status is None else self._executor.finish(pod, status)
        )
        for container in (*pod.init_containers, *pod.containers):
            path = self._home.log(self._uid, pod.name, container.name)
            with contextlib.suppress(OSError), path.open("rb") as log:
                shutil.copyfileobj(log, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        self._forget(pod.name)
        return outcome

    def _check(self) -> None:
        if self.stopping or not self._home.database.exists():
            raise ObjectEnded
        item = self._store.objects.get(self._kind, self.name) or {}
        goes_on = not step_of(item) or is_awaited(self._home, item)
        if mapping(item, "metadata").get("uid") != self._uid or not goes_on:
            raise ObjectEnded

    def tell(self, status: Json) -> None:
        """Write the object's status down."""
        with contextlib.suppress(NotFoundError):
            self._store.objects.change(self._kind, self.name, lambda item: {**item, "status": status})

    def close(self) -> None:
        """End those that run; nothing of them is left."""
        for name in self._running:
            self._runtime.delete_pod(name, grace=timedelta(0))
        while any(not self._is_over(name) for name in self._running):
            self._runtime.finished_pods(_WAIT)
        for name in self._running:
            self._forget(name)
        self._running = {}

    def _is_over(self, name: str) -> bool:
        status = self._runtime.pod_status(self._uid, name)
        return status is None or status.finished

    def _forget(self, name: str) -> None:
        self._runtime.forget_pod(name, keep_root=False)
        shutil.rmtree(self._home.pod(self._uid, name), ignore_errors=True)
