from dataclasses import replace
from datetime import UTC, datetime, timedelta

from nbflow.spec.status import NodeStatus, NodeType, Phase, WorkflowObject, WorkflowStatus
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


def test_the_cause_is_named_where_no_pod_failed(builder):
    deep = {"phase": Phase.ERROR, "message": "Maximum recursion depth exceeded"}
    failed = {"phase": Phase.FAILED, "message": "child 'x' failed"}
    nodes = {
        "wf": NodeStatus("wf", "wf", "wf", NodeType.STEPS, "a", children=("b",), **failed),
        "b": NodeStatus("b", "wf[0].b", "b", NodeType.STEPS, "a", children=("c",), **failed),
        "c": NodeStatus("c", "wf[0].b[0].c", "c", NodeType.SKIPPED, "a", **deep),
    }
    workflow = WorkflowObject(
        {"name": "wf"}, {}, WorkflowStatus(Phase.FAILED, "child 'x' failed", nodes=nodes)
    )
    lines = header(workflow, now=NOW).splitlines()
    assert lines[4] == "Message:             child 'x' failed"
    assert lines[5] == "Cause:               c: Maximum recursion depth exceeded"
    nodes["d"] = NodeStatus("d", "wf[0].d", "d", NodeType.POD, "a", **failed)
    assert "Cause:" not in header(workflow, now=NOW)


def test_a_long_parameter_is_cut_in_the_header(builder):
    workflow = WorkflowObject(
        {"name": "wf"}, {"arguments": {"parameters": [{"name": "p", "value": "x" * 10**7}]}}
    )
    last = header(workflow, now=NOW).splitlines()[-1]
    assert last == f"  p:                 {'x' * 2000}… (10000000 characters; -o json shows all)"
