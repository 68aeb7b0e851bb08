"""Go on where an earlier controller stopped, however it stopped.

Every decision was stored before it was carried out, and every pod outlives the controller. So: rebuild the
reconciler from the nodes, then ask the system about each pod that is not over. What ended is captured, what runs
is adopted, what was decided but never started is started, what is gone without a trace ended in Error.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from nbflow.controller.active import ActiveWorkflow
from nbflow.controller.inbox import PodEnded, PodOver
from nbflow.controller.kubelet import POD_DELETED, errored
from nbflow.engine.decision import Started
from nbflow.errors import NbflowError
from nbflow.runtimes.runtime import PodStatus
from nbflow.spec.pod import Pod
from nbflow.store.pods import pod_from_text
from nbflow.store.rows import PodRow, Submitted

if TYPE_CHECKING:
    from nbflow.controller.loop import Loop

_log = logging.getLogger(__name__)


def recover(loop: Loop, submitted: Submitted) -> None:
    """Care for a workflow that an earlier controller took in."""
    try:
        sequence, stored = loop.ledger.run(submitted.key)
    except Exception as error:  # noqa: BLE001 - a damaged row ends this workflow and no other
        _log.exception("workflow %s cannot be read", submitted.name)
        workflow = loop.active[submitted.key] = ActiveWorkflow(submitted)
        workflow.sequence = loop.ledger.sequence(submitted.key)
        loop.fail(workflow, error)
    else:
        workflow = loop.add(submitted, stored)
        workflow.sequence = max(workflow.sequence, sequence)
        if stored.status is not None:
            workflow.finished = workflow.finished or stored.status.phase.finished
            workflow.started_at = stored.status.started_at
    rows = loop.ledger.live_pods(submitted.key)
    for row in rows:
        loop.known_pod(workflow, row.name)
    loop.observe(workflow, Started())
    _pick_up(loop, workflow, rows)


def _pick_up(loop: Loop, workflow: ActiveWorkflow, rows: list[PodRow]) -> None:
    submitted = workflow.submitted
    try:
        found = loop.kubelet.place(submitted.target).runtime.list_pods(submitted.uid)
    except NbflowError as error:
        loop.fail(workflow, error)
        return
    known = {row.name for row in rows}
    for row in rows:
        _pick_up_pod(loop, workflow, row, found)
    for name in found.keys() - known:  # captured, but its files were not removed
        loop.kubelet.place(submitted.target).runtime.forget_pod(name, keep_root=False)


def _pick_up_pod(loop: Loop, workflow: ActiveWorkflow, row: PodRow, found: Mapping[str, PodStatus]) -> None:
    key, target = workflow.key, workflow.submitted.target
    pod = pod_from_text(row.pod) if row.pod else None
    status = found.get(row.name)
    if pod is None or row.state == "captured":
        loop.after_commit(lambda: loop.kubelet.clear(row.name, key, target, keep=False))
    elif status is not None:
        loop.kubelet.adopt(pod, key, target)
        _adopted(loop, workflow, pod, row, status)
    elif row.state == "pending":
        loop.after_commit(lambda: loop.kubelet.create(pod, key, target))
    else:
        loop.inbox.put(PodOver(pod, errored(POD_DELETED)))


def _adopted(loop: Loop, workflow: ActiveWorkflow, pod: Pod, row: PodRow, status: PodStatus) -> None:
    if row.state == "pending":
        loop.pod_is_up(pod.name, status.started_at or loop.now(), daemon=pod.daemon)
    if status.finished:
        loop.inbox.put(PodEnded(pod.name))
    elif workflow.observer is None:
        loop.end_pod(pod.name, timedelta(seconds=10), "the workflow ended in Error")
