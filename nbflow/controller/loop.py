"""The controller's loop: events in, decisions out.

Each turn takes all messages there are, lets the reconcilers decide, commits what they decided in one transaction,
and only then acts: what a crash interrupts is stored already, and `recovery` carries it out.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from nbflow.controller.active import BuildObserver
from nbflow.controller.again import Renewal
from nbflow.controller.crons import Crons
from nbflow.controller.inbox import (
    Inbox,
    Message,
    PodCleared,
    PodDelayed,
    PodEnded,
    PodOver,
    PodsForgotten,
    PodUp,
    Rang,
    StopAsked,
    WorkflowRemoved,
)
from nbflow.controller.kubelet import Kubelet
from nbflow.controller.marks import mark_logs
from nbflow.controller.recovery import Recovery
from nbflow.controller.removal import FilesOf, forget_pods, remove_files
from nbflow.controller.requests import DELETE, Requests
from nbflow.controller.workflows import Act, Workflows
from nbflow.store.batch import Batch
from nbflow.store.connection import StoreFullError
from nbflow.store.ledger import Ledger

_log = logging.getLogger(__name__)

_TICK = 1.0
_IDLE_TICK = 2.0
_DAEMON_TICK = 0.05  # somebody waits for a daemon to be ready
_SWEEP, _FIRST_SWEEP = 600.0, 30.0
_ANSWERS_KEPT = 3600.0
_COMMIT_AGAIN = 1.0


class Loop:
    """Moves all workflows of a home forward. One thread; others only put messages into its inbox.

    alive: whether the home is still there. sweep: removes what failed pods left too long ago.
    complain: tells clients why nothing goes on, "" once it does. parallelism: how many workflows run at once.
    """

    def __init__(
        self,
        ledger: Ledger,
        kubelet: Kubelet,
        inbox: Inbox,
        build: BuildObserver,
        *,
        alive: Callable[[], bool] = lambda: True,
        sweep: Act = lambda: None,
        complain: Callable[[str], None] = lambda _: None,
        parallelism: int | None = None,
    ) -> None:
        self.workflows = Workflows(ledger, kubelet, build, parallelism)
        self.stopping = False
        self._ledger = ledger
        self._kubelet = kubelet
        self._inbox = inbox
        self.crons = Crons(ledger, self.workflows)
        self._requests = Requests(ledger, self.workflows, self._remove_beside, self._forget_beside)
        self._alive = alive
        self._sweep = sweep
        self._complain = complain
        self._version = -1
        self._look_at_crons = False
        now = time.monotonic()
        self._ticked_at = self._busy_at = now
        self._swept_at = now - _SWEEP + _FIRST_SWEEP

    # --- the turns ---

    def run(self, idle: timedelta) -> None:
        """Until there was nothing to do for `idle`, or somebody asked us to end."""
        while not self.stopping:
            self.turn(self._patience(idle))
            if not self._busy and self._idle_for() >= idle.total_seconds():
                return

    def recover(self) -> None:
        """Go on with what an earlier controller left, and take in what came meanwhile."""
        recovery = Recovery(self._ledger, self._kubelet, self._inbox, self.workflows)
        for workflow in [recovery.rebuild(row) for row in self._ledger.unsettled_workflows()]:
            recovery.go_on(workflow)
            self.commit()
        with suppress(StoreFullError):
            self._ledger.drop_old_requests(time.time() - _ANSWERS_KEPT)
        for submitted in self._ledger.untaken_workflows():
            self.workflows.take_in(submitted)
        self._requests.take_in()
        self.commit()
        self.workflows.expiries.recover()
        self._look_at_crons = True
        self._do_what_is_due()

    def turn(self, seconds: float) -> None:
        """Wait for messages, at most so long; decide, commit, act."""
        for message in self._inbox.take(seconds):
            self._handle(message)
        if self._requests.waiting:
            self._requests.take_in()
        self.workflows.daemons_are_up()
        self.workflows.wake_due()
        self._tick()
        self.commit()
        self._do_what_is_due()

    def _do_what_is_due(self) -> None:
        """Between two commits: what is due reads what is stored of workflows."""
        if self._look_at_crons:
            self._look_at_crons = False
            self.crons.look()
        overdue = self.workflows.expiries.take_due(self.workflows.now())
        for key in overdue:
            self._ledger.request(key, DELETE, {})
        if self.crons.advance() or overdue:
            self._take_in()
            self.commit()

    def commit(self) -> None:
        """Store what was decided, then do it. While the store cannot be written nothing is done."""
        workflows = self.workflows
        workflows.pass_locks_on()
        for workflow in workflows.settle():
            self._requests.remove_files(workflow)
        workflows.batch.notices += self._kubelet.take_notices()
        if workflows.batch:
            if not self._write(workflows.batch):
                return
            self._busy_at = time.monotonic()
        workflows.batch = Batch()
        acts, workflows.acts = workflows.acts, []
        for act in acts:
            act()
        self._kubelet.start_queued()

    def _write(self, batch: Batch) -> bool:
        """False if somebody asked us to end before it could be stored: the next controller decides it anew."""
        complained = False
        while True:
            try:
                self._ledger.commit(batch)
                if complained:
                    _log.info("the store can be written again")
                    self._complain("")
                return True
            except StoreFullError as error:
                if not complained:
                    _log.error("waiting: %s", error)
                    self._complain(error.problem)
                complained = True
                if not self._alive():
                    raise
                if self._inbox.stop_asked:
                    self.stopping = True
                    return False
                time.sleep(_COMMIT_AGAIN)

    def _patience(self, idle: timedelta) -> float:
        """How long to wait for messages at most, in seconds."""
        if self.workflows.starting_daemons:
            return _DAEMON_TICK
        waits = [_TICK if any(True for _ in self._kubelet.running()) else _IDLE_TICK]
        waits += [
            wait
            for wait in (self.workflows.next_wake(), self._kubelet.next_retry(), self.crons.next_wake())
            if wait is not None
        ]
        if (expiry := self.workflows.expiries.next()) is not None:
            waits.append((expiry - self.workflows.now()).total_seconds())
        if not self._busy:
            waits.append(idle.total_seconds() - self._idle_for())
        return max(0.0, min(waits))

    def _idle_for(self) -> float:
        """Seconds without anything to do."""
        return 0.0 if self._busy else time.monotonic() - self._busy_at

    @property
    def _busy(self) -> bool:
        """Whether there is something to do."""
        return bool(self.workflows.active) or self._requests.waiting or self.crons.alive

    # --- messages ---

    def _handle(self, message: Message) -> None:
        match message:
            case Rang():
                self._look_into_store()
            case PodUp(pod, at):
                self._kubelet.is_up(pod.name)
                if pod.name in self._kubelet:
                    self.workflows.pod_is_up(pod, at)
            case PodDelayed(pod, reason):
                _log.warning("pod %s has to wait: %s", pod.name, reason)
                self._kubelet.is_delayed(pod.name)
            case PodEnded(name):
                self._kubelet.has_ended(name)
            case PodOver(pod, outcome):
                self._kubelet.is_over(pod.name)
                self.workflows.pod_is_over(pod, outcome)
            case PodCleared(key, name, kept):
                self.workflows.pod_is_cleared(key, name, kept=kept)
            case WorkflowRemoved(key):
                self._requests.files_are_gone(key)
            case PodsForgotten(key):
                self._requests.pods_are_forgotten(key)
            case StopAsked():
                self.stopping = True

    def _look_into_store(self) -> None:
        self._take_in()
        self._look_at_crons = True

    def _take_in(self) -> None:
        for submitted in self._ledger.new_workflows(self.workflows.last_key):
            self.workflows.take_in(submitted)
        self._requests.take_in()
        self.stopping = self.stopping or self._requests.handover

    def _remove_beside(self, key: int, files: FilesOf) -> None:
        def remove() -> None:
            remove_files(files)
            self._inbox.put(WorkflowRemoved(key))

        self._kubelet.beside(remove)

    def _forget_beside(self, renewal: Renewal) -> None:
        submitted = renewal.submitted

        def forget() -> None:
            try:
                for pod in renewal.renewed.pods:
                    self._kubelet.place(submitted.target).runtime.forget_pod(pod, keep_root=False)
                forget_pods(self._ledger.home, submitted.uid, renewal.renewed.pods)
            finally:
                self._inbox.put(PodsForgotten(submitted.key))

        self._kubelet.beside(forget)

    # --- now and then ---

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._ticked_at < _TICK:
            return
        self._ticked_at = now
        if not self._alive():
            self._abandon()
            return
        self.workflows.garbage.collect(now, idle=not self.workflows.active)
        mark_logs(self._ledger.home, self._kubelet.running())
        for pod, progress in self._kubelet.take_progress():
            self.workflows.pod_progressed(pod, progress)
        if now - self._swept_at >= _SWEEP:
            self._swept_at = now
            self._kubelet.beside(self._sweep)
        version = self._ledger.data_version()
        if version != self._version:  # a bell that nobody heard does no harm
            self._version = version
            self._look_into_store()

    def _abandon(self) -> None:
        """The home was removed under us: leave no process behind."""
        _log.error("the home is gone; ending")
        for live in list(self._kubelet.running()):
            live.place.runtime.delete_pod(live.pod.name, grace=timedelta(0))
        self.stopping = True
