"""The controller in the background: which one runs, and how to end it."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta

from nbflow.errors import NbflowError
from nbflow.store.home import Home
from nbflow.store.presence import Controller, controller_of
from nbflow.views.durations import short

_PAUSE_SECONDS = 0.02


def status(home: Home | None = None) -> Controller | None:
    """The controller of the home, None if none runs."""
    return controller_of(home or Home.default())


def describe(controller: Controller) -> str:
    """A controller in words."""
    age = short(timedelta(seconds=time.time() - controller.started))
    return f"running for {age} (pid {controller.pid}, version {controller.version or 'unknown'})"


def stop(home: Home | None = None, *, patience: timedelta = timedelta(seconds=20)) -> Controller | None:
    """End the controller; None if none ran. Pods go on, and the next verb starts another one that takes them up.

    Raises NbflowError if it runs on another machine, or does not end within `patience`.
    """
    place = home or Home.default()
    running = controller_of(place)
    if running is None:
        return None
    if running.host != os.uname().nodename or running.pid <= 0:
        raise NbflowError(f"the controller runs on {running.host}", fix="stop it there")
    try:
        os.kill(running.pid, signal.SIGTERM)
    except ProcessLookupError:
        return running
    end = time.monotonic() + patience.total_seconds()
    while controller_of(place) is not None:
        if time.monotonic() > end:
            raise NbflowError(
                f"the controller (pid {running.pid}) does not end",
                fix=f"kill -9 {running.pid}; nothing is lost by it",
            )
        time.sleep(_PAUSE_SECONDS)
    return running


def run(*, foreground: bool) -> int:
    """Be the controller of the home, in this process (`foreground`) or in one of its own; the exit code."""
    import sys

    place = Home.default()
    command = [sys.executable, "-P", "-m", "nbflow.controller", "--home", str(place.root)]
    if foreground:
        command.append("--foreground")
    sys.stdout.flush()
    os.execv(sys.executable, command)  # noqa: S606  # no shell is wanted
