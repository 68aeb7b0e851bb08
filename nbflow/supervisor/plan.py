"""What a supervisor is told, as JSON on a descriptor: it holds secrets, and is never in a file or a command line."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

PLAN, STATUS, NAMESPACE, CONTAINER_ARGUMENTS, PROCESSES = 4, 3, 5, 4, 10
"""Descriptors: the plan, the locked status file and a user namespace to enter; a container finds its arguments at 4,
and a command that is run among its processes finds their namespace at 10."""

ALWAYS, ON_FAILURE = "Always", "OnFailure"
SKIPPED = 64
"""Exit code of a container whose program is not there, or whose dependency failed: Argo's."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a probe asks, or a hook does. kind: httpGet, tcpSocket, exec, sleep, or "" for nothing. Times in seconds.

    delay, period, timeout, successes, failures: of a probe. grace: how long a container may take to end when its probe
    fails, None for what the pod grants.
    """

    kind: str = ""
    host: str = ""
    port: int = 0
    path: str = "/"
    https: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    command: tuple[str, ...] = ()
    seconds: float = 0.0
    delay: float = 0.0
    period: float = 10.0
    timeout: float = 1.0
    successes: int = 1
    failures: int = 3
    grace: float | None = None


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
    readiness: Asked = field(default_factory=Asked)
    liveness: Asked = field(default_factory=Asked)
    startup: Asked = field(default_factory=Asked)
    post_start: Asked = field(default_factory=Asked)
    pre_stop: Asked = field(default_factory=Asked)


@dataclass(frozen=True, slots=True)
class Limit:
    """A volume that may hold no more than so many bytes. text: the limit as the manifest writes it."""

    volume: str
    place: str
    size: int
    text: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One pod. sidecars: names of containers that end when the others have. init: run first, one by one.

    retries, pause: of the containers of a containerSet. private: the pod has a network of its own; address: where
    it is seen from outside. peers: the file in which the daemons of the workflow say what they offer; taken:
    ports that are the pod's own, whoever offers them. deadline, grace: seconds.
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
    peers: str = ""
    taken: tuple[int, ...] = ()
    limits: tuple[Limit, ...] = ()

    def to_bytes(self) -> bytes:
        """As the supervisor reads it."""
        return json.dumps(asdict(self)).encode()


def read_plan(data: bytes) -> Plan:
    """What to_bytes wrote."""
    raw = json.loads(data)
    for key in ("init", "containers"):
        raw[key] = tuple(_container(container) for container in raw[key])
    raw["sidecars"], raw["taken"] = tuple(raw["sidecars"]), tuple(raw["taken"])
    raw["limits"] = tuple(Limit(**limit) for limit in raw["limits"])
    return Plan(**raw)


def _container(raw: dict[str, object]) -> ContainerPlan:
    asked = {key: _asked(value) for key, value in raw.items() if isinstance(value, dict) and key != "env"}
    lists = {key: tuple(value) for key, value in raw.items() if isinstance(value, list)}
    return ContainerPlan(**{**raw, **lists, **asked})  # type: ignore[arg-type]


def _asked(raw: dict[str, object]) -> Asked:
    headers, command = raw["headers"], raw["command"]
    assert isinstance(headers, list)
    assert isinstance(command, list)
    return Asked(**{**raw, "headers": tuple((n, v) for n, v in headers), "command": tuple(command)})  # type: ignore[arg-type]
