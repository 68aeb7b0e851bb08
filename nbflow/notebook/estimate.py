"""How long a workflow will take: as long as those of its kind took before."""

from __future__ import annotations

from statistics import median
from typing import NamedTuple

from nbflow.clients.client import Client, Selection
from nbflow.errors import NbflowError
from nbflow.spec.status import Phase, WorkflowObject

_RUNS = 5
"""So many earlier runs are asked; the last ones tell best."""
_LISTED = 50


class Estimate(NamedTuple):
    """seconds: from start to end. runs: how many earlier ones say so; 0 where Argo's controller says it."""

    seconds: float
    runs: int


def estimate(client: Client, workflow: WorkflowObject) -> Estimate | None:
    """From earlier runs that succeeded, None if there are none."""
    argos = workflow.status.extra.get("estimatedDuration")
    if isinstance(argos, int) and argos > 0:
        return Estimate(argos, 0)
    kind = _kind(workflow)
    if not kind:
        return None
    try:
        listed = client.list(Selection(prefix=kind, phases=(Phase.SUCCEEDED.value,), limit=_LISTED))
    except NbflowError:
        return None
    took = [
        (one.status.finished_at - one.status.started_at).total_seconds()
        for one in listed
        if one.name != workflow.name
        and _kind(one) == kind
        and one.status.started_at is not None
        and one.status.finished_at is not None
    ][:_RUNS]
    return Estimate(median(took), len(took)) if took else None


def _kind(workflow: WorkflowObject) -> str:
    """What the names of its kind begin with; "" if it is one of its own."""
    return str(workflow.metadata.get("generateName") or "")
