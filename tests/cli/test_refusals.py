"""What is refused: one clear message, exit code 2 (lint: 1), nothing created."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parent.parent.parent)
GOOD = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  generateName: refused-
spec:
  entrypoint: main
  arguments:
    parameters:
    - name: message
      value: hello
  templates:
  - name: main
    dag:
      tasks:
      - name: a
        template: echo
        arguments:
          parameters:
          - {name: text, value: "{{workflow.parameters.message}}"}
      - name: b
        template: echo
        dependencies: [a]
        arguments:
          parameters:
          - {name: text, value: x}
  - name: echo
    inputs:
      parameters:
      - name: text
    container:
      image: alpine
      command: [echo]
      args: ["{{inputs.parameters.text}}"]
"""
CASES = {
    "malformed YAML": ("  entrypoint: main", "  entrypoint: [main", 7, "malformed"),
    "a wrong type": ("  entrypoint: main", "  entrypoint: {main: 1}", 6, "entrypoint"),
    "an unknown field": ("    container:", "    contaner:", 30, "container"),
    "an unknown template": ("        template: echo", "        template: ecko", 16, "echo"),
    "a missing parameter": (
        '          - {name: text, value: "{{workflow.parameters.message}}"}\n',
        "",
        15,
        "text",
    ),
    "a cycle": ("      - name: a\n", "      - name: a\n        dependencies: [b]\n", None, "a->b->a"),
    "an unresolved tag": (
        "{{inputs.parameters.text}}",
        "{{inputs.parameters.txt}}",
        33,
        "inputs.parameters.txt",
    ),
}


@pytest.fixture
def nbflow(tmp_path):
    def run(*argv, home=tmp_path / "home"):
        env = {**os.environ, "NBFLOW_HOME": str(home), "PYTHONPATH": ROOT}
        command = [sys.executable, "-m", "nbflow.cli", *argv]
        return subprocess.run(
            command, capture_output=True, text=True, env=env, cwd=tmp_path, timeout=60, check=False
        )

    return run


@pytest.mark.parametrize("case", CASES)
def test_a_manifest_is_refused(nbflow, tmp_path, case):
    old, new, line, word = CASES[case]
    assert old in GOOD
    secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: mine}\nstringData: {a: b}\n"
    (tmp_path / "wf.yaml").write_text(GOOD.replace(old, new, 1) + secret)
    linted, submitted = nbflow("lint", "wf.yaml"), nbflow("submit", "--wait", "-o", "json", "wf.yaml")
    assert (linted.returncode, submitted.returncode, submitted.stdout) == (1, 2, "")
    for said in (linted.stderr, submitted.stderr):
        assert word in said
        assert "Traceback" not in said
        if line is not None:
            assert f"wf.yaml:{line}:" in said
            assert "^" in said
    assert nbflow("list", "-o", "json").stdout == "[]\n"
    assert nbflow("secret", "list", "-o", "json").stdout == "[]\n"
    assert not (tmp_path / "home" / "nbflow.sqlite").exists()


def test_the_manifest_itself_is_fine(nbflow, tmp_path):
    (tmp_path / "wf.yaml").write_text(GOOD)
    linted = nbflow("lint", "wf.yaml")
    assert (linted.returncode, linted.stdout) == (0, "✔ no linting errors found!\n")
    assert "[NBF224]" in linted.stderr
    silent = nbflow("lint", "--ignore", "NBF224", "wf.yaml")
    assert (silent.returncode, silent.stdout, silent.stderr) == (0, "✔ no linting errors found!\n", "")


def test_forms_for_programs(nbflow, tmp_path):
    (tmp_path / "wf.yaml").write_text(GOOD)
    found = json.loads(nbflow("lint", "-o", "json", "wf.yaml").stdout)
    assert [(finding["rule"], finding["severity"], finding["file"]) for finding in found] == [
        ("NBF224", "warning", "wf.yaml")
    ]
    line, column = found[0]["line"], found[0]["column"]
    annotation = f"::warning file=wf.yaml,line={line},col={column},title=NBF224::image 'alpine' has no tag"
    assert nbflow("lint", "-o", "github", "wf.yaml").stdout.startswith(annotation)


def test_warnings_count_where_they_are_told_to(nbflow, tmp_path):
    (tmp_path / "wf.yaml").write_text(GOOD)
    assert nbflow("lint", "--strict-warnings", "wf.yaml").returncode == 1
    (tmp_path / "wf.yaml").write_text(
        GOOD.replace("image: alpine", "image: alpine  # nbflow: ignore[NBF224]")
    )
    assert nbflow("lint", "--strict-warnings", "wf.yaml").returncode == 0


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder in which nobody can make another one")
def test_a_home_that_cannot_be_made(nbflow, tmp_path):
    (tmp_path / "wf.yaml").write_text(GOOD)
    done = nbflow("submit", "--wait", "wf.yaml", home="/proc/nbflow")
    assert (done.returncode, done.stdout) == (2, "")
    assert "/proc/nbflow" in done.stderr
    assert "Traceback" not in done.stderr
