"""What happens to pods, seen from their nodes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from nbflow.engine import limits, memoize
from nbflow.engine.decision import Event, PodFinished, PodProgressed, PodReady, PodStarted
from nbflow.engine.outputs import export
from nbflow.engine.run import Run
from nbflow.spec.pod import PodOutcome
from nbflow.spec.status import NodeStatus, NodeType, Phase
from nbflow.spec.sums import RESOURCES


def started(run: Run, event: PodStarted) -> None:
    """The main container runs; a daemon counts once it is ready."""
    node = run.tree.of_pod(event.name)
    if node is None or node.type is not NodeType.POD:
        return  # Argo's agent says nothing of a request before it is answered
    if event.host:
        node = run.tree.put(replace(node, extra={**node.extra, "hostNodeName": event.host}))
    if node.phase is Phase.PENDING and node.id not in run.daemons:
        run.mark(node, Phase.RUNNING, "")
        for container in run.tree.containers(node.id):
            if container.phase is Phase.PENDING:
                run.mark(container, Phase.RUNNING)


def ready(run: Run, event: PodReady) -> None:
    """A daemon is up: what waits for it may go on."""
    node = run.tree.of_pod(event.name)
    if node is None or node.fulfilled or node.id not in run.daemons:
        return
    extra = {**node.extra, "podIP": event.ip} if event.ip else node.extra
    run.mark(replace(node, daemoned=True, extra=extra), Phase.RUNNING, "")
    run.notify(node.id)


def progressed(run: Run, event: PodProgressed) -> None:
    """A pod says how far it got: that takes the place of the progress that its phase means."""
    node = run.tree.of_pod(event.name)
    if node is not None and node.type is NodeType.POD and not node.fulfilled:
        run.tree.put(replace(node, progress=event.progress))


def finished(run: Run, event: PodFinished) -> None:
    """A pod ended. One that ended its node already (a deadline, a stop) changes nothing any more."""
    node = run.tree.of_pod(event.name)
    if node is None:
        return
    outcome = event.outcome
    phase = outcome.phase
    if phase is Phase.SUCCEEDED and node.id in run.daemons:
        phase = Phase.FAILED
    at = outcome.finished_at or run.now
    for container in run.tree.containers(node.id):
        _finish_container(run, container, outcome, at)
    outputs = dict(outcome.outputs or {})
    if outcome.exit_code is not None:
        outputs["exitCode"] = str(outcome.exit_code)
    export(run, outputs)
    extra = {**node.extra, RESOURCES: dict(outcome.resources)} if outcome.resources else node.extra
    progress = outcome.progress or node.progress
    changed = replace(node, daemoned=False, finished_at=at, extra=extra, progress=progress)
    changed = run.mark(changed, phase, outcome.message, outputs=outputs or None)
    if changed.phase is Phase.SUCCEEDED:
        memoize.save(run, changed)
    boundary = run.boundaries.get(node.boundary_id)
    if boundary is not None and boundary.template.fail_fast:
        run.once_idle.append(lambda: _check_fail_fast(run, node.boundary_id))


def _check_fail_fast(run: Run, boundary: str) -> None:
    limits.halts_in_the_end(run, boundary)


def _finish_container(run: Run, node: NodeStatus, outcome: PodOutcome, at: datetime) -> None:
    if node.fulfilled:
        return
    phase, message = outcome.containers.get(node.display_name, (outcome.phase, outcome.message))
    run.mark(replace(node, finished_at=at), phase, message)


def take_in_late(run: Run, event: Event) -> None:
    """What still comes in after the end of the workflow: pods that were ended with it."""
    if isinstance(event, PodFinished):
        finished(run, event)
