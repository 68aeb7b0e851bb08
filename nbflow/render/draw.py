"""DOT in, SVG or PNG out.

Two programs can do it. `dot` of the machine comes first: it measures text with the machine's own fonts,
every script included. Without it `graphviz-pure` draws: one self-contained program from a wheel (6 MB, no
dependency, Linux and macOS on x86-64 and arm64; EPL-2.0, run as a process of its own, never linked). Both
were compared on the same graphs, `dot` 2.43 against graphviz-pure 0.2.2, medians of nine:

| nodes | dot | graphviz-pure | picture |
|---|---|---|---|
| 10 | 13 ms | 3 ms | the same ids, classes, titles and ranks; siblings may swap places |
| 100 | 18 ms | 13 ms | the same, 6 % more bytes |
| 1,000 | 174 ms | 154 ms | the same |
| 5,000 (one run) | 4.1 s | 1.7 s | the same |

It keeps ids, classes, clusters, HTML-like labels and PNG. Its one loss: it knows the widths of ASCII in
Helvetica, Arial, Times and Courier only, so a label in another script gets a box that is too narrow; and a
list of fonts in `fontname` is measured as Times, so name one. (`dot` 2.43, on its side, knows no
three-digit colours.)

What a workflow names is a stranger's text: neither program may open a file (`SERVER_NAME` is Graphviz's own
switch for that), and `nbflow.render.safety` checks the SVG before anybody shows it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from datetime import timedelta
from pathlib import Path

from nbflow.errors import NbflowError
from nbflow.render.safety import safe_svg

PROGRAMS = ("dot", "graphviz-pure")
PATIENCE = timedelta(seconds=30)
_INSTALL = "install graphviz (Debian: apt-get install graphviz), or pip install graphviz-pure"


def svg(dot: str, *, timeout: timedelta = PATIENCE) -> str:
    """The drawing as one `<svg>` element, without prolog, script, image or event handler: fit for any page.

    Raises NbflowError if nothing here can draw, `dot` is no DOT, or the layout takes longer than `timeout`.
    """
    return safe_svg(_draw(dot, "svg", timeout).decode())


def png(dot: str, *, timeout: timedelta = PATIENCE) -> bytes:
    """The drawing as PNG. Raises as `svg` does."""
    return _draw(dot, "png", timeout)


def available() -> str:
    """The path of the program that draws here; "" if there is none."""
    return next(iter(_programs()), "")


def _programs() -> list[str]:
    # A venv that is not activated has its scripts beside its Python, not on PATH.
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), sysconfig.get_path("scripts")))
    return [found for name in PROGRAMS if (found := shutil.which(name, path=path))]


def _draw(dot: str, form: str, timeout: timedelta) -> bytes:
    """The first program that can. A `dot` that is there but broken leaves it to the next one."""
    programs = _programs()
    if not programs:
        raise NbflowError("no program that draws graphs was found", fix=_INSTALL)
    failures = []
    for program in programs:
        try:
            return _run(program, form, dot, timeout)
        except NbflowError as failure:
            failures.append(failure)
    raise failures[0]


def _run(program: str, form: str, dot: str, timeout: timedelta) -> bytes:
    from graphviz.backend.execute import CalledProcessError, ExecutableNotFound, run_check

    name = Path(program).name
    try:
        done = run_check(
            [program, "-Kdot", f"-T{form}"],
            input=dot.encode(),
            capture_output=True,
            quiet=True,
            timeout=timeout.total_seconds(),
            env=_environment(),
        )
    except subprocess.TimeoutExpired as late:
        raise NbflowError(
            f"{name} needed more than {timeout.total_seconds():g} s to lay out the graph",
            fix="look at a part of the workflow, or at its tree with `nbflow get`",
        ) from late
    except CalledProcessError as failed:
        raise NbflowError(f"{name} could not draw the graph: {_reason(failed.stderr)}") from failed
    except (ExecutableNotFound, OSError) as broken:
        raise NbflowError(f"{name} does not start: {broken}", fix=_INSTALL) from broken
    return bytes(done.stdout)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "GV_FILE_PATH"}
    return kept | {"SERVER_NAME": "nbflow"}


def _reason(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").splitlines() or ["no reason given"]
    errors = [line.removeprefix("Error: ") for line in lines if line.startswith("Error: ")]
    return errors[0] if errors else lines[-1]
