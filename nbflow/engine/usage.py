"""Resource durations: how long a pod held what its containers ask for, in Argo's units.

cpu counts seconds of one core, memory seconds of 100Mi, any other resource seconds of one. A container that asks for
nothing counts as a tenth of a core and 100Mi.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from nbflow.errors import NbflowError
from nbflow.spec.pod import ContainerSpec, Pod, PodOutcome
from nbflow.units import quantity

_DEFAULT: Mapping[str, Decimal] = {"cpu": Decimal("0.1"), "memory": Decimal(100 << 20)}
_UNITS: Mapping[str, Decimal] = {
    "memory": Decimal(100 << 20),
    "storage": Decimal(10 << 30),
    "ephemeral-storage": Decimal(10 << 30),
}


def resources_duration(pod: Pod, outcome: PodOutcome) -> dict[str, int]:
    """What a pod that ended used: whole seconds that it ran times what its containers ask for."""
    if outcome.started_at is None or outcome.finished_at is None:
        return {}
    age = int(outcome.finished_at.timestamp()) - int(outcome.started_at.timestamp())
    found: dict[str, int] = {}
    for container in pod.containers:
        for name, amount in requested(container).items():
            seconds = int(amount * age / _UNITS.get(name, Decimal(1)))
            found[name] = found.get(name, 0) + seconds
    return {name: seconds for name, seconds in sorted(found.items()) if seconds > 0}


def asked(pod: Pod, resource: str) -> Decimal:
    """How much of something the containers of a pod ask for, all together; 0 for those that do not say."""
    if not any("resources" in container.extra for container in pod.containers):
        return Decimal(0)
    return sum((said(container).get(resource, Decimal(0)) for container in pod.containers), Decimal(0))


def requested(container: ContainerSpec) -> dict[str, Decimal]:
    """What a container asks for: requests, where there are none limits, else the defaults."""
    return {**_DEFAULT, **said(container)}


def said(container: ContainerSpec) -> dict[str, Decimal]:
    """Requests, where there are none limits."""
    resources = container.extra.get("resources")
    found: dict[str, Decimal] = {}
    for kind in ("limits", "requests"):
        given = resources.get(kind) if isinstance(resources, Mapping) else None
        for name, text in given.items() if isinstance(given, Mapping) else ():
            try:
                found[str(name)] = quantity(text)
            except NbflowError:  # lint has said so
                continue
    return found
