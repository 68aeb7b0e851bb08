"""Resource templates through the command line and a real controller."""

from __future__ import annotations

import json
import os
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
                "{action: create, failureCondition: status.failed > 0, manifest: '{kind: Job, metadata: {name: bad},"
                ' spec: {template: {spec: {containers: [{name: x, image: alpine, command: ["false"]}]}}}}\'}'
            ),
            "failure condition 'status.failed > 0' evaluated true",
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
