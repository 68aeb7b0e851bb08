"""The probes and hooks of a container, from Kubernetes' words to what a supervisor asks and does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from nbflow.runtimes.runtime import PodRejected
from nbflow.spec.pod import ContainerSpec, JsonObject
from nbflow.supervisor.plan import Asked

_PROBES = {"readiness": "readinessProbe", "liveness": "livenessProbe", "startup": "startupProbe"}
_HOOKS = {"post_start": "postStart", "pre_stop": "preStop"}


def is_asked(container: ContainerSpec) -> bool:
    """Whether somebody has to look after it while it runs. (Whether it is ready counts for daemons alone.)"""
    return any(container.extra.get(name) for name in ("livenessProbe", "startupProbe", "lifecycle"))


def asked_of(container: ContainerSpec, moved: Callable[[str], str]) -> dict[str, Asked]:
    """Those that the container has. moved: the words of a command as its program is to be told them.

    Raises PodRejected if one asks in a way that we do not know.
    """
    lifecycle = container.extra.get("lifecycle")
    hooks = lifecycle if isinstance(lifecycle, Mapping) else {}
    found = {field: _probe(container, name) for field, name in _PROBES.items() if container.extra.get(name)}
    found |= {
        field: _asked(container, name, hooks[name]) for field, name in _HOOKS.items() if hooks.get(name)
    }
    return {field: replace(asked, command=tuple(map(moved, asked.command))) for field, asked in found.items()}


def _probe(container: ContainerSpec, name: str) -> Asked:
    probe = container.extra[name]
    if not isinstance(probe, Mapping):
        raise _unknown(container, name)
    grace = probe.get("terminationGracePeriodSeconds")
    return replace(
        _asked(container, name, probe),
        delay=_number(probe, "initialDelaySeconds", 0),
        period=_number(probe, "periodSeconds", 10),
        timeout=_number(probe, "timeoutSeconds", 1),
        successes=int(_number(probe, "successThreshold", 1)),
        failures=int(_number(probe, "failureThreshold", 3)),
        grace=float(grace) if isinstance(grace, int) else None,
    )


def _asked(container: ContainerSpec, name: str, given: object) -> Asked:
    settings = given if isinstance(given, Mapping) else {}
    for kind in ("httpGet", "tcpSocket", "exec", "sleep"):
        how = settings.get(kind)
        if not isinstance(how, Mapping):
            continue
        if kind == "exec":
            command = how.get("command")
            words = tuple(map(str, command)) if isinstance(command, list | tuple) else ()
            return Asked(kind, command=words)
        if kind == "sleep":
            return Asked(kind, seconds=_number(how, "seconds", 0))
        return Asked(
            kind=kind,
            host=str(how.get("host") or ""),
            port=_port(how.get("port"), container, name),
            path=str(how.get("path") or "/"),
            https=str(how.get("scheme") or "").upper() == "HTTPS",
            headers=_headers(how.get("httpHeaders")),
        )
    raise _unknown(container, name)


def _unknown(container: ContainerSpec, name: str) -> PodRejected:
    return PodRejected(
        f"the {name} of container '{container.name}' does not say how to ask",
        fix="use httpGet, tcpSocket or exec",
    )


def _number(settings: JsonObject, name: str, usual: float) -> float:
    found = settings.get(name)
    return float(found) if isinstance(found, int | float) and found > 0 else usual


def _port(port: object, container: ContainerSpec, name: str) -> int:
    """A number, or the name of one of the container's ports."""
    if isinstance(port, int):
        return port
    if str(port).isdigit():
        return int(str(port))
    ports = container.extra.get("ports")
    for one in ports if isinstance(ports, list | tuple) else ():
        if isinstance(one, Mapping) and one.get("name") == port:
            return int(str(one.get("containerPort")))
    raise PodRejected(f"the {name} of container '{container.name}' has no port {port!r}")


def _headers(given: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(given, list | tuple):
        return ()
    return tuple((str(one.get("name")), str(one.get("value"))) for one in given if isinstance(one, Mapping))
