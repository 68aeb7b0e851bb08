"""A home for one test, with the controller in it ended afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def environment(home: Path) -> dict[str, str]:
    """The environment of a program that works in `home`."""
    return {**os.environ, "NBFLOW_HOME": str(home), "PYTHONPATH": str(REPOSITORY)}


def stop_controller(home: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "nbflow.cli", "controller", "stop"],
        env=environment(home),
        check=False,
        capture_output=True,
        timeout=60,
    )


@contextmanager
def own_home(home: Path) -> Iterator[Path]:
    try:
        yield home
    finally:
        stop_controller(home)
