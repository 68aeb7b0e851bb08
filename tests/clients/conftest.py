from __future__ import annotations

import os
import signal
import time

import pytest

from nbflow.clients.local import LocalClient
from nbflow.clients.starting import starter_of
from nbflow.store import Home
from nbflow.store.presence import controller_of


def end_controller(home: Home) -> None:
    """Ask it to end and wait until it has."""
    running = controller_of(home)
    if running and running.pid:
        os.kill(running.pid, signal.SIGTERM)
    end = time.monotonic() + 20
    while controller_of(home) is not None:
        assert time.monotonic() < end, "the controller does not end"
        time.sleep(0.01)
    starter_of(home).close()


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path / "home")
    yield made
    end_controller(made)


@pytest.fixture
def client(home):
    return LocalClient("host", home)


@pytest.fixture
def kill_controller():
    """SIGKILL for the controller of a home."""

    def kill(home):
        running = controller_of(home)
        assert running
        os.kill(running.pid, signal.SIGKILL)
        while controller_of(home) is not None:
            time.sleep(0.001)
        return running.pid

    return kill
