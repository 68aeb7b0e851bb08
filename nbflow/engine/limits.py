"""What holds nodes back or ends them: parallelism, failFast, deadlines, stop and terminate."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from nbflow.engine.agent import has_process, is_agents
from nbflow.engine.decision import DeletePod
from nbflow.engine.run import Run, Waiting
from nbflow.engine.tree import waits_for_lock
from nbflow.spec.status import NodeStatus, NodeType, Phase

DEADLINE_MESSAGE = "Step exceeded its deadline"
FAIL_FAST_MESSAGE = "template has failed or errored children and failFast enabled"


def admit(run: Run, waiting: Waiting, *, new: bool = True) -> bool:
    """Whether a node may be started now; if not, it waits for its turn.

    new: the node is not there yet, so that the limits of the template around it count too.
    """
    if workflow_is_full(run):
        run.blocked.anywhere.append(waiting)
        return False
    if new and _boundary_is_full(run, waiting.boundary):
        run.blocked.below.setdefault(waiting.boundary, deque()).append(waiting)
        return False
    return True


def workflow_is_full(run: Run) -> bool:
    """Whether as many pods run as spec.parallelism allows."""
    limit = run.spec.parallelism
    return limit is not None and run.tree.active_pods >= limit


def _boundary_is_full(run: Run, boundary: str) -> bool:
    source = run.boundaries.get(boundary)
    if source is None:
        return False
    counts = run.tree.counts[boundary]
    if source.template.fail_fast and counts.bad:
        return True
    limit = source.template.parallelism
    return bool(limit) and limit is not None and counts.active >= limit


def next_waiting(run: Run) -> Waiting | None:
    """What waited and may start now, None if there is nothing."""
    if workflow_is_full(run):
        return None
    if run.blocked.anywhere:
        return run.blocked.anywhere.popleft()
    for boundary in list(run.tree.freed):
        waiting = run.blocked.below.get(boundary)
        if waiting and not _boundary_is_full(run, boundary):
            return waiting.popleft()
        del run.tree.freed[boundary]
    return None


def forget_blocked(run: Run, boundary: str) -> None:
    """Calls that waited below a node are no longer to be made: the node is finished."""
    run.blocked.below.pop(boundary, None)
    run.blocked.anywhere = deque(w for w in run.blocked.anywhere if w.boundary != boundary)


def halts(run: Run, boundary: str) -> bool:
    """Whether failFast of a template keeps it from going on, by what had failed before this event was dealt with.

    Its node fails once no pod of it runs.
    """
    if not _fails_fast(run, boundary) or _is_attempt(run, boundary):
        return False
    before = run.tree.counts[boundary].bad - run.tree.newly_bad[boundary]
    return before > 0 and _halt(run, boundary)


def halts_in_the_end(run: Run, boundary: str) -> bool:
    """The same once an event is dealt with. Of an attempt Argo asks only when a call below it waits for its turn."""
    if not _fails_fast(run, boundary) or not run.tree.counts[boundary].bad:
        return False
    if _is_attempt(run, boundary) and not run.blocked.below.get(boundary):
        return False
    return _halt(run, boundary)


def _fails_fast(run: Run, boundary: str) -> bool:
    source = run.boundaries.get(boundary)
    return source is not None and bool(source.template.fail_fast)


def _is_attempt(run: Run, boundary: str) -> bool:
    flag = run.tree.nodes[boundary].extra.get("nodeFlag")
    return isinstance(flag, dict) and bool(flag.get("retried"))


def _halt(run: Run, boundary: str) -> bool:
    status = run.tree.nodes[boundary]
    if status.fulfilled:
        return False
    if run.tree.counts[boundary].active_pods == 0:
        group = _last_group(run, boundary) if run.boundaries[boundary].kind == "steps" else None
        if group is not None and (not group.fulfilled or group.phase is Phase.FAILED):
            run.mark(group, Phase.FAILED, FAIL_FAST_MESSAGE)
        run.mark(status, Phase.FAILED, FAIL_FAST_MESSAGE)
        forget_blocked(run, boundary)
    return True


def _last_group(run: Run, boundary: str) -> NodeStatus | None:
    """The step group that Argo finds last below a node, however deep: at times one of a template further down."""
    seen: set[str] = set()
    pending = [(boundary, False)]
    while pending:
        name, done = pending.pop()
        node = run.tree.nodes.get(name)
        if node is None:
            continue
        if done:
            if node.type is NodeType.STEP_GROUP:
                return node
        elif name not in seen:
            seen.add(name)
            pending.append((name, True))
            pending += [(child, False) for child in run.tree.children(name)]
    return None


def is_part_of_exit_handler(run: Run, node: NodeStatus) -> bool:
    """Whether a node runs below an exit handler."""
    while not node.display_name.endswith(".onExit"):
        if not node.boundary_id:
            return False
        node = run.tree.nodes[node.boundary_id]
    return True


def shut_down(run: Run, strategy: str) -> None:
    """Stop or terminate: end what runs; what would start from now on fails."""
    run.shutdown = strategy
    for node in [run.tree.nodes[name] for name in run.tree.unfinished]:
        if run.executes(on_exit=is_part_of_exit_handler(run, node)):
            continue
        if has_process(node) and not waits_for_lock(node):
            shut_down_by = f"workflow shutdown with strategy:  {strategy}"
            end_pod(run, node, stopped(strategy) if is_agents(node) else shut_down_by)
        elif _is_suspended(node) or waits_for_lock(node) or _waits_to_retry(run, node):
            run.mark(node, Phase.FAILED, stopped(strategy))


def stopped(strategy: str) -> str:
    """Why a node ends that has no pod."""
    return f"Stopped with strategy '{strategy}'"


def end_at_deadline(run: Run) -> None:
    """The workflow's time is up: end what runs, but for exit handlers."""
    for node in [run.tree.nodes[name] for name in run.tree.unfinished]:
        if is_part_of_exit_handler(run, node):
            continue
        if has_process(node) and not waits_for_lock(node):
            end_pod(run, node, DEADLINE_MESSAGE)
        elif node.phase is Phase.PENDING or _is_suspended(node):
            run.mark(node, Phase.FAILED, DEADLINE_MESSAGE)


def end_pod(run: Run, node: NodeStatus, message: str) -> None:
    """Fail the node of a pod and those of its containers now, and end the pod."""
    run.actions.append(DeletePod(run.tree.pod_of(node), reason=message))
    run.mark(replace(node, daemoned=False), Phase.FAILED, message)
    for container in run.tree.containers(node.id):
        if not container.fulfilled:
            run.mark(container, Phase.FAILED, message)


def _is_suspended(node: NodeStatus) -> bool:
    return node.type is NodeType.SUSPEND and node.phase is Phase.RUNNING


def _waits_to_retry(run: Run, node: NodeStatus) -> bool:
    attempts = [run.tree.nodes.get(child) for child in run.tree.children(node.id)]
    return node.type is NodeType.RETRY and all(a is not None and a.fulfilled for a in attempts)
