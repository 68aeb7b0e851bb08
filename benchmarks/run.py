"""Measure nbflow beside what users would otherwise run, and write the table into README.md.

python benchmarks/run.py [--only GROUP] [--rounds N] [--print]

Both sides of a comparison take turns (A B A B ...), so that a busy machine is busy for both. A figure is the median,
a ratio the median of the ratios of neighbours. No test depends on any of this.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from compileall import compile_dir
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from cases import GROUPS, NBFLOW, Bench, Case, Failed

NBFLOW_FOLDER = Path(__file__).parent.parent / "nbflow"
README = Path(__file__).parent / "README.md"
MEASURED = re.compile(r"(?<=<!-- measured -->\n).*?(?=<!-- /measured -->)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Result:
    """Seconds of every round, nbflow's and the other's; or why there are none."""

    case: Case
    nbflow: tuple[float, ...] = ()
    other: tuple[float, ...] = ()
    failure: str = ""

    @property
    def ratio(self) -> float:
        return statistics.median(a / b for a, b in zip(self.nbflow, self.other, strict=True))

    @property
    def best(self) -> float:
        """The ratio of the fastest rounds: what is left when others leave the machine alone for a moment."""
        return min(self.nbflow) / min(self.other)

    def row(self) -> str:
        case = self.case
        if self.failure:
            return f"| {case.name} | {case.against} | | | | | failed: {self.failure} |"
        ours, theirs = statistics.median(self.nbflow), statistics.median(self.other)
        if case.absolute:
            more = min(self.nbflow) - min(self.other)
            return f"| {case.name} | {case.against} | {milliseconds(more, 1)} more | | | | |"
        if case.memory:
            verdict = "met" if ours <= theirs else "**missed**"
            return f"| {case.name} | {case.against} | {ours:.0f} MB | {theirs:.0f} MB | | | {verdict} |"
        each = " a step" if case.steps > 1 else ""
        mark = f"{case.mark:g}x" if case.mark else ""
        verdict = ("met" if self.ratio <= case.mark else "**missed**") if case.mark else ""
        return (
            f"| {case.name} | {case.against} | {milliseconds(ours, case.steps)}{each} "
            f"| {milliseconds(theirs, case.steps)}{each} | {self.ratio:.2f}x | {self.best:.2f}x | {mark} {verdict} |"
        )


def milliseconds(seconds: float, steps: int) -> str:
    each = seconds * 1000 / steps
    return f"{each:.1f} ms" if each < 20 else f"{each:.0f} ms"


def measure(case: Case, rounds: int | None) -> Result:
    """One round that does not count, then turns."""
    nbflow, other = [], []
    try:
        if case.rounds > 1:
            case.nbflow(), case.other()
        for _ in range(min(rounds or case.rounds, case.rounds)):
            nbflow.append(case.nbflow())
            other.append(case.other())
    except (Failed, OSError, subprocess.SubprocessError) as failure:
        return Result(case, failure=" ".join(str(failure).split())[:200])
    return Result(case, tuple(nbflow), tuple(other))


def results(groups: list[str], rounds: int | None) -> Iterator[Result]:
    with tempfile.TemporaryDirectory(prefix="nbflow-bench-") as folder:
        bench = Bench(Path(folder))
        try:
            for group in groups:
                for case in GROUPS[group](bench):
                    result = measure(case, rounds)
                    print(result.row(), file=sys.stderr, flush=True)
                    yield result
        finally:
            bench.close()


def machine() -> str:
    """What the figures depend on."""
    tools = f"doit {version('doit')}, {first_line('bwrap', '--version')}, {first_line('dot', '-V')}"
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, nbflow {version('nbflow')}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.release().split('-')[0]}, {os.cpu_count()} cores "
        f"(load {load:.1f} at the start), {tools}."
    )


def first_line(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).splitlines()[0]


def table(rows: list[str], where: str) -> str:
    head = "| what | against | nbflow | the other | ratio | best | mark |\n|---|---|---|---|---|---|---|\n"
    return f"{where}\n\n{head}{chr(10).join(rows)}\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", choices=sorted(GROUPS), help="this group; may be repeated")
    parser.add_argument("--rounds", type=int, help="at most so many of each case")
    parser.add_argument("--print", action="store_true", help="print the table and leave README.md alone")
    options = parser.parse_args()
    if not Path(NBFLOW).exists():
        parser.error(f"nbflow is not installed for {sys.executable}: run `make bench`")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has its bytecode beside it
    compile_dir(NBFLOW_FOLDER, quiet=1)
    where = machine()
    text = table([result.row() for result in results(options.only or list(GROUPS), options.rounds)], where)
    if options.print or options.only:
        print(text)
    else:
        README.write_text(MEASURED.sub(lambda _: text, README.read_text()))


if __name__ == "__main__":
    main()
