"""Cron workflows: whether one starts a workflow now, and what becomes of those that it started.

Pure, as all of the engine: a CronWorkflow goes in as JSON, what changes in it and what is to be done comes out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from nbflow.errors import NbflowError
from nbflow.spec.schedule import Schedule
from nbflow.spec.status import Phase, format_time, parse_time
from nbflow.templating.expressions import Clock, evaluate_bool
from nbflow.templating.scope import Value
from nbflow.templating.tags import substitute
from nbflow.templating.when import should_execute

JSONObject = Mapping[str, object]
_GROUP = "cronworkflows.argoproj.io"
LAST_USED = f"{_GROUP}/last-used-schedule"
COMPLETED = f"{_GROUP}/completed"
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_KEPT_SUCCEEDED, _KEPT_FAILED = 3, 1


@dataclass(frozen=True, slots=True)
class Child:
    """A workflow that a cron workflow started."""

    name: str
    uid: str
    phase: Phase | None = None
    finished_at: datetime | None = None

    @property
    def fulfilled(self) -> bool:
        """Whether it is over."""
        return self.phase is not None and self.phase.finished


@dataclass(frozen=True, slots=True)
class CronDecision:
    """What follows. cron: the CronWorkflow as it is from now on. start: whether a workflow is to be started.

    terminate, delete: names of workflows.
    """

    cron: JSONObject
    start: bool = False
    terminate: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()


def schedules(cron: JSONObject) -> list[Schedule]:
    """When it starts workflows. Raises ScheduleError."""
    spec = _mapping(cron, "spec")
    listed = spec.get("schedules")
    texts = [str(text) for text in listed] if isinstance(listed, list) else []
    return [Schedule.parse(text, str(spec.get("timezone") or "")) for text in texts]


def is_alive(cron: JSONObject) -> bool:
    """Whether it may start workflows at all."""
    completed = _mapping(_mapping(cron, "metadata"), "labels").get(COMPLETED) == "true"
    return not completed and not _mapping(cron, "spec").get("suspend")


def missed(cron: JSONObject, now: datetime) -> datetime | None:
    """The last start that was missed and is not too late, None if there is none. Raises ScheduleError."""
    last = parse_time(_mapping(cron, "status").get("lastScheduledTime"))
    deadline = _mapping(cron, "spec").get("startingDeadlineSeconds")
    if last is None or not isinstance(deadline, int) or _used(cron) != _schedule_text(cron):
        return None
    for schedule in schedules(cron):
        earliest = now - timedelta(seconds=deadline)
        time = schedule.previous(now, last if schedule.every else max(last, earliest))
        if time is not None and time > earliest:
            return time
    return None


def run(cron: JSONObject, now: datetime) -> CronDecision:
    """Its time has come: whether it starts a workflow."""
    cron = _with_metadata(cron, "annotations", {LAST_USED: _schedule_text(cron)})
    try:
        if not schedules(cron):
            raise NbflowError("cron workflow must have at least one schedule")
        cron = _without_condition(cron, "SpecError")
        if _has_to_stop(cron, now):
            cron = _stopped(cron)
    except NbflowError as error:
        return CronDecision(_with_condition(cron, "SpecError", error.problem))
    if not is_alive(cron) or _mapping(cron, "status").get("phase") == "Stopped":
        return CronDecision(cron)
    try:
        proceed = _when(cron, now)
    except NbflowError as error:
        problem = f"run policy error: {error.problem}"
        return CronDecision(refused(cron, problem))
    policy = str(_mapping(cron, "spec").get("concurrencyPolicy") or "Allow")
    if policy not in ("Allow", "Forbid", "Replace"):
        return CronDecision(refused(cron, f"run policy error: invalid ConcurrencyPolicy: {policy}"))
    active = tuple(str(one.get("name")) for one in _active(cron))
    if not proceed or (policy == "Forbid" and active):
        return CronDecision(cron)
    return CronDecision(cron, start=True, terminate=active if policy == "Replace" else ())


def started(cron: JSONObject, child: Child, scheduled: datetime, namespace: str) -> JSONObject:
    """The cron workflow once the workflow is there."""
    reference = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "name": child.name,
        "namespace": namespace,
        "uid": child.uid,
    }
    changes = {
        "active": [*_active(cron), reference],
        "phase": "Active",
        "lastScheduledTime": format_time(scheduled),
    }
    return _without_condition(_with_status(cron, changes), "SubmissionError")


def refused(cron: JSONObject, problem: str) -> JSONObject:
    """The cron workflow once a workflow could not be started."""
    failed = _number(_mapping(cron, "status"), "failed") + 1
    return _with_condition(_with_status(cron, {"failed": failed}), "SubmissionError", problem)


def reconcile(cron: JSONObject, children: Sequence[Child], now: datetime) -> CronDecision:
    """Count what ended, and choose what of it is kept. children: its workflows that are not deleted."""
    known = {child.uid: child for child in children}
    active = [
        one for one in _active(cron) if (child := known.get(str(one.get("uid")))) and not child.fulfilled
    ]
    ended = [
        known[uid] for one in _active(cron) if (uid := str(one.get("uid"))) in known and known[uid].fulfilled
    ]
    for child in ended:
        key = "succeeded" if child.phase is Phase.SUCCEEDED else "failed"
        cron = _with_status(cron, {key: _number(_mapping(cron, "status"), key) + 1})
    seen = {str(one.get("uid")) for one in active}
    namespace = str(_mapping(cron, "metadata").get("namespace") or "default")
    for child in children:  # one that was started by hand, with `submit --from`
        if child.uid not in seen and not child.fulfilled:
            reference = {"kind": "Workflow", "name": child.name, "namespace": namespace, "uid": child.uid}
            active.append({"apiVersion": "argoproj.io/v1alpha1", **reference})
    if active != _active(cron):
        cron = _with_status(cron, {"active": active})
    try:
        cron = _stopped(cron) if ended and _has_to_stop(cron, now) else cron
    except NbflowError as error:
        cron = _with_condition(cron, "SpecError", error.problem)
    return CronDecision(cron, delete=_surplus(cron, children))


def _surplus(cron: JSONObject, children: Sequence[Child]) -> tuple[str, ...]:
    """Finished workflows beyond those that are kept, the oldest."""
    spec, found = _mapping(cron, "spec"), []
    for key, most, wanted in (
        ("successfulJobsHistoryLimit", _KEPT_SUCCEEDED, True),
        ("failedJobsHistoryLimit", _KEPT_FAILED, False),
    ):
        given = spec.get(key)
        kept = given if isinstance(given, int) and given >= 0 else most
        over = [c for c in children if c.fulfilled and (c.phase is Phase.SUCCEEDED) is wanted]
        over.sort(key=lambda child: child.finished_at or _LONG_AGO, reverse=True)
        found += over[kept:]
    return tuple(child.name for child in found)


# --- conditions -------------------------------------------------------------------------------------------------------


def _has_to_stop(cron: JSONObject, now: datetime) -> bool:
    strategy = _mapping(_mapping(cron, "spec"), "stopStrategy")
    if not strategy:
        return False
    try:
        return evaluate_bool(str(strategy.get("expression") or ""), _variables(cron), Clock(now=now, seed=0))
    except NbflowError as error:
        name = _mapping(cron, "metadata").get("name", "")
        problem = (
            f"failed to check CronWorkflow '{name}' stopping condition: failed to evaluate stop expression"
        )
        raise NbflowError(f"{problem}: {error.problem}") from None


def _when(cron: JSONObject, now: datetime) -> bool:
    when = str(_mapping(cron, "spec").get("when") or "")
    if not when:
        return True
    clock = Clock(now=now, seed=0)
    return should_execute(substitute(when, _variables(cron), allow_unresolved=False, clock=clock))


def _variables(cron: JSONObject) -> dict[str, Value]:
    from nbflow.templating.golang.moments import Time

    metadata, status = _mapping(cron, "metadata"), _mapping(cron, "status")
    last = parse_time(status.get("lastScheduledTime"))
    found: dict[str, object] = {
        "name": metadata.get("name", ""),
        "namespace": metadata.get("namespace") or "default",
        "failed": _number(status, "failed"),
        "succeeded": _number(status, "succeeded"),
        "lastScheduledTime": Time.of(last) if last else None,
    }
    for kind in ("labels", "annotations"):
        values = _mapping(metadata, kind)
        found |= {f"{kind}.{name}": value for name, value in values.items()}
        found[f"{kind}.json"] = json.dumps(dict(sorted(values.items())), separators=(",", ":"))
    return cast("dict[str, Value]", {f"cronworkflow.{name}": value for name, value in found.items()})


# --- the object -------------------------------------------------------------------------------------------------------


def _schedule_text(cron: JSONObject) -> str:
    spec = _mapping(cron, "spec")
    listed, zone = spec.get("schedules"), spec.get("timezone")
    texts = [str(text) for text in listed] if isinstance(listed, list) else []
    return ",".join(f"CRON_TZ={zone} {text}" if zone else text for text in texts)


def _used(cron: JSONObject) -> object:
    return _mapping(_mapping(cron, "metadata"), "annotations").get(LAST_USED)


def _stopped(cron: JSONObject) -> JSONObject:
    return _with_metadata(_with_status(cron, {"phase": "Stopped"}), "labels", {COMPLETED: "true"})


def _active(cron: JSONObject) -> list[JSONObject]:
    found = _mapping(cron, "status").get("active")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _with_status(cron: JSONObject, changes: JSONObject) -> JSONObject:
    return {**cron, "status": {**_mapping(cron, "status"), **changes}}


def _with_metadata(cron: JSONObject, kind: str, changes: JSONObject) -> JSONObject:
    metadata = _mapping(cron, "metadata")
    return {**cron, "metadata": {**metadata, kind: {**_mapping(metadata, kind), **changes}}}


def _conditions(cron: JSONObject, but: str) -> list[object]:
    found = _mapping(cron, "status").get("conditions")
    listed = found if isinstance(found, list) else []
    return [one for one in listed if not (isinstance(one, Mapping) and one.get("type") == but)]


def _with_condition(cron: JSONObject, kind: str, message: str) -> JSONObject:
    condition = {"type": kind, "status": "True", "message": message}
    return _with_status(cron, {"conditions": [*_conditions(cron, kind), condition]})


def _without_condition(cron: JSONObject, kind: str) -> JSONObject:
    left = _conditions(cron, kind)
    return (
        cron
        if left == (_mapping(cron, "status").get("conditions") or [])
        else _with_status(cron, {"conditions": left})
    )


def _number(owner: JSONObject, key: str) -> int:
    value = owner.get(key)
    return value if isinstance(value, int) else 0


def _mapping(owner: JSONObject, key: str) -> JSONObject:
    value = owner.get(key)
    return cast("JSONObject", value) if isinstance(value, Mapping) else {}
