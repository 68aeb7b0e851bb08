"""What is measured: pairs of whole processes that do the same work, nbflow first, its counterpart second."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import workloads
from sandbox import bwrap

Side = Callable[[], float]

ROOT = Path(__file__).parent.parent
PYTHON = sys.executable
NBFLOW = str(Path(PYTHON).parent / "nbflow")
DOIT = str(Path(PYTHON).parent / "doit")
MODELS = ["-c", "import pydantic, yaml"]
LOAD_YAML = "import gc, sys, yaml; gc.disable(); yaml.load(open(sys.argv[1]), yaml.CSafeLoader)"


class Failed(Exception):
    """A side did not do its work, so its time means nothing."""


@dataclass(frozen=True, slots=True)
class Case:
    """A comparison.

    mark: nbflow may take this many times as long as its counterpart; None: no mark is set.
    steps: a time is divided by it, to show the cost of a step; 1: the whole is shown.
    absolute: the difference of the sides counts, not their ratio. memory: the sides give megabytes, not seconds.
    """

    name: str
    against: str
    nbflow: Side
    other: Side
    mark: float | None = None
    steps: int = 1
    rounds: int = 9
    absolute: bool = False
    memory: bool = False


@dataclass(slots=True)
class Bench:
    """A folder for manifests, and homes with a controller each."""

    folder: Path
    _fresh: int = 0
    _homes: list[Path] = field(default_factory=list)

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def home(self) -> Path:
        """An NBFLOW_HOME that nobody used yet; `close` stops its controller."""
        self._fresh += 1
        self._homes.append(self.folder / f"home{self._fresh}")
        return self._homes[-1]

    def warm_home(self) -> Path:
        """A home whose controller runs."""
        home = self.home()
        run(
            [NBFLOW, "submit", "--wait", str(ROOT / "examples" / "hello-world.yaml")],
            {"NBFLOW_HOME": str(home)},
        )
        return home

    def close(self, home: Path | None = None) -> None:
        for each in [home] if home else self._homes:
            run([NBFLOW, "controller", "stop"], {"NBFLOW_HOME": str(each)}, check=False)
            shutil.rmtree(each, ignore_errors=True)


def run(command: Sequence[str], env: Mapping[str, str] = {}, *, check: bool = True) -> float:
    """Seconds of the whole process. Raises Failed with its last words if its exit code is not 0."""
    with Path(os.devnull).open("w") as nowhere:
        start = time.perf_counter()
        done = subprocess.run(
            command, env={**os.environ, **env}, stdin=subprocess.DEVNULL, stdout=nowhere, stderr=subprocess.PIPE,
            check=False, close_fds=False,
        )  # fmt: skip
        seconds = time.perf_counter() - start
    if check and done.returncode:
        words = done.stderr.decode(errors="replace").strip()[-300:]
        raise Failed(f"{shlex.join(command)[:120]} ended with {done.returncode}: {words}")
    return seconds


def side(*command: str, **env: str) -> Side:
    """The whole process of this command, once."""
    return lambda: run(command, env)


def submit(home: Path, manifest: str, *flags: str) -> Side:
    return side(NBFLOW, "submit", "--wait", *flags, manifest, NBFLOW_HOME=str(home))


def doit(bench: Bench, name: str, dodo: str, *flags: str) -> Side:
    file = bench.write(f"dodo_{name}.py", dodo)
    return side(DOIT, "-f", file, "--db-file", str(bench.folder / f"{name}.db"), *flags)


def submit_cold(bench: Bench, manifest: str) -> Side:
    """Every time an empty home and no controller; stopping it afterwards is not counted."""

    def once() -> float:
        home = bench.home()
        seconds = submit(home, manifest)()
        bench.close(home)
        return seconds

    return once


def start_up(bench: Bench) -> list[Case]:
    hello = str(ROOT / "examples" / "hello-world.yaml")
    shell = "from IPython.core.interactiveshell import InteractiveShell as S; s = S.instance()"
    return [
        Case(
            "hello, sandboxed, warm controller", "`doit` running one `echo`",
            submit(bench.warm_home(), hello), doit(bench, "hello", workloads.HELLO_DODO), mark=1.5, rounds=15,
        ),
        Case(
            "hello, sandboxed, cold", '`python -c "import pydantic, yaml"`',
            submit_cold(bench, hello), side(PYTHON, *MODELS), mark=3, rounds=15,
        ),
        Case(
            "`nbflow lint` of a small file", '`python -c "import pydantic, yaml"`',
            side(NBFLOW, "lint", hello), side(PYTHON, *MODELS), mark=2.5, rounds=15,
        ),
        Case(
            "`import nbflow`", "`python -c pass`",
            side(PYTHON, "-c", "import nbflow"), side(PYTHON, "-c", "pass"), rounds=25, absolute=True,
        ),
        Case(
            "`%load_ext nbflow`", "an IPython shell",
            side(PYTHON, "-c", f"{shell}; s.run_line_magic('load_ext', 'nbflow')"), side(PYTHON, "-c", shell),
            rounds=15, absolute=True,
        ),
    ]  # fmt: skip


def memory(bench: Bench) -> list[Case]:
    """The most that a controller ever held, beside what it may hold."""

    def peak(count: int, pods: int) -> Side:
        manifest = bench.write(f"nodes{count}.yaml", workloads.fan_out(count, pods=pods))

        def once() -> float:
            home = bench.home()
            submit(home, manifest)()
            pid = json.loads((home / "controller.lock").read_text())["pid"]
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            bench.close(home)
            return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024

        return once

    return [
        Case(
            "peak memory of the controller, 200 pods", "a bound", peak(200, 200), lambda: 60,
            mark=1, rounds=1, memory=True,
        ),
        Case(
            "peak memory of the controller, 10,000 nodes, 200 of them pods", "a bound",
            peak(10_000, 200), lambda: 150, mark=1, rounds=1, memory=True,
        ),
    ]  # fmt: skip


def fan_out(bench: Bench, count: int, rounds: int) -> list[Case]:
    home = bench.warm_home()
    free = bench.write(f"fan{count}.yaml", workloads.fan_out(count))
    two = bench.write(f"fan{count}-two.yaml", workloads.fan_out(count, parallelism=2))
    loop = f"seq {count} | xargs -P2 -I@ {shlex.join(bwrap(bench.folder))} true"
    host_loop = doit(bench, f"fan{count}", workloads.fan_out_dodo(count), "-n2")
    return [
        Case(
            f"fan-out of {count}, sandboxed", "`xargs -P2`, the same bwrap flags",
            submit(home, free), side("sh", "-c", loop), mark=1.5, steps=count, rounds=rounds,
        ),
        Case(
            f"fan-out of {count}, sandboxed, two pods at a time", "`xargs -P2`, the same bwrap flags",
            submit(home, two), side("sh", "-c", loop), steps=count, rounds=rounds,
        ),
        Case(
            f"fan-out of {count}, host", "`doit -n2`",
            submit(home, free, "--on", "host"), host_loop, mark=1, steps=count, rounds=rounds,
        ),
    ]  # fmt: skip


def chain(bench: Bench) -> list[Case]:
    manifest = bench.write("chain.yaml", workloads.chain(50))
    loop = workloads.chain_loop(50, shlex.join(bwrap(bench.folder)))
    return [
        Case(
            "chain of 50 with a parameter, sandboxed", "a loop in `sh`, the same bwrap flags",
            submit(bench.warm_home(), manifest), side("sh", "-c", loop), mark=1.6, steps=50, rounds=7,
        )
    ]  # fmt: skip


def graphs(bench: Bench) -> list[Case]:
    """Drawing, in a process that has drawn before (a kernel), beside `dot` on the same DOT."""

    def drawing(manifest: str) -> Side:
        def once() -> float:
            draw = [PYTHON, str(Path(__file__).parent / "drawing.py"), manifest]
            return float(subprocess.run(draw, capture_output=True, text=True, check=True).stdout)

        return once

    cases = []
    for count in (100, 1000):
        manifest = bench.write(f"graph{count}.yaml", workloads.graph(count))
        dot = str(bench.folder / f"graph{count}.dot")
        run([NBFLOW, "graph", manifest, "--file", dot])
        against = side("dot", "-Tsvg", dot)
        cases.append(
            Case(
                f"graph of {count} nodes, in a kernel",
                "`dot -Tsvg`",
                drawing(manifest),
                against,
                mark=1.3,
                rounds=5,
            )
        )
        picture = str(bench.folder / f"graph{count}.svg")
        whole = side(NBFLOW, "graph", manifest, "--file", picture)
        cases.append(Case(f"`nbflow graph` of {count} nodes", "`dot -Tsvg`", whole, against))
    return cases


def large_manifest(bench: Bench) -> list[Case]:
    manifest = bench.write("many.yaml", workloads.many_templates(2000))
    return [
        Case(
            "2,000 templates: load, lint, plan", "PyYAML's C loader alone, no garbage collection",
            side(NBFLOW, "submit", "--dry-run", "-o", "name", manifest), side(PYTHON, "-c", LOAD_YAML, manifest),
            mark=1.6, rounds=5,
        )
    ]  # fmt: skip


def language(bench: Bench) -> list[Case]:
    """Times within a process that has done the same before: imports and first uses are not counted."""
    script = str(Path(__file__).parent / "language.py")
    manifest = bench.write("many.yaml", workloads.many_templates(2000))
    examples = ROOT.parent / "shared" / "argo-examples"
    folder = str(examples if examples.is_dir() else ROOT / "examples")

    def within(*work: str) -> Side:
        def once() -> float:
            return float(
                subprocess.run([PYTHON, script, *work], capture_output=True, text=True, check=True).stdout
            )

        return once

    loader = "PyYAML's C loader alone, no garbage collection"
    return [
        Case(
            "all manifests of a folder linted", "PyYAML's C loader alone",
            within("lint", folder), within("load", folder), mark=2.5,
        ),
        Case(
            "2,000 templates loaded and linted", loader,
            within("lint", manifest), within("load", manifest), mark=1.6, rounds=5,
        ),
        Case(
            "a tag, 100,000 times", "48 calls of a Python function, as often",
            within("tag"), within("operations"), 1, rounds=5,
        ),
        Case(
            "an expression, 100,000 times", "48 calls of a Python function, as often",
            within("expression"), within("operations"), 2, rounds=5,
        ),
    ]  # fmt: skip


GROUPS: dict[str, Callable[[Bench], list[Case]]] = {
    "start-up": start_up,
    "memory": memory,
    "fan-out": lambda bench: fan_out(bench, 200, rounds=7),
    "chain": chain,
    "graphs": graphs,
    "large": large_manifest,
    "language": language,
    "fan-out-1000": lambda bench: fan_out(bench, 1000, rounds=3),
}
