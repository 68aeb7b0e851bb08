"""The controller's loop: events in, decisions out.

Each turn takes all messages there are, lets the reconcilers decide, commits what they decided in one transaction,
and only then acts: what a crash interrupts is stored already, and `recovery` carries it out.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from nbflow.controller.active import ActiveWorkflow, BuildObserver, StoreWorld
from nbflow.controller.inbox import (
    Inbox,
    Message,
    PodCleared,
    PodDelayed,
    PodEnded,
    PodOver,
    PodUp,
    Rang,
    StopAsked,
    WorkflowRemoved,
)
from nbflow.controller.kubelet import Kubelet
from nbflow.controller.marks import mark_logs
from nbflow.controller.recovery import recover
from nbflow.controller.removal import FilesOf, remove_files
from nbflow.controller.requests import DELETE, HANDOVER, STOP, answer_to, event_of, refusal
from nbflow.engine.decision import (
    CreatePod,
    Decision,
    DeletePod,
    Event,
    PodFinished,
    PodReady,
    PodStarted,
    Started,
    StoredRun,
    TimeReached,
    UserAsked,
)
from nbflow.errors import NbflowError
from nbflow.spec.status import NodeStatus, Phase
from nbflow.spec.workflow import Workflow
from nbflow.store.batch import Batch
from nbflow.store.connection import StoreFullError
from nbflow.store.ledger import Ledger
from nbflow.store.rows import RequestRow, Submitted

_log = logging.getLogger(__name__)

_TICK = 1.0
_IDLE_TICK = 2.0
_SWEEP, _FIRST_SWEEP = 600.0, 30.0
_ANSWERS_KEPT = 3600.0
_DELETE_GRACE = timedelta(seconds=10)
_COMMIT_AGAIN = 1.0

Act = Callable[[], None]


class Loop:
    """Moves all workflows of a home forward. One thread; others only put messages into its inbox."""

    def __init__(
        self,
        ledger: Ledger,
        kubelet: Kubelet,
        inbox: Inbox,
        build: BuildObserver,
        *,
        alive: Callable[[], bool] = lambda: True,
        sweep: Act = lambda: None,
    ) -> None:
        self.ledger = ledger
        self.kubelet = kubelet
        self.inbox = inbox
        self.batch = Batch()
        self.active: dict[int, ActiveWorkflow] = {}
        self._build = build
        self._alive = alive
        self._sweep = sweep
        self._swept_at = time.monotonic() - _SWEEP + _FIRST_SWEEP
        self._world = StoreWorld(ledger.objects)
        self._acts: list[Act] = []
        self._by_pod: dict[str, ActiveWorkflow] = {}
        self.stopping = False
        self._seen_key = 0
        self._version = -1
        self._now = datetime.min.replace(tzinfo=UTC)
        self._ticked_at = time.monotonic()
        self._busy_at = time.monotonic()

    # --- the turns ---

    def run(self, idle: timedelta) -> None:
        """Until there was nothing to do for `idle`, or somebody asked us to end."""
        while not self.stopping:
            self.turn(self._patience(idle))
            if self._is_idle(idle):
                return

    def recover(self) -> None:
        """Go on with what an earlier controller left, and take in what came meanwhile."""
        for submitted in self.ledger.unsettled_workflows():
            self._seen_key = max(self._seen_key, submitted.key)
            recover(self, submitted)
            self.commit()
        self.ledger.drop_old_requests(time.time() - _ANSWERS_KEPT)
        for submitted in self.ledger.untaken_workflows():
            self._take_in(submitted)
        self._look_into_store()
        self.commit()

    def turn(self, seconds: float) -> None:
        """Wait for messages, at most so long; decide, commit, act."""
        for message in self.inbox.take(seconds):
            self._handle(message)
        self._wake_due()
        self._tick()
        self.commit()

    def commit(self) -> None:
        """Store what was decided, then do it. While the store cannot be written nothing is done."""
        self._settle()
        self.batch.notices += self.kubelet.take_notices()
        if self.batch:
            self._write()
            self._busy_at = time.monotonic()
        self.batch = Batch()
        acts, self._acts = self._acts, []
        for act in acts:
            act()
        self.kubelet.start_queued()

    def _write(self) -> None:
        complained = False
        while True:
            try:
                self.ledger.commit(self.batch)
                return
            except StoreFullError as error:
                if not complained:
                    _log.error("waiting: %s", error)
                complained = True
                if not self._alive():
                    raise
                time.sleep(_COMMIT_AGAIN)

    def _patience(self, idle: timedelta) -> float:
        """How long to wait for messages at most, in seconds."""
        now = self.now()
        waits = [_TICK if any(True for _ in self.kubelet.running()) else _IDLE_TICK]
        waits += [(w.wake_at - now).total_seconds() for w in self.active.values() if w.wake_at is not None]
        retry = self.kubelet.next_retry()
        if retry is not None:
            waits.append(retry)
        if not self.active:
            waits.append(self._busy_at + idle.total_seconds() - time.monotonic())
        return max(0.0, min(waits))

    def _is_idle(self, idle: timedelta) -> bool:
        return not self.active and time.monotonic() - self._busy_at >= idle.total_seconds()

    def now(self) -> datetime:
        """The time, never earlier than before."""
        self._now = max(self._now, datetime.now(UTC))
        return self._now

    # --- messages ---

    def _handle(self, message: Message) -> None:
        match message:
            case Rang():
                self._look_into_store()
            case PodUp(pod, at):
                self.kubelet.is_up(pod.name)
                if pod.name in self.kubelet:
                    self.pod_is_up(pod.name, at, daemon=pod.daemon)
            case PodDelayed(pod, reason):
                _log.warning("pod %s has to wait: %s", pod.name, reason)
                self.kubelet.is_delayed(pod.name)
            case PodEnded(name):
                self.kubelet.has_ended(name)
            case PodOver(pod, outcome):
                self.kubelet.is_over(pod.name)
                if workflow := self._by_pod.get(pod.name):
                    self.batch.captured.append((time.time(), workflow.key, pod.name))
                    self.observe(workflow, PodFinished(pod.name, outcome))
                    keep = outcome.phase in (Phase.FAILED, Phase.ERROR) and not workflow.deleting
                    self.after_commit(partial(self._clear, workflow, pod.name, keep=keep))
            case PodCleared(key, name, kept):
                self.batch.cleared.append(("kept" if kept else "gone", key, name))
                self._by_pod.pop(name, None)
                if cleared := self.active.get(key):
                    cleared.pods.discard(name)
            case WorkflowRemoved(key):
                self._forget(key)
            case StopAsked():
                self.stopping = True

    def _clear(self, workflow: ActiveWorkflow, pod: str, *, keep: bool) -> None:
        self.kubelet.clear(pod, workflow.key, workflow.submitted.target, keep=keep)

    def pod_is_up(self, name: str, at: datetime, *, daemon: bool) -> None:
        """A pod runs."""
        workflow = self._by_pod.get(name)
        if workflow is None:
            return
        self.batch.started.append((workflow.key, name))
        self.observe(workflow, PodStarted(name, at))
        if daemon:
            self.observe(workflow, PodReady(name, at))

    def _look_into_store(self) -> None:
        for submitted in self.ledger.new_workflows(self._seen_key):
            self._take_in(submitted)
        for request in self.ledger.open_requests():
            if request.key not in self.batch.answers:
                self._answer(request)

    def _take_in(self, submitted: Submitted) -> None:
        self._seen_key = max(self._seen_key, submitted.key)
        if submitted.key in self.active:
            return
        with suppress(
            NbflowError
        ):  # its pods will say so; what the runtime has to say comes before the first one
            self.kubelet.place(submitted.target)
        self.observe(self.add(submitted, None), Started())

    # --- workflows ---

    def add(self, submitted: Submitted, stored: StoredRun | None) -> ActiveWorkflow:
        """Care for a workflow from now on. One that cannot be read ends in Error."""
        workflow = self.active[submitted.key] = ActiveWorkflow(submitted)
        try:
            typed = Workflow.from_dict(submitted.manifest())
            workflow.observer = self._build(typed, stored, submitted.seed)
        except Exception as error:  # noqa: BLE001 - one bad workflow leaves the others alone
            self.fail(workflow, error)
        return workflow

    def observe(self, workflow: ActiveWorkflow, event: Event) -> None:
        """Let its reconciler decide. A fault in it ends this workflow and no other.

        Raises NbflowError if a person asked for what cannot be.
        """
        if workflow.observer is None or workflow.deleting:
            return
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
        key, target = workflow.key, workflow.submitted.target
        for action in decision.actions:
            match action:
                case CreatePod(pod):
                    self._by_pod[pod.name] = workflow
                    self.after_commit(partial(self.kubelet.create, pod, key, target))
                case DeletePod(name, grace, reason):
                    self.end_pod(name, grace, reason)

    def end_pod(self, name: str, grace: timedelta, reason: str) -> None:
        """End a pod, once that it shall end is stored."""
        self.after_commit(lambda: self.kubelet.delete(name, grace=grace, reason=reason))

    def after_commit(self, act: Act) -> None:
        """Have it done once everything decided so far is stored."""
        self._acts.append(act)

    def fail(self, workflow: ActiveWorkflow, error: Exception) -> None:
        """End a workflow that nobody can decide for: Error with a message; the log has the traceback."""
        name = workflow.submitted.name
        _log.error("workflow %s ends in Error", name, exc_info=error)
        now = self.now()
        message = f"nbflow could not go on with this workflow: {type(error).__name__}: {error}"
        try:
            _, run = self.ledger.run(workflow.key)
        except Exception:  # noqa: BLE001 - a damaged row
            _log.exception("its nodes cannot be read")
        else:
            for node in run.nodes:
                latest = self.batch.nodes.get((workflow.key, node.id), node)
                if not latest.fulfilled:
                    ended = replace(
                        latest, phase=Phase.ERROR, message="the controller failed", finished_at=now
                    )
                    self.batch.nodes[workflow.key, node.id] = ended
        workflow.record_failure(message, now, self.batch)
        for pod in workflow.pods:
            self.end_pod(pod, _DELETE_GRACE, "the workflow ended in Error")

    def known_pod(self, workflow: ActiveWorkflow, name: str) -> None:
        """A pod of an earlier controller belongs to this workflow."""
        workflow.pods.add(name)
        self._by_pod[name] = workflow

    def _wake_due(self) -> None:
        now = self.now()
        for workflow in [w for w in self.active.values() if w.wake_at is not None and w.wake_at <= now]:
            workflow.wake_at = None
            self.observe(workflow, TimeReached())

    def _settle(self) -> None:
        """Let go of workflows that are over and have no pod left."""
        for workflow in [w for w in self.active.values() if not w.pods]:
            if workflow.deleting:
                self._remove(workflow)
            elif workflow.finished:
                self.batch.settled.append(workflow.key)
                del self.active[workflow.key]

    # --- requests ---

    def _answer(self, request: RequestRow) -> None:
        if request.workflow is None:
            self.stopping = self.stopping or request.verb in (HANDOVER, STOP)
            self.batch.answers[request.key] = answer_to(None)
            return
        workflow = self.active.get(request.workflow)
        if request.verb == DELETE:
            self._delete(request, workflow)
            return
        snapshot = self.ledger.by_key(request.workflow)
        problem = refusal(request, snapshot, active=workflow is not None and not workflow.finished)
        if problem is None and workflow is not None:
            problem = self._put_to(workflow, request)
        self.batch.answers[request.key] = answer_to(problem)

    def _put_to(self, workflow: ActiveWorkflow, request: RequestRow) -> NbflowError | None:
        """Let the engine take a request in; what it says if the request cannot be met."""
        try:
            self.observe(workflow, event_of(request))
        except NbflowError as error:
            return error
        return None

    def _delete(self, request: RequestRow, workflow: ActiveWorkflow | None) -> None:
        key = request.workflow
        assert key is not None
        if workflow is None:
            snapshot = self.ledger.by_key(key)
            if snapshot is None:
                self.batch.answers[request.key] = answer_to(refusal(request, None, active=False))
                return
            row = Submitted(key, snapshot.uid, snapshot.name, "", 0, "", "")
            workflow = self.active[key] = ActiveWorkflow(row, finished=True)
        if request.key in workflow.deleting:
            return
        workflow.deleting.append(request.key)
        workflow.wake_at = None
        for pod in workflow.pods:
            self.end_pod(pod, _DELETE_GRACE, "the workflow was deleted")

    def _remove(self, workflow: ActiveWorkflow) -> None:
        if workflow.removing:
            return
        workflow.removing = True
        submitted, key = workflow.submitted, workflow.key
        files = FilesOf(self.ledger.home, submitted.uid, submitted.name, self._nodes_of(key))

        def remove() -> None:
            remove_files(files)
            self.inbox.put(WorkflowRemoved(key))

        self.after_commit(lambda: self.kubelet.beside(remove))

    def _nodes_of(self, key: int) -> tuple[NodeStatus, ...]:
        try:
            return tuple(self.ledger.nodes(key).values())
        except ValueError:  # damaged: their artifacts cannot be known
            return ()

    def _forget(self, key: int) -> None:
        workflow = self.active.pop(key)
        self.batch.deleted.append(key)
        for request in workflow.deleting:
            self.batch.answers[request] = answer_to(None)

    # --- now and then ---

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._ticked_at < _TICK:
            return
        self._ticked_at = now
        mark_logs(self.ledger.home, self.kubelet.running())
        if now - self._swept_at >= _SWEEP:
            self._swept_at = now
            self.kubelet.beside(self._sweep)
        version = self.ledger.data_version()
        if version != self._version:  # somebody stored something; a bell that nobody heard does no harm
            self._version = version
            self._look_into_store()
        if not self._alive():
            _log.error("the home is gone; ending")
            self._abandon()

    def _abandon(self) -> None:
        """The home was removed under us: leave no process behind."""
        for live in list(self.kubelet.running()):
            live.place.runtime.delete_pod(live.pod.name, grace=timedelta(0))
        self.stopping = True

    def messages(self, messages: Iterable[Message]) -> None:
        """Take in messages at once (recovery and tests)."""
        for message in messages:
            self._handle(message)
