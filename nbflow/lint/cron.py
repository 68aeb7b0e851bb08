"""When a CronWorkflow starts: schedules, time zone, policy."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nbflow.lint.objects import Json, text
from nbflow.lint.report import Report, Where
from nbflow.spec.similar import did_you_mean

_POLICIES = ("Allow", "Forbid", "Replace")
_DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True)
class _Field:
    least: int
    most: int
    names: tuple[str, ...] = ()


_FIELDS = (_Field(0, 59), _Field(0, 23), _Field(1, 31), _Field(1, 12, _MONTHS), _Field(0, 6, _DAYS))
_DURATION = re.compile(
    r"[-+]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))*\Z"
)


def check_cron(report: Report, where: Where, spec: Json) -> None:
    """All that a CronWorkflow says beside its Workflow."""
    schedules = spec.get("schedules")
    if not isinstance(schedules, list) or not schedules:
        problem = "cron workflow must have at least one schedule"
        report.error(
            "NBF180", where, problem, 'add `schedules:` and a list, for example `- "0 * * * *"`', key=True
        )
        schedules = []
    for index, schedule in enumerate(schedules):
        fault = schedule_fault(str(schedule))
        if fault:
            problem = f"cron schedule {schedule} is malformed: {fault}"
            fix = "five fields: minute, hour, day of month, month, day of week"
            report.error("NBF180", where.at("schedules", index), problem, fix)
    zone = text(spec, "timezone")
    if zone and not _zone_exists(zone):
        problem = f'invalid timezone "{zone}": unknown time zone {zone}'
        report.error(
            "NBF181", where.at("timezone"), problem, "use a name of the time zone database: Europe/Berlin"
        )
    policy = text(spec, "concurrencyPolicy")
    if policy and policy not in _POLICIES:
        fix = did_you_mean(policy, _POLICIES) or f"choose one of: {', '.join(_POLICIES)}"
        report.error(
            "NBF182", where.at("concurrencyPolicy"), f"'{policy}' is not a valid concurrencyPolicy", fix
        )
    deadline = spec.get("startingDeadlineSeconds")
    if isinstance(deadline, int) and deadline < 0:
        report.error(
            "NBF182", where.at("startingDeadlineSeconds"), "startingDeadlineSeconds must be positive"
        )


def schedule_fault(schedule: str) -> str:
    """What is wrong with a schedule; "" if nothing is."""
    if not schedule:
        return "empty spec string"
    zoned = re.match(r"(?:TZ|CRON_TZ)=(\S*)(\s*)", schedule)
    if zoned:
        if not _zone_exists(zoned.group(1)):
            return f"provided bad location {zoned.group(1)}: unknown time zone {zoned.group(1)}"
        schedule = schedule[zoned.end() :]
    if schedule.startswith("@"):
        return _descriptor_fault(schedule)
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        return f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
    faults = (_list_fault(text, field) for text, field in zip(fields, _FIELDS, strict=True))
    return next((fault for fault in faults if fault), "")


def _descriptor_fault(schedule: str) -> str:
    if schedule in _DESCRIPTORS:
        return ""
    if schedule.startswith("@every "):
        duration = schedule.removeprefix("@every ")
        return "" if duration == "0" or _DURATION.match(duration) else f"failed to parse duration {schedule}"
    return f"unrecognized descriptor: {schedule}"


def _list_fault(text: str, field: _Field) -> str:
    """A field: ranges, joined by commas."""
    faults = (_range_fault(part, field) for part in text.split(",") if part)
    return next((fault for fault in faults if fault), "")


def _range_fault(text: str, field: _Field) -> str:
    """`*`, a number, or a range, with a step or without."""
    span, *steps = text.split("/")
    bounds = span.split("-")
    if len(bounds) > 2:
        return f"too many hyphens: {text}"
    if len(steps) > 1:
        return f"too many slashes: {text}"
    if bounds[0] in {"*", "?"}:
        start, end = field.least, field.most
    else:
        numbers = [_number(bound, field) for bound in bounds]
        wrong = next((fault for fault in numbers if isinstance(fault, str)), None)
        if wrong is not None:
            return wrong
        start, end = int(numbers[0]), int(numbers[-1])
    if steps:
        step = _whole(steps[0])
        if isinstance(step, str):
            return step
        end = field.most if len(bounds) == 1 else end
        if step == 0:
            return f"step of range should be a positive number: {text}"
    if start < field.least:
        return f"beginning of range ({start}) below minimum ({field.least}): {text}"
    if end > field.most:
        return f"end of range ({end}) above maximum ({field.most}): {text}"
    if start > end:
        return f"beginning of range ({start}) beyond end of range ({end}): {text}"
    return ""


def _number(text: str, field: _Field) -> int | str:
    """A number or a name of a month or day; else what is wrong."""
    if text.lower() in field.names:
        return field.names.index(text.lower()) + field.least
    return _whole(text)


def _whole(text: str) -> int | str:
    if re.fullmatch(r"[-+]?\d+", text):
        number = int(text)
        return f"negative number ({number}) not allowed: {text}" if number < 0 else number
    return f"failed to parse int from {text}"


def _zone_exists(name: str) -> bool:
    from zoneinfo import ZoneInfo

    if name in {"", "UTC", "Local"}:
        return True
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
