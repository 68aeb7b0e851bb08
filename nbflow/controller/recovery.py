"""Go on where an earlier controller stopped, however it stopped.

Every decision was stored before it was carried out, and every pod outlives the controller. So: rebuild the
reconciler from the nodes, then ask the system about each pod that is not over. What ended is captured, what runs
is adopted, what was decided but never started is started, what is gone without a trace ended in Error.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial

from nbflow.controller.active import ActiveWorkflow
from nbflow.controller.inbox import Inbox, PodEnded, PodOver
from nbflow.controller.kubelet import POD_DELETED, Kubelet, errored
from nbflow.controller.turns import is_postponed
from nbflow.controller.workflows import Workflows
from nbflow.engine.decision import Started
from nbflow.errors import NbflowError
from nbflow.runtimes.runtime import PodStatus
from nbflow.spec.pod import Pod
from nbflow.store.ledger import Ledger
from nbflow.store.pods import pod_from_text
from nbflow.store.rows import PodRow, Submitted

_log = logging.getLogger(__name__)


class Recovery:
    """Takes up the workflows of an earlier controller: rebuilds all, then goes on with each."""

    def __init__(self, ledger: Ledger, kubelet: Kubelet, inbox: Inbox, workflows: Workflows) -> None:
        self._ledger = ledger
        self._kubelet = kubelet
        self._inbox = inbox
        self._workflows = workflows

    def go_on(self, workflow: ActiveWorkflow) -> None:
        """Pick up its pods. All workflows have to be rebuilt before: what locks they hold is known only then."""
        submitted = workflow.submitted
        rows = self._ledger.live_pods(submitted.key)
        if submitted.key in self._workflows.turns.waiting:
            return
        self._workflows.observe(workflow, Started())
        try:
            found = self._kubelet.place(submitted.target).runtime.list_pods(submitted.uid)
        except NbflowError as error:
            self._workflows.fail(workflow, error)
            return
        for row in rows:
            self._pick_up(workflow, row, found)
        for name in found.keys() - {row.name for row in rows}:  # captured, but its files were not removed
            self._kubelet.place(submitted.target).runtime.forget_pod(name, keep_root=False)

    def rebuild(self, submitted: Submitted) -> ActiveWorkflow:
        """Care for a workflow that was taken in and is not over: one that has finished may still have pods."""
        workflow = self._rebuilt(submitted)
        for row in self._ledger.live_pods(submitted.key):
            self._workflows.known_pod(workflow, row.name)
        return workflow

    def _rebuilt(self, submitted: Submitted) -> ActiveWorkflow:
        try:
            sequence, stored = self._ledger.run(submitted.key)
        except Exception as error:  # noqa: BLE001 - a damaged row ends this workflow and no other
            workflow = self._workflows.active[submitted.key] = ActiveWorkflow(submitted)
            workflow.sequence = self._ledger.sequence(submitted.key)
            self._workflows.fail(workflow, error)
            return workflow
        workflow = self._workflows.add(submitted, stored, sequence)
        if stored.status is not None:
            failed = workflow.finished
            workflow.remember(stored.status)
            workflow.finished = workflow.finished or failed
        if is_postponed(stored.status):
            self._workflows.postpone(workflow)
        return workflow

    def _pick_up(self, workflow: ActiveWorkflow, row: PodRow, found: Mapping[str, PodStatus]) -> None:
        """Find out what became of a pod, and go on from there."""
        key, target = workflow.key, workflow.submitted.target
        status = found.get(row.name)
        if row.pod is None:  # captured
            self._workflows.after_commit(partial(self._kubelet.clear, row.name, key, target, keep=False))
            return
        pod = pod_from_text(row.pod)
        if status is not None:
            self._adopt(workflow, pod, row, status)
        elif row.state == "pending":
            self._workflows.after_commit(partial(self._kubelet.create, pod, key, target, workflow.priority))
        else:
            self._inbox.put(PodOver(pod, errored(POD_DELETED)))

    def _adopt(self, workflow: ActiveWorkflow, pod: Pod, row: PodRow, status: PodStatus) -> None:
        self._kubelet.adopt(pod, workflow.key, workflow.submitted.target)
        if row.state == "pending":
            self._workflows.pod_is_up(pod, status.started_at or self._workflows.now())
        elif pod.daemon:
            self._workflows.starting_daemons.add(pod.name)
        if status.finished:
            self._inbox.put(PodEnded(pod.name))
        elif workflow.observer is None:
            self._workflows.end_pods(workflow, "the workflow ended in Error")
