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
from nbflow.runtimes.agent import agent_outcome, agent_pod, asked_outcome, asking, asks, is_agent
from nbflow.runtimes.capture import Capture
from nbflow.runtimes.commands import SCRIPT
from nbflow.runtimes.environment import expand, resolve_environment
from nbflow.runtimes.filling import Filler, remove_secrets
from nbflow.runtimes.images import KNOWN, Image, command_line, known_images
from nbflow.runtimes.progress import argo_variables, read_progress, with_argo_volume
from nbflow.runtimes.runtime import Objects, PodRejected, PodStatus, Runtime
from nbflow.runtimes.staging import Stager
from nbflow.runtimes.termination import last_words
from nbflow.runtimes.verdicts import DEADLINE_EXCEEDED, container_failure, containers_outcome, ended_sidecars
from nbflow.runtimes.volumes import items
from nbflow.spec.pod import ContainerSpec, JsonObject, Pod, PodOutcome
from nbflow.spec.privileges import WAYS_OUT, privilege_of
from nbflow.spec.status import Phase
from nbflow.store.home import Home
from nbflow.store.settings import read_settings

VANISHED = "pod deleted: its processes were killed from outside, or the machine was restarted"


class Executor:
    """Starts and finishes pods on a runtime. Used from several threads, one for each pod at a time."""

    def __init__(self, runtime: Runtime, home: Home, objects: Objects) -> None:
        self._runtime = runtime
        self._home = home
        self._objects = objects
        self._filler = Filler(home, objects, self._host_paths)

    def is_quick(self, pod: Pod) -> bool:
        """Whether start and finish move no artifacts, so that a thread would cost more than it saves."""
        return not pod.inputs and not items(pod.outputs, "artifacts") and not pod.archive_logs

    def start(self, pod: Pod) -> None:
        """Stage what the pod starts with and create it. No effect if it exists.

        Raises PodRejected if it can never start, RuntimeUnavailable if it may start later.
        """
        ready = self._complete(pod)
        volumes = self._filler.check(ready) if ready.volumes else []
        try:
            if not self._runtime.prepare_pod(ready):
                return
            if volumes:
                self._filler.fill(ready, volumes)
            if pod.inputs or pod.main.source is not None:
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
            Stager(self._home.artifacts, scratch, own_path, self._secret).stage(pod)

    def _complete(self, pod: Pod) -> Pod:
        """The pod with its command lines and environments; what holds secrets, and is never stored."""
        _check(pod)
        if is_agent(pod):
            return agent_pod(pod, self._home)
        if asks(pod):
            pod = asking(pod)
        pod = with_argo_volume(pod)
        return replace(
            pod,
            containers=tuple(self._ready(pod, container) for container in pod.containers),
            init_containers=tuple(self._ready(pod, container) for container in pod.init_containers),
        )

    def _ready(self, pod: Pod, container: ContainerSpec) -> ContainerSpec:
        env = resolve_environment(pod, container, self._objects) | argo_variables(pod, container)
        command = tuple(expand(word, env) for word in container.command)
        args = tuple(expand(word, env) for word in container.args)
        if container.source is not None:
            args = (*args, SCRIPT)
        line = command_line(
            container.image, command, args, self._images(container), script=container.source is not None
        )
        return replace(
            container,
            command=line,
            args=(),
            env=tuple({"name": name, "value": value} for name, value in env.items()),
            env_from=(),
            volume_mounts=tuple(_with_path(mount, env) for mount in container.volume_mounts),
        )

    def _logs(self, pod: Pod) -> dict[str, Path]:
        """The logs of the containers that are no sidecars."""
        main = [container.name for container in pod.containers if container.name not in pod.sidecars]
        found = {name: self._home.log(pod.uid, pod.name, name) for name in main}
        return {name: path for name, path in found.items() if path.exists()}

    def _images(self, container: ContainerSpec) -> dict[str, Image]:
        return dict(KNOWN if container.command else known_images(self._home.root))

    def _secret(self, name: str) -> Mapping[str, bytes] | None:
        return self._objects.secret(name)

    def _host_paths(self) -> tuple[str, ...]:
        return tuple(path for path in read_settings(self._home).host_paths.split(":") if path)

    def progress(self, pod: Pod) -> str:
        """How far a pod that runs says it got, "" if it says nothing."""
        return read_progress(partial(self._runtime.path_of, pod.name))

    def finish(self, pod: Pod, status: PodStatus) -> PodOutcome:
        """Capture what a pod left that ended. Works for a pod of an earlier controller, from its files alone."""
        path_of = partial(self._runtime.path_of, pod.name)
        result = self._home.pod(pod.uid, pod.name) / "result" if pod.wants_result else None
        wanted = replace(pod, outputs={}) if status.vanished else pod
        with _scratch(self._home, pod, needed=bool(items(wanted.outputs, "artifacts"))) as scratch:
            capture = Capture(wanted, self._home.artifacts, scratch, path_of, self._secret)
            outputs = capture.outputs(status.exit_code, result)
            if pod.archive_logs and (logs := capture.logs(self._logs(pod))):
                outputs["artifacts"] = [*items(outputs, "artifacts"), *logs]
        if pod.volumes:
            remove_secrets(pod, self._home)
        if status.exit_code and (
            said := last_words(pod, path_of, self._home.log(pod.uid, pod.name, pod.main.name))
        ):
            name = pod.main.name
            status = replace(status, message=status.message or said, reasons={name: said, **status.reasons})
        phase, message = _verdict(pod, status, capture.problems, self._home)
        outcome = PodOutcome(
            phase=phase,
            message=message,
            exit_code=status.exit_code,
            started_at=status.started_at,
            finished_at=status.finished_at,
            outputs=outputs or None,
            containers=containers_outcome(status) or {pod.main.name: (phase, message)},
            progress=read_progress(path_of),
        )
        if asks(pod):
            return asked_outcome(outcome, ended_sidecars(pod, status))
        return agent_outcome(pod, outcome, self._home) if is_agent(pod) else outcome


def _check(pod: Pod) -> None:
    """Refuse what cannot be run or kept, before anything is started."""
    for container in (*pod.init_containers, *pod.containers):
        why = privilege_of({**container.extra, "image": container.image, "command": container.command})
        if why:
            raise PodRejected(
                f"container '{container.name}' {why}, which no plain process can be", fix=WAYS_OUT
            )
    for artifact in items(pod.outputs, "artifacts"):
        if place_of(artifact):
            try:
                driver_for(artifact, Path())
            except NbflowError as error:
                raise PodRejected(error.problem, fix=error.fix) from error


def _with_path(mount: JsonObject, env: Mapping[str, str]) -> JsonObject:
    """A mount whose subPathExpr is resolved."""
    expression = mount.get("subPathExpr")
    return {**mount, "subPath": expand(str(expression), env)} if expression else mount


def _verdict(pod: Pod, status: PodStatus, problems: list[str], home: Home) -> tuple[Phase, str]:
    """Phase and message as Argo infers them: the deadline, then main, then what could not be captured."""
    if status.deadline_exceeded:
        return Phase.FAILED, DEADLINE_EXCEEDED
    if status.evicted:
        return Phase.FAILED, status.evicted
    if status.vanished or status.exit_code is None:
        return Phase.ERROR, VANISHED
    failure = container_failure(pod, status)
    if failure:
        return Phase.FAILED, failure
    if status.exit_code:
        setup = _setup_failure(status, home.log(pod.uid, pod.name, pod.main.name))
        if setup:
            return Phase.ERROR, setup
        said = f": {status.message}" if status.message else ""
        reason = "OOMKilled" if pod.main.name in status.out_of_memory else "Error"
        return Phase.FAILED, f"{pod.main.name}: {reason} (exit code {status.exit_code}){said}"
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
