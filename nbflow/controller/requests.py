"""What people ask: which state of a workflow allows it, how it reaches the engine, what they are answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import cast

from nbflow.controller.active import ActiveWorkflow
from nbflow.controller.again import Renewal, renewal
from nbflow.controller.removal import FilesOf
from nbflow.controller.workflows import Workflows
from nbflow.engine.decision import UserAsked
from nbflow.engine.startup import STORED_SPEC
from nbflow.errors import NbflowError
from nbflow.spec.status import NodeStatus, Phase
from nbflow.store.ledger import Ledger
from nbflow.store.rows import JsonObject, RequestRow, Snapshot, Submitted

DELETE = "delete"
HANDOVER = "handover"
RETRY = "retry"
_VERBS = ("stop", "terminate", "suspend", "resume", "set")


class Requests:
    """Answers what people ask.

    remove: removes files of a workflow beside the loop, and says when they are gone; forget: those of some of its
    pods. waiting: some have to wait until the pods of a workflow ended, or the files of some are gone.
    """

    def __init__(
        self,
        ledger: Ledger,
        workflows: Workflows,
        remove: Callable[[int, FilesOf], None],
        forget: Callable[[Renewal], None],
    ) -> None:
        self.handover = False
        self.waiting = False
        self._ledger = ledger
        self._workflows = workflows
        self._remove = remove
        self._forget = forget
        self._renewals: dict[int, Renewal] = {}

    def take_in(self) -> None:
        """All that nobody answered yet."""
        self.waiting = False
        answers = self._workflows.batch.answers
        for request in self._ledger.open_requests():
            if request.key in answers:
                continue
            if request.workflow is None:
                self.handover = self.handover or request.verb == HANDOVER
                answers[request.key] = answer_to(None)
            elif request.workflow in self._renewals:
                self.waiting = True
            elif request.verb == DELETE:
                self._delete(request, request.workflow)
            elif request.verb == RETRY:
                self._retry(request, request.workflow)
            else:
                answers[request.key] = answer_to(self._pass_on(request, request.workflow))

    def _pass_on(self, request: RequestRow, key: int) -> NbflowError | None:
        """Let the engine take a request in; what is said if it cannot be met."""
        workflow = self._workflows.active.get(key)
        problem = refusal(
            request, self._ledger.by_key(key), active=workflow is not None and not workflow.finished
        )
        if problem is not None or workflow is None:
            return problem
        try:
            self._workflows.observe(workflow, event_of(request))
        except NbflowError as error:
            return error
        return None

    # --- retry: the pods that are started anew are forgotten first ---

    def _retry(self, request: RequestRow, key: int) -> None:
        workflow, snapshot = self._workflows.active.get(key), self._ledger.by_key(key)
        if workflow is not None and (workflow.finished or workflow.deleting):
            self.waiting = True
        elif snapshot is None:
            self._workflows.batch.answers[request.key] = answer_to(refusal(request, None, active=False))
        else:
            try:
                found = renewal(request, self._ledger, snapshot, self._workflows.now())
            except NbflowError as error:
                self._workflows.batch.answers[request.key] = answer_to(error)
                return
            self._renewals[key] = found
            self.waiting = True
            self._workflows.after_commit(partial(self._forget, found))

    def pods_are_forgotten(self, key: int) -> None:
        """Go on with a workflow that is to run again, and tell who asked."""
        found = self._renewals.pop(key)
        found.record(self._workflows.batch)
        self._workflows.go_on_again(found)
        self._workflows.batch.answers[found.request] = answer_to(None)

    # --- delete: the pods end first, then the files go, then the rows with the answer ---

    def _delete(self, request: RequestRow, key: int) -> None:
        workflow = self._workflows.active.get(key) or self._load(key)
        if workflow is None:
            self._workflows.batch.answers[request.key] = answer_to(refusal(request, None, active=False))
        elif request.key not in workflow.deleting:
            workflow.deleting.append(request.key)
            workflow.wake_at = None
            self._workflows.end_pods(workflow, "the workflow was deleted")

    def _load(self, key: int) -> ActiveWorkflow | None:
        snapshot = self._ledger.by_key(key)
        if snapshot is None:
            return None
        row = Submitted(key, snapshot.uid, snapshot.name, "", 0, "", "")
        workflow = self._workflows.active[key] = ActiveWorkflow(row, finished=True)
        return workflow

    def remove_files(self, workflow: ActiveWorkflow) -> None:
        """No pod is left: remove the files, once."""
        if workflow.removing:
            return
        workflow.removing = True
        row = workflow.submitted
        files = FilesOf(self._ledger.home, row.uid, row.name, self._nodes_of(row.key), self._spec_of(row.key))
        self._workflows.after_commit(partial(self._remove, row.key, files))

    def _spec_of(self, key: int) -> Mapping[str, object]:
        """That of its template, where it has one."""
        try:
            snapshot = self._ledger.by_key(key)
        except ValueError:
            return {}
        found = snapshot.object() if snapshot else None
        stored = found.status.extra.get(STORED_SPEC) if found else None
        return stored if isinstance(stored, Mapping) else found.spec if found else {}

    def _nodes_of(self, key: int) -> tuple[NodeStatus, ...]:
        try:
            return tuple(self._ledger.nodes(key).values())
        except ValueError:  # damaged: their artifacts cannot be known
            return ()

    def files_are_gone(self, key: int) -> None:
        """Forget the workflow, and tell who asked."""
        workflow = self._workflows.active[key]
        self._workflows.let_go(workflow)
        self._workflows.batch.deleted.append(key)
        for request in workflow.deleting:
            self._workflows.batch.answers[request] = answer_to(None)


def event_of(request: RequestRow) -> UserAsked:
    """The request as the engine takes it in."""
    body = request.body
    nodes = body.get("nodes")
    outputs = body.get("outputs")
    phase = body.get("phase")
    return UserAsked(
        verb=request.verb,
        nodes=tuple(str(node) for node in nodes) if isinstance(nodes, list) else (),
        message=str(body.get("message") or ""),
        phase=Phase(str(phase)) if phase else None,
        outputs=cast("Mapping[str, object]", outputs) if isinstance(outputs, Mapping) else None,
    )


def refusal(request: RequestRow, snapshot: Snapshot | None, *, active: bool) -> NbflowError | None:
    """Why the state of the workflow does not allow it, in Argo's words; None if it does."""
    problem = _problem(request, snapshot, active=active)
    return None if problem is None else NbflowError(problem)


def _problem(request: RequestRow, snapshot: Snapshot | None, *, active: bool) -> str | None:
    if snapshot is None:
        return "the workflow was deleted"
    if request.verb not in _VERBS:
        return f"unknown request {request.verb!r}"
    phase = request.body.get("phase")
    if phase and phase not in set(Phase):
        return f"unknown phase {phase!r}"
    if active:
        return None
    name, namespace = snapshot.name, snapshot.metadata.get("namespace", "")
    match request.verb:
        case "stop" | "terminate":
            return f'cannot shutdown a completed workflow: workflow: "{name}", namespace: "{namespace}"'
        case "suspend":
            return "cannot suspend completed workflows"
    return f'cannot {request.verb} a completed workflow: workflow: "{name}", namespace: "{namespace}"'


def answer_to(error: NbflowError | None) -> JsonObject:
    """The answer that the asking client reads."""
    if error is None:
        return {}
    return {"error": error.problem, "where": error.where, "fix": error.fix}
