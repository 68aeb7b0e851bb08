"""All workflows that are not over: who decides for them, and what they decided in this turn.

Decisions are collected: rows to write in `batch`, what to do afterwards in `acts`. Nothing is done before the loop
has committed the batch.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import cast

from nbflow.controller.active import ActiveWorkflow, BuildObserver, StoreWorld
from nbflow.controller.again import Renewal, record_begun, remembered
from nbflow.controller.artifact_gc import collect_completed
from nbflow.controller.garbage import Garbage
from nbflow.controller.kubelet import Kubelet
from nbflow.controller.leftovers import Expiries, goes_at_once, goes_in_the_end
from nbflow.controller.removal import remove_tree
from nbflow.controller.turns import Turns
from nbflow.engine.claims import claims_go
from nbflow.engine.decision import (
    CreatePod,
    Decision,
    DeletePod,
    Event,
    PodFinished,
    PodProgressed,
    PodReady,
    PodStarted,
    Started,
    StoredRun,
    TimeReached,
    UserAsked,
)
from nbflow.engine.locks import LockTable
from nbflow.engine.usage import resources_duration
from nbflow.errors import NbflowError
from nbflow.runtimes.agent import target_for
from nbflow.spec.pod import Pod, PodOutcome
from nbflow.spec.status import NodeStatus, Phase
from nbflow.spec.workflow import Workflow
from nbflow.store.batch import Batch
from nbflow.store.ledger import Ledger
from nbflow.store.rows import Submitted

_log = logging.getLogger(__name__)

GRACE = timedelta(seconds=10)
"""How long pods have to end whose workflow failed or is deleted: somebody may be waiting."""

_HOST = os.uname().nodename

Act = Callable[[], None]


class Workflows:
    """The workflows a controller cares for, by key."""

    def __init__(
        self, ledger: Ledger, kubelet: Kubelet, build: BuildObserver, parallelism: int | None = None
    ) -> None:
        self.active: dict[int, ActiveWorkflow] = {}
        self.batch = Batch()
        self.acts: list[Act] = []
        self.last_key = 0
        self.starting_daemons: set[str] = set()
        self.turns = Turns(parallelism)
        self.expiries = Expiries(ledger)
        self.garbage = Garbage()
        self._ledger = ledger
        self._kubelet = kubelet
        self._build = build
        self._world = StoreWorld(ledger)
        self._by_pod: dict[str, ActiveWorkflow] = {}
        self._locks = LockTable()
        self._now = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        """The time, never earlier than before."""
        self._now = max(self._now, datetime.now(UTC))
        return self._now

    def after_commit(self, act: Act) -> None:
        """Have it done once everything decided so far is stored."""
        self.acts.append(act)

    # --- taking in and letting go ---

    def take_in(self, submitted: Submitted) -> None:
        """A workflow that nobody has seen before."""
        self.last_key = max(self.last_key, submitted.key)
        if submitted.key in self.active:
            return
        with suppress(NbflowError):  # its pods will say so
            self._kubelet.place(submitted.target)  # what the runtime has to say is stored with the taking in
        begun = remembered(submitted)
        workflow = self.add(submitted, begun)
        if begun is not None:
            record_begun(submitted.key, begun, self.batch)
        self._begin(workflow)

    def _begin(self, workflow: ActiveWorkflow) -> None:
        """Let it run, or wait for its turn."""
        if workflow.finished or not self.turns.is_full(
            one for one in self.active.values() if one is not workflow
        ):
            self.observe(workflow, Started())
        else:
            self.postpone(workflow)

    def postpone(self, workflow: ActiveWorkflow) -> None:
        """Too many run already."""
        workflow.record_status(self.turns.postpone(workflow), self.batch)
        workflow.touch(self.batch)

    def go_on_again(self, renewal: Renewal) -> None:
        """A finished workflow runs again."""
        workflow = self.add(renewal.submitted, renewal.run, renewal.sequence)
        workflow.touch(self.batch)
        self._begin(workflow)

    def add(self, submitted: Submitted, stored: StoredRun | None, sequence: int = 0) -> ActiveWorkflow:
        """Care for a workflow from now on. One that cannot be read ends in Error."""
        self.last_key = max(self.last_key, submitted.key)
        workflow = self.active[submitted.key] = ActiveWorkflow(submitted, sequence=sequence)
        try:
            manifest = submitted.manifest()
            workflow.spec = cast("Mapping[str, object]", manifest["spec"])
            typed = Workflow.from_dict(manifest)
            workflow.lock_owner = f"{typed.metadata.namespace}/{typed.metadata.name}"
            workflow.observer = self._build(typed, stored, submitted.seed, self._locks)
        except Exception as error:  # noqa: BLE001 - one bad workflow leaves the others alone
            self.fail(workflow, error)
        return workflow

    def settle(self) -> list[ActiveWorkflow]:
        """Let go of workflows that are over and have no pod left; those to be deleted that have none are returned."""
        without_pods = [workflow for workflow in self.active.values() if not workflow.pods]
        for workflow in without_pods:
            if workflow.finished and not workflow.deleting:
                self.batch.settled.append(workflow.key)
                self._collect_claims(workflow)
                self._collect_artifacts(workflow)
                self._collect_pods(workflow)
                self.expiries.note(workflow.key, workflow.spec, workflow.phase, workflow.finished_at)
                self.let_go(workflow)
        while (waiting := self.turns.next(self.active.values())) is not None:
            self.observe(waiting, Started())
        return [workflow for workflow in without_pods if workflow.deleting]

    def let_go(self, workflow: ActiveWorkflow) -> None:
        """It needs nobody any more. One that did not end by itself may still hold locks."""
        self.garbage.some = True
        del self.active[workflow.key]
        self.turns.waiting.pop(workflow.key, None)
        if workflow.observer is None or workflow.deleting:
            self._release_locks(workflow)

    def _collect_claims(self, workflow: ActiveWorkflow) -> None:
        """Remove the claims that were made for a workflow, as its volumeClaimGC says: by default if it succeeded."""
        folder = self._ledger.home.claims(workflow.submitted.uid)
        if not folder.is_dir():
            return
        if claims_go(workflow.spec.get("volumeClaimGC"), workflow.phase):
            self.after_commit(partial(self._kubelet.beside, partial(remove_tree, folder)))

    def _collect_artifacts(self, workflow: ActiveWorkflow) -> None:
        """Remove the artifacts that go on completion."""
        if '"artifactGC"' in workflow.submitted.spec or "artifactGC" in workflow.spec:
            collect = partial(collect_completed, self._ledger.home, workflow.key, workflow.spec)
            self.after_commit(partial(self._kubelet.beside, collect))

    def _collect_pods(self, workflow: ActiveWorkflow) -> None:
        """Remove what was kept of its pods, if its podGC says so."""
        if goes_in_the_end(workflow):
            self.after_commit(partial(self._clear_kept, workflow.key, workflow.submitted.target))

    def _clear_kept(self, key: int, target: str) -> None:
        for pod in self._ledger.pods(key):
            if pod.state == "kept":
                self._kubelet.clear(pod.name, key, target, keep=False)

    # --- deciding ---

    def observe(self, workflow: ActiveWorkflow, event: Event) -> None:
        """Let its reconciler decide. A fault in it ends this workflow and no other.

        Raises NbflowError if a person asked for what cannot be.
        """
        if workflow.observer is None or workflow.deleting:
            return
        self.turns.waiting.pop(workflow.key, None)  # a person may stop it before its turn
        try:
            decision = workflow.observer.observe(event, self.now(), self._world)
        except Exception as error:
            if isinstance(event, UserAsked) and isinstance(error, NbflowError):
                raise  # it was asked for what cannot be; nothing changed
            self.fail(workflow, error)
            return
        self._carry_out(workflow, decision)

    def _carry_out(self, workflow: ActiveWorkflow, decision: Decision) -> None:
        workflow.record(decision, self.batch)
        for action in decision.actions:
            match action:
                case CreatePod(pod):
                    self._by_pod[pod.name] = workflow
                    target = workflow.submitted.target
                    create = partial(self._kubelet.create, pod, workflow.key, target, workflow.priority)
                    self.after_commit(create)
                case DeletePod(name, grace, reason):
                    self.end_pod(name, grace, reason)

    def fail(self, workflow: ActiveWorkflow, error: Exception) -> None:
        """End a workflow that nobody can decide for: Error with a message; the log has the traceback."""
        _log.error("workflow %s ends in Error", workflow.submitted.name, exc_info=error)
        now = self.now()
        for node in self._latest_nodes(workflow.key):
            if not node.fulfilled:
                ended = replace(node, phase=Phase.ERROR, message="the controller failed", finished_at=now)
                self.batch.nodes[workflow.key, node.id] = ended
        message = f"nbflow could not go on with this workflow: {type(error).__name__}: {error}"
        workflow.record_failure(message, now, self.batch)
        self.end_pods(workflow, "the workflow ended in Error")

    def _latest_nodes(self, key: int) -> list[NodeStatus]:
        """As stored, and as decided in this turn."""
        try:
            _, run = self._ledger.run(key)
        except Exception:  # noqa: BLE001 - a damaged row
            _log.exception("its nodes cannot be read")
            return []
        nodes = {node.id: node for node in run.nodes}
        nodes.update({id_: node for (owner, id_), node in self.batch.nodes.items() if owner == key})
        return list(nodes.values())

    # --- pods ---

    def known_pod(self, workflow: ActiveWorkflow, name: str) -> None:
        """A pod of an earlier controller belongs to this workflow."""
        workflow.pods.add(name)
        self._by_pod[name] = workflow

    def pod_is_up(self, pod: Pod, at: datetime) -> None:
        """A pod runs."""
        workflow = self._by_pod.get(pod.name)
        if workflow is None:
            return
        self.batch.started.append((workflow.key, pod.name))
        self.observe(workflow, PodStarted(pod.name, at, host=_HOST))
        if pod.daemon:
            self.starting_daemons.add(pod.name)

    def pod_progressed(self, pod: str, progress: str) -> None:
        """A pod says how far it got."""
        if workflow := self._by_pod.get(pod):
            self.observe(workflow, PodProgressed(pod, progress))

    def daemons_are_up(self) -> None:
        """Look which daemons passed their readiness probes meanwhile."""
        for name in list(self.starting_daemons):
            workflow, live = self._by_pod.get(name), self._kubelet.get(name)
            if workflow is None or live is None:
                self.starting_daemons.discard(name)
                continue
            status = live.place.runtime.pod_status(live.pod.uid, name)
            if status is not None and (status.ready or status.finished):
                self.starting_daemons.discard(name)
                if status.ready and not status.finished:
                    self.observe(workflow, PodReady(name, self.now(), status.ip))

    def pod_is_over(self, pod: Pod, outcome: PodOutcome) -> None:
        """Its outcome is known; its files go once that is stored."""
        workflow = self._by_pod.get(pod.name)
        if workflow is None:
            return
        self.batch.captured.append((time.time(), workflow.key, pod.name))
        used = resources_duration(pod, outcome)
        self.observe(workflow, PodFinished(pod.name, replace(outcome, resources=used) if used else outcome))
        keep = outcome.phase.bad and not workflow.deleting and not goes_at_once(workflow, pod)
        target = target_for(pod, workflow.submitted.target)
        clear = partial(self._kubelet.clear, pod.name, workflow.key, target, keep=keep)
        self.after_commit(clear)

    def pod_is_cleared(self, key: int, name: str, *, kept: bool) -> None:
        """Its files are gone, or its root was kept."""
        self.batch.cleared.append(("kept" if kept else "gone", key, name))
        self._by_pod.pop(name, None)
        if workflow := self.active.get(key):
            workflow.pods.discard(name)

    def end_pod(self, name: str, grace: timedelta, reason: str) -> None:
        """End a pod, once that it shall end is stored."""
        self.after_commit(partial(self._kubelet.delete, name, grace=grace, reason=reason))

    def end_pods(self, workflow: ActiveWorkflow, reason: str) -> None:
        """End all pods of a workflow."""
        for pod in workflow.pods:
            self.end_pod(pod, GRACE, reason)

    # --- locks and time ---

    def pass_locks_on(self) -> None:
        """Tell those whose turn for a mutex or semaphore may have come."""
        for _ in range(len(self.active) + 1):
            owners = dict.fromkeys("/".join(holder.split("/")[:2]) for holder in self._locks.woken)
            for owner in owners:
                for workflow in [w for w in self.active.values() if w.lock_owner == owner]:
                    self.observe(workflow, TimeReached())
                self._locks.take_woken(owner)
            if not owners:
                return

    def _release_locks(self, workflow: ActiveWorkflow) -> None:
        """A workflow that nobody decides for any more gives back what it holds and waits for."""
        owner = workflow.lock_owner
        for table in (self._locks.held_by(owner), self._locks.awaited_by(owner)):
            for holder in {holder for holders in table.values() for holder in holders}:
                self._locks.release(holder)

    def wake_due(self) -> None:
        """Tell those whose time came."""
        now = self.now()
        due = [w for w in self.active.values() if w.wake_at is not None and w.wake_at <= now]
        for workflow in due:
            workflow.wake_at = None
            self.observe(workflow, TimeReached())

    def next_wake(self) -> float | None:
        """Seconds until the next one is due, None if none waits for a time."""
        times = [workflow.wake_at for workflow in self.active.values() if workflow.wake_at is not None]
        return (min(times) - self.now()).total_seconds() if times else None
