"""What a pod may learn of itself: its fields (`fieldRef`) and what its containers may use (`resourceFieldRef`)."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal

from nbflow.errors import NbflowError
from nbflow.runtimes.addresses import pod_address
from nbflow.runtimes.runtime import PodRejected
from nbflow.spec.pod import ContainerSpec, JsonObject, Pod
from nbflow.units import quantity

_RESOURCES = ("cpu", "memory", "ephemeral-storage")


def field_of(path: str, pod: Pod) -> str:
    """A field of the pod, as far as a pod here has it."""
    fields = {
        "metadata.name": pod.name,
        "metadata.namespace": str(pod.annotations.get("nbflow.dev/namespace", "default")),
        "metadata.uid": pod.node_id,
        "spec.nodeName": platform.node(),
        "spec.serviceAccountName": str(pod.extra.get("serviceAccountName", "default")),
        "status.hostIP": "127.0.0.1",
        "status.hostIPs": "127.0.0.1",
        "status.podIP": pod_address(pod),
        "status.podIPs": pod_address(pod),
    }
    if path in fields:
        return fields[path]
    for kind, values in (("labels", pod.labels), ("annotations", pod.annotations)):
        if path == f"metadata.{kind}":
            return "\n".join(f"{key}={json.dumps(values[key])}" for key in sorted(values))
        if path.startswith(f"metadata.{kind}['") and path.endswith("']"):
            return values.get(path[len(kind) + 11 : -2], "")
    raise PodRejected(f"a pod has no field {path}", fix=f"use one of {', '.join(fields)}")


def resource_of(reference: JsonObject, pod: Pod, own: ContainerSpec | None) -> str:
    """What a container may use, in units of the divisor, rounded up. own: the container that asks, None for a volume.

    A limit that is not set is what the machine has, as in Kubernetes; a request that is not set is the limit, or 0.
    """
    path = str(reference.get("resource") or "")
    kind, _, resource = path.partition(".")
    if kind not in ("limits", "requests") or resource not in _RESOURCES:
        raise PodRejected(
            f"Unsupported container resource : {path}", fix="use limits.cpu, requests.memory, ..."
        )
    container = _container(str(reference.get("containerName") or ""), pod, own)
    given = container.extra.get("resources")
    resources = given if isinstance(given, Mapping) else {}
    value = _given(resources, "limits", resource)
    if kind == "requests":
        asked = _given(resources, "requests", resource)
        value = asked if asked is not None else value or Decimal(0)
    found = value if value is not None else _of_machine(resource)
    divisor = _number(reference.get("divisor") or "1") or Decimal(1)
    return str(int((found / divisor).to_integral_value(ROUND_CEILING)))


def _container(name: str, pod: Pod, own: ContainerSpec | None) -> ContainerSpec:
    if not name and own is not None:
        return own
    for container in (*pod.containers, *pod.init_containers):
        if container.name == name:
            return container
    raise PodRejected(f"container {name} not found", fix="set containerName to a container of the pod")


def _given(resources: Mapping[str, object], kind: str, resource: str) -> Decimal | None:
    amounts = resources.get(kind)
    amount = amounts.get(resource) if isinstance(amounts, Mapping) else None
    return None if amount is None else _number(amount)


def _number(amount: object) -> Decimal:
    try:
        return quantity(str(amount))
    except NbflowError as error:
        raise PodRejected(error.problem, fix=error.fix) from error


def _of_machine(resource: str) -> Decimal:
    if resource == "cpu":
        return Decimal(os.cpu_count() or 1)
    if resource == "memory":
        return Decimal(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    space = os.statvfs("/")
    return Decimal(space.f_frsize * space.f_blocks)
