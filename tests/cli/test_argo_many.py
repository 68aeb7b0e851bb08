"""Many workflows at once, chosen as `argo` chooses them; templates and cron workflows in all namespaces."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest

from nbflow import cli
from nbflow.errors import NbflowError
from nbflow.views.crons import cron_table
from tests.kube.argo import WORKFLOWS, node
from tests.kube.fixtures import cluster

__all__ = ["cluster"]
OLD, NEW = "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"
TEMPLATES = ("argoproj.io/v1alpha1", "workflowtemplates")
CRONS = ("argoproj.io/v1alpha1", "cronworkflows")
SPEC = {
    "entrypoint": "main",
    "templates": [{"name": "main", "container": {"image": "busybox", "command": ["ls"]}}],
}


@pytest.fixture
def nbflow(cluster, tmp_path, monkeypatch):
    monkeypatch.setenv("NBFLOW_HOME", str(tmp_path / "home"))

    def run(*words, code=0):
        out = io.StringIO()
        assert cli.run([*words, "--on", "argo"], out=out, err=out) == code, out.getvalue()
        return out.getvalue()

    return run


@pytest.fixture
def several(cluster):
    """done and bad are finished, go runs; other is in another namespace."""
    for name, phase, namespace in (
        ("done", "Succeeded", "default"),
        ("bad", "Failed", "default"),
        ("go", "Running", "default"),
        ("done", "Succeeded", "team"),
    ):
        over = phase != "Running"
        labels = {"workflows.argoproj.io/phase": phase, "team": "a" if name == "bad" else "b"}
        labels |= {"workflows.argoproj.io/completed": "true"} if over else {}
        one = node(name, name, phase=phase, template="main")
        status = {"phase": phase, "startedAt": OLD, "finishedAt": NEW if over else None, "nodes": {name: one}}
        metadata = {"name": name, "labels": labels, "finalizers": ["workflows.argoproj.io/artifact-gc"]}
        made = {"metadata": metadata, "spec": SPEC, "status": status}
        cluster.storage.create(WORKFLOWS, namespace, made)


def names(shown):
    return sorted(shown.split())


def test_lists_choose_by_labels_fields_phases_and_times(nbflow, several):
    def listed(*words):
        return names(nbflow("list", "-o", "name", *words))

    assert listed() == ["bad", "done", "go"]
    assert listed("-l", "team=a") == ["bad"]
    assert listed("--field-selector", "metadata.name!=go") == ["bad", "done"]
    assert listed("--field-selector", "metadata.name=go,metadata.namespace=default") == ["go"]
    assert listed("--status", "Failed,Running") == ["bad", "go"]
    assert listed("--completed", "--prefix", "d") == ["done"]
    assert listed("--older", "1h") == ["bad", "done"]
    assert nbflow("list", "-o", "name", "--older", "1000000h") == "No workflows found\n"
    with pytest.raises(NbflowError) as refused:
        listed("--field-selector", "status.phase=Failed")
    assert refused.value.problem == "field label not supported: status.phase"
    assert (
        refused.value.fix
        == "metadata.name and metadata.namespace; --status and -l choose by phase and by labels"
    )


def test_lists_of_all_namespaces_name_them(nbflow, several):
    rows = [line.split()[:3] for line in nbflow("list", "-A", "--no-headers").splitlines()]
    assert sorted(rows) == [
        ["default", "bad", "Failed"],
        ["default", "done", "Succeeded"],
        ["default", "go", "Running"],
        ["team", "done", "Succeeded"],
    ]
    assert nbflow("list", "-A").split()[0] == "NAMESPACE"
    (found,) = json.loads(nbflow("list", "-A", "-o", "json", "-l", "team=a"))
    assert found["status"]["nodes"]["bad"]["phase"] == "Failed"


def test_what_a_selector_finds_is_stopped_each_once(nbflow, several, cluster):
    assert nbflow("stop", "go", "-l", "team=b", "--dry-run") == "workflow go stopped (dry-run)\n"
    assert nbflow("terminate", "--field-selector", "metadata.name=go") == "workflow go terminated\n"
    assert cluster.storage.get(WORKFLOWS, "default", "go")["spec"]["shutdown"] == "Terminate"
    with pytest.raises(NbflowError, match="requires either selector or workflow"):
        nbflow("stop")


def test_what_a_selector_finds_is_run_again(nbflow, several, cluster):
    assert "bad" in nbflow("retry", "-l", "team=a")
    assert cluster.storage.get(WORKFLOWS, "default", "bad")["status"]["nodes"] == {}
    again = names(nbflow("resubmit", "--field-selector", "metadata.name=done", "-o", "name"))
    assert [name[:5] for name in again] == ["done-"]


def test_deletes_choose_as_lists_do(nbflow, several, cluster):
    def left():
        return sorted(
            (w["metadata"]["namespace"], w["metadata"]["name"])
            for w in cluster.storage.list(WORKFLOWS, None)[0]
        )

    assert nbflow("delete", "--completed", "--dry-run").count("deleted (dry-run)") == 2
    assert len(left()) == 4
    assert nbflow("delete", "--status", "Failed") == "Workflow 'bad' deleted\n"
    assert names(nbflow("delete", "-A", "--completed")) == sorted(["Workflow", "'done'", "deleted"] * 2)
    assert left() == [("default", "go")]
    assert nbflow("delete", "nobody", code=2) == "Workflow 'nobody' not found\n"
    assert nbflow("delete", "--older", "1h") == "No resources found\n"


def test_force_takes_the_finalizers_off(nbflow, several, cluster):
    nbflow("delete", "done", "--force")
    patched = [path for method, path, _ in cluster.requests if method == "PATCH"]
    assert patched == ["/apis/argoproj.io/v1alpha1/namespaces/default/workflows/done"]
    assert cluster.storage.list(WORKFLOWS, "team")[0]


def test_templates_of_all_namespaces(nbflow, cluster):
    for namespace, name in (("default", "one"), ("team", "two")):
        made = {"metadata": {"name": name, "labels": {"n": name}}, "spec": SPEC}
        cluster.storage.create(TEMPLATES, namespace, made)
    assert nbflow("template", "list") == "NAME\none\n"
    assert nbflow("template", "list", "-l", "n!=one") == "No resources found\n"
    assert nbflow("template", "list", "-A") == "NAMESPACE   NAME\ndefault     one\nteam        two\n"
    assert nbflow("template", "list", "-A", "-o", "name", "-l", "n=two") == "two\n"


CRON = {
    "metadata": {"name": "nightly", "creationTimestamp": "2024-01-01T00:00:00Z", "namespace": "default"},
    "spec": {
        "schedules": ["0 3 * * *", "0 5 * * *"],
        "timezone": "Europe/Berlin",
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": 0,
        "workflowSpec": {**SPEC, "arguments": {"parameters": [{"name": "a", "value": "1"}]}},
    },
    "status": {
        "lastScheduledTime": "2024-01-10T04:00:00Z",
        "active": [{"name": "nightly-1"}],
        "conditions": [{"type": "SubmissionError", "status": "True", "message": "no"}],
    },
}


def test_the_table_of_cron_workflows_tells_their_next_run():
    at = datetime(2024, 1, 10, 12, tzinfo=UTC)
    broken = {**CRON, "spec": {"schedules": ["nonsense"], "suspend": True}, "status": {}}
    assert cron_table([CRON, broken], now=at, namespaces=True) == (
        "NAMESPACE   NAME      AGE   LAST RUN   NEXT RUN   SCHEDULES             TIMEZONE        SUSPENDED\n"
        "default     nightly   9d    8h         14h        0 3 * * *,0 5 * * *   Europe/Berlin   false\n"
        "default     nightly   9d    N/A        N/A        nonsense                              true\n"
    )


def test_a_cron_workflow_in_full(nbflow, cluster, monkeypatch):
    cluster.storage.create(CRONS, "default", CRON)
    shown = {line[:30].strip(): line[30:].strip() for line in nbflow("cron", "get", "nightly").splitlines()}
    assert shown.pop("Created:")
    assert shown.pop("NextScheduledTime:").endswith("(assumes workflow-controller is in UTC)")
    assert shown.pop("LastScheduledTime:").startswith("Wed Jan 10 04:00:00 ")
    assert shown == {
        "Name:": "nightly",
        "Namespace:": "default",
        "Schedules:": "0 3 * * *,0 5 * * *",
        "Suspended:": "false",
        "Timezone:": "Europe/Berlin",
        "StartingDeadlineSeconds:": "0",
        "ConcurrencyPolicy:": "Forbid",
        "Active Workflows:": "nightly-1",
        "Conditions:": "",
        "✖ SubmissionError": "no",
        "Workflow Parameters:": "",
        "a:": "1",
    }


def test_flags_change_a_cron_workflow_before_it_is_stored(nbflow, cluster, tmp_path):
    import yaml

    (tmp_path / "c.yaml").write_text(
        yaml.safe_dump({"apiVersion": "argoproj.io/v1alpha1", "kind": "CronWorkflow", **CRON})
    )
    nbflow(
        "cron", "create", str(tmp_path / "c.yaml"), "--name", "other", "--schedule", "1 2 * * *", "-p", "a=2",
        "--entrypoint", "main", "--serviceaccount", "me", "-l", "x=y",
    )  # fmt: skip
    found = cluster.storage.get(CRONS, "default", "other")["spec"]
    assert found["schedules"] == ["1 2 * * *"]
    assert found["workflowSpec"] == {
        **SPEC,
        "serviceAccountName": "me",
        "arguments": {"parameters": [{"name": "a", "value": "2"}]},
    }
    assert found["workflowMetadata"] == {"labels": {"x": "y"}}
    nbflow("cron", "update", str(tmp_path / "c.yaml"), "--name", "other", "-p", "a=3")
    found = cluster.storage.get(CRONS, "default", "other")["spec"]
    assert (found["schedules"], found["workflowSpec"]["arguments"]) == (
        CRON["spec"]["schedules"],
        {"parameters": [{"name": "a", "value": "3"}]},
    )


def test_backfill_starts_a_workflow_for_each_time_that_was_missed(nbflow, cluster):
    cluster.storage.create(CRONS, "default", CRON)
    words = (
        "--format",
        "2006-01-02",
        "--start",
        "2024-01-01",
        "--end",
        "2024-01-03",
        "--maxworkflowcount",
        "3",
    )
    said = nbflow("cron", "backfill", "nightly", "--name", "Late", *words)
    assert "Created Late Backfill task for Cronworkflow nightly" in said
    assert "Total Backfill Schedule: 4" in said
    flows, _ = cluster.storage.list(WORKFLOWS, "default")
    steps = [flow["spec"]["templates"][0]["steps"][0][0] for flow in flows]
    assert sorted((json.loads(step["withParam"]) for step in steps), key=len) == [
        ["2024-01-02 05:00:00 +0000 UTC"],
        ["2024-01-01 03:00:00 +0000 UTC", "2024-01-01 05:00:00 +0000 UTC", "2024-01-02 03:00:00 +0000 UTC"],
    ]
    started = json.loads(flows[0]["spec"]["templates"][1]["resource"]["manifest"])
    assert started["metadata"]["generateName"] == "nightly-backfill-late-"
    assert started["spec"]["synchronization"] == {"mutexes": [{"name": "Late"}]}
    assert started["spec"]["arguments"]["parameters"][-1] == {
        "name": "cronScheduleTime",
        "value": "{{inputs.parameters.backfillscheduletime}}",
    }
    none = ("--start", "2024-01-01", "--end", "2024-01-01", "--format", "2006-01-02")
    assert nbflow("cron", "backfill", "nightly", *none) == "There is no suitable scheduling time.\n"
    with pytest.raises(NbflowError, match="cannot parse"):
        nbflow("cron", "backfill", "nightly", "--start", "yesterday")
