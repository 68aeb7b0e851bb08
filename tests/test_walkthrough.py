"""The manifests of Argo's walk-through by the command line, where the folder that holds them is at hand."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WALKTHROUGH = ROOT.parent / "shared" / "walkthrough"
FILES = [
    "01-hello-world.yaml",
    "02-hello-world-parameters.yaml",
    "03-global-parameters.yaml",
    "05-dag-diamond.yaml",
    "06-artifact-passing.yaml",
    "07-secret-example.yaml",
    "08-scripts-bash.yaml",
    "09-output-parameter.yaml",
    "10-loops.yaml",
    "11-loops-maps.yaml",
    "12-loops-param-arg.yaml",
    "13-loops-param-result.yaml",
    "14-coinflip.yaml",
    "15-coinflip-recursive.yaml",
    "16-exit-handlers.yaml",
    "17-timeouts.yaml",
    "18-volumes-pvc.yaml",
    "19-volumes-existing.yaml",
    "20-daemon-step.yaml",
    "21-sidecar-nginx.yaml",
    "23-k8s-jobs.yaml",
    "25-k8s-patch.yaml",
]
PROGRAMS = {"20-daemon-step.yaml": ("influxd", "curl"), "21-sidecar-nginx.yaml": ("nginx", "curl")}
# Left out: servers (22, see tests/artifacts), a kind of its own (24), and 04-steps.yaml:
# expected.yaml wants it refused for want of an image, but it names one; Argo accepts it, so does the test at the end.
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"  # of servers, which not every user has on it
NBFLOW = [sys.executable, "-c", "from nbflow.cli import main; main()"]

pytestmark = [
    pytest.mark.walkthrough,
    pytest.mark.skipif(
        not WALKTHROUGH.is_dir(), reason="../shared/walkthrough is not here; test_examples.py is"
    ),
]


def perl_computes_pi():
    """Debian 12's own Math::BigInt fails at 2000 digits, with or without nbflow."""
    done = subprocess.run(["perl", "-Mbignum=bpi", "-wle", "print bpi(2000)"], capture_output=True, text=True)
    return done.returncode == 0


@pytest.mark.parametrize("file", FILES)
def test_walkthrough(file):
    if file == "23-k8s-jobs.yaml" and not perl_computes_pi():
        pytest.skip("the perl of this machine cannot run bpi(2000): install libmath-bigint-perl")
    missing = [program for program in PROGRAMS.get(file, ()) if not shutil.which(program, path=PATH)]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed")
    done = subprocess.run(
        [sys.executable, WALKTHROUGH / "check.py", file],
        env={**os.environ, "PATH": PATH, "NBFLOW": shlex.join(NBFLOW), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *cases, total = done.stdout.splitlines()
    assert total == f"walkthrough: {len(cases)}/{len(cases)}, 0 not run"


def test_steps_run_as_their_manifest_says(tmp_path):
    done = subprocess.run(
        [*NBFLOW, "submit", "--wait", "-o", "json", WALKTHROUGH / "04-steps.yaml"],
        env={**os.environ, "NBFLOW_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    nodes = json.loads(done.stdout)["status"]["nodes"].values()
    pods = {node["displayName"]: node["phase"] for node in nodes if node["type"] == "Pod"}
    assert pods == {"hello1": "Succeeded", "hello2a": "Succeeded", "hello2b": "Succeeded"}
