"""The program as a process: what scripts see of it."""

import contextlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

NBFLOW = [sys.executable, "-m", "nbflow.cli"]
ROOT = str(Path(__file__).parent.parent.parent)


@pytest.fixture
def nbflow(tmp_path):
    def run(*argv, home=tmp_path / "home", **more):
        env = {**os.environ, "NBFLOW_HOME": str(home), "PYTHONPATH": ROOT, **more.pop("env", {})}
        return subprocess.run(
            [*NBFLOW, *argv], capture_output=True, env=env, timeout=60, cwd=tmp_path, check=False, **more
        )

    return run


def test_without_arguments_it_shows_help_with_an_example(nbflow):
    done = nbflow()
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"nbflow submit --watch hello-world.yaml" in done.stdout


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["nope"], "No such command 'nope'"),
        (["get", "nope"], 'workflows.argoproj.io "nope" not found'),
        (["get"], "Missing argument 'WORKFLOW...'"),
        (["logs", "@latest"], "there is no workflow yet"),
        (["submit", "nope.yaml"], "nope.yaml: no such file"),
        (["lint", "nope.yaml"], "nope.yaml: no such file"),
        (["submit", "list.yaml"], "list.yaml: no workflow found in given files, only Service"),
        (
            ["submit", "template.yaml"],
            "fix: `nbflow create -f FILE` stores a WorkflowTemplate; a Workflow runs",
        ),
        (["lint", "/dev/zero"], "/dev/zero: cannot be read: this is a device"),
        (["lint", "large.yaml"], "large.yaml: larger than 64 MB, too large for a manifest"),
        (["submit", "-p", "=x", "list.yaml", "-f", "bad.yaml"], "bad.yaml:2:2: this is no YAML: "),
        (["delete", "nope"], "Workflow 'nope' not found"),
    ],
)
def test_errors_are_one_message_and_exit_2(nbflow, tmp_path, argv, message):
    (tmp_path / "list.yaml").write_text("kind: Service\n")
    (tmp_path / "template.yaml").write_text("kind: WorkflowTemplate\nmetadata: {name: a}\nspec: {}\n")
    (tmp_path / "bad.yaml").write_text("a: [1\nb: 2\n")
    with (tmp_path / "large.yaml").open("wb") as file:
        file.truncate((64 << 20) + 1)
    done = nbflow(*argv)
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert not (tmp_path / "home" / "errors").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_is_not_writable(nbflow, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    done = nbflow("secret", "create", "a", "--from-literal=b=c", home=tmp_path / "locked" / "home")
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def test_a_home_that_is_a_file(nbflow, tmp_path):
    (tmp_path / "file").write_text("")
    done = nbflow("secret", "create", "a", "--from-literal=b=c", home=tmp_path / "file")
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert str(tmp_path / "file").encode() in done.stderr


def test_lint_exit_codes(nbflow, tmp_path):
    good = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "a-"},
        "spec": {
            "entrypoint": "m",
            "templates": [{"name": "m", "container": {"image": "x", "command": ["true"]}}],
        },
    }
    (tmp_path / "good.yaml").write_text(json.dumps(good))
    (tmp_path / "bad.yaml").write_text(json.dumps(good).replace('"entrypoint"', '"entrypont"'))
    assert (nbflow("lint", "good.yaml").returncode, nbflow("lint", "bad.yaml").returncode) == (0, 1)
    assert nbflow("lint", "--strict=false", "bad.yaml").returncode == 1  # no entrypoint, then
    (tmp_path / "odd.yaml").write_text(json.dumps(good).replace('"templates"', '"x": 1, "templates"'))
    verdicts = [nbflow("lint", f"--strict={strict}", "odd.yaml").returncode for strict in ("true", "false")]
    assert verdicts == [1, 0]
    bad = nbflow("lint", "bad.yaml")
    assert b"bad.yaml:1:" in bad.stderr
    assert b"entrypoint" in bad.stderr
    submitted = nbflow("submit", "bad.yaml")
    assert (submitted.returncode, submitted.stdout) == (2, b"")
    assert nbflow("list", "-o", "json").stdout == b"[]\n"


def test_a_fault_of_ours_is_a_short_message_with_details_in_the_home(nbflow, tmp_path):
    broken = "import sys, nbflow.cli.app as a; a.invoke = lambda *x: 1/0; import nbflow.cli as c; c.main()"
    env = {**os.environ, "NBFLOW_HOME": str(tmp_path / "home"), "PYTHONPATH": ROOT}
    done = subprocess.run(
        [sys.executable, "-c", broken], capture_output=True, text=True, env=env, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith(
        "nbflow failed unexpectedly: ZeroDivisionError: division by zero\n  details: "
    )
    assert "Traceback" not in done.stderr
    kept = next((tmp_path / "home" / "errors").iterdir())
    assert "ZeroDivisionError" in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600
    done = subprocess.run(
        [sys.executable, "-c", broken],
        capture_output=True,
        text=True,
        env=env | {"NBFLOW_DEBUG": "1"},
        check=False,
    )
    assert "Traceback" in done.stderr


def test_a_reader_that_leaves_does_no_harm(tmp_path):
    endless = "lambda _, c, *x: [c.write('line\\n') for _ in range(10**6)] and 0"
    code = f"import nbflow.cli.app as a; a.invoke = {endless}"
    env = {**os.environ, "NBFLOW_HOME": str(tmp_path / "home"), "PYTHONPATH": ROOT}
    started = subprocess.Popen(
        [sys.executable, "-c", f"{code}; import nbflow.cli as c; c.main()"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
    )
    assert started.stdout.readline() == b"line\n"
    started.stdout.close()
    assert started.wait(timeout=60) == 141
    assert started.stderr.read() == b""
    started.stderr.close()


def test_names_that_the_encoding_lacks(nbflow, tmp_path):
    path = tmp_path / "Grüße.yaml"
    path.write_text("kind: Workflow\nspec: {}\n")
    done = nbflow("lint", path.name, env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 1
    assert b"Gr\\xfc\\xdfe.yaml" in done.stderr


def test_a_terminal_gets_colours_and_a_pipe_does_not(nbflow, tmp_path):
    assert b"\x1b[" not in nbflow("doctor").stdout
    parent, child = pty.openpty()
    env = {**os.environ, "NBFLOW_HOME": str(tmp_path / "home"), "PYTHONPATH": ROOT, "TERM": "xterm"}
    env.pop("NO_COLOR", None)
    with subprocess.Popen([*NBFLOW, "doctor"], stdout=child, env=env) as started:
        assert started.wait(timeout=60) in (0, 2)
    os.close(child)
    assert b"\x1b[32mok" in os.read(parent, 65536)
    os.close(parent)


def test_a_terminal_that_cannot_redraw_is_written_to_line_by_line(nbflow, tmp_path):
    parent, child = pty.openpty()
    manifest = Path(ROOT, "examples", "dag-diamond.yaml")
    env = {**os.environ, "NBFLOW_HOME": str(tmp_path / "home"), "PYTHONPATH": ROOT, "TERM": "dumb"}
    seen = []
    with subprocess.Popen([*NBFLOW, "submit", "--watch", manifest], stdout=child, env=env) as started:
        os.close(child)
        with contextlib.suppress(OSError):  # the end of a terminal
            while data := os.read(parent, 65536):
                seen.append(data)
        assert started.wait(timeout=60) == 0
    os.close(parent)
    nbflow("controller", "stop")
    assert b"\x1b" not in b"".join(seen)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(nbflow, shell):
    script = nbflow("completion", shell)
    assert (script.returncode, script.stderr) == (0, b"")
    assert b"_NBFLOW_COMPLETE" in script.stdout


def test_completion_completes(nbflow):
    asked = {"_NBFLOW_COMPLETE": "bash_complete", "COMP_WORDS": "nbflow term", "COMP_CWORD": "1"}
    assert nbflow(env=asked).stdout == b"plain,terminate\n"


def test_help_of_a_verb(nbflow):
    for verb in ("submit", "get", "logs", "secret", "controller"):
        done = nbflow(verb, "--help")
        assert (done.returncode, done.stderr) == (0, b"")
        assert f"Usage: nbflow {verb}".encode() in done.stdout


def test_version(nbflow):
    assert nbflow("version", "--short").stdout == b"nbflow: v0.1.0\n"
    assert json.loads(nbflow("version", "-o", "json").stdout)["argo"] == "v4.1"
    assert nbflow("--version").stdout == b"nbflow: v0.1.0\n"


def test_starting_is_quick():
    """What every verb pays for: neither YAML nor SQLite nor a model is among it."""
    heavy = ("yaml", "pydantic", "sqlite3", "asyncio")
    code = f"import sys, nbflow.cli.app; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": ROOT},
        check=True,
    )
    assert done.stdout == "[]\n"


def test_a_full_disk_is_one_message(tmp_path):
    env = {**os.environ, "NBFLOW_HOME": str(tmp_path / "home"), "PYTHONPATH": ROOT}
    large = "import nbflow.cli.app as a; a.invoke = lambda _, c, *x: c.write('x' * 100_000) or 0\n"
    for before in ("", large):
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [sys.executable, "-c", f"{before}import nbflow.cli as c; c.main()", "list"],
                stdout=full,
                stderr=subprocess.PIPE,
                env=env,
                check=False,
            )
        said = "standard output cannot be written: No space left on device\n  fix: write somewhere else\n"
        assert (done.returncode, done.stderr.decode()) == (2, said)
    assert not (tmp_path / "home" / "errors").exists()


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_do_no_harm(tmp_path, closed):
    env = {**os.environ, "NBFLOW_HOME": str(tmp_path / "home"), "PYTHONPATH": ROOT}
    command = [*NBFLOW, "list"]
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$@" {closed}', "sh", *command], capture_output=True, env=env, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_interrupt_while_modules_are_imported_is_quiet(tmp_path):
    code = """
import os, signal, sys
class Interrupting:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
from nbflow.cli import main
main()
"""
    env = {**os.environ, "NBFLOW_HOME": str(tmp_path / "home"), "PYTHONPATH": ROOT}
    for module in ("nbflow.cli.process", "nbflow.cli.app", "click", "nbflow.cli.look"):
        script = code.format(module=module)
        shell = ["/bin/sh", "-c", '"$@"; exit $?', "sh"]
        done = subprocess.run(
            [*shell, sys.executable, "-c", script, "list"], capture_output=True, env=env, check=False
        )
        assert (done.returncode, done.stdout) == (130, b"")
        assert done.stderr.strip() in (b"", b"interrupted")
