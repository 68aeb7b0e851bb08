"""Cron workflows as argo prints them: a table, and one in full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from nbflow.spec.schedule import Schedule, ScheduleError, schedules_of
from nbflow.spec.status import parameter_values, parse_time
from nbflow.views.durations import short, timestamp
from nbflow.views.text import clean, columns

JSONObject = Mapping[str, object]
_HEADS = ("NAME", "AGE", "LAST RUN", "NEXT RUN", "SCHEDULES", "TIMEZONE", "SUSPENDED")


def cron_table(
    crons: Sequence[JSONObject], *, now: datetime, namespaces: bool = False, local: bool = False
) -> str:
    """One line a cron workflow. local: the clock of this machine counts; a cluster's is taken to show UTC."""
    rows = [_HEADS, *(_row(cron, now, local) for cron in crons)]
    if namespaces:
        spaces = ["NAMESPACE", *(_text(_mapping(cron.get("metadata")), "namespace") for cron in crons)]
        return "\n".join(columns([(s, *row) for s, row in zip(spaces, rows, strict=True)], 3)) + "\n"
    return "\n".join(columns(rows, 3)) + "\n"


def cron_details(cron: JSONObject, *, now: datetime, local: bool = False) -> str:
    """All that there is to say of one. local: as above."""
    return "".join(f"{label:<30} {value}\n" for label, value in _details(cron, now, local))


def next_run(cron: JSONObject, now: datetime, *, local: bool = False) -> datetime | None:
    """When it is due next, None if never, or if its schedule is malformed. local: as above."""
    spec = _mapping(cron.get("spec"))
    zone = _text(spec, "timezone") or ("" if local else "UTC")
    try:
        times = [Schedule.parse(text, zone).next(now.astimezone(UTC)) for text in schedules_of(spec)]
    except ScheduleError:
        return None
    return min((time for time in times if time is not None), default=None)


def _row(cron: JSONObject, now: datetime, local: bool) -> tuple[str, ...]:
    metadata, spec = _mapping(cron.get("metadata")), _mapping(cron.get("spec"))
    created = parse_time(metadata.get("creationTimestamp"))
    last = parse_time(_mapping(cron.get("status")).get("lastScheduledTime"))
    following = next_run(cron, now, local=local)
    return (
        _text(metadata, "name"),
        short(now - created) if created else "0s",
        short(now - last) if last else "N/A",
        short(following - now) if following else "N/A",
        clean(",".join(schedules_of(spec))),
        _text(spec, "timezone"),
        _flag(spec.get("suspend")),
    )


def _details(cron: JSONObject, now: datetime, local: bool) -> Iterator[tuple[str, object]]:
    metadata, spec, status = (_mapping(cron.get(key)) for key in ("metadata", "spec", "status"))
    yield "Name:", _text(metadata, "name")
    if namespace := _text(metadata, "namespace"):
        yield "Namespace:", namespace
    if created := parse_time(metadata.get("creationTimestamp")):
        yield "Created:", timestamp(created, now)
    yield "Schedules:", clean(",".join(schedules_of(spec)))
    yield "Suspended:", _flag(spec.get("suspend"))
    for label, field in (
        ("Timezone:", "timezone"),
        ("StartingDeadlineSeconds:", "startingDeadlineSeconds"),
        ("ConcurrencyPolicy:", "concurrencyPolicy"),
    ):
        if spec.get(field) not in (None, ""):
            yield label, _text(spec, field)
    if last := parse_time(status.get("lastScheduledTime")):
        yield "LastScheduledTime:", timestamp(last, now)
    if following := next_run(cron, now, local=local):
        remark = "" if local else " (assumes workflow-controller is in UTC)"
        yield "NextScheduledTime:", timestamp(following, now) + remark
    if active := [_text(one, "name") for one in _mappings(status.get("active"))]:
        yield "Active Workflows:", ", ".join(active)
    if conditions := list(_mappings(status.get("conditions"))):
        yield "Conditions:", ""
        for one in conditions:
            sign = "✖ " if one.get("type") == "SubmissionError" else ""
            yield f"{sign}{_text(one, 'type')}", clean(str(one.get("message") or one.get("status") or ""))
    values = parameter_values(_mapping(_mapping(spec.get("workflowSpec")).get("arguments")))
    if values:
        yield "Workflow Parameters:", ""
        for name, value in values.items():
            yield f"  {clean(name)}:", clean(str(value))


def _flag(value: object) -> str:
    return "true" if value else "false"


def _text(data: JSONObject, field: str) -> str:
    value = data.get(field)
    return "" if value is None else clean(str(value))


def _mappings(value: object) -> list[JSONObject]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _mapping(value: object) -> JSONObject:
    return value if isinstance(value, Mapping) else {}
