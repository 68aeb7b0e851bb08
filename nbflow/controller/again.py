"""Workflows that run once more: what a retry changes in the store, and what a memoized resubmit begins with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from nbflow.engine.decision import StatusChange
from nbflow.revise.retry import RetryOptions, retry
from nbflow.spec.status import NodeStatus, NodeType, Phase, WorkflowStatus
from nbflow.store.batch import Batch, Renewed
from nbflow.store.ledger import Ledger, Run
from nbflow.store.rows import JsonObject, RequestRow, Snapshot, Submitted, decode, encode

_NOT_KEPT = ("shutdown", "conditions", "synchronization")


@dataclass(frozen=True, slots=True)
class Renewal:
    """A workflow that is to run again. request: who asked. renewed: what goes; run: what it goes on from.

    changed: its nodes that are written anew; edges likewise.
    """

    request: int
    submitted: Submitted
    sequence: int
    renewed: Renewed
    run: Run
    changed: tuple[NodeStatus, ...]
    edges: tuple[tuple[str, str], ...]

    def record(self, batch: Batch) -> None:
        """Note it in what will be committed; who goes on with the workflow touches it."""
        key = self.submitted.key
        assert self.run.status is not None
        batch.renewed.append(self.renewed)
        batch.statuses[key] = self.run.status
        batch.nodes.update({(key, node.id): node for node in self.changed})
        batch.children.extend((key, parent, child) for parent, child in self.edges)


def renewal(request: RequestRow, ledger: Ledger, snapshot: Snapshot, now: datetime) -> Renewal:
    """What a retry changes. Raises ConflictError if the workflow's phase does not allow it."""
    options = RetryOptions.from_dict(request.body)
    before = ledger.nodes(snapshot.key)
    workflow = {**snapshot.object(before).to_dict(), "spec": snapshot.spec}
    chosen = request.body.get("nodes")
    changed = retry(workflow, options, now, chosen=list(map(str, chosen)) if isinstance(chosen, list) else ())
    status = WorkflowStatus.from_dict(cast("JsonObject", changed.workflow["status"]))
    kept = {key: _anew(node, options) for key, node in status.nodes.items()}
    gone = tuple(key for key in before if key not in kept)
    parents = tuple(key for key, node in kept.items() if node.children != before[key].children)
    pods = tuple(pod.name for pod in ledger.pods(snapshot.key) if pod.node not in kept)
    submitted = ledger.submitted(snapshot.key)
    assert submitted is not None
    spec = encode(changed.workflow["spec"])
    ordered = [kept[key] for key in before if key in kept]
    edges = [(node.id, child) for node in ordered for child in node.children]
    nodes = [replace(node, children=()) for node in ordered]
    return Renewal(
        request.key,
        replace(submitted, spec=spec),
        snapshot.standing.sequence,
        Renewed(snapshot.key, spec, gone, parents, pods),
        Run(nodes, edges, _status(status, snapshot, now)),
        tuple(node for node in nodes if node != replace(before[node.id], children=())),
        tuple(edge for edge in edges if edge[0] in parents),
    )


def _anew(node: NodeStatus, options: RetryOptions) -> NodeStatus:
    """With other parameters, what runs again is called again: its inputs are resolved anew."""
    return replace(node, inputs=None) if options.parameters and not node.fulfilled else node


def _status(status: WorkflowStatus, snapshot: Snapshot, now: datetime) -> StatusChange:
    standing = snapshot.standing
    return StatusChange(
        phase=Phase.RUNNING,
        started_at=now,
        outputs=status.outputs,
        labels=standing.labels or {},
        extra={key: value for key, value in status.extra.items() if key not in _NOT_KEPT},
        suspended=bool(standing.suspended),
    )


def remembered(submitted: Submitted) -> Run | None:
    """What a workflow begins with that was submitted with nodes, None if it was without."""
    if not submitted.status:
        return None
    status = WorkflowStatus.from_dict(decode(submitted.status))
    again = {n.id for n in status.nodes.values() if n.type is NodeType.POD and n.phase is Phase.PENDING}
    begun = {
        key: _begun(node)
        for key, node in status.nodes.items()
        if not {key, node.boundary_id} & again  # pods that are to run again are not there yet
    }
    spec = decode(submitted.spec)
    edges = [(key, child) for key in begun for child in status.nodes[key].children]
    change = StatusChange(Phase.PENDING, extra=status.extra, suspended=bool(spec.get("suspend")))
    return Run(list(begun.values()), [edge for edge in edges if edge[1] in begun], change)


def _begun(node: NodeStatus) -> NodeStatus:
    """A node that a memoized resubmit brings: what is around the pods that are to run runs already."""
    node = replace(node, children=())
    if node.phase is not Phase.PENDING:
        return node
    if node.type is NodeType.CONTAINER:
        return replace(node, phase=Phase.SKIPPED)
    if node.type is NodeType.SUSPEND:
        return replace(node, finished_at=None, outputs=None)
    return replace(node, phase=Phase.RUNNING, finished_at=None)


def record_begun(key: int, run: Run, batch: Batch) -> None:
    """Note in what will be committed what a workflow was submitted with."""
    batch.nodes.update({(key, node.id): node for node in run.nodes})
    batch.children.extend((key, parent, child) for parent, child in run.children)
