from dataclasses import replace
from datetime import UTC, datetime, timedelta

from nbflow.spec.status import Phase, WorkflowObject, WorkflowStatus
from nbflow.views.tables import ended, header, table

NOW = datetime(2024, 5, 1, 12, 2, 5, tzinfo=UTC)


def test_header(dag, golden):
    golden("header.txt", header(dag, now=NOW))


def test_header_of_what_was_never_stored():
    workflow = WorkflowObject({"generateName": "hello-"}, {})
    assert header(workflow, now=NOW) == (
        "Name:                hello-\n"
        "Namespace:\n"
        "ServiceAccount:      unset (will run with the default ServiceAccount)\n"
        "Status:              Unknown\n"
        "Progress:\n"
    )


def test_header_shows_outputs(builder):
    outputs = {
        "parameters": [{"name": "sum", "value": "14"}, {"name": "absent"}],
        "artifacts": [{"name": "report", "s3": {"key": "wf/report.tgz"}}],
    }
    lines = header(builder().build("Succeeded", outputs=outputs), now=NOW).splitlines()
    assert lines[-4:] == [
        "Output Parameters:",
        "  sum:               14",
        "Output Artifacts:",
        "  report:            wf/report.tgz",
    ]


def test_list(dag, builder):
    done = replace(
        builder().build("Failed", finished_at=NOW, message="step a failed\n"), spec={"priority": 7}
    )
    assert table([dag, done], now=NOW) == (
        "NAME   STATUS                AGE   DURATION   PRIORITY   MESSAGE\n"
        "wf     Running (Suspended)   2m    2m         0\n"
        "wf     Failed                2m    2m         7          step a failed\\n\n"
    )


def test_list_wide_without_headers(dag):
    assert table([dag], now=NOW, wide=True, headers=False, namespaces=True) == (
        "default   wf   Running (Suspended)   2m   2m   0      1/6/15   message=hello\\x1b[31m\n"
    )


def test_empty_list():
    assert table([], now=NOW) == "No workflows found\n"


def test_terminated():
    workflow = WorkflowObject({"name": "wf"}, {"shutdown": "Terminate"}, WorkflowStatus(Phase.FAILED))
    assert ended(workflow) == "✖ wf Failed (Terminated)"


def test_ended_says_how_long_it_took():
    status = WorkflowStatus(Phase.SUCCEEDED, started_at=NOW, finished_at=NOW + timedelta(minutes=3))
    assert ended(WorkflowObject({"name": "wf"}, {}, status)) == "✔ wf Succeeded after 3m"
