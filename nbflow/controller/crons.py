"""Cron workflows of the home: their workflows start when it is time, as long as a controller runs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from nbflow.clients.submitting import PYTHON_ANNOTATION, TARGET_ANNOTATION, prepare_submit
from nbflow.controller.workflows import Workflows
from nbflow.engine.crons import (
    COMPLETED,
    LAST_USED,
    Child,
    CronDecision,
    is_alive,
    missed,
    reconcile,
    refused,
    run,
    schedules,
    started,
)
from nbflow.errors import ConflictError, NbflowError, NotFoundError
from nbflow.revise.stored import from_cron_workflow
from nbflow.spec.schedule import Schedule, ScheduleError
from nbflow.spec.status import format_time
from nbflow.store.ledger import Ledger
from nbflow.store.rows import JsonObject
from nbflow.store.settings import read_settings

_log = logging.getLogger(__name__)

KIND = "CronWorkflow"


@dataclass(slots=True)
class Entry:
    """One cron workflow as it is stored. times: when each of its schedules is next. running: keys of its workflows."""

    cron: JsonObject
    schedules: list[Schedule] = field(default_factory=list)
    times: list[datetime | None] = field(default_factory=list)
    running: dict[int, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """metadata.name."""
        return str(_mapping(self.cron, "metadata").get("name", ""))

    @property
    def uid(self) -> str:
        """metadata.uid."""
        return str(_mapping(self.cron, "metadata").get("uid", ""))


class Crons:
    """All cron workflows, by name. Only the loop calls it, between two commits."""

    def __init__(self, ledger: Ledger, workflows: Workflows) -> None:
        self._ledger = ledger
        self._workflows = workflows
        self._entries: dict[str, Entry] = {}
        self._asked: set[tuple[int, str]] = set()
        self._acted = False

    @property
    def alive(self) -> bool:
        """Whether one may start a workflow some day."""
        return any(is_alive(entry.cron) for entry in self._entries.values())

    def look(self) -> None:
        """The store changed: take in which cron workflows there are, and what became of their workflows."""
        stored = {_name(cron): cron for cron in self._ledger.objects.list(KIND)}
        self._entries = {name: entry for name, entry in self._entries.items() if name in stored}
        for name, cron in stored.items():
            entry = self._entries.get(name)
            if entry is None or entry.cron != cron:
                self._take_in(name, cron)
            else:
                self._reconcile(entry)

    def _take_in(self, name: str, cron: JsonObject) -> None:
        entry = self._entries[name] = Entry(cron)
        self._reconcile(entry)
        try:
            entry.schedules = schedules(entry.cron)
            late = missed(entry.cron, self._workflows.now()) if is_alive(entry.cron) else None
        except ScheduleError:
            self._save(entry, run(entry.cron, self._workflows.now()).cron)
            return
        if late is not None:
            _log.info("cron workflow %s missed its start at %s", name, late)
            self._run(entry, late)
        now = self._workflows.now()
        entry.times = [schedule.next(now) for schedule in entry.schedules]

    def next_wake(self) -> float | None:
        """Seconds until the next one is due, None if none is."""
        times = [t for e in self._entries.values() if is_alive(e.cron) for t in e.times if t is not None]
        return (min(times) - self._workflows.now()).total_seconds() if times else None

    def advance(self) -> bool:
        """Start what is due, and note what ended; whether there is anything new for the loop to take in."""
        now = self._workflows.now()
        for entry in self._entries.values():
            for index, time in enumerate(entry.times):
                if time is not None and time <= now:
                    entry.times[index] = entry.schedules[index].next(now)
                    if is_alive(entry.cron):
                        self._run(entry, time)
            if any(self._is_over(key) for key in entry.running):
                self._reconcile(entry)
        acted, self._acted = self._acted, False
        return acted

    def _is_over(self, key: int) -> bool:
        workflow = self._workflows.active.get(key)
        return workflow is None or workflow.finished

    # --- one cron workflow ---

    def _run(self, entry: Entry, scheduled: datetime) -> None:
        now = self._workflows.now()
        decision = run(entry.cron, now)
        self._ask(decision)
        cron = self._submitted(entry, decision.cron, scheduled, now) if decision.start else decision.cron
        self._save(entry, cron)

    def _submitted(self, entry: Entry, cron: JsonObject, scheduled: datetime, now: datetime) -> JsonObject:
        manifest = from_cron_workflow(cron, scheduled, scheduled=True)
        metadata, ours = _mapping(manifest, "metadata"), _mapping(_mapping(cron, "metadata"), "annotations")
        python = {k: v for k, v in ours.items() if k == PYTHON_ANNOTATION}
        namespace = str(_mapping(cron, "metadata").get("namespace") or "default")
        annotations = {**_mapping(metadata, "annotations"), **python}
        named = {**metadata, "namespace": namespace, "annotations": annotations}
        try:
            target = str(ours.get(TARGET_ANNOTATION) or read_settings(self._ledger.home).target)
            row = prepare_submit({**manifest, "metadata": named}, target, now)
            key = self._ledger.submit(row, format_time(now))
        except ConflictError:  # started by a controller before us
            return cron
        except NbflowError as error:
            return refused(cron, f"Failed to submit Workflow: {error.problem}")
        entry.running[key] = row.name
        self._acted = True
        _log.info("cron workflow %s started %s", entry.name, row.name)
        return started(cron, Child(row.name, row.uid), scheduled, namespace)

    def _reconcile(self, entry: Entry) -> None:
        rows = self._ledger.workflows_of_cron(entry.uid)
        children = [Child(name, uid, status.phase, status.finished_at) for _, uid, name, status in rows]
        entry.running = {
            row[0]: row[2] for row, child in zip(rows, children, strict=True) if not child.fulfilled
        }
        decision = reconcile(entry.cron, children, self._workflows.now())
        self._ask(decision)
        self._save(entry, decision.cron)

    def _ask(self, decision: CronDecision) -> None:
        """Pass on what is to become of workflows, as a person would ask it."""
        for name in decision.terminate:
            self._request(name, "terminate")
        for name in decision.delete:
            self._request(name, "delete")

    def _request(self, name: str, verb: str) -> None:
        try:
            key = self._ledger.find(name).key
        except NotFoundError:
            return
        if (key, verb) not in self._asked:
            self._asked.add((key, verb))
            self._ledger.request(key, verb, {})
            self._acted = True

    def _save(self, entry: Entry, cron: JsonObject) -> None:
        """Store what is ours of it: the status, and what the engine notes in the metadata."""
        if cron == entry.cron:
            return
        uid, entry.cron = entry.uid, cron
        try:
            entry.cron = self._ledger.objects.change(
                KIND, entry.name, lambda old: _merged(old, cron) if _uid(old) == uid else old
            )
        except NbflowError as error:  # deleted meanwhile, or the disk is full: it is decided anew some day
            _log.warning("the status of cron workflow %s could not be stored: %s", entry.name, error)


def _merged(old: JsonObject, ours: JsonObject) -> JsonObject:
    metadata = dict(_mapping(old, "metadata"))
    for kind, key in (("annotations", LAST_USED), ("labels", COMPLETED)):
        value = _mapping(_mapping(ours, "metadata"), kind).get(key)
        if value is not None:
            metadata[kind] = {**_mapping(metadata, kind), key: value}
    return {**old, "metadata": metadata, "status": _mapping(ours, "status")}


def _name(cron: JsonObject) -> str:
    return str(_mapping(cron, "metadata").get("name", ""))


def _uid(cron: JsonObject) -> str:
    return str(_mapping(cron, "metadata").get("uid", ""))


def _mapping(owner: JsonObject, key: str) -> JsonObject:
    value = owner.get(key)
    return cast("JsonObject", value) if isinstance(value, Mapping) else {}
