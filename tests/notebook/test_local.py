"""Runs of this machine as Python values: the whole life of a workflow, from Python alone."""

from __future__ import annotations

import asyncio

import pytest

import nbflow
from nbflow.errors import ConflictError, NotFoundError
from nbflow.notebook.failure import WorkflowFailedError
from tests.notebook.homes import own_home

pytestmark = pytest.mark.slow

MANIFEST = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: life-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: code, value: "0"}]}
  templates:
  - name: main
    inputs: {artifacts: [{name: given}]}
    steps:
    - - name: make
        template: make
        arguments: {artifacts: [{name: given, from: "{{inputs.artifacts.given}}"}]}
    - - {name: use, template: use}
      - name: fan
        template: say
        arguments: {parameters: [{name: text, value: "{{item}}"}]}
        withItems: [a, b]
  - name: make
    inputs: {artifacts: [{name: given, path: /tmp/given.txt}]}
    container:
      image: busybox
      command: [sh, -c]
      args: ["mkdir -p /tmp/out/deep; cp /tmp/given.txt /tmp/out/deep/copy.txt; echo 1,2 > /tmp/out/one.csv"]
    outputs: {artifacts: [{name: out, path: /tmp/out}]}
  - name: use
    container: {image: busybox, command: [sh, -c], args: ["exit {{workflow.parameters.code}}"]}
  - name: say
    inputs: {parameters: [{name: text}]}
    container: {image: busybox, command: [echo, "say {{inputs.parameters.text}}"]}
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("NBFLOW_HOME", str(tmp_path / "home"))
    with own_home(tmp_path / "home") as one:
        yield one


def test_values_go_in_and_artifacts_come_out():
    run = nbflow.run(MANIFEST, artifacts={"given": "two\nlines\n"}).wait()
    out = run["make"].artifacts["out"]
    assert out.files == ["deep/copy.txt", "one.csv"]
    assert out.read_text("deep/copy.txt") == "two\nlines\n"
    assert run["make"].inputs.artifacts["given"].read_text() == "two\nlines\n"
    assert run["fan"].logs == "fan(0:a): say a\nfan(1:b): say b"
    assert {bar.split()[1] for bar in str(run.timeline()).splitlines()[1:]} == {
        "make",
        "use",
        "fan(0:a)",
        "fan(1:b)",
    }
    again = nbflow.run(run.to_yaml())  # the artifact is in the manifest now
    assert asyncio.run(awaited(again)) == "Succeeded"
    assert [one.name for one in nbflow.runs()] == [again.name, run.name]
    again.delete()
    with pytest.raises(NotFoundError):
        nbflow.attach(again.name)


async def awaited(run) -> str:
    return (await run).phase


def test_a_failed_run_is_retried_and_resubmitted_with_other_parameters():
    run = nbflow.run(MANIFEST, parameters={"code": 3}, artifacts={"given": b"x"})
    with pytest.raises(WorkflowFailedError, match=r"use: main: Error \(exit code 3\)"):
        run.wait()
    assert run["make"].phase == "Succeeded"
    made = run["make"].started_at
    assert run.retry(parameters={"code": 0}).wait().phase == "Succeeded"
    assert run["make"].started_at == made
    other = run.resubmit(parameters={"code": 0}).wait()
    assert other.name != run.name
    assert other.phase == "Succeeded"
    with pytest.raises(ConflictError):
        run.retry()
