"""The readiness probe of a container, from Kubernetes' words to what a supervisor asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nbflow.runtimes.runtime import PodRejected
from nbflow.spec.pod import ContainerSpec, JsonObject
from nbflow.supervisor.plan import Probe


def probe_of(container: ContainerSpec) -> Probe:
    """An empty one if there is none. Raises PodRejected if it asks in a way that we do not know."""
    probe = container.extra.get("readinessProbe")
    if not isinstance(probe, Mapping):
        return Probe()
    timed = Probe(
        delay=_number(probe, "initialDelaySeconds", 0),
        period=_number(probe, "periodSeconds", 10),
        timeout=_number(probe, "timeoutSeconds", 1),
        successes=int(_number(probe, "successThreshold", 1)),
    )
    for kind in ("httpGet", "tcpSocket", "exec"):
        how = probe.get(kind)
        if not isinstance(how, Mapping):
            continue
        if kind == "exec":
            command = how.get("command")
            words = tuple(map(str, command)) if isinstance(command, list | tuple) else ()
            return replace(timed, kind=kind, command=words)
        return replace(
            timed,
            kind=kind,
            host=str(how.get("host") or ""),
            port=_port(how.get("port"), container),
            path=str(how.get("path") or "/"),
            https=str(how.get("scheme") or "").upper() == "HTTPS",
            headers=_headers(how.get("httpHeaders")),
        )
    raise PodRejected(
        f"the readinessProbe of container '{container.name}' does not say how to ask",
        fix="use httpGet, tcpSocket or exec",
    )


def _number(probe: JsonObject, name: str, usual: float) -> float:
    found = probe.get(name)
    return float(found) if isinstance(found, int | float) and found > 0 else usual


def _port(port: object, container: ContainerSpec) -> int:
    """A number, or the name of one of the container's ports."""
    if isinstance(port, int):
        return port
    if str(port).isdigit():
        return int(str(port))
    ports = container.extra.get("ports")
    for one in ports if isinstance(ports, list | tuple) else ():
        if isinstance(one, Mapping) and one.get("name") == port:
            return int(str(one.get("containerPort")))
    raise PodRejected(f"the readinessProbe of container '{container.name}' has no port {port!r}")


def _headers(given: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(given, list | tuple):
        return ()
    return tuple((str(one.get("name")), str(one.get("value"))) for one in given if isinstance(one, Mapping))
