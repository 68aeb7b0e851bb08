"""The Workflows that make up for what a cron workflow missed, as `argo cron backfill` forms them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from nbflow.revise.stored import from_cron_workflow
from nbflow.revise.submit import JSONObject
from nbflow.spec.schedule import Schedule, schedules_of
from nbflow.templating.golang.layouts import format_time
from nbflow.templating.golang.moments import Time, fixed_location

RFC1123 = "Mon, 02 Jan 2006 15:04:05 MST"
_AS_TEXT = "2006-01-02 15:04:05.999999999 -0700 MST"
"""How Go prints a time, and thus what the workflows get."""
_HIGHEST_PRIORITY = 2**31 - 1
_LONGEST_PREFIX = 253 - 11
_TIME = "backfillscheduletime"


class BackfillOptions(NamedTuple):
    """name: of the backfill, part of the workflows' names. argument: the parameter that gets the scheduled time.
    parallel: all at once, not one after the other. most: workflows that one Workflow starts."""

    name: str
    argument: str = "cronScheduleTime"
    parallel: bool = False
    most: int = 1000


def due_times(cron: JSONObject, start: datetime, end: datetime) -> list[datetime]:
    """When the cron workflow was due after `start` and until `end`. Raises ScheduleError."""
    schedules = schedules_of(_mapping(cron.get("spec")))
    return sorted({at for schedule in schedules for at in _due(schedule, start, end)})


def backfill(
    cron: JSONObject, times: Sequence[datetime], options: BackfillOptions, now: datetime
) -> list[dict[str, object]]:
    """Workflows that each start one workflow for each time. now: with the zone of who asks."""
    name = str(_mapping(cron.get("metadata")).get("name", ""))
    manifest = json.dumps(_one(cron, options, now), indent=1, ensure_ascii=False)
    texts = [_as_go_prints(at) for at in times]
    parts = (texts[at : at + options.most] for at in range(0, len(texts), options.most))
    return [_starting(name, manifest, part) for part in parts]


def _due(schedule: str, start: datetime, end: datetime) -> Iterator[datetime]:
    """The clock is that of `start`, not that of the cron workflow's time zone."""
    found = Schedule.parse(schedule)
    if not schedule.startswith(("TZ=", "CRON_TZ=")):
        found = replace(found, zone=start.tzinfo)
    at = found.next(start)
    while at is not None and at <= end:
        yield at
        at = found.next(at)


def _one(cron: JSONObject, options: BackfillOptions, now: datetime) -> dict[str, object]:
    """The Workflow for a time."""
    workflow = from_cron_workflow(cron, now)
    metadata, spec = dict(_mapping(workflow["metadata"])), dict(_mapping(workflow["spec"]))
    prefix = f"{_mapping(cron.get('metadata')).get('name', '')}-backfill-{options.name.lower()}"
    metadata["generateName"] = prefix[: _LONGEST_PREFIX - 1] + "-"
    if not options.parallel:
        spec["priority"] = _HIGHEST_PRIORITY
        spec["synchronization"] = {"mutexes": [{"name": options.name}]}
    arguments = _mapping(spec.get("arguments"))
    given = arguments.get("parameters")
    parameter = {"name": options.argument, "value": f"{{{{inputs.parameters.{_TIME}}}}}"}
    spec["arguments"] = {**arguments, "parameters": [*(given if isinstance(given, list) else ()), parameter]}
    return {**workflow, "metadata": metadata, "spec": spec}


def _starting(name: str, manifest: str, times: Sequence[str]) -> dict[str, object]:
    """A Workflow that starts those of the times."""
    arguments = {"parameters": [{"name": _TIME, "value": "{{item}}"}]}
    step = {
        "name": "create-workflow",
        "template": "create-workflow",
        "arguments": arguments,
        "withParam": json.dumps(times, separators=(",", ":")),
    }
    create = {
        "name": "create-workflow",
        "inputs": {"parameters": [{"name": _TIME}]},
        "resource": {
            "action": "create",
            "successCondition": "status.phase == Succeeded",
            "manifest": manifest,
        },
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {
            "generateName": "backfill-wf-",
            "labels": {"workflows.argoproj.io/backfill": name},
        },
        "spec": {"entrypoint": "main", "templates": [{"name": "main", "steps": [[step]]}, create]},
    }


def _as_go_prints(at: datetime) -> str:
    offset = at.utcoffset()
    location = fixed_location(at.tzname() or "", int(offset.total_seconds()) if offset else 0)
    return format_time(Time.of(at).seen_in(location), _AS_TEXT)


def _mapping(value: object) -> JSONObject:
    return value if isinstance(value, Mapping) else {}
