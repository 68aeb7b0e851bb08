"""Pods with more than one process to look after: several containers, init containers, daemons.

Such a pod gets a supervisor (nbflow/supervisor) where others have their wrapper. Here is what it is told, and how it
is started; all other pods pay nothing for it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from nbflow.errors import NbflowError
from nbflow.runtimes.addresses import SHARED, has_own_network, pod_address
from nbflow.runtimes.asked import asked_of, is_asked
from nbflow.runtimes.cgroups import limited, memory_limit
from nbflow.runtimes.commands import CommandNotFound
from nbflow.runtimes.folder import PodFolder
from nbflow.runtimes.machine import STANDARD_PATH
from nbflow.runtimes.memory import free_memory
from nbflow.runtimes.roots import remove
from nbflow.runtimes.runtime import PodRejected
from nbflow.runtimes.spawn import GRACE, Launch, memory, opens_streams
from nbflow.runtimes.stragglers import MARK
from nbflow.runtimes.volumes import mirrored, place_of_volume, size_limits
from nbflow.spec.pod import ContainerSpec, Pod
from nbflow.store.home import Home
from nbflow.supervisor.plan import NAMESPACE, PLAN, STATUS, ContainerPlan, Limit, Plan
from nbflow.units import duration

Launcher = Callable[[Pod, PodFolder, Mapping[str, str]], Launch]

_SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD)


def needs_supervisor(pod: Pod) -> bool:
    """Whether one process and its exit code are not all that there is to it."""
    several = len(pod.containers) > 1 or bool(pod.init_containers)
    return pod.daemon or several or _retry(pod)[0] > 0 or is_asked(pod.main) or bool(size_limits(pod))


def others(pod: Pod, folder: PodFolder) -> Iterator[tuple[Pod, PodFolder]]:
    """Each container but main, as a pod of its own, with the folder that tells its root."""
    for container in (*pod.init_containers, *pod.containers):
        if container is not pod.main:
            yield _alone(pod, container), PodFolder(folder.path, container.name)


def _alone(pod: Pod, container: ContainerSpec) -> Pod:
    return replace(
        pod, containers=(mirrored(pod, container),), init_containers=(), sidecars=(), inputs=(), outputs={}
    )


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and the user namespace that its containers enter; -1 for none."""

    plan: Plan
    namespace: int


class Planner:
    """launch: what to spawn for a pod of one container (processes.Enclosure)."""

    def __init__(self, home: Home, launch: Launcher) -> None:
        self._home = home
        self._launch = launch
        self._namespace = -1

    def plan(self, pod: Pod, folder: PodFolder, mounts: Mapping[str, Mapping[str, str]]) -> Planned:
        """All that the supervisor has to know. mounts: of each container but main, by its name; main's by ""."""
        places = {other.container: (alone, other) for alone, other in others(pod, folder)}

        def planned(container: ContainerSpec) -> ContainerPlan:
            if container is pod.main:
                return self._container(pod, pod, folder, mounts.get("", {}))
            alone, other = places[container.name]
            return self._container(pod, alone, other, mounts.get(container.name, {}))

        retries, pause = _retry(pod)
        private = has_own_network(pod)
        containers = tuple(planned(container) for container in pod.containers)
        taken = own_ports(pod) | {container.readiness.port for container in containers}
        plan = Plan(
            init=tuple(planned(container) for container in pod.init_containers),
            containers=containers,
            sidecars=pod.sidecars,
            daemon=pod.daemon,
            deadline=None if pod.deadline is None else max(0.0, pod.deadline.total_seconds()),
            grace=_grace(pod),
            retries=retries,
            pause=pause,
            private=private,
            address=pod_address(pod) if private else SHARED,
            peers=os.fspath(self._home.peers(pod.uid)),
            taken=tuple(taken),
            limits=tuple(self._limits(pod)),
        )
        return Planned(plan, self._namespace)

    def _container(self, pod: Pod, alone: Pod, folder: PodFolder, mounts: Mapping[str, str]) -> ContainerPlan:
        container = alone.main
        log = os.fspath(self._home.log(pod.uid, pod.name, container.name))
        try:
            launch, missing = self._launch(alone, folder, mounts), ""
        except CommandNotFound as error:
            launch, missing = Launch(argv=()), " ".join(str(error).split())
        self._namespace = max(self._namespace, launch.namespace)
        arguments, argv = launch.arguments, list(launch.argv)
        if argv and (limit := memory_limit(container)):
            argv = limited(argv, limit, folder.path, container.name)
        return ContainerPlan(
            name=container.name,
            argv=tuple(argv),
            env=dict(launch.env),
            log=log,
            cwd=launch.working_dir,
            arguments=None if arguments is None else arguments.decode("utf-8", "surrogateescape"),
            namespace=launch.namespace >= 0,
            entered=launch.own_session,
            result=folder.result if pod.wants_result and not folder.container else "",
            piped=opens_streams(alone),
            missing=missing,
            after=container.dependencies,
            restart=str(container.extra.get("restartPolicy") or ""),
            **asked_of(container, launch.moved),
        )

    def _limits(self, pod: Pod) -> Iterator[Limit]:
        volumes = {str(volume.get("name")): volume for volume in pod.volumes}
        for name, text, size in size_limits(pod):
            yield Limit(name, place_of_volume(pod, volumes[name], self._home), size, text)


def _retry(pod: Pod) -> tuple[int, float]:
    """How often a container of a containerSet is started again, and after how many seconds."""
    own = pod.extra.get("containerSet")
    strategy = own.get("retryStrategy") if isinstance(own, Mapping) else None
    if not isinstance(strategy, Mapping):
        return 0, 0.0
    try:
        retries = int(str(strategy.get("retries") or 0))
        return retries, _seconds(str(strategy.get("duration") or "")) if retries else 0.0
    except (ValueError, NbflowError) as error:
        raise PodRejected(f"the retryStrategy of the containerSet cannot be read: {error}") from error


def _seconds(text: str) -> float:
    if not text:
        return 0.0
    return duration(text).total_seconds()


def _grace(pod: Pod) -> float:
    found = pod.extra.get("terminationGracePeriodSeconds")
    return float(found) if isinstance(found, int) else GRACE


def own_ports(pod: Pod) -> set[int]:
    """The ports that its containers say they listen on: in the pod's network they are not a peer's."""
    found: set[int] = set()
    for container in pod.containers:
        ports = container.extra.get("ports")
        for port in ports if isinstance(ports, list | tuple) else ():
            number = port.get("containerPort") if isinstance(port, Mapping) else None
            found |= {number} if isinstance(number, int) else set()
    return found


def remove_roots(folder: PodFolder) -> None:
    """Remove the roots of all containers but main, and the volumes that lived with the pod."""
    free_memory(folder.path)
    with contextlib.suppress(FileNotFoundError), os.scandir(folder.path) as entries:
        for entry in list(entries):
            if entry.name == "volumes" or entry.name.startswith("root."):
                remove(entry.path)


def spawn_supervisor(plan: Plan, status: int, namespace: int, log: str, pod: str) -> int:
    """Start it in a session of its own; its pid. status: the locked status file, ours to close. pod: its folder."""
    opened: list[int] = []

    def above(fd: int) -> int:
        opened.append(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20))
        return opened[-1]

    try:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        null, data = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC), memory(plan.to_bytes())
        opened += [output, null, data]
        places = {null: 0, output: 1, data: PLAN, status: STATUS}
        if namespace >= 0:
            places[namespace] = NAMESPACE
        actions = [(os.POSIX_SPAWN_DUP2, above(fd), number) for fd, number in places.items()]
        actions.append((os.POSIX_SPAWN_DUP2, 1, 2))
        script = os.path.join(os.path.dirname(os.path.dirname(__file__)), "supervisor", "__main__.py")
        argv = [sys.executable, "-I", "-S", script]
        env = {"PATH": STANDARD_PATH, "LANG": "C.UTF-8", MARK: pod}
        return os.posix_spawn(
            argv[0], argv, env, file_actions=actions, setsid=True, setsigmask=_SIGNALS, setsigdef=_SIGNALS
        )
    except OSError as error:
        raise PodRejected(f"cannot start the pod: {os.strerror(error.errno or 0).lower()}") from error
    finally:
        for fd in opened:
            os.close(fd)
