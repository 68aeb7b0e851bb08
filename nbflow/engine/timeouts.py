"""`timeout` and `pendingTimeout`: how long a node may wait for a lock or for its pod, and how long the pod may run."""

from __future__ import annotations

from datetime import timedelta

from nbflow.engine import limits
from nbflow.engine.durations import parse_duration
from nbflow.engine.failures import CallError
from nbflow.engine.run import Call, Run
from nbflow.engine.tree import waits_for_lock
from nbflow.spec.status import NodeStatus, NodeType, Phase
from nbflow.spec.template import Template

TIMEOUT = "timeout"


def watch_pending(run: Run, call: Call, template: Template, node: NodeStatus) -> None:
    """Have a node fail that is pending for too long, counted from its first record. Raises CallError."""
    texts = [text for text in (template.timeout, template.pending_timeout) if text]
    if texts and node.phase is Phase.PENDING and node.id not in run.timed:
        run.timed.add(node.id)
        longest = min(map(_parsed, texts))
        run.at((node.started_at or run.now) + longest, lambda: _end(run, call, node.id))


def _parsed(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except CallError as error:
        raise CallError(f"invalid timeout format {error.problem}") from None


def _end(run: Run, call: Call, node_id: str) -> None:
    node = run.tree.nodes[node_id]
    if node.phase is not Phase.PENDING or run.is_cut_off(node):
        return
    run.first(lambda: call.owner.child_timed_out(call, TIMEOUT))
    if node.type is NodeType.POD and not waits_for_lock(node):
        limits.end_pod(run, node, TIMEOUT)
    else:
        run.mark(node, Phase.FAILED, TIMEOUT)
