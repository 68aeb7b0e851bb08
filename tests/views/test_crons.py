"""Cron workflows as text."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nbflow.views.crons import cron_details

NOW = datetime(2024, 5, 1, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(("namespace", "line"), [("", ""), ("prod", f"{'Namespace:':<30} prod\n")])
def test_a_namespace_is_told_where_there_is_one(namespace, line):
    cron = {"metadata": {"name": "tick", "namespace": namespace}, "spec": {"schedules": ["0 0 * * *"]}}
    assert cron_details(cron, now=NOW) == (
        f"{'Name:':<30} tick\n{line}"
        f"{'Schedules:':<30} 0 0 * * *\n"
        f"{'Suspended:':<30} false\n"
        f"{'NextScheduledTime:':<30} Thu May 02 00:00:00 +0000 (11 hours from now)"
        " (assumes workflow-controller is in UTC)\n"
    )
