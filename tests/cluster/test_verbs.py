"""Every verb of the command line, by an account that has the documented rights in one namespace and no other."""

from __future__ import annotations

import json
import secrets
import tarfile
import threading

import pytest

from nbflow.clients.client import LogOptions
from nbflow.errors import ConflictError, ManifestError, NbflowError, NotFoundError
from nbflow.spec.status import NodeType, Phase
from tests.cluster.conftest import ACCOUNT, ADMIN, GIVEN, LABEL, S3, sh, until, workflow

NONE, CLEAN = "No workflows found\n", "✔ no linting errors found!\n"
MINE = ("-l", "nbflow.dev/test=cluster")
ECHO = sh("main", "echo {{workflow.parameters.message}}")
HELLO = workflow(ECHO, arguments={"parameters": [{"name": "message", "value": "hi"}]})
DIAMOND = workflow(
    {
        "name": "main",
        "dag": {
            "tasks": [
                {"name": "a", "template": "say"},
                {"name": "b", "template": "say", "dependencies": ["a"]},
                {"name": "c", "template": "say", "dependencies": ["a"]},
                {"name": "d", "template": "say", "dependencies": ["b", "c"]},
            ]
        },
    },
    sh("say", "for i in 1 2 3; do echo line $i; sleep 0.2; done"),
)
ASKING = workflow(
    {
        "name": "main",
        "steps": [
            [{"name": "ask", "template": "ask"}],
            [
                {
                    "name": "say",
                    "template": "say",
                    "arguments": {
                        "parameters": [{"name": "choice", "value": "{{steps.ask.outputs.parameters.choice}}"}]
                    },
                }
            ],
        ],
    },
    {
        "name": "ask",
        "suspend": {},
        "outputs": {"parameters": [{"name": "choice", "valueFrom": {"supplied": {}}}]},
    },
    sh("say", "echo {{inputs.parameters.choice}}", inputs={"parameters": [{"name": "choice"}]}),
)


def named(out):
    return out.split()[0]


def node(client, name, display_name):
    found = client.get(name).status.nodes.values()
    return next((one for one in found if one.display_name == display_name), None)


def running(client, name, display_name):
    found = node(client, name, display_name)
    return found is not None and found.phase is Phase.RUNNING


def test_submit_waits_and_what_it_made_is_looked_at(nbflow, namespace, write, client, kube):
    done = json.loads(
        nbflow("submit", "--wait", "-o", "json", "-p", "message=ho", "-l", "team=a", write(HELLO))
    )
    name = done["metadata"]["name"]
    assert done["status"]["phase"] == "Succeeded"
    assert done["spec"]["arguments"]["parameters"] == [{"name": "message", "value": "ho"}]
    assert done["metadata"]["labels"]["team"] == "a"
    if not GIVEN:
        assert done["metadata"]["labels"]["workflows.argoproj.io/creator"] == (
            f"system-serviceaccount-{namespace}-{ACCOUNT}"
        )
    assert done["metadata"]["managedFields"][0]["manager"] == "nbflow"
    assert nbflow("logs", name) == f"{name}: ho\n"
    assert nbflow("logs", name, "-f") == f"{name}: ho\n"
    assert nbflow("logs", name, "--tail", "1") == f"{name}: ho\n"
    assert nbflow("logs", name, "--grep", "nothing of that kind") == ""
    shown = nbflow("get", name)
    assert f"Namespace:           {namespace}\n" in shown
    assert "Status:              Succeeded\n" in shown
    assert json.loads(nbflow("get", name, "-o", "json"))["metadata"]["uid"] == done["metadata"]["uid"]
    assert "✔" in nbflow("watch", name)
    assert nbflow("wait", "@latest").startswith(f"{name} Succeeded at ")
    assert nbflow("list", "-l", "team=a", "-o", "name", "--completed") == f"{name}\n"
    assert nbflow("list", "-l", "team=a", "-o", "name", "--status", "Failed,Error") == NONE
    assert nbflow("list", "-o", "name", "--field-selector", f"metadata.name={name}") == f"{name}\n"
    assert nbflow("delete", name) == f"Workflow '{name}' deleted\n"
    with pytest.raises(NotFoundError):
        nbflow("get", name)
    selector = f"workflows.argoproj.io/workflow={name}"
    until(lambda: not kube.core.list_namespaced_pod(namespace, label_selector=selector).items)


def test_logs_are_followed_from_the_submit_on(nbflow, write, client):
    out = nbflow("submit", "--log", write(DIAMOND)).splitlines()
    name = out[0].split()[-1]
    lines = [line for line in out if ": line " in line]
    pods = {line.split(": ")[0] for line in lines}
    assert len(pods) == 4
    assert all(pod.startswith(f"{name}-say-") for pod in pods)
    for pod in pods:
        assert [line for line in lines if line.startswith(pod)] == [f"{pod}: line {i}" for i in (1, 2, 3)]
    assert sorted(nbflow("logs", name).splitlines()) == sorted(lines)
    assert nbflow("logs", name, min(pods)) == "".join(f"{min(pods)}: line {i}\n" for i in (1, 2, 3))


def test_every_view_follows_a_diamond_to_its_end(client):
    name = client.submit(DIAMOND).name
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(client.logs(name, LogOptions(follow=True))))
    reader.start()
    phases = {}
    for update in client.watch(name):
        for one in (*update.workflow.status.nodes.values(), *update.nodes):
            phases.setdefault(one.display_name, []).append(one.phase)
    reader.join(120)
    whole = client.get(name)
    assert whole.status.phase is Phase.SUCCEEDED
    assert {task: phases[task][-1] for task in "abcd"} == dict.fromkeys("abcd", Phase.SUCCEEDED)
    assert all(Phase.RUNNING in phases[task] or Phase.PENDING in phases[task] for task in "abcd")
    assert len({line.pod for line in lines}) == 4
    assert [line.text for line in lines if line.pod == lines[0].pod] == ["line 1", "line 2", "line 3"]
    assert sorted(line.text for line in client.logs(name)) == sorted(line.text for line in lines)


def test_a_failure_ends_with_one(nbflow, write, client):
    failing = workflow(sh("main", "echo oh dear; exit 3"))
    done = json.loads(nbflow("submit", "--wait", "-o", "json", write(failing), code=1))
    assert (done["status"]["phase"], done["status"]["message"]) == ("Failed", "main: Error (exit code 3)")
    with pytest.raises(ConflictError, match="cannot shutdown a completed workflow"):
        nbflow("stop", done["metadata"]["name"])
    with pytest.raises(ConflictError, match="cannot suspend completed workflows"):
        nbflow("suspend", done["metadata"]["name"])


def test_retry_runs_what_failed_and_resubmit_everything(nbflow, write, client):
    tasks = [{"name": "good", "template": "good"}, {"name": "bad", "template": "bad", "depends": "good"}]
    flaky = workflow(
        {"name": "main", "dag": {"tasks": tasks}},
        sh("good", "echo good"),
        sh("bad", "exit {{workflow.parameters.code}}"),
        arguments={"parameters": [{"name": "code", "value": "1"}]},
    )
    name = named(nbflow("submit", "--wait", "-o", "name", write(flaky), code=1))
    before = {one: node(client, name, one) for one in ("good", "bad")}
    assert before["bad"].phase is Phase.FAILED
    assert nbflow("retry", name, "-p", "code=0", "--wait", "-o", "name") == f"{name}\n"
    assert client.get(name).status.phase is Phase.SUCCEEDED
    assert node(client, name, "good") == before["good"]
    assert node(client, name, "bad").phase is Phase.SUCCEEDED
    with pytest.raises(ConflictError, match="To retry a succeeded workflow"):
        nbflow("retry", name)
    nbflow("retry", name, "--restart-successful", "--node-field-selector", "displayName=bad", "--wait")
    again = named(nbflow("resubmit", name, "--wait", "-o", "name", "-p", "code=2", code=1))
    assert again != name
    assert client.get(again).metadata["labels"]["workflows.argoproj.io/resubmitted-from-workflow"] == name
    memoized = named(nbflow("resubmit", again, "--memoized", "--wait", "-o", "name", code=1))
    found = node(client, memoized, "good")
    assert (found.phase, found.type) == (Phase.SKIPPED, NodeType.SKIPPED) or found.phase is Phase.SUCCEEDED
    assert sorted(nbflow("list", "--resubmitted", "-o", "name").split()) == sorted([again, memoized])


def test_suspended_nodes_are_set_and_resumed(nbflow, write, client):
    name = named(nbflow("submit", "-o", "name", write(ASKING)))
    until(lambda: running(client, name, "ask"))
    asked = (name, "--node-field-selector", "displayName=ask")
    assert nbflow("node", "set", *asked, "-p", 'choice="tea"', "-m", "by hand") == "workflow values set\n"
    with pytest.raises(NbflowError, match="already set"):
        nbflow("node", "set", *asked, "-p", "choice=coffee")
    assert nbflow("suspend", name) == f"workflow {name} suspended\n"
    assert client.get(name).spec["suspend"] is True
    assert nbflow("resume", name) == f"workflow {name} resumed\n"
    assert nbflow("wait", name).startswith(f"{name} Succeeded at ")
    assert [line.text for line in client.logs(name)] == ["tea"]


def test_a_suspended_node_is_stopped(nbflow, write, client):
    name = named(nbflow("submit", "-o", "name", write(ASKING)))
    until(lambda: running(client, name, "ask"))
    nbflow("stop", name, "--node-field-selector", "displayName=ask", "--message", "no tea today")
    nbflow("wait", name, code=1)
    assert (node(client, name, "ask").phase, node(client, name, "ask").message) == (
        Phase.FAILED,
        "no tea today",
    )


@pytest.mark.parametrize(("verb", "last"), [("stop", Phase.SUCCEEDED), ("terminate", None)])
def test_what_runs_is_ended(nbflow, write, client, verb, last):
    name = named(
        nbflow(
            "submit", "-o", "name", write(workflow(sh("main", "sleep 600"), sh("bye", "true"), onExit="bye"))
        )
    )
    until(lambda: running(client, name, name))
    assert (
        nbflow(verb, name)
        == f"workflow {name} {verb.replace('stop', 'stopp')}{'d' if verb == 'terminate' else 'ed'}\n"
    )
    nbflow("wait", name, code=1)
    assert client.get(name).status.phase is Phase.FAILED
    found = node(client, name, f"{name}.onExit")
    assert (found.phase if found else None) is last


def test_a_workflow_is_suspended_before_it_starts(nbflow, write, client):
    name = named(nbflow("submit", "-o", "name", write(workflow(sh("main", "true"), suspend=True))))
    until(lambda: client.get(name).status.phase is not None)
    assert not client.get(name).status.nodes
    nbflow("resume", name)
    nbflow("wait", name)


def test_the_server_checks_a_dry_run_and_stores_nothing(nbflow, write, client):
    shown = json.loads(nbflow("submit", "--server-dry-run", "-o", "json", write(HELLO)))
    assert shown["metadata"]["uid"]
    with pytest.raises(NotFoundError):
        client.get(shown["metadata"]["name"])
    assert nbflow("list", "-o", "name") == NONE


def test_templates(nbflow, write, client):
    shared = workflow(sh("main", "echo shared"), kind="WorkflowTemplate", name="nbflow-test-shared")
    call = {"name": "call", "templateRef": {"name": "nbflow-test-shared", "template": "main"}}
    caller = workflow({"name": "main", "steps": [[call]]})
    with pytest.raises(ManifestError, match="nbflow-test-shared"):
        nbflow("submit", write(caller))
    assert "nbflow-test-shared" in nbflow("template", "create", write(shared, name="t.yaml"))
    try:
        assert nbflow("lint", write(caller)) == CLEAN
        assert nbflow("template", "lint", write(shared, name="t.yaml")) == CLEAN
        nbflow("lint", "--offline", write(caller), code=1)
        assert "nbflow-test-shared" in nbflow("template", "list").split()
        with pytest.raises(ConflictError, match="already exists"):
            nbflow("template", "create", write(shared, name="t.yaml"))
        shared["spec"]["templates"][0]["container"]["args"] = ["echo changed"]
        nbflow("template", "update", write(shared, name="t.yaml"))
        stored = json.loads(nbflow("template", "get", "nbflow-test-shared", "-o", "json"))
        assert stored["spec"]["templates"][0]["container"]["args"] == ["echo changed"]
        called = named(nbflow("submit", "--wait", "-o", "name", write(caller)))
        assert [line.text for line in client.logs(called)] == ["changed"]
        words = ("--from", "workflowtemplate/nbflow-test-shared", "-l", "nbflow.dev/test=cluster")
        started = json.loads(nbflow("submit", *words, "--wait", "-o", "json"))
        assert started["status"]["phase"] == "Succeeded"
        assert started["spec"]["workflowTemplateRef"] == {"name": "nbflow-test-shared"}
    finally:
        assert "deleted" in nbflow("template", "delete", "nbflow-test-shared")
    with pytest.raises(NotFoundError):
        nbflow("template", "get", "nbflow-test-shared")


@pytest.mark.skipif(
    bool(GIVEN), reason="NBFLOW_CLUSTER_NAMESPACE names a namespace, and these are of the whole cluster"
)
def test_cluster_templates(nbflow, write, client, monkeypatch):
    name = f"nbflow-test-{secrets.token_hex(4)}"
    shared = workflow(sh("main", "echo for all"), kind="ClusterWorkflowTemplate", name=name)
    ref = {"name": name, "template": "main", "clusterScope": True}
    caller = workflow({"name": "main", "steps": [[{"name": "call", "templateRef": ref}]]})
    with pytest.raises(NbflowError, match="clusterworkflowtemplates"):
        nbflow("cluster-template", "create", write(shared, name="t.yaml"))
    monkeypatch.setenv("KUBECONFIG", ADMIN)
    nbflow("cluster-template", "create", write(shared, name="t.yaml"))
    try:
        assert name in nbflow("cluster-template", "list").split()
        assert nbflow("cluster-template", "get", name).split()[:2] == ["Name:", name]
        assert nbflow("cluster-template", "lint", write(shared, name="t.yaml")) == CLEAN
        assert nbflow("lint", write(caller)) == CLEAN
        called = named(nbflow("submit", "--wait", "-o", "name", write(caller)))
        assert [line.text for line in client.logs(called)] == ["for all"]
        started = named(
            nbflow("submit", "--from", f"clusterworkflowtemplate/{name}", "--wait", "-o", "name", *MINE)
        )
        assert [line.text for line in client.logs(started)] == ["for all"]
    finally:
        assert "deleted" in nbflow("cluster-template", "delete", name)


@pytest.mark.skipif(not S3, reason="NBFLOW_CLUSTER_S3 names no repository that both the cluster and we reach")
def test_artifacts_are_passed_on_and_copied(nbflow, write, client, namespace, tmp_path):
    make = sh("make", "mkdir /tmp/out && echo hello > /tmp/out/a.txt")
    make["outputs"] = {"artifacts": [{"name": "out", "path": "/tmp/out"}]}
    passed = {"artifacts": [{"name": "in", "from": "{{steps.make.outputs.artifacts.out}}"}]}
    steps = [
        [{"name": "make", "template": "make"}],
        [{"name": "use", "template": "use", "arguments": passed}],
    ]
    use = sh("use", "cat /tmp/in/a.txt", inputs={"artifacts": [{"name": "in", "path": "/tmp/in"}]})
    name = named(
        nbflow("submit", "--wait", "-o", "name", write(workflow({"name": "main", "steps": steps}, make, use)))
    )
    assert [line.text for line in client.logs(name)] == ["hello"]
    nbflow("cp", name, str(tmp_path / "copied"))
    place = (
        tmp_path / "copied" / namespace / name / node(client, name, "make").id / "outputs" / "out" / "out.tgz"
    )
    with tarfile.open(place) as packed:
        assert packed.extractfile("out/a.txt").read() == b"hello\n"


def test_cron_workflows(nbflow, write, client):
    nightly = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "CronWorkflow",
        "metadata": {"name": "nbflow-test-nightly", "labels": LABEL},
        "spec": {
            "schedules": ["0 3 * * *"],
            "workflowMetadata": {"labels": LABEL},
            "workflowSpec": workflow(sh("main", "echo night"))["spec"],
        },
    }
    path = write(nightly, name="c.yaml")
    assert nbflow("cron", "lint", path) == CLEAN
    nbflow("cron", "create", path)
    try:
        assert (
            nbflow("cron", "suspend", "nbflow-test-nightly")
            == "CronWorkflow 'nbflow-test-nightly' suspended\n"
        )
        row = next(line for line in nbflow("cron", "list").splitlines() if "nbflow-test-nightly" in line)
        assert row.split()[-1] == "true"
        assert (
            nbflow("cron", "resume", "nbflow-test-nightly") == "CronWorkflow 'nbflow-test-nightly' resumed\n"
        )
        assert "0 3 * * *" in nbflow("cron", "get", "nbflow-test-nightly")
        nightly["spec"]["schedules"] = ["0 4 * * *"]
        nbflow("cron", "update", write(nightly, name="c.yaml"))
        assert "0 4 * * *" in nbflow("cron", "get", "nbflow-test-nightly")
        name = named(nbflow("submit", "--from", "cronwf/nbflow-test-nightly", "--wait", "-o", "name"))
        assert client.get(name).metadata["ownerReferences"][0]["name"] == "nbflow-test-nightly"
        assert [line.text for line in client.logs(name)] == ["night"]
    finally:
        assert "deleted" in nbflow("cron", "delete", "nbflow-test-nightly")


def test_what_comes_with_a_manifest_reaches_its_pods(nbflow, write, client):
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "nbflow-test-s", "labels": LABEL}}
    secret["stringData"] = {"word": "open sesame"}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "nbflow-test-c", "labels": LABEL}}
    config["data"] = {"greeting": "hello"}
    taking = sh("main", 'test "$WORD" = "open sesame" && echo {{inputs.parameters.greeting}} ${#WORD}')
    taking["container"]["env"] = [
        {"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "nbflow-test-s", "key": "word"}}}
    ]
    taking["inputs"] = {
        "parameters": [
            {
                "name": "greeting",
                "valueFrom": {"configMapKeyRef": {"name": "nbflow-test-c", "key": "greeting"}},
            }
        ]
    }
    config["metadata"]["labels"] = {**LABEL, "workflows.argoproj.io/configmap-type": "Parameter"}
    try:
        name = named(nbflow("submit", "--wait", "-o", "name", write(secret, config, workflow(taking))))
        assert [line.text for line in client.logs(name)] == ["hello 11"]
        assert "nbflow-test-s" in nbflow("secret", "list", "-o", "name").split()
        assert "sesame" not in nbflow("secret", "list", "-o", "json")
        assert "nbflow-test-c" in nbflow("configmap", "list", "-o", "name").split()
    finally:
        assert nbflow("secret", "delete", "nbflow-test-s") == 'secret "nbflow-test-s" deleted\n'
        assert nbflow("configmap", "delete", "nbflow-test-c") == 'configmap "nbflow-test-c" deleted\n'


def test_another_instance_is_left_alone(nbflow, write, client):
    nbflow("submit", "--instanceid", "nobody", "-o", "name", write(HELLO))
    (name,) = nbflow("list", "-o", "name", "--instanceid", "nobody").split()
    assert name not in nbflow("list", "-o", "name").split()
    with pytest.raises(NbflowError) as refused:
        nbflow("stop", name)
    assert refused.value.fix == "--instanceid nobody"
    nbflow("delete", name, "--instanceid", "nobody")


def test_results_are_passed_on(nbflow, write, client):
    make = sh("make", "printf 'one two' > /tmp/out")
    make["outputs"] = {"parameters": [{"name": "words", "valueFrom": {"path": "/tmp/out"}}]}
    passed = {"parameters": [{"name": "words", "value": "{{steps.make.outputs.parameters.words}}"}]}
    steps = [
        [{"name": "make", "template": "make"}],
        [{"name": "use", "template": "use", "arguments": passed}],
    ]
    use = sh("use", "echo got {{inputs.parameters.words}}", inputs={"parameters": [{"name": "words"}]})
    name = named(
        nbflow("submit", "--wait", "-o", "name", write(workflow({"name": "main", "steps": steps}, make, use)))
    )
    assert [line.text for line in client.logs(name)] == ["got one two"]
    shown = json.loads(nbflow("get", name, "-o", "json"))
    made = next(one for one in shown["status"]["nodes"].values() if one["displayName"] == "make")
    assert made["outputs"]["parameters"][0]["value"] == "one two"


def test_the_doctor_checks_each_right(nbflow):
    shown = nbflow("doctor")
    assert "ok   Argo         the cluster knows workflows, templates and cron workflows\n" in shown
    assert "ok   right        create, get, list, watch workflows: submit, get, list, watch\n" in shown
    if not GIVEN:
        warned = [line for line in shown.splitlines() if line.startswith("warn right")]
        assert [line.split(":")[0] for line in warned] == [
            "warn right        no right to get, list clusterworkflowtemplates"
        ]
