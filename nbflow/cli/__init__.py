"""The command line: the verbs of `argo`, and ours.

`main` is the program. `run` does the same inside another program, such as a notebook. The click commands are
in `nbflow.cli.app.group`; nothing of them is imported before it is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from nbflow.cli.session import Session
    from nbflow.cli.submit import SubmitCall
    from nbflow.clients.client import Client

__all__ = ["main", "parse_submit", "read", "run"]


def main() -> None:
    """The program `nbflow`: does what sys.argv says and ends the process with the exit code."""
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # While modules are imported an interrupt ends the process at once and quietly: the shell sees 130.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from nbflow.cli.process import main as start

    start()


def run(
    argv: Sequence[str],
    *,
    out: TextIO | None = None,
    err: TextIO | None = None,
    client: Client | None = None,
) -> int:
    """Do what a command line says, in this process, and return its exit code.

    out, err: where it writes (by default this process's own). client: asked instead of the target's.
    Raises NbflowError where the program would print it: who calls shows it in their own way.
    """
    from nbflow.cli.app import invoke
    from nbflow.cli.console import Console

    return invoke(list(argv), Console(out, err), client)


def read(argv: Sequence[str]) -> tuple[Session, dict[str, object]]:
    """The flags of a verb as data, and the session that they choose; nothing is done. Raises NbflowError."""
    from nbflow.cli.app import read as read_flags

    return read_flags(argv)


def parse_submit(argv: Sequence[str]) -> SubmitCall:
    """The flags and files of a `submit`, without doing it. Raises NbflowError if they cannot be read."""
    from nbflow.cli.submit import parse

    return parse(list(argv))
