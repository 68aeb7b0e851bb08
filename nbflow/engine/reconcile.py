"""Decide what a workflow needs next.

Pure: no clock, file, process, log or random number. What happened outside comes in as an `Event`, all there is
to do goes out as a `Decision`; the controller carries it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from nbflow.engine import (
    daemons,
    dag,
    limits,
    pod_events,
    requests,
    retry,
    startup,
    steps,
    suspend,
    synchronization,
)
from nbflow.engine.agent import has_process
from nbflow.engine.claims import claims_status
from nbflow.engine.decision import (
    Decision,
    DeletePod,
    Event,
    PodFinished,
    PodProgressed,
    PodReady,
    PodStarted,
    StatusChange,
    StoredRun,
    UserAsked,
    World,
)
from nbflow.engine.failures import CallError
from nbflow.engine.locks import LockTable
from nbflow.engine.root import Root
from nbflow.engine.run import Run
from nbflow.spec.status import InputsOutputs, Phase, artifacts_by_name, parameter_values
from nbflow.spec.sums import RESOURCES
from nbflow.spec.workflow import Workflow

_CONSTRUCTS = {"steps": steps.begin, "dag": dag.begin, "retry": retry.begin, "suspend": suspend.begin}
_PHASE_LABEL = "workflows.argoproj.io/phase"
_COMPLETED_LABEL = "workflows.argoproj.io/completed"
_STORED_TEMPLATES = "storedTemplates"
_CLAIMS = "persistentVolumeClaims"
_SHUTDOWN = "shutdown"
_SYNCHRONIZATION = "synchronization"


class Reconciler:
    """Holds the node tree of one workflow and moves it forward, one event at a time.

    workflow: linted; never changed here. stored: what earlier decisions stored, None the first time; a
    reconciler built from it continues where the one that stored it stopped. seed: of all chance in expressions.
    locks: mutexes and semaphores that other workflows share; when its `woken` names one of this workflow, send
    it `TimeReached`.
    """

    def __init__(
        self,
        workflow: Workflow,
        stored: StoredRun | None = None,
        *,
        seed: int,
        locks: LockTable | None = None,
    ) -> None:
        self.workflow = workflow
        self._run = Run(workflow, seed)
        if locks is not None:
            self._run.locks = locks
        self._run.constructs = _CONSTRUCTS
        self._root = Root(self._run)
        self._status = stored.status if stored is not None else None
        self._started_at = self._status.started_at if self._status else None
        self._labels: Mapping[str, str] = {}
        self._merged: Mapping[str, object] | None = None
        self._ready = False
        self._past_deadline = False
        self._waiting = ""
        if stored is not None:
            self._run.tree.load(stored.nodes, stored.children)
        if self._status is not None and not self._status.phase.finished:
            held = self._status.extra.get(_SYNCHRONIZATION)
            synchronization.restore(self._run, cast("Mapping[str, object]", held or {}))

    @property
    def name(self) -> str:
        """metadata.name of the workflow."""
        return self.workflow.metadata.name

    @property
    def uid(self) -> str:
        """metadata.uid of the workflow."""
        return self.workflow.metadata.uid

    @property
    def finished(self) -> bool:
        """Whether the workflow is over."""
        return self._status is not None and self._status.phase.finished

    def observe(self, event: Event, now: datetime, world: World) -> Decision:
        """Take in one fact and decide. `now` is aware, UTC, never earlier than before; `world` is read, never kept.

        Costs time in the depth of the tree and the nodes it wakes or starts, not in the size of the workflow. A
        fault in the workflow does not raise: its node ends in phase Error with the message. Raises CallError for a
        person's request that cannot be met; nothing is changed then.
        """
        run = self._run
        run.now, run.world = now, world
        if self.finished:
            pod_events.take_in_late(run, event)
            return self._decision(None)
        if not self._ready:
            self._begin()
        if self._root.ended is None:
            self._take_in(event)
            self._work()
        return self._decision(self._new_status())

    # --- the start ------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Work out the spec and its variables, and start the entrypoint or take it up again."""
        run, stored = self._run, self._status
        self._ready = True
        try:
            clock = run.clock(run.name, self._started_at)
            beginning = startup.begin(self.workflow, stored, run.world, clock)
        except startup.StartError as error:
            self._root.ended = error.phase, error.problem
            return
        self._labels, self._merged = beginning.labels, beginning.merged
        run.use(beginning.spec, beginning.scope, beginning.variables)
        labels = {**self.workflow.metadata.labels, **self._labels}
        baseline = next((label for label in startup.BASELINES if label in labels), None)
        if baseline is not None:
            run.estimates = run.world.durations(baseline, labels[baseline])
        if stored is not None:
            self._restore(stored)
        run.later(self._admit)

    def _admit(self) -> None:
        """Start the entrypoint, or take it up again, once the workflow has its own locks."""
        run = self._run
        try:
            lock = synchronization.acquire(run, run.spec.synchronization, "")
        except CallError as error:
            problem = f"Failed to acquire the synchronization lock. {error.problem}"
            self._root.ended = Phase.FAILED, problem
            return
        self._waiting = run.locks.status(lock) if lock else ""
        if lock:
            run.awaiting[""] = self._admit
            return
        self._started_at = self._started_at or run.now
        run.deadline = startup.deadline_of(run.spec, self._started_at)
        self._check_deadline()
        self._root.begin()

    def _restore(self, stored: StatusChange) -> None:
        """What an earlier controller had come to, besides the nodes."""
        run = self._run
        run.suspended = stored.suspended
        run.shutdown = str(stored.extra.get(_SHUTDOWN, run.shutdown))
        run.templates.stored.update(
            cast("dict[str, Mapping[str, object]]", stored.extra.get(_STORED_TEMPLATES, {}))
        )
        for name, value in parameter_values(stored.outputs).items():
            run.outputs.parameters[name] = value
            run.variables[f"workflow.outputs.parameters.{name}"] = value
        run.outputs.artifacts.update(artifacts_by_name(stored.outputs))

    # --- one event ------------------------------------------------------------------------------------------------

    def _take_in(self, event: Event) -> None:
        run = self._run
        seconds = (run.now - self._started_at).total_seconds() if self._started_at else 0.0
        run.variables["workflow.duration"] = f"{seconds:f}"
        if (
            run.tree.named(run.name) is None
        ):  # as Argo has it: the pods of the first operation know no status yet
            run.variables["workflow.status"] = self._status.phase.value if self._status else ""
        run.variables.setdefault("workflow.status", Phase.RUNNING.value)
        match event:
            case PodStarted():
                pod_events.started(run, event)
            case PodReady():
                pod_events.ready(run, event)
            case PodProgressed():
                pod_events.progressed(run, event)
            case PodFinished():
                pod_events.finished(run, event)
            case UserAsked():
                requests.take_in(run, event)
                if self._waiting and run.shutdown == "Terminate":
                    self._root.ended = Phase.FAILED, f"Stopped with strategy '{run.shutdown}'"
            case _:
                pass
        self._check_deadline()

    def _check_deadline(self) -> None:
        run = self._run
        if run.deadline is not None and run.now >= run.deadline and not self._past_deadline:
            self._past_deadline = True
            limits.end_at_deadline(run)

    def _work(self) -> None:
        """Do all that can be done until only pods and time are waited for."""
        run = self._run
        run.tree.newly_bad.clear()
        while not run.suspended and self._root.ended is None:
            run.work()
            waiting = limits.next_waiting(run)
            if waiting is not None:
                waiting.start()
                continue
            if run.once_idle:  # what waits for its turn has had it
                run.later(run.once_idle.popleft())
                continue
            self._root.advance()
            if not run.busy and not self._wake():
                break
        if self._root.ended is not None:
            self._clean_up()

    def _wake(self) -> bool:
        """Let what waited for locks try again when its turn may have come; whether there was any."""
        run = self._run
        found = False
        for holder in run.locks.take_woken(run.lock_owner):
            again = run.awaiting.pop(holder.removeprefix(run.lock_owner).removeprefix("/"), None)
            if again is not None:
                run.later(again)
                found = True
        return found

    def _clean_up(self) -> None:
        """The workflow is over: daemons end, and pods that nobody waits for any more."""
        run = self._run
        daemons.end(run, "")
        for held in list(run.synchronized):
            synchronization.release(run, held)
        for node in [run.tree.nodes[name] for name in run.tree.unfinished]:
            if has_process(node):
                run.actions.append(DeletePod(run.tree.pod_of(node), reason="the workflow ended"))
        run.clear()

    # --- the decision ---------------------------------------------------------------------------------------------

    def _new_status(self) -> StatusChange | None:
        """The workflow's own status if it changed."""
        run = self._run
        phase, message = self._root.ended or (
            Phase.PENDING if self._waiting else Phase.RUNNING,
            self._waiting,
        )
        done = phase.finished
        status = StatusChange(
            phase=phase,
            message=message,
            started_at=self._started_at,
            finished_at=run.now if done else None,
            progress=str(run.tree.progress),
            outputs=self._outputs(),
            labels={**self._labels, _PHASE_LABEL: phase.value, _COMPLETED_LABEL: "true" if done else "false"},
            extra=self._extra(phase),
            suspended=run.suspended,
        )
        if status == self._status:
            return None
        self._status = status
        return status

    def _outputs(self) -> InputsOutputs | None:
        return self._run.outputs.to_json()

    def _extra(self, phase: Phase) -> Mapping[str, object]:
        run, spec = self._run, self._run.spec
        extra: dict[str, object] = {}
        if claims := claims_status(run.name, spec.volume_claim_templates, spec.volume_claim_gc, phase):
            extra[_CLAIMS] = claims
        if used := {name: seconds for name, seconds in sorted(run.tree.resources.items()) if seconds}:
            extra[RESOURCES] = used
        extra |= run.estimate(run.name)
        if phase.finished:
            extra["conditions"] = [
                {"type": "PodRunning", "status": "False"},
                {"type": "Completed", "status": "True"},
            ]
        if (synchronized := synchronization.to_json(run)) is not None:
            extra[_SYNCHRONIZATION] = synchronized
        if run.shutdown:
            extra[_SHUTDOWN] = run.shutdown
        if run.templates.stored:
            extra[_STORED_TEMPLATES] = dict(run.templates.stored)
        if self._merged is not None:
            extra[startup.STORED_SPEC] = self._merged
        return extra

    def _decision(self, status: StatusChange | None) -> Decision:
        run = self._run
        changed, children = run.tree.take_changes()
        actions = tuple(run.actions)
        run.actions.clear()
        return Decision(changed, children, status, actions, None if self.finished else self._wake_at())

    def _wake_at(self) -> datetime | None:
        run = self._run
        times = [] if run.suspended or run.wake_at is None else [run.wake_at]
        if run.deadline is not None and not self._past_deadline:
            times.append(run.deadline)
        return min(times, default=None)
