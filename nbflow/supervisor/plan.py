"""What a supervisor is told, as JSON on a descriptor: it holds secrets, and is never in a file or a command line."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

PLAN, STATUS, NAMESPACE, CONTAINER_ARGUMENTS = 4, 3, 5, 4
"""Descriptors: the plan, the locked status file and a user namespace to enter; a container finds its arguments at 4."""

ALWAYS, ON_FAILURE = "Always", "OnFailure"
SKIPPED = 64
"""Exit code of a container whose program is not there, or whose dependency failed: Argo's."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A readiness probe. kind: httpGet, tcpSocket, exec, or "" for none. Times in seconds."""

    kind: str = ""
    host: str = ""
    port: int = 0
    path: str = "/"
    https: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    command: tuple[str, ...] = ()
    delay: float = 0.0
    period: float = 10.0
    timeout: float = 1.0
    successes: int = 1


@dataclass(frozen=True, slots=True)
class ContainerPlan:
    """One container. argv, env, cwd: what to spawn; arguments: what it finds on descriptor 4, None for nothing.

    missing: why it cannot run at all. after: containers that have to end well before. entered: bubblewrap stands
    between us and its processes. piped: streams are pipes, as in a container, not files.
    """

    name: str
    argv: tuple[str, ...]
    env: dict[str, str]
    log: str
    cwd: str = ""
    arguments: str | None = None
    namespace: bool = False
    entered: bool = False
    result: str = ""
    piped: bool = False
    missing: str = ""
    after: tuple[str, ...] = ()
    restart: str = ""
    probe: Probe = field(default_factory=Probe)


@dataclass(frozen=True, slots=True)
class Plan:
    """One pod. sidecars: names of containers that end when the others have. init: run first, one by one.

    retries, pause: of the containers of a containerSet. private: the pod has a network of its own; address: where
    it is seen from outside. peers: ADDRESS:PORT of daemons that are to be seen inside. deadline, grace: seconds.
    """

    init: tuple[ContainerPlan, ...]
    containers: tuple[ContainerPlan, ...]
    sidecars: tuple[str, ...] = ()
    daemon: bool = False
    deadline: float | None = None
    grace: float = 30.0
    retries: int = 0
    pause: float = 0.0
    private: bool = False
    address: str = ""
    peers: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """As the supervisor reads it."""
        return json.dumps(asdict(self)).encode()


def read_plan(data: bytes) -> Plan:
    """What to_bytes wrote."""
    raw = json.loads(data)
    for key in ("init", "containers"):
        raw[key] = tuple(_container(container) for container in raw[key])
    for key in ("sidecars", "peers"):
        raw[key] = tuple(raw[key])
    return Plan(**raw)


def _container(raw: dict[str, object]) -> ContainerPlan:
    probe = raw.pop("probe")
    assert isinstance(probe, dict)
    probe["headers"] = tuple((name, value) for name, value in probe["headers"])
    probe["command"] = tuple(probe["command"])
    lists = {key: tuple(value) for key, value in raw.items() if isinstance(value, list)}
    return ContainerPlan(**{**raw, **lists}, probe=Probe(**probe))  # type: ignore[arg-type]
