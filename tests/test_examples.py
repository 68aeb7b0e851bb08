"""Every manifest in examples/ passes lint, runs by the command line and does what its first line says."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
NBFLOW = [sys.executable, "-c", "from nbflow.cli import main; main()"]


@dataclass(frozen=True)
class Example:
    """logs: lines that are printed. nodes: display name and phase. absent: text that is in no line."""

    file: str
    logs: tuple[str, ...]
    nodes: tuple[tuple[str, str], ...] = ()
    args: tuple[str, ...] = ()
    phase: str = "Succeeded"
    absent: str = "Traceback"


CASES = [
    Example("hello-world.yaml", ("hello world",)),
    Example("hello-world.yaml", ("good morning",), args=("-p", "message=good morning")),
    Example(
        "dag-diamond.yaml",
        ("line 1", "line 12", "12", "87", "12 lines, 87 bytes"),
        nodes=tuple((name, "Succeeded") for name in ("write", "count", "measure", "report")),
    ),
    Example("fan-out.yaml", ("1", "4", "9", "the sum of [1, 4, 9] is 14"), args=("-p", "up-to=3")),
    Example(
        "loops.yaml",
        (
            "value apple",
            "value pear",
            "mango from India",
            "quince from Turkey",
            "number 01",
            "number 02",
            "number 03",
        ),
    ),
    Example("recursion.yaml", ("6", "it shows six"), nodes=(("done", "Succeeded"),)),
    Example(
        "exit-handler.yaml",
        ("this goes wrong",),
        nodes=(("tell", "Succeeded"), ("celebrate", "Skipped")),
        phase="Failed",
        absent="hooray",
    ),
    Example("secret.yaml", ("the password has 11 characters",), absent="open sesame"),
    Example("timeout.yaml", ("sleeping",), phase="Failed", absent="awake"),
]


@pytest.fixture(scope="module")
def nbflow(tmp_path_factory):
    """The command, on a home of its own."""
    env = {**os.environ, "NBFLOW_HOME": str(tmp_path_factory.mktemp("home")), "PYTHONPATH": str(ROOT)}

    def run(*args: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*NBFLOW, *args], env=env, capture_output=True, text=True, timeout=120)

    yield run
    run("controller", "stop")


def test_all_examples_are_here():
    assert {case.file for case in CASES} == {path.name for path in EXAMPLES.iterdir()}


def test_lint_finds_nothing(nbflow):
    done = nbflow("lint", *sorted(EXAMPLES.iterdir()))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join((case.file, *case.args)))
def test_example(nbflow, case):
    done = nbflow("submit", "--wait", "-o", "json", *case.args, EXAMPLES / case.file)
    assert done.returncode == (0 if case.phase == "Succeeded" else 1), done.stderr
    workflow = json.loads(done.stdout)
    assert workflow["status"]["phase"] == case.phase
    phases = {node["displayName"]: node["phase"] for node in workflow["status"]["nodes"].values()}
    assert {name: phases.get(name) for name, _ in case.nodes} == dict(case.nodes)
    logs = nbflow("logs", workflow["metadata"]["name"]).stdout
    lines = {line.split(": ", maxsplit=1)[-1] for line in logs.splitlines()}
    assert set(case.logs) - lines == set()
    assert case.absent not in logs


def test_the_exit_handler_knows_how_it_ended(nbflow):
    done = nbflow("submit", "--wait", "-o", "json", EXAMPLES / "exit-handler.yaml")
    name = json.loads(done.stdout)["metadata"]["name"]
    [told] = [line for line in nbflow("logs", name).stdout.splitlines() if "ended in" in line]
    # A JSON text in a JSON string: Argo quotes it (workflow/controller/operator.go, WorkflowFailures).
    failures = json.loads(json.loads(told.split("ended in Failed: ")[1]))
    assert [(failure["displayName"], failure["phase"]) for failure in failures] == [(name, "Failed")]
