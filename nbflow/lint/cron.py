"""When a CronWorkflow starts: schedules, time zone, policy."""

from __future__ import annotations

from nbflow.lint.objects import Json, text
from nbflow.lint.report import Report, Where
from nbflow.spec.schedule import Schedule, ScheduleError, zone_of
from nbflow.spec.similar import did_you_mean

_POLICIES = ("Allow", "Forbid", "Replace")


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
    try:
        Schedule.parse(schedule)
    except ScheduleError as error:
        return error.problem
    return ""


def _zone_exists(name: str) -> bool:
    try:
        zone_of(name)
    except ScheduleError:
        return False
    return True
