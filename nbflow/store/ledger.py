"""The controller's side of the store: what it takes in, what it writes, what it goes on with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from nbflow.engine.decision import StatusChange
from nbflow.spec.status import NodeStatus, WorkflowStatus, parse_time
from nbflow.store.batch import Batch
from nbflow.store.connection import translated
from nbflow.store.rows import JsonObject, PodRow, RequestRow, Standing, Submitted, decode, standing_of
from nbflow.store.statements import SQL
from nbflow.store.store import Row, Store


@dataclass(frozen=True, slots=True)
class Run:
    """Everything earlier decisions stored: what a reconciler is rebuilt from (engine's StoredRun)."""

    nodes: Sequence[NodeStatus]
    children: Sequence[tuple[str, str]]
    status: StatusChange | None


class Ledger(Store):
    """The store as its one writer sees it."""

    def commit(self, batch: Batch) -> None:
        """Write a batch: all of it or nothing. Raises StoreFullError if it may succeed later."""
        with translated(self.home):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                batch.write(self._connection)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def new_workflows(self, after: int) -> list[Submitted]:
        """What was submitted after a key and not taken in, oldest first."""
        return [_submitted(row) for row in self._all("new_workflows", after, after)]

    def untaken_workflows(self) -> list[Submitted]:
        """What was submitted while no controller ran."""
        return [_submitted(row) for row in self._all("untaken_workflows")]

    def unsettled_workflows(self) -> list[Submitted]:
        """What an earlier controller took in and did not end."""
        return [_submitted(row) for row in self._all("unsettled_workflows")]

    def submitted(self, key: int) -> Submitted | None:
        """One workflow as it was submitted, None if it is gone."""
        row = self._one("workflow_row", key)
        return None if row is None else _submitted(row)

    def run(self, key: int) -> tuple[int, Run]:
        """Sequence and everything stored of a workflow. Raises ValueError if a row is damaged."""
        standing = standing_of(self._one("stored_status", key))
        nodes = [NodeStatus.from_dict(decode(str(text))) for (text,) in self._all("nodes", key)]
        edges = cast("Sequence[tuple[str, str]]", self._all("children", key))
        return standing.sequence, Run(nodes, edges, status_change_of(standing))

    def workflows_of_cron(self, uid: str) -> list[tuple[int, str, str, WorkflowStatus]]:
        """Key, uid, name and status of what a cron workflow started, oldest first."""
        found = []
        for key, own, name, status in self._all("workflows_of_cron", uid):
            known = WorkflowStatus.from_dict(decode(str(status))) if status else WorkflowStatus()
            found.append((cast("int", key), str(own), str(name), known))
        return found

    def expiring(self) -> list[tuple[int, JsonObject, WorkflowStatus]]:
        """Key, spec and status of finished workflows that may be deleted after a while."""
        rows = self._all("expiring")
        return [
            (cast("int", key), decode(str(spec)), WorkflowStatus.from_dict(decode(str(status))))
            for key, spec, status in rows
        ]

    def durations(self, label: str, value: str) -> dict[str, float]:
        """Seconds that the nodes of the newest succeeded workflow with that label took, by their names without
        the workflow's; "" is the workflow."""
        found = self._one("newest_succeeded", value, f'$."{label}"', f'$.labels."{label}"')
        if found is None:
            return {}
        key, name = found
        times = [
            (str(node).removeprefix(str(name)), parse_time(start), parse_time(end))
            for node, start, end in self._all("node_times", key)
        ]
        return {node: (end - start).total_seconds() for node, start, end in times if start and end}

    def live_pods(self, key: int) -> list[PodRow]:
        """The pods that are not over, or over and not cleared away."""
        rows = self._all("live_pods", key)
        return [
            PodRow(str(n), str(node), str(state), None if pod is None else str(pod))
            for n, node, state, pod in rows
        ]

    def kept_pods(self) -> list[tuple[int, str, str, str, float]]:
        """Workflow key and uid, target, pod name, time of end, of the pods whose roots were kept; oldest first."""
        rows = self._all("kept_pods")
        return [
            (cast("int", k), str(uid), str(target), str(pod), cast("float", at or 0.0))
            for k, uid, _, target, pod, at in rows
        ]

    def open_requests(self) -> list[RequestRow]:
        """What nobody answered yet."""
        rows = self._all("open_requests")
        return [
            RequestRow(cast("int", k), cast("int | None", w), str(verb), decode(str(body)))
            for k, w, verb, body in rows
        ]

    def drop_old_requests(self, before: float) -> None:
        """Forget answers that nobody came for."""
        with translated(self.home):
            self._connection.execute(SQL["drop_old_requests"], (before,))


def status_change_of(standing: Standing) -> StatusChange | None:
    """The last status as the engine decided it."""
    status = standing.status
    if status.phase is None:
        return None
    return StatusChange(
        status.phase,
        status.message,
        status.started_at,
        status.finished_at,
        status.progress,
        status.outputs,
        standing.labels or {},
        status.extra,
        bool(standing.suspended),
    )


def _submitted(row: Row) -> Submitted:
    key, uid, name, target, seed, *texts = row
    metadata, spec, status = map(str, texts)
    return Submitted(
        cast("int", key), str(uid), str(name), str(target), cast("int", seed), metadata, spec, status
    )
