"""What stands in for Argo's executor: stages a pod before it starts, captures what it made when it ended."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from nbflow.artifacts import driver_for, place_of
from nbflow.errors import NbflowError
from nbflow.runtimes.capture import Capture, remove_secrets
from nbflow.runtimes.commands import SCRIPT
from nbflow.runtimes.environment import expand, resolve_environment
from nbflow.runtimes.images import Image, command_line, known_images
from nbflow.runtimes.resource import is_resource, resource_outcome, resource_pod
from nbflow.runtimes.runtime import Objects, PodRejected, PodStatus, Runtime
from nbflow.runtimes.staging import Stager
from nbflow.runtimes.volumes import items
from nbflow.spec.pod import ContainerSpec, Pod, PodOutcome
from nbflow.spec.status import Phase
from nbflow.store.home import Home

DEADLINE_EXCEEDED = "Pod was active on the node longer than the specified deadline"
VANISHED = "pod deleted: its processes were killed from outside, or the machine was restarted"


class Executor:
    """Starts and finishes pods on a runtime. Used from several threads, one for each pod at a time."""

    def __init__(self, runtime: Runtime, home: Home, objects: Objects) -> None:
        self._runtime = runtime
        self._home = home
        self._objects = objects

    def is_quick(self, pod: Pod) -> bool:
        """Whether start and finish move no artifacts, so that a thread would cost more than it saves."""
        return not pod.inputs and not items(pod.outputs, "artifacts")

    def start(self, pod: Pod) -> None:
        """Stage what the pod starts with and create it. No effect if it exists.

        Raises PodRejected if it can never start, RuntimeUnavailable if it may start later.
        """
        ready = self._complete(pod)
        try:
            if not self._runtime.prepare_pod(pod):
                return
            if pod.inputs or pod.main.volume_mounts or pod.main.source is not None:
                self._stage(pod)
            self._runtime.create_pod(ready)
        except OSError as error:
            self._runtime.forget_pod(pod.name, keep_root=False)
            raise PodRejected(f"the pod could not be staged: {error.strerror}: {error.filename}") from error
        except NbflowError:
            self._runtime.forget_pod(pod.name, keep_root=False)
            raise

    def _stage(self, pod: Pod) -> None:
        own_path = partial(self._runtime.path_of, pod.name, own=True)
        with _scratch(self._home, pod, needed=bool(pod.inputs)) as scratch:
            Stager(self._objects, self._home.artifacts, scratch, own_path).stage(pod)

    def _complete(self, pod: Pod) -> Pod:
        """The pod with its command line and environment; what holds secrets, and is never stored."""
        _check(pod)
        main = pod.main
        if is_resource(pod):
            return resource_pod(pod, self._home)
        env = resolve_environment(pod, main, self._objects)
        command = tuple(expand(word, env) for word in main.command)
        args = tuple(expand(word, env) for word in main.args)
        if main.source is not None:
            args = (*args, SCRIPT)
        line = command_line(main.image, command, args, self._images(main), script=main.source is not None)
        items_of_env = tuple({"name": name, "value": value} for name, value in env.items())
        ready = replace(main, command=line, args=(), env=items_of_env, env_from=())
        return replace(pod, containers=tuple(ready if c is main else c for c in pod.containers))

    def _images(self, container: ContainerSpec) -> dict[str, Image]:
        return {} if container.command else dict(known_images(self._home.root))

    def _secret(self, name: str) -> Mapping[str, bytes] | None:
        return self._objects.secret(name)

    def finish(self, pod: Pod, status: PodStatus) -> PodOutcome:
        """Capture what a pod left that ended. Works for a pod of an earlier controller, from its files alone."""
        path_of = partial(self._runtime.path_of, pod.name)
        result = self._home.pod(pod.uid, pod.name) / "result" if pod.wants_result else None
        wanted = replace(pod, outputs={}) if status.vanished else pod
        with _scratch(self._home, pod, needed=bool(items(wanted.outputs, "artifacts"))) as scratch:
            capture = Capture(wanted, self._home.artifacts, scratch, path_of, self._secret)
            outputs = capture.outputs(status.exit_code, result)
        if pod.main.volume_mounts:
            remove_secrets(pod, path_of)
        phase, message = _verdict(status, capture.problems, self._home.log(pod.uid, pod.name, pod.main.name))
        outcome = PodOutcome(
            phase=phase,
            message=message,
            exit_code=status.exit_code,
            started_at=status.started_at,
            finished_at=status.finished_at,
            outputs=outputs or None,
            containers={pod.main.name: (phase, message)},
        )
        return resource_outcome(pod, outcome, self._home) if is_resource(pod) else outcome


def _check(pod: Pod) -> None:
    """Refuse what cannot be run or kept, before anything is started."""
    if pod.init_containers or len(pod.containers) > 1:
        raise PodRejected("sidecars, init containers and container sets come with a later version of nbflow")
    for artifact in items(pod.outputs, "artifacts"):
        if place_of(artifact):
            try:
                driver_for(artifact, Path())
            except NbflowError as error:
                raise PodRejected(error.problem, fix=error.fix) from error


def _verdict(status: PodStatus, problems: list[str], log: Path) -> tuple[Phase, str]:
    """Phase and message as Argo infers them: the deadline, then main, then what could not be captured."""
    if status.deadline_exceeded:
        return Phase.FAILED, DEADLINE_EXCEEDED
    if status.vanished or status.exit_code is None:
        return Phase.ERROR, VANISHED
    if status.exit_code:
        setup = _setup_failure(status, log)
        if setup:
            return Phase.ERROR, setup
        said = f": {status.message}" if status.message else ""
        return Phase.FAILED, f"main: Error (exit code {status.exit_code}){said}"
    if problems:
        return Phase.ERROR, f"wait: Error (exit code 64): {'; '.join(problems)}"
    return Phase.SUCCEEDED, ""


def _setup_failure(status: PodStatus, log: Path) -> str:
    """What bubblewrap complained of, if it never came to running the pod's program."""
    if status.exit_code != 1:
        return ""
    with contextlib.suppress(OSError), log.open("rb") as file:
        head = file.read(1000).decode("utf-8", "replace")
        if head.startswith("bwrap: ") and head.count("\n") <= 1:
            return f"the sandbox could not be set up: {head.removeprefix('bwrap: ').strip()}"
    return ""


@contextlib.contextmanager
def _scratch(home: Home, pod: Pod, *, needed: bool) -> Iterator[Path]:
    """A private folder beside the pod's root, for artifacts on their way; made only if it is needed."""
    folder = home.pod(pod.uid, pod.name) / "scratch"
    if not needed:
        yield folder
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
