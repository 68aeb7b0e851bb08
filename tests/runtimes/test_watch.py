from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from nbflow.runtimes import watch
from nbflow.runtimes.watch import ProcessWatch


@pytest.fixture(params=["system", "polling"])
def process_watch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ProcessWatch:
    if request.param == "polling":
        monkeypatch.setattr(watch, "_source", watch._Polling)
    return ProcessWatch()


def spawn(*argv: str) -> int:
    return os.posix_spawnp(argv[0], argv, os.environ)


def test_children_are_reported_once_and_reaped(process_watch: ProcessWatch) -> None:
    pid = spawn("sleep", "0.1")
    assert process_watch.add("it", pid)
    assert process_watch.wait(10) == ["it"]
    assert process_watch.wait(0) == []
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def test_processes_of_others_are_reported(process_watch: ProcessWatch) -> None:
    script = (
        "import subprocess; print(subprocess.Popen(['sleep', '600'], stdout=-3, stderr=-3).pid, flush=True)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=True
    )
    assert process_watch.add("orphan", int(done.stdout))
    os.kill(int(done.stdout), signal.SIGKILL)
    assert process_watch.wait(10) == ["orphan"]


def test_what_is_gone_is_not_watched(process_watch: ProcessWatch) -> None:
    pid = spawn("true")
    os.waitpid(pid, 0)
    assert not process_watch.add("gone", pid)


def test_a_waiting_call_wakes_up(process_watch: ProcessWatch) -> None:
    started = time.monotonic()
    threading.Timer(0.05, process_watch.wake).start()
    assert process_watch.wait(20) == []
    assert time.monotonic() - started < 10


def test_processes_may_be_added_while_somebody_waits(process_watch: ProcessWatch) -> None:
    pid = spawn("sleep", "0.1")
    threading.Timer(0.02, process_watch.add, ("later", pid)).start()
    assert process_watch.wait(10) == ["later"]
