"""What people ask of workflows: which state allows it, and which event it is for the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from nbflow.engine.decision import UserAsked
from nbflow.errors import NbflowError
from nbflow.spec.status import Phase
from nbflow.store.rows import JsonObject, RequestRow, Snapshot

DELETE = "delete"
HANDOVER = "handover"
STOP = "stop-controller"
_VERBS = ("stop", "terminate", "suspend", "resume", "set")


def event_of(request: RequestRow) -> UserAsked:
    """The request as the engine takes it in."""
    body = request.body
    nodes = body.get("nodes")
    outputs = body.get("outputs")
    phase = body.get("phase")
    return UserAsked(
        verb=request.verb,
        nodes=tuple(str(node) for node in nodes) if isinstance(nodes, list) else (),
        message=str(body.get("message") or ""),
        phase=Phase(str(phase)) if phase else None,
        outputs=cast("Mapping[str, object]", outputs) if isinstance(outputs, Mapping) else None,
    )


def refusal(request: RequestRow, snapshot: Snapshot | None, *, active: bool) -> NbflowError | None:
    """Why the state of the workflow does not allow it, in Argo's words; None if it does."""
    problem = _problem(request, snapshot, active=active)
    return None if problem is None else NbflowError(problem)


def _problem(request: RequestRow, snapshot: Snapshot | None, *, active: bool) -> str | None:
    if snapshot is None:
        return "the workflow was deleted"
    if request.verb not in _VERBS:
        return f"unknown request {request.verb!r}"
    phase = request.body.get("phase")
    if phase and phase not in set(Phase):
        return f"unknown phase {phase!r}"
    if active:
        return None
    name, namespace = snapshot.name, snapshot.metadata.get("namespace", "")
    match request.verb:
        case "stop" | "terminate":
            return f'cannot shutdown a completed workflow: workflow: "{name}", namespace: "{namespace}"'
        case "suspend":
            return "cannot suspend completed workflows"
    return f'cannot {request.verb} a completed workflow: workflow: "{name}", namespace: "{namespace}"'


def answer_to(error: NbflowError | None) -> JsonObject:
    """The answer that the asking client reads."""
    if error is None:
        return {}
    return {"error": error.problem, "where": error.where, "fix": error.fix}
