"""The program as a process: signals, exit codes, and what happens when something goes wrong."""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from nbflow.errors import NbflowError

REFUSED = 2
INTERRUPTED = 130
NO_READER = 141
DEBUG = "NBFLOW_DEBUG"

_NOT_HERE = frozenset(("-h", "--help", "--dry-run", "--server-dry-run", "--on", "--on=argo"))


def main() -> NoReturn:
    """Do what sys.argv says; ends the process."""
    # A command lives for a moment: collecting garbage, all of it once more at the end, costs more than the garbage.
    gc.set_threshold(100_000, 20, 20)
    _open_streams()
    code = _run(sys.argv[1:])
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # as before: nothing is left that could be told
    code = _flush(code)
    gc.freeze()
    sys.exit(code)


def _open_streams() -> None:
    """Streams that were closed (`>&-`) become /dev/null, before another file gets their number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:
            continue
        opened = os.open(os.devnull, os.O_RDWR)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)
        setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8"))  # noqa: SIM115, PTH123


def _prepare(argv: list[str]) -> None:
    """A submit needs a controller of this machine: have it started before all else, which it then runs beside."""
    if argv[:1] != ["submit"] or not _NOT_HERE.isdisjoint(argv):
        return
    from nbflow.clients.starting import starter_of
    from nbflow.store.home import Home

    with suppress(OSError):  # it is tried once more, and then said
        starter_of(Home.default()).prepare()


def _run(argv: list[str]) -> int:
    _prepare(argv)
    from nbflow.cli.app import invoke
    from nbflow.cli.console import Console

    console = Console()
    try:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return invoke(argv, console)
    except NbflowError as error:
        console.say(str(error))
        return REFUSED
    except KeyboardInterrupt:
        console.say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        return NO_READER
    except Exception as error:  # the last resort of a program for people
        if os.environ.get(DEBUG):
            raise
        console.say(_unexpected(error))
        return REFUSED


def _flush(code: int) -> int:
    """Write what is left. If nobody reads any more, end quietly as other programs do."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (BrokenPipeError, ValueError):
            code = NO_READER
        except OSError as error:  # a full disk; said already if it was known before
            code = code or _say_unwritable(error)
        else:
            continue
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return code


def _say_unwritable(error: OSError) -> int:
    from nbflow.cli.console import unwritable

    with suppress(OSError):
        sys.stderr.write(f"{unwritable(error)}\n")
    return REFUSED


def _unexpected(error: Exception) -> str:
    """What to say about a fault of ours, and where its details are."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    kept = _keep_details()
    details = f"details: {kept}" if kept else f"{DEBUG}=1 shows the details"
    return f"nbflow failed unexpectedly: {reason}\n  {details}\n  fix: please report it, that was no fault of yours"


def _keep_details() -> Path | None:
    """Write the traceback to a file in the home that its owner alone can read; None if that cannot be."""
    import traceback

    from nbflow.store.home import Home

    try:
        folder = Home.default().root / "errors"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{os.getpid()}.txt"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(f"nbflow {' '.join(sys.argv[1:2])}\n{traceback.format_exc()}")
    except OSError:
        return None
    return path
