"""scripts/setup installs what it may, and names what it may not."""

import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOOLS = ("sh", "dirname", "find", "head", "cat", "cksum", "tr", "env", "true", "mkdir", "cp")
APT = "sudo apt-get install --no-install-recommends"
PYTHON = """#!/bin/sh
case "$*" in
    *version_info\\ *) exit 0 ;;
    *ensurepip*) [ -e "$0.venv" ] ;;
    *version_info*) echo python3.11-venv ;;
    --version) echo Python 3.11.2 ;;
    -m\\ venv*) mkdir -p .venv/bin && cp "$0" .venv/bin/python && cp "$0" .venv/bin/pip ;;
    -m\\ pip*) echo "$*" >>pip.log ;;
esac
"""


@pytest.fixture
def machine(tmp_path):
    """A clone on a machine with the tools of every system and nothing else; its user is not root."""
    for tool in TOOLS:
        add(tmp_path, tool, Path(shutil.which(tool)))
    add(tmp_path, "id", "#!/bin/sh\necho 1000\n")
    (tmp_path / "clone" / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "setup", tmp_path / "clone" / "scripts")
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "clone")
    return tmp_path


def add(machine: Path, name: str, what: str | Path = "#!/bin/sh\n") -> None:
    """Put a program on PATH: a script, or the real one."""
    place = machine / "bin" / name
    place.parent.mkdir(exist_ok=True)
    if isinstance(what, Path):
        place.symlink_to(what)
    else:
        place.write_text(what)
        place.chmod(0o755)


def add_all_that_runs(machine: Path) -> None:
    for program in ("dot", "bwrap", "curl", "perl", "node", "nginx", "influxd", "sshd"):
        add(machine, program)


def add_python(machine: Path, *, venv: bool = True) -> None:
    add(machine, "python3", PYTHON)
    if venv:
        add(machine, "python3.venv")


def setup(machine: Path, what: str, **env: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [machine / "clone" / "scripts" / "setup", what],
        env={"PATH": str(machine / "bin"), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.stdout == ""
    return done.returncode, [line.removeprefix("setup: ") for line in done.stderr.splitlines()]


def installed(machine: Path) -> list[str]:
    log = machine / "clone" / "pip.log"
    return [line.split()[-1] for line in log.read_text().splitlines()] if log.exists() else []


def add_sudo_and_apt(machine: Path, *, needs_update: bool = False) -> Path:
    """sudo without a password; an apt-get whose packages are programs of the same name."""
    log = machine / "apt.log"
    add(machine, "sudo", '#!/bin/sh\n[ "$1" = -n ] && shift\nexec "$@"\n')
    refuse = f'case "$(cat {log})" in *update*) ;; *) exit 100 ;; esac' if needs_update else ""
    add(
        machine,
        "apt-get",
        f"""#!/bin/sh
for last; do :; done
echo "$last" >>{log}
[ "$last" = update ] && exit 0
{refuse}
case $last in graphviz) p=dot ;; bubblewrap) p=bwrap ;; python3.11-venv) p=python3.venv ;; *) p=$last ;; esac
cp {machine}/bin/sudo {machine}/bin/$p
""",
    )
    return log


def test_a_machine_that_has_all_gets_a_venv_once(machine):
    add_python(machine)
    add_all_that_runs(machine)
    first = setup(machine, "run")
    assert first == (
        0,
        [
            "making a virtual environment in .venv with Python 3.11.2",
            "installing nbflow and its dependencies into .venv (the first time takes a minute or two)",
        ],
    )
    assert setup(machine, "run") == (0, [])
    assert installed(machine) == ["."]


def test_more_is_installed_when_more_is_asked_or_the_dependencies_change(machine):
    add_python(machine)
    add_all_that_runs(machine)
    for what in ("run", "notebook", "run", "notebook"):
        assert setup(machine, what)[0] == 0
    assert installed(machine) == [".", ".[data,notebook]"]
    with (machine / "clone" / "pyproject.toml").open("a") as file:
        file.write("\n")
    assert setup(machine, "run")[0] == 0
    assert installed(machine) == [".", ".[data,notebook]", "."]


def test_without_root_what_is_missing_is_named_and_the_demo_goes_on(machine):
    add_python(machine)
    assert setup(machine, "run") == (
        0,
        [
            "graphviz is missing: graphs are drawn by graphviz-pure instead",
            "bubblewrap is missing: pods cannot be sandboxed, they run as plain processes (--on host)",
            "making a virtual environment in .venv with Python 3.11.2",
            "installing nbflow and its dependencies into .venv (the first time takes a minute or two)",
            "install these with the package manager of this machine: graphviz bubblewrap",
        ],
    )


def test_the_tests_insist_on_a_browser_unless_told(machine):
    add_python(machine)
    add_all_that_runs(machine)
    code, lines = setup(machine, "test")
    assert code == 1
    assert any(
        line.startswith("chromium is missing: the notebook cannot be tested in a browser") for line in lines
    )
    assert lines[-1].startswith("the tests need what is missing (INCOMPLETE=yes make test")
    assert setup(machine, "test", INCOMPLETE="yes")[0] == 0
    assert setup(machine, "test", NBFLOW_CHROMIUM=sys.executable)[0] == 0


def test_a_python_without_venv_says_which_package_has_it(machine):
    add_python(machine, venv=False)
    add_all_that_runs(machine)
    add(machine, "apt-get")
    assert setup(machine, "run") == (
        1,
        [
            "python3 cannot make virtual environments: its module ensurepip is missing",
            f"to install them:  sudo apt-get update && {APT} python3.11-venv",
        ],
    )


def test_no_python_says_so(machine):
    add_all_that_runs(machine)
    code, lines = setup(machine, "run")
    assert code == 1
    assert lines[0] == "Python 3.11 or newer is missing"
    assert "python3 python3-venv" in lines[-1]


def test_sudo_installs_what_is_missing(machine):
    add_python(machine, venv=False)
    log = add_sudo_and_apt(machine)
    code, lines = setup(machine, "run")
    assert code == 0, lines
    assert log.read_text().split() == ["graphviz", "bubblewrap", "python3.11-venv"]


def test_the_lists_of_packages_are_fetched_once_and_only_if_needed(machine):
    add_python(machine)
    log = add_sudo_and_apt(machine, needs_update=True)
    code, lines = setup(machine, "run")
    assert code == 0, lines
    assert log.read_text().split() == ["graphviz", "update", "graphviz", "bubblewrap"]


def test_a_wrong_word_is_refused(machine):
    assert setup(machine, "everything") == (1, ["usage: scripts/setup run|notebook|test"])


def test_every_stage_of_make_test_is_a_target():
    make = shutil.which("make")
    if not make:
        pytest.skip("make is not installed")
    ours = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL")}
    env = {**ours, "CI": "true"}
    done = subprocess.run(
        [make, "-n", "test", f"VENV={sys.prefix}"], cwd=ROOT, capture_output=True, text=True, env=env
    )
    assert done.returncode == 0, done.stderr
    programs = [line.split("/bin/")[-1].split()[0] for line in done.stdout.splitlines()]
    assert programs == ["ruff", "ruff", "mypy", "lint-imports", "python", "python", "python", "python"]


def test_what_the_demo_says_next_works(tmp_path):
    nbflow = [sys.executable, "-c", "from nbflow.cli import main; main()"]
    env = {**os.environ, "NBFLOW_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}
    run = partial(subprocess.run, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
    said = run([ROOT / "scripts" / "next-steps", "nbflow"]).stdout
    lines = [re.split(r"\s{2,}", line.strip())[0].split() for line in said.splitlines()]
    verbs = [line[1:] for line in lines if line[:1] == ["nbflow"]]
    assert [verb[0] for verb in verbs] == ["get", "logs", "graph", "submit"]
    wanted = ROOT / "examples" / "dag-diamond.yaml"
    try:
        assert run([*nbflow, "submit", "--wait", wanted]).returncode == 0
        for verb in verbs:
            done = run([*nbflow, *(str(wanted) if word == "FILE.yaml" else word for word in verb)])
            assert done.returncode == 0, done.stderr
    finally:
        run([*nbflow, "controller", "stop"])
