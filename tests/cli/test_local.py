"""The command line on this machine, with nothing in place of anything."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parent.parent.parent)
NBFLOW = [sys.executable, "-m", "nbflow.cli"]
STEPS = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: steps-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: message, value: hello}, {name: code, value: "0"}]}
  templates:
  - name: main
    steps:
    - - {name: first, template: say}
    - - {name: second, template: end}
  - name: say
    container: {image: alpine, command: [sh, -c, "echo '{{workflow.parameters.message}}'"]}
  - name: end
    container: {image: alpine, command: [sh, -c, "exit {{workflow.parameters.code}}"]}
"""
LONG = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: long}
spec:
  entrypoint: main
  templates:
  - name: main
    container: {image: alpine, command: [sh, -c, "echo started; sleep 600"]}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("local")
    (folder / "steps.yaml").write_text(STEPS)
    (folder / "long.yaml").write_text(LONG)
    yield folder
    subprocess.run([*NBFLOW, "controller", "stop"], env=environment(folder), capture_output=True, check=False)


def environment(folder):
    return {**os.environ, "NBFLOW_HOME": str(folder / "home"), "PYTHONPATH": ROOT, "TERM": "xterm"}


@pytest.fixture
def nbflow(home):
    def run(*argv):
        return subprocess.run(
            [*NBFLOW, *argv],
            capture_output=True,
            text=True,
            env=environment(home),
            cwd=home,
            timeout=60,
            check=False,
        )

    return run


def test_the_whole_way(nbflow):
    done = nbflow("submit", "--wait", "-o", "json", "-p", "message=grüße", "--name", "whole", "steps.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    workflow = json.loads(done.stdout)
    assert workflow["status"]["phase"] == "Succeeded"
    nodes = {node["displayName"]: node for node in workflow["status"]["nodes"].values()}
    logs = nbflow("logs", "whole").stdout
    pod = logs.partition(": ")[0]
    assert logs == f"{pod}: grüße\n"
    assert nbflow("logs", pod).stdout == nbflow("logs", "-w", "@latest").stdout == logs
    assert (
        nbflow("logs", "whole", "first").stdout
        == nbflow("logs", "whole", nodes["first"]["id"]).stdout
        == logs
    )
    tree = nbflow("get", "whole", "-o", "short").stdout.splitlines()
    assert [line.split("  ")[0] for line in tree] == ["STEP", " ✔ whole", " ├───✔ first", " └───✔ second"]
    assert pod in tree[2]


def test_a_failure_is_exit_1_and_told(nbflow):
    done = nbflow("submit", "--wait", "-o", "json", "-p", "code=3", "steps.yaml")
    assert done.returncode == 1
    assert json.loads(done.stdout)["status"]["phase"] == "Failed"
    assert "second: main: Error (exit code 3)" in done.stderr


def test_stop_and_delete(nbflow):
    assert nbflow("submit", "-o", "name", "long.yaml").stdout == "long\n"
    again = nbflow("submit", "long.yaml")
    assert (again.returncode, again.stdout) == (2, "")
    assert "already exists" in again.stderr
    assert nbflow("list", "--running", "-o", "name").stdout == "long\n"
    assert nbflow("stop", "long", "--message", "enough").stdout == "workflow long stopped\n"
    assert nbflow("wait", "long").returncode == 1
    refused = nbflow("stop", "long")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert nbflow("delete", "long").stdout == "Workflow 'long' deleted\n"
    assert nbflow("get", "long").returncode == 2


def test_an_interrupt_leaves_it_running(nbflow, home):
    command = [*NBFLOW, "submit", "--name", "left", "--log", "long.yaml"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(home),
        cwd=home,
    ) as started:
        wait_until(lambda: "started" in nbflow("logs", "left").stdout)
        started.send_signal(signal.SIGINT)
        _, said = started.communicate(timeout=30)
    assert started.returncode == 130
    assert "nbflow watch left" in said
    assert nbflow("list", "--running", "-o", "name").stdout == "left\n"
    assert nbflow("delete", "left").returncode == 0


def test_watch_on_a_terminal_redraws_in_place(home):
    parent, child = pty.openpty()
    command = [*NBFLOW, "submit", "--watch", "steps.yaml"]
    with subprocess.Popen(command, stdout=child, env=environment(home), cwd=home) as started:
        os.close(child)
        shown = read_all(parent)
        assert started.wait(timeout=30) == 0
    assert "\x1b[2J" not in shown
    last = shown.rpartition("A\rName:")[2]
    assert "Status:              Succeeded" in last
    assert last.count("\x1b[32m✔\x1b[0m") == 3


def test_several_at_once(nbflow):
    done = nbflow("submit", "--wait", "-o", "json", "steps.yaml", "steps.yaml")
    whole = json.loads(done.stdout)
    assert [item["status"]["phase"] for item in whole["items"]] == ["Succeeded", "Succeeded"]


def test_controller(nbflow):
    nbflow("submit", "--wait", "steps.yaml")
    assert "running for" in nbflow("controller", "status").stdout
    assert nbflow("doctor").returncode == 0
    assert nbflow("controller", "stop").stdout.endswith(" stopped\n")
    assert nbflow("controller", "status").stdout == "not running; the next submit starts it\n"
    assert nbflow("controller", "stop").stdout == "no controller runs\n"


def wait_until(happened):
    end = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)


def read_all(descriptor):
    blocks = []
    while True:
        try:
            block = os.read(descriptor, 65536)
        except OSError:  # the other end is closed
            block = b""
        if not block:
            os.close(descriptor)
            return b"".join(blocks).decode()
        blocks.append(block)


def test_what_the_machine_lacks_is_said_once(tmp_path):
    (tmp_path / "steps.yaml").write_text(STEPS)
    (tmp_path / "bwrap").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    env = environment(tmp_path) | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}

    def stderr_of(*argv):
        done = subprocess.run([*NBFLOW, *argv], capture_output=True, text=True, env=env, cwd=tmp_path)
        return done.stderr

    try:
        said = [stderr_of("submit", "--wait", "steps.yaml") for _ in range(2)]
    finally:
        stderr_of("controller", "stop")
    assert said[0].startswith("steps run as plain processes, without a sandbox: ")
    assert said[1] == ""


def test_retry_and_resubmit(nbflow):
    assert nbflow("submit", "--wait", "-p", "code=3", "--name", "bad", "steps.yaml").returncode == 1
    again = nbflow("retry", "bad", "--wait", "-o", "name", "-p", "code=0")
    assert (again.returncode, again.stderr) == (0, "")
    assert nbflow("logs", "bad").stdout.count("hello") == 1
    refused = nbflow("retry", "@latest")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "set the options restartSuccessful and nodeFieldSelector" in refused.stderr
    new = nbflow("resubmit", "bad", "--priority", "7", "-p", "message=again", "-o", "name").stdout.strip()
    assert new.startswith("steps-")
    assert nbflow("wait", new).returncode == 0
    assert nbflow("logs", new).stdout.endswith(": again\n")
    shown = json.loads(nbflow("get", new, "-o", "json").stdout)
    assert shown["spec"]["priority"] == 7
    assert nbflow("list", "--resubmitted", "-o", "name").stdout == f"{new}\n"
    both = nbflow("resubmit", "bad", new, "--wait", "-o", "json")
    ended = [item["status"]["phase"] for item in json.loads(both.stdout)["items"]]
    assert (both.returncode, ended) == (0, ["Succeeded", "Succeeded"])


MAKE = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: make}
spec:
  entrypoint: main
  templates:
  - name: main
    container: {image: alpine, command: [sh, -c, "echo one > /tmp/one; mkdir /tmp/two; echo 2 > /tmp/two/x"]}
    outputs:
      artifacts:
      - {name: one, path: /tmp/one, archive: {none: {}}}
      - {name: two, path: /tmp/two, archive: {none: {}}}
      - {name: packed, path: /tmp/two}
"""


def test_artifacts_are_copied(nbflow, home):
    (home / "make.yaml").write_text(MAKE)
    assert nbflow("submit", "--wait", "make.yaml").returncode == 0
    done = nbflow("cp", "make", "results")
    assert (done.returncode, done.stderr) == (0, "")
    below = home / "results" / "default" / "make" / "make" / "outputs"
    assert (below / "one" / "one").read_text() == "one\n"
    assert (below / "two" / "two" / "x").read_text() == "2\n"
    assert (below / "packed" / "packed.tgz").read_bytes()[:2] == b"\x1f\x8b"
    assert len(done.stdout.splitlines()) == 3
    again = nbflow("cp", "make", "flat", "--artifact-name", "one", "--path", "{workflowName}-{artifactName}")
    assert again.stdout == 'Created "flat/make-one/one"\n'
    missing = nbflow("cp", "make", "flat", "--artifact-name", "three")
    assert (missing.returncode, missing.stderr) == (
        2,
        "no such artifact in workflow 'make'\n  fix: it has: one, packed, two\n",
    )
