"""The table of layers: the contracts hold exactly it, the code keeps to it, and importing nbflow is cheap."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROWS = [
    ["errors"],
    ["units"],
    ["spec", "templating"],
    ["topology"],
    ["lint", "engine", "revise", "views"],
    ["artifacts", "kube", "render", "store", "supervisor"],
    ["runtimes", "clients", "agent"],
    ["controller", "documents"],
    ["commands"],
    ["cli"],
    ["notebook"],
]
PURE = [package for row in ROWS[:5] for package in row]
IMPURE_MODULES = ["logging", "os", "random", "socket", "sqlite3", "subprocess", "threading", "time"]
# Of the standard library, but not for nothing.
DEAR = {
    "asyncio",
    "dataclasses",
    "email",
    "http",
    "inspect",
    "json",
    "logging",
    "pathlib",
    "sqlite3",
    "subprocess",
}


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / "lint-imports"
    return subprocess.run(
        [program, "--no-cache", "--config", ROOT / "pyproject.toml"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def skeleton(tmp_path_factory):
    """Packages of the same names that hold nothing."""
    top = tmp_path_factory.mktemp("skeleton")
    for package in ["", *(package for row in ROWS for package in row)]:
        (top / "nbflow" / package).mkdir()
        (top / "nbflow" / package / "__init__.py").touch()
    return top


@pytest.fixture
def holds_with(skeleton, tmp_path):
    """Whether the contracts still hold when these lines are in the package."""

    def check(package: str, *lines: str) -> bool:
        shutil.copytree(skeleton / "nbflow", tmp_path / "nbflow")
        (tmp_path / "nbflow" / package / "inside.py").write_text("\n".join(lines) + "\n")
        done = lint_imports(tmp_path)
        assert "Contracts:" in done.stdout, done.stdout + done.stderr
        return done.returncode == 0

    return check


def test_the_contracts_hold():
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


def test_every_package_has_a_row():
    inside = [path for path in (ROOT / "nbflow").iterdir() if path.name != "__pycache__"]
    packages = {path.stem for path in inside if path.is_dir() or path.suffix == ".py"}
    assert packages - {"__init__", "__main__"} == {package for row in ROWS for package in row}


def test_every_row_may_import_the_rows_above_it_in_the_table(holds_with):
    clients_may_not = {"engine", "controller"}
    above = [package for row in ROWS[:5] for package in row if package not in clients_may_not]
    assert holds_with("clients", *(f"import nbflow.{package}" for package in above))


def test_the_last_row_may_import_everything(holds_with):
    others = [package for row in ROWS[:-1] for package in row]
    assert holds_with("notebook", *(f"import nbflow.{package}" for package in others))


@pytest.mark.parametrize(
    ("package", "imported"),
    [
        ("errors", "units"),
        ("templating", "spec"),
        ("spec", "topology"),
        ("lint", "engine"),
        ("views", "revise"),
        ("store", "artifacts"),
        ("kube", "render"),
        ("engine", "store"),
        ("clients", "runtimes"),
        ("clients", "engine"),
        ("runtimes", "controller"),
        ("documents", "controller"),
        ("commands", "cli"),
        ("cli", "notebook"),
    ],
)
def test_an_import_down_the_table_or_beside_is_refused(holds_with, package, imported):
    assert not holds_with(package, f"import nbflow.{imported}")


@pytest.mark.parametrize("module", IMPURE_MODULES)
def test_the_engine_may_not_import(holds_with, module):
    assert not holds_with("engine", "def late():", f"    import {module}")


@pytest.mark.parametrize("package", PURE)
def test_every_pure_package_is_held_to_it(holds_with, package):
    assert not holds_with(package, "import subprocess")


def test_pure_code_may_know_dates(holds_with):
    assert holds_with("engine", "from datetime import datetime")


def test_a_new_package_needs_a_row(skeleton, tmp_path):
    shutil.copytree(skeleton / "nbflow", tmp_path / "nbflow")
    (tmp_path / "nbflow" / "extra").mkdir()
    (tmp_path / "nbflow" / "extra" / "__init__.py").touch()
    assert "not listed as layers:\n\n- nbflow.extra" in lint_imports(tmp_path).stdout


def new_modules(prepare: str, act: str) -> set[str]:
    """Top-level modules that `act` loads, in a fresh interpreter where `prepare` ran."""
    code = f"import sys\n{prepare}\nbefore = set(sys.modules)\n{act}\nprint(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr
    return {name.split(".")[0] for name in done.stdout.split()}


def test_importing_nbflow_loads_next_to_nothing():
    loaded = new_modules("", "import nbflow")
    assert loaded - set(sys.stdlib_module_names) == {"nbflow"}
    assert loaded & DEAR == set()


def test_loading_the_extension_loads_no_third_party_module():
    prepare = (
        "from IPython.core.interactiveshell import InteractiveShell\nshell = InteractiveShell.instance()"
    )
    loaded = new_modules(prepare, "shell.run_line_magic('load_ext', 'nbflow')")
    # IPython is there already, and may have a module of its own left to load.
    assert loaded - set(sys.stdlib_module_names) - {"IPython"} == {"nbflow"}
