"""Cron workflows in the loop: they start workflows when it is time, and keep the controller alive."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from nbflow.controller.crons import KIND
from nbflow.controller.inbox import Rang
from nbflow.engine.crons import LAST_USED
from nbflow.spec.status import Phase, format_time

SPEC = {"entrypoint": "main", "templates": [{"name": "main", "container": {"image": "i"}}]}


@pytest.fixture
def create(house):
    house.runtime.by_itself = True

    def make(*, status=None, annotations=None, **spec):
        given = {"schedules": ["@every 1s"], "workflowSpec": SPEC, **spec}
        metadata = {"name": "tick", "uid": "u-tick", "annotations": annotations or {}}
        manifest = {"kind": KIND, "metadata": metadata, "spec": given, "status": status or {}}
        house.ledger.objects.create(KIND, "tick", manifest)
        house.tell(Rang())

    return make


def stored(house):
    return house.ledger.objects.get(KIND, "tick")


def names(house):
    return [row[0] for row in house.rows("SELECT name FROM workflows ORDER BY key")]


def test_it_starts_workflows_and_counts_them(house, create):
    create(successfulJobsHistoryLimit=1)
    house.until(lambda: stored(house)["status"].get("succeeded", 0) >= 3)
    house.until(lambda: len(names(house)) <= 2)
    newest = house.get(names(house)[-1])
    at = datetime.fromtimestamp(int(newest.name.removeprefix("tick-")), UTC)
    assert newest.metadata["annotations"]["workflows.argoproj.io/scheduled-time"] == format_time(at)
    assert newest.metadata["labels"]["workflows.argoproj.io/cron-workflow"] == "tick"
    assert stored(house)["metadata"]["annotations"] == {LAST_USED: "@every 1s"}
    assert stored(house)["spec"]["successfulJobsHistoryLimit"] == 1


def test_it_keeps_the_controller_alive_until_it_is_suspended(house, create):
    create(schedules=["0 0 1 1 *"])
    house.loop.turn(0.0)
    assert (house.loop._busy, house.ledger.has_work()) == (True, True)
    house.ledger.objects.change(KIND, "tick", lambda old: {**old, "spec": {**old["spec"], "suspend": True}})
    house.tell(Rang())
    house.loop.turn(0.0)
    assert (house.loop._busy, house.ledger.has_work()) == (False, False)
    assert names(house) == []


def test_what_was_missed_is_made_up_for_once(house, create):
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    create(
        schedules=[f"{(minute - timedelta(minutes=2)).minute} * * * *"],
        timezone="UTC",
        startingDeadlineSeconds=600,
        status={"lastScheduledTime": format_time(minute - timedelta(hours=1))},
        annotations={LAST_USED: f"CRON_TZ=UTC {(minute - timedelta(minutes=2)).minute} * * * *"},
    )
    house.until(lambda: stored(house)["status"].get("succeeded") == 1)
    house.crash()
    house.loop.turn(0.0)
    assert names(house) == [f"tick-{int((minute - timedelta(minutes=2)).timestamp())}"]
    assert stored(house)["status"]["active"] == []


def test_replace_terminates_what_runs(house, create):
    house.runtime.by_itself = False
    create(concurrencyPolicy="Replace")
    house.until(lambda: len(names(house)) >= 2)
    first = names(house)[0]
    house.until(lambda: house.phase(first) is Phase.FAILED)
    assert house.get(first).status.message == "Stopped with strategy 'Terminate'"


def test_a_controller_that_comes_later_counts_what_ended_meanwhile(house, create):
    house.runtime.by_itself = False
    create(concurrencyPolicy="Forbid")
    house.until(house.runtime.running)
    (name,) = names(house)
    house.runtime.end(house.runtime.running()[0], tell=False)
    house.crash()
    house.until(lambda: stored(house)["status"].get("succeeded") == 1)
    assert house.phase(name) is Phase.SUCCEEDED


def test_one_that_is_deleted_starts_nothing_more(house, create):
    create()
    house.until(lambda: names(house))
    house.ledger.objects.delete(KIND, "tick")
    house.tell(Rang())
    house.loop.turn(0.0)
    before = names(house)
    end = time.monotonic() + 1.2
    while time.monotonic() < end:
        house.loop.turn(0.1)
    assert names(house) == before
