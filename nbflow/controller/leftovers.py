"""What finished workflows leave, and for how long: `ttlStrategy` and `podGC`."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from datetime import datetime, timedelta

from nbflow.controller.active import STORED_SPEC, ActiveWorkflow
from nbflow.spec.pod import Pod
from nbflow.spec.status import Phase
from nbflow.store.ledger import Ledger

JSONObject = Mapping[str, object]


def time_to_live(spec: JSONObject, phase: Phase | None) -> timedelta | None:
    """How long a workflow stays after its end, None for ever."""
    strategy = _mapping(spec, "ttlStrategy")
    own = "secondsAfterSuccess" if phase is Phase.SUCCEEDED else "secondsAfterFailure"
    found = strategy.get(own) if strategy.get(own) is not None else strategy.get("secondsAfterCompletion")
    return timedelta(seconds=found) if isinstance(found, int) else None


class Expiries:
    """When finished workflows are to be deleted. A controller that comes later deletes what is overdue."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._times: list[tuple[datetime, int, datetime]] = []

    def recover(self) -> None:
        """Those that ended before this controller began."""
        for key, spec, status in self._ledger.expiring():
            merged = status.extra.get(STORED_SPEC)
            self.note(key, merged if isinstance(merged, Mapping) else spec, status.phase, status.finished_at)

    def note(self, key: int, spec: JSONObject, phase: Phase | None, ended: datetime | None) -> None:
        """A workflow is over."""
        lives = time_to_live(spec, phase)
        if lives is not None and ended is not None:
            ended = ended.replace(microsecond=0)  # as it is stored
            heapq.heappush(self._times, (ended + lives, key, ended))

    def take_due(self, now: datetime) -> list[int]:
        """The keys of those whose time is up; not of those that were deleted or run again."""
        found = []
        while self._times and self._times[0][0] <= now:
            _, key, ended = heapq.heappop(self._times)
            snapshot = self._ledger.by_key(key)
            if snapshot is not None and snapshot.standing.status.finished_at == ended:
                found.append(key)
        return found

    def next(self) -> datetime | None:
        """When the next one is due."""
        return self._times[0][0] if self._times else None


def goes_at_once(workflow: ActiveWorkflow, pod: Pod) -> bool:
    """Whether nothing is kept of a pod that failed."""
    garbage = _mapping(workflow.spec, "podGC")
    return garbage.get("strategy") == "OnPodCompletion" and _selected(
        _mapping(garbage, "labelSelector"), pod.labels
    )


def goes_in_the_end(workflow: ActiveWorkflow) -> bool:
    """Whether nothing is kept of pods that failed once the workflow is over."""
    strategy = _mapping(workflow.spec, "podGC").get("strategy")
    return strategy == "OnWorkflowCompletion" or (
        strategy == "OnWorkflowSuccess" and workflow.phase is Phase.SUCCEEDED
    )


def _selected(selector: JSONObject, labels: Mapping[str, str]) -> bool:
    wanted = _mapping(selector, "matchLabels")
    listed = selector.get("matchExpressions")
    expressions = [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _meets(one, labels) for one in expressions
    )


def _meets(expression: JSONObject, labels: Mapping[str, str]) -> bool:
    key, values = str(expression.get("key", "")), expression.get("values")
    among = labels.get(key) in (values if isinstance(values, list) else [])
    match expression.get("operator"):
        case "In":
            return key in labels and among
        case "NotIn":
            return not among
        case "Exists":
            return key in labels
    return key not in labels


def _mapping(owner: JSONObject, key: str) -> JSONObject:
    value = owner.get(key)
    return value if isinstance(value, Mapping) else {}
