"""Cron workflows: what Argo's own tests of its cron controller assert, and what its policies mean."""

from datetime import UTC, datetime, timedelta

import pytest

from nbflow.engine.crons import (
    COMPLETED,
    LAST_USED,
    Child,
    is_alive,
    missed,
    reconcile,
    refused,
    run,
    started,
)
from nbflow.spec.status import Phase, format_time

NOW = datetime(2024, 5, 17, 10, 0, 30, tzinfo=UTC)
REFERENCE = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "name": "c-1",
    "namespace": "default",
    "uid": "u-1",
}


def cron(*, status=None, used="* * * * *", **spec):
    annotations = {LAST_USED: used} if used else {}
    return {
        "metadata": {"name": "c", "uid": "u", "annotations": annotations},
        "spec": {"schedules": ["* * * * *"], **spec},
        "status": status or {},
    }


def last(**ago):
    return {"lastScheduledTime": format_time(NOW - timedelta(**ago))}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (cron(status=last(minutes=1), startingDeadlineSeconds=35), NOW.replace(second=0)),
        (cron(status=last(minutes=1), startingDeadlineSeconds=25), None),  # too late
        (cron(status=last(minutes=1)), None),  # without a deadline a missed start stays missed
        (cron(status=last(minutes=1), startingDeadlineSeconds=35, used="0 * * * *"), None),  # just changed
        (cron(status=last(minutes=1), startingDeadlineSeconds=35, used=""), None),
        (cron(startingDeadlineSeconds=35), None),  # it never ran
        (
            cron(
                status=last(days=3),
                startingDeadlineSeconds=7 * 86400,
                schedules=["0 9 16 * *", "0 0 1 1 *"],
                used="0 9 16 * *,0 0 1 1 *",
            ),
            datetime(2024, 5, 16, 9, tzinfo=UTC),
        ),
        (
            cron(
                status=last(days=2000),
                startingDeadlineSeconds=120,
                schedules=["@every 1m"],
                used="@every 1m",
            ),
            NOW,
        ),
    ],
)
def test_a_missed_start_is_made_up_for_within_its_deadline(given, expected):
    found = missed(given, NOW)
    if expected is NOW:
        assert found is not None
        assert NOW - timedelta(minutes=1) <= found <= NOW
    else:
        assert found == expected


@pytest.mark.parametrize("zone", ["Pacific/Niue", "Asia/Kolkata"])
def test_a_missed_start_counts_by_the_clock_of_its_zone(zone):
    given = cron(
        status=last(minutes=1), startingDeadlineSeconds=35, timezone=zone, used=f"CRON_TZ={zone} * * * * *"
    )
    assert missed(given, NOW) == NOW.replace(second=0)


def test_it_starts_a_workflow_and_notes_it():
    decision = run(cron(used=""), NOW)
    assert (decision.start, decision.terminate, decision.delete) == (True, (), ())
    after = started(decision.cron, Child("c-1", "u-1"), NOW, "default")
    assert after["metadata"]["annotations"] == {LAST_USED: "* * * * *"}
    assert after["status"] == {
        "active": [REFERENCE],
        "phase": "Active",
        "lastScheduledTime": "2024-05-17T10:00:30Z",
    }


@pytest.mark.parametrize(
    ("spec", "start", "terminate"),
    [
        ({}, True, ()),
        ({"concurrencyPolicy": "Allow"}, True, ()),
        ({"concurrencyPolicy": "Forbid"}, False, ()),
        ({"concurrencyPolicy": "Replace"}, True, ("c-1",)),
        ({"suspend": True}, False, ()),
    ],
)
def test_policies(spec, start, terminate):
    decision = run(cron(status={"active": [REFERENCE]}, **spec), NOW)
    assert (decision.start, decision.terminate) == (start, terminate)


LATE = (
    "{{= cronworkflow.lastScheduledTime == nil || (now() - cronworkflow.lastScheduledTime).Seconds() > 30 }}"
)


@pytest.mark.parametrize(
    ("when", "status", "start"),
    [
        (LATE, {}, True),
        (LATE, last(minutes=30), True),
        (LATE, last(seconds=10), False),
        ("{{= cronworkflow.lastScheduledTime != nil }}", {}, False),
        ("{{= (now() - cronworkflow.lastScheduledTime).Minutes() >= 30 }}", last(minutes=30), True),
        ("{{= (now() - cronworkflow.lastScheduledTime).Minutes() < 50 }}", last(minutes=30), True),
        ("{{cronworkflow.failed}} < 3", {"failed": 2}, True),
        ("{{cronworkflow.failed}} < 3", {"failed": 3}, False),
        ("{{cronworkflow.name}} == c", {}, True),
    ],
)
def test_when(when, status, start):
    assert run(cron(status=status, when=when), NOW).start is start


def test_a_when_that_is_none_is_a_condition():
    decision = run(cron(when="{{cronworkflow.nothing}}"), NOW)
    assert not decision.start
    (condition,) = decision.cron["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("SubmissionError", "True")
    assert condition["message"].startswith("run policy error: ")


def test_a_malformed_schedule_is_a_condition_until_it_is_mended():
    broken = run(cron(schedules=["* * * * *", "99 * * * *"]), NOW)
    assert not broken.start
    assert broken.cron["status"]["conditions"] == [
        {
            "type": "SpecError",
            "status": "True",
            "message": "end of range (99) above maximum (59): 99",
        }
    ]
    assert run(cron(schedules=[]), NOW).cron["status"]["conditions"][0]["message"] == (
        "cron workflow must have at least one schedule"
    )
    mended = {**broken.cron, "spec": {"schedules": ["* * * * *"]}}
    assert run(mended, NOW).cron["status"]["conditions"] == []


def test_it_stops_for_good_once_its_strategy_says_so():
    strategy = {"expression": "cronworkflow.failed >= 2"}
    decision = run(cron(status={"failed": 2}, stopStrategy=strategy), NOW)
    assert not decision.start
    assert decision.cron["status"]["phase"] == "Stopped"
    assert decision.cron["metadata"]["labels"] == {COMPLETED: "true"}
    assert not is_alive(decision.cron)
    assert run(cron(status={"failed": 1}, stopStrategy=strategy), NOW).start
    ended = reconcile(
        cron(status={"failed": 1, "active": [REFERENCE]}, stopStrategy=strategy),
        [Child("c-1", "u-1", Phase.FAILED, NOW)],
        NOW,
    )
    assert ended.cron["status"] == {"active": [], "failed": 2, "phase": "Stopped"}


def test_a_submit_that_failed_counts_and_is_a_condition():
    after = refused(cron(status={"failed": 1}), "Failed to submit Workflow: no")
    assert after["status"] == {
        "failed": 2,
        "conditions": [
            {"type": "SubmissionError", "status": "True", "message": "Failed to submit Workflow: no"}
        ],
    }
    again = started(after, Child("c-1", "u-1"), NOW, "default")
    assert again["status"]["conditions"] == []


def child(number, phase=Phase.SUCCEEDED):
    return Child(f"c-{number}", f"u-{number}", phase, NOW + timedelta(seconds=number))


def test_what_ended_is_counted_and_what_was_started_by_hand_is_seen():
    status = {"active": [REFERENCE, {**REFERENCE, "name": "gone", "uid": "u-9"}]}
    decision = reconcile(cron(status=status), [child(1), Child("c-2", "u-2", Phase.RUNNING)], NOW)
    assert decision.cron["status"] == {
        "succeeded": 1,
        "active": [{**REFERENCE, "name": "c-2", "uid": "u-2"}],
    }


@pytest.mark.parametrize(
    ("spec", "deleted"),
    [
        ({}, ("c-1", "c-6")),
        ({"successfulJobsHistoryLimit": 0, "failedJobsHistoryLimit": 5}, ("c-4", "c-3", "c-2", "c-1")),
        ({"successfulJobsHistoryLimit": 2, "failedJobsHistoryLimit": 0}, ("c-2", "c-1", "c-7", "c-6")),
    ],
)
def test_the_history_is_limited(spec, deleted):
    children = [child(n) for n in range(1, 5)] + [child(6, Phase.FAILED), child(7, Phase.ERROR)]
    children.append(Child("c-8", "u-8", Phase.RUNNING))
    assert reconcile(cron(**spec), children, NOW).delete == deleted
