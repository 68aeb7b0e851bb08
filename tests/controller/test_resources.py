"""Resource templates through the command line and a real controller."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
HEAD = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: resources-}
spec:
  entrypoint: main
  templates:
"""
CONFIG_MAP = """\
      manifest: |
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: conf}
        data: {one: "1"}
"""
STORY = f"""{HEAD}  - name: main
    steps:
    - - {{name: create, template: create}}
    - - {{name: patch, template: patch}}
    - - {{name: read, template: read}}
    - - {{name: job, template: job}}
    - - name: say
        template: say
        arguments:
          parameters:
          - name: m
            value: "{{{{steps.read.outputs.parameters.two}}}} {{{{steps.job.outputs.parameters.done}}}}"
    - - {{name: inner, template: inner}}
    - - {{name: delete, template: delete}}
  - name: create
    resource:
      action: create
      setOwnerReference: true
{CONFIG_MAP}  - name: patch
    resource:
      action: patch
      mergeStrategy: json
      flags: [configmap, conf]
      manifest: |
        - {{op: add, path: /data/two, value: "2"}}
  - name: read
    resource: {{action: get, successCondition: data.two == 2, flags: [cm/conf]}}
    outputs:
      parameters: [{{name: two, valueFrom: {{jsonPath: "{{.data.two}}"}}}}]
  - name: job
    resource:
      action: create
      successCondition: status.succeeded > 1
      failureCondition: status.failed > 3
      manifest: |
        apiVersion: batch/v1
        kind: Job
        metadata: {{generateName: job-}}
        spec:
          completions: 2
          template:
            spec:
              restartPolicy: Never
              containers:
              - name: x
                image: alpine
                command: [sh, -c, echo from the job $KEY]
                env: [{{name: KEY, valueFrom: {{configMapKeyRef: {{name: conf, key: one}}}}}}]
    outputs:
      parameters: [{{name: done, valueFrom: {{jsonPath: "{{.status.succeeded}}"}}}}]
  - name: say
    inputs: {{parameters: [{{name: m}}]}}
    container: {{image: alpine, command: [echo, "read {{{{inputs.parameters.m}}}}"]}}
  - name: inner
    resource:
      action: create
      successCondition: status.phase == Succeeded
      failureCondition: status.phase in (Failed, Error)
      manifest: |
        apiVersion: argoproj.io/v1alpha1
        kind: Workflow
        metadata: {{name: inner}}
        spec:
          entrypoint: main
          templates: [{{name: main, container: {{image: alpine, command: [echo, inner]}}}}]
  - name: delete
    resource: {{action: delete, flags: [configmap, conf]}}
"""

MEET = "mktemp -p /met; until [ $(ls /met | wc -l) = 3 ]; do sleep 0.1; done"
"""Ends once three pods run at the same time."""

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("resources") / "home"


@pytest.fixture(scope="module")
def cli(home: Path) -> Iterator[Cli]:
    allowed = {"NBFLOW_HOST_PATHS": str(home.parent / "met")}
    env = {**os.environ, "NBFLOW_HOME": str(home), "PYTHONPATH": str(ROOT), **allowed}

    def run(*words: object, text: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "nbflow.cli", *map(str, words)]
        return subprocess.run(command, env=env, input=text, capture_output=True, text=True, timeout=120)

    yield run
    run("controller", "stop")


def submit(cli: Cli, home: Path, text: str) -> dict[str, object]:
    path = home.parent / "manifest.yaml"
    path.write_text(text)
    done = cli("submit", "--wait", "-o", "json", path)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def pod_name(node: dict[str, str]) -> str:
    """workflow-template-number, the number being that of the id."""
    name, _, number = node["id"].rpartition("-")
    return f"{name}-{node['templateName']}-{number}"


def last_words(made: dict[str, object]) -> tuple[str, str]:
    [node] = made["status"]["nodes"].values()  # type: ignore[index]
    return node["phase"], node.get("message", "")


def test_create_patch_get_run_wait_and_delete(cli: Cli, home: Path) -> None:
    made = submit(cli, home, STORY)
    assert made["status"]["phase"] == "Succeeded", made["status"]  # type: ignore[index]
    lines = cli("logs", made["metadata"]["name"]).stdout.splitlines()  # type: ignore[index]
    said = [line.partition(": ")[2] for line in lines]
    job = said[3].removeprefix("job.batch/").removesuffix(" created")
    assert said == [
        "configmap/conf created",
        "configmap/conf patched",
        "configmap/conf",
        f"job.batch/{job} created",
        "from the job 1",
        "from the job 1",
        "read 2 2",
        "workflow.argoproj.io/inner created",
        'configmap "conf" deleted',
    ]
    inner = json.loads(cli("get", "inner", "-o", "json").stdout)
    assert inner["status"]["phase"] == "Succeeded"
    uids = {made["metadata"]["uid"], inner["metadata"]["uid"]}  # type: ignore[index]
    assert {path.name for path in (home / "workflows").iterdir()} == uids


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        (
            "{action: get, flags: [configmap, none]}",
            'Error from server (NotFound): configmaps "none" not found',
        ),
        (
            "{action: patch, mergeStrategy: merge, manifest: 'kind: CronTab'}",
            "resource name may not be empty: CronTab to patch has no metadata.name",
        ),
        (
            "{action: create, manifest: '{kind: Service, metadata: {name: x}}'}",
            (
                "there are no objects of the kind Service on this target, only "
                "Job, Pod, ConfigMap, Secret, PersistentVolumeClaim, Workflow"
            ),
        ),
        (
            "{action: get, flags: [cm, conf, --selector=a=b]}",
            "a selector is for `delete` of objects that are not named",
        ),
        (
            (
                "{action: create, successCondition: status.succeeded > 0, failureCondition: status.failed > 0, "
                "manifest: '{kind: Job, metadata: {name: bad},"
                ' spec: {template: {spec: {containers: [{name: x, image: alpine, command: ["false"]}]}}}}\'}'
            ),
            "failure condition '{status.failed gt [0]}' evaluated true",
        ),
    ],
)
def test_what_goes_wrong_is_said(cli: Cli, home: Path, resource: str, message: str) -> None:
    made = submit(cli, home, f"{HEAD}  - name: main\n    resource: {resource}\n")
    assert last_words(made) == ("Failed", f"main: Error (exit code 64): {message}")


def test_a_job_ends_with_its_step(cli: Cli, home: Path) -> None:
    mark = f"600.{os.getpid()}"
    path = home.parent / "long.yaml"
    path.write_text(f"""{HEAD}  - name: main
    resource:
      action: create
      successCondition: status.succeeded > 0
      manifest: |
        kind: Job
        metadata: {{name: long}}
        spec: {{template: {{spec: {{containers: [{{name: x, image: alpine, command: [sleep, "{mark}"]}}]}}}}}}
""")
    name = json.loads(cli("submit", "-o", "json", path).stdout)["metadata"]["name"]
    wait_until(lambda: sleeping(mark) != [])
    cli("terminate", name)
    wait_until(lambda: sleeping(mark) == [])
    done = cli("wait", name)
    assert done.returncode == 1
    wait_until(lambda: all(len(path.name) == 36 for path in (home / "workflows").iterdir()))


def sleeping(mark: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"sleep", mark.encode()]:
            found.append(path.parent.name)
    return found


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_pod_looks_at_and_labels_itself(cli: Cli, home: Path) -> None:
    made = submit(
        cli,
        home,
        f"""{HEAD}  - name: main
    steps:
    - - {{name: mark, template: mark}}
    - - {{name: merge, template: merge}}
    - - {{name: spoil, template: spoil, continueOn: {{failed: true}}}}
  - name: mark
    resource:
      action: patch
      flags: [pod, "{{{{pod.name}}}}"]
      mergeStrategy: json
      manifest: |
        [{{op: add, path: /metadata/annotations/foo, value: bar}}]
    outputs:
      parameters:
      - {{name: foo, valueFrom: {{jsonPath: "{{.metadata.annotations.foo}} {{.status.phase}}"}}}}
  - name: merge
    resource:
      action: patch
      manifest: |
        kind: Pod
        metadata: {{name: "{{{{pod.name}}}}", labels: {{a: b}}}}
    outputs:
      parameters: [{{name: foo, valueFrom: {{jsonPath: "{{.metadata.labels.a}}"}}}}]
  - name: spoil
    resource:
      action: patch
      manifest: |
        kind: Pod
        metadata: {{name: "{{{{pod.name}}}}"}}
        spec: {{restartPolicy: Always}}
""",
    )
    nodes = {node["displayName"]: node for node in made["status"]["nodes"].values()}  # type: ignore[index]
    assert nodes["mark"]["outputs"]["parameters"][0]["value"] == "bar Running"
    assert nodes["merge"]["outputs"]["parameters"][0]["value"] == "b"
    assert nodes["spoil"]["message"] == (
        f"main: Error (exit code 64): of Pod {nodes['spoil']['id']}, which runs, only labels and annotations can be "
        "changed on this target"
    ).replace(nodes["spoil"]["id"], pod_name(nodes["spoil"]))


def test_a_workflow_labels_itself_while_its_job_runs_side_by_side(cli: Cli, home: Path) -> None:
    met = home.parent / "met"
    met.mkdir()
    made = submit(
        cli,
        home,
        f"""{HEAD}  - name: main
    steps:
    - - {{name: mark, template: mark}}
      - {{name: job, template: job}}
  - name: mark
    resource:
      action: patch
      flags: [workflow, "{{{{workflow.name}}}}"]
      mergeStrategy: merge
      manifest: "metadata: {{labels: {{foo: bar}}}}"
  - name: job
    resource:
      action: create
      successCondition: status.succeeded == 3
      manifest: |
        apiVersion: batch/v1
        kind: Job
        metadata: {{generateName: wide-}}
        spec:
          completions: 3
          parallelism: 3
          template:
            spec:
              containers:
              - name: x
                image: alpine
                command: [sh, -c, "{MEET}"]
                volumeMounts: [{{name: met, mountPath: /met}}]
              volumes: [{{name: met, hostPath: {{path: {met}}}}}]
    outputs: {{parameters: [{{name: uid, valueFrom: {{jsonPath: "{{.metadata.uid}}"}}}}]}}
""",
    )
    shown = json.loads(cli("get", made["metadata"]["name"], "-o", "json").stdout)  # type: ignore[index]
    assert shown["metadata"]["labels"]["foo"] == "bar"
    nodes = {node["displayName"]: node for node in made["status"]["nodes"].values()}  # type: ignore[index]
    assert (nodes["job"]["phase"], len(nodes["job"]["outputs"]["parameters"][0]["value"])) == (
        "Succeeded",
        36,
    )


def test_what_a_workflow_owns_goes_with_it(cli: Cli, home: Path) -> None:
    made = submit(
        cli,
        home,
        f"""{HEAD}  - name: main
    resource:
      action: create
      setOwnerReference: true
      manifest: |
        kind: ConfigMap
        metadata: {{name: owned}}
        data: {{a: b}}
""",
    )
    assert "owned" in cli("configmap", "list").stdout
    assert cli("delete", made["metadata"]["name"]).returncode == 0  # type: ignore[index]
    assert "owned" not in cli("configmap", "list").stdout


def test_objects_are_deleted_by_their_labels(cli: Cli, home: Path) -> None:
    for name, label in (("one", "true"), ("two", "false"), ("three", "true")):
        item = {
            "kind": "ConfigMap",
            "apiVersion": "v1",
            "metadata": {"name": name, "labels": {"cleanup": label}},
        }
        assert cli("create", "-f", "-", text=json.dumps(item)).returncode == 0
    made = submit(
        cli,
        home,
        f"""{HEAD}  - name: main
    resource: {{action: delete, flags: [configmap, --selector, cleanup=true]}}
""",
    )
    assert last_words(made) == ("Succeeded", "")
    assert [name for name in ("one", "two", "three") if name in cli("configmap", "list").stdout] == ["two"]


def job(name: str, spec: str, resource: str = "action: create", pod: str = "", script: str = "exit 0") -> str:
    """A template with a Job."""
    return f"""  - name: {name}
    resource:
      {resource}
      manifest: |
        apiVersion: batch/v1
        kind: Job
        metadata: {{name: {name}}}
        spec:
          {spec}
          template:
            spec:
              restartPolicy: Never
              {pod or f'containers: [{{name: x, image: alpine, command: [sh, -c, "{script}"]}}]'}
    outputs: {{parameters: [{{name: status, valueFrom: {{jsonPath: "{{.status}}"}}}}]}}
"""


def status_of(made: dict[str, object]) -> dict[str, object]:
    [node] = made["status"]["nodes"].values()  # type: ignore[index]
    return json.loads(node["outputs"]["parameters"][0]["value"])


def test_a_job_with_several_containers_and_init_containers(cli: Cli, home: Path) -> None:
    containers = """initContainers:
              - name: i
                image: alpine
                command: [sh, -c, "echo made > /v/x"]
                volumeMounts: &m [{name: v, mountPath: /v}]
              volumes: [{name: v, emptyDir: {}}]
              containers:
              - {name: one, image: alpine, command: [sh, -c, "echo one; cat /v/x"], volumeMounts: *m}
              - {name: two, image: alpine, command: [sh, -c, "echo two"]}"""
    text = job(
        "main", "backoffLimit: 0", "action: create\n      successCondition: status.succeeded > 0", containers
    )
    made = submit(cli, home, HEAD + text)
    assert last_words(made) == ("Succeeded", "")
    lines = cli("logs", made["metadata"]["name"]).stdout.splitlines()  # type: ignore[index]
    said = [line.partition(": ")[2] for line in lines]
    assert (said[0], sorted(said[1:])) == ("job.batch/main created", ["made", "one", "two"])


def test_a_job_is_tried_again_and_counts(cli: Cli, home: Path) -> None:
    wait = "action: create\n      successCondition: status.conditions.0.type == Failed"
    made = submit(
        cli,
        home,
        HEAD
        + job("again", "backoffLimit: 2", wait, script="exit 3").replace("- name: again", "- name: main", 1),
    )
    status = status_of(made)
    assert status.pop("startTime")
    assert status == {
        "failed": 3,
        "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}],
    }


def test_indexed_jobs_tell_their_pods_their_index(cli: Cli, home: Path) -> None:
    wait = "action: create\n      successCondition: status.succeeded == 3"
    spec = "completions: 3\n          parallelism: 2\n          completionMode: Indexed"
    text = job("indexed", spec, wait, script="echo index $JOB_COMPLETION_INDEX")
    made = submit(cli, home, HEAD + text.replace("- name: indexed", "- name: main", 1))
    lines = cli("logs", made["metadata"]["name"]).stdout.splitlines()  # type: ignore[index]
    assert sorted(line.partition(": ")[2] for line in lines)[:3] == ["index 0", "index 1", "index 2"]


def test_argo_goes_on_while_a_job_that_nobody_waits_for_runs(cli: Cli, home: Path) -> None:
    mark = f"601.{os.getpid()}"
    text = job("free", "backoffLimit: 0", script=f"sleep {mark}").replace("- name: free", "- name: main", 1)
    made = submit(cli, home, HEAD + text)
    assert last_words(made) == ("Succeeded", "")
    wait_until(lambda: sleeping(mark) != [])
    assert cli("delete", made["metadata"]["name"]).returncode == 0  # type: ignore[index]
    assert sleeping(mark) != []  # it belongs to nobody
    submit(cli, home, f"{HEAD}  - name: main\n    resource: {{action: delete, flags: [job, free]}}\n")
    wait_until(lambda: sleeping(mark) == [])
    wait_until(lambda: not list((home / "workflows").glob("*/pods.log")))


def test_an_owned_job_goes_with_its_workflow(cli: Cli, home: Path) -> None:
    mark = f"602.{os.getpid()}"
    text = job(
        "owned", "backoffLimit: 0", "action: create\n      setOwnerReference: true", script=f"sleep {mark}"
    )
    made = submit(cli, home, HEAD + text.replace("- name: owned", "- name: main", 1))
    wait_until(lambda: sleeping(mark) != [])
    cli("delete", made["metadata"]["name"])  # type: ignore[index]
    wait_until(lambda: sleeping(mark) == [])


def test_a_job_ends_with_a_step_that_was_killed(cli: Cli, home: Path) -> None:
    mark = f"603.{os.getpid()}"
    wait = "action: create\n      successCondition: status.succeeded > 0"
    text = job("killed", "backoffLimit: 0", wait, script=f"sleep {mark}").replace(
        "- name: killed", "- name: main", 1
    )
    path = home.parent / "killed.yaml"
    path.write_text(HEAD + text)
    name = json.loads(cli("submit", "-o", "json", path).stdout)["metadata"]["name"]
    wait_until(lambda: sleeping(mark) != [])
    status = next(home.glob(f"workflows/*/{name}/status")).read_text()
    os.kill(int(status.split("pid ")[1].split()[0]), signal.SIGKILL)
    for process in programs("nbflow.controller.resources"):
        os.kill(process, signal.SIGKILL)
    wait_until(lambda: sleeping(mark) == [])
    assert cli("wait", name).returncode == 1


def programs(module: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if module.encode() in words and os.path.realpath(sys.executable).encode() in (
            b"\0".join(words),
            os.path.realpath(words[0]),
        ):
            found.append(int(path.parent.name))
    return found


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        (
            "{action: delete, successCondition: a == b, flags: [cm, x]}",
            "successCondition, failureCondition and outputs are not supported for delete action",
        ),
        (
            "{action: create, successCondition: status.x ==== 3, manifest: 'kind: ConfigMap'}",
            "success condition 'status.x ==== 3' failed to parse: status.x ==== 3",
        ),
    ],
)
def test_what_cannot_be_asked(cli: Cli, home: Path, resource: str, message: str) -> None:
    made = submit(cli, home, f"{HEAD}  - name: main\n    resource: {resource}\n")
    assert last_words(made) == ("Failed", f"main: Error (exit code 64): {message}")


def test_a_failure_condition_alone_is_looked_at_once(cli: Cli, home: Path) -> None:
    manifest = "{kind: ConfigMap, metadata: {name: alone}, data: {a: b}}"
    resource = f"{{action: create, failureCondition: data.a == x, manifest: '{manifest}'}}"
    made = submit(cli, home, f"{HEAD}  - name: main\n    resource: {resource}\n")
    assert last_words(made) == ("Succeeded", "")


PARAMETERS = """\
  - name: parameters
    inputs:
      parameters:
      - &r1 {name: r, value: apply}
      - &s0 {name: s, value: ""}
      - &d1 {name: d, value: "{one: '11'}"}
    suspend: {}
  - name: more-parameters
    inputs:
      parameters:
      - &r2 {name: r, value: patch}
      - &s2 {name: s, value: merge}
      - &d2 {name: d, value: "{two: null, three: '3'}"}
    suspend: {}
  - name: last-parameters
    inputs: {parameters: [&r3 {name: r, value: replace}, &d3 {name: d, value: "{four: '4'}"}]}
    suspend: {}
"""


def test_a_manifest_from_an_artifact_and_merge_strategies(cli: Cli, home: Path) -> None:
    made = submit(
        cli,
        home,
        f"""{HEAD}{PARAMETERS}  - name: main
    steps:
    - - name: make
        template: make
        arguments:
          artifacts:
          - name: manifest
            raw:
              data: |
                kind: ConfigMap
                metadata: {{name: merged, labels: {{a: b}}}}
                data: {{one: "1", two: "2"}}
    - - {{name: apply, template: change, arguments: {{parameters: [*r1, *s0, *d1]}}}}
    - - {{name: merge, template: change, arguments: {{parameters: [*r2, *s2, *d2]}}}}
    - - {{name: replace, template: change, arguments: {{parameters: [*r3, *s0, *d3]}}}}
  - name: make
    inputs: {{artifacts: [{{name: manifest, path: /tmp/m.yaml}}]}}
    resource: {{action: create, manifestFrom: {{artifact: {{name: manifest}}}}}}
  - name: change
    inputs: {{parameters: [{{name: r}}, {{name: s}}, {{name: d}}]}}
    resource:
      action: "{{{{inputs.parameters.r}}}}"
      mergeStrategy: "{{{{inputs.parameters.s}}}}"
      manifest: |
        kind: ConfigMap
        metadata: {{name: merged}}
        data: {{{{inputs.parameters.d}}}}
    outputs: {{parameters: [{{name: data, valueFrom: {{jsonPath: "{{.data}}"}}}}]}}
""",
    )
    assert made["status"]["phase"] == "Succeeded", made["status"]  # type: ignore[index]
    nodes = {node["displayName"]: node for node in made["status"]["nodes"].values()}  # type: ignore[index]
    data = {name: nodes[name]["outputs"]["parameters"][0]["value"] for name in ("apply", "merge", "replace")}
    assert {name: json.loads(text) for name, text in data.items()} == {
        "apply": {"one": "11", "two": "2"},
        "merge": {"one": "11", "three": "3"},
        "replace": {"four": "4"},
    }
