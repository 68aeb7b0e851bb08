"""What is refused: one clear message, exit code 2 (lint: 1), nothing created."""

import json
import os
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

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
    def run(*argv, home=tmp_path / "home", stdin=""):
        env = {**os.environ, "NBFLOW_HOME": str(home), "PYTHONPATH": ROOT}
        command = [sys.executable, "-m", "nbflow.cli", *argv]
        return subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            env=env,
            cwd=tmp_path,
            timeout=60,
            check=False,
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


def test_nothing_to_lint_is_a_failure_as_for_argo(nbflow, tmp_path):
    (tmp_path / "map.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    (tmp_path / "empty").mkdir()
    for what in ("map.yaml", "empty", "/dev/null"):
        done = nbflow("lint", what)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(
            "found nothing to lint in the specified paths, failing...\n  fix: lint reads"
        )


def test_a_misspelt_parameter_is_told_with_the_one_that_is_missing(nbflow, tmp_path):
    (tmp_path / "wf.yaml").write_text(GOOD.replace("      value: hello\n", ""))
    done = nbflow("submit", "-p", "mesage=hi", "wf.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "spec.arguments.message.value or spec.arguments.message.valueFrom is required" in done.stderr
    assert (
        "the workflow declares no parameter 'mesage' [NBF202]\n  fix: did you mean `message`?" in done.stderr
    )


def test_manifests_from_everywhere(nbflow, tmp_path):
    """A folder, a URL and standard input; an event binding comes along."""
    binding = (
        "---\napiVersion: argoproj.io/v1alpha1\nkind: WorkflowEventBinding\nmetadata: {name: b}\n"
        "spec: {event: {selector: 'true'}, submit: {workflowTemplateRef: {name: a}}}\n"
    )
    folder = tmp_path / "folder" / "below"
    folder.mkdir(parents=True)
    (folder / "wf.yaml").write_text(GOOD + binding)
    (folder / "bad.json").write_text(json.dumps({"kind": "Workflow", "spec": {"entrypont": "a"}}))
    assert "below/bad.json:1:31: error: unknown field" in nbflow("lint", "folder").stderr
    assert nbflow("lint", "--kinds", "wf,cwf", "folder/below/wf.yaml").returncode == 0
    strange = (GOOD + binding).replace("submit:", "submitt:")
    (folder / "wf.yaml").write_text(strange)
    assert "did you mean `submit`?" in nbflow("lint", "folder/below/wf.yaml").stderr
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "folder"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/below"
        linted = nbflow("lint", f"{address}/bad.json")
        missing = nbflow("lint", f"{address}/none.yaml")
        server.shutdown()
    assert (linted.returncode, f"{address}/bad.json:1:31: error: unknown field" in linted.stderr) == (1, True)
    assert (missing.returncode, "cannot be read" in missing.stderr) == (2, True)
    read = nbflow("lint", "-", stdin=GOOD.replace("entrypoint: main", "entrypoint: mian"))
    assert (read.returncode, "<stdin>:6:15: error: template name 'mian' undefined" in read.stderr) == (
        1,
        True,
    )
