"""Whether a daemon is ready, as Kubernetes asks it: by HTTP, by connecting, by running a command."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from nbflow.supervisor.plan import Probe
from nbflow.supervisor.process import Process

_SHORTEST = 1.0
_LOOK = 0.01
_LONGEST_LINE = 8192


class Readiness:
    """Asks until it is ready, then says so once. No probe: ready as soon as it runs."""

    def __init__(self, probe: Probe, process: Process | None, ready: Callable[[], None]) -> None:
        self._probe = probe
        self._process = process
        self._ready = ready

    def watch(self) -> None:
        """Returns at once."""
        if not self._probe.kind:
            self._ready()
            return
        threading.Thread(target=self._ask_on, daemon=True).start()

    def _ask_on(self) -> None:
        probe, good = self._probe, 0
        time.sleep(probe.delay)
        while good < probe.successes:
            good = good + 1 if self._answers() else 0
            if good < probe.successes:
                # A daemon that is not up yet is asked more often: everybody waits for it.
                time.sleep(probe.period if good else min(_SHORTEST, probe.period))
        self._ready()

    def _answers(self) -> bool:
        probe = self._probe
        with contextlib.suppress(OSError, ValueError):
            if probe.kind == "exec":
                return self._command()
            with socket.create_connection((probe.host or "127.0.0.1", probe.port), probe.timeout) as link:
                return probe.kind == "tcpSocket" or _http(link, probe)
        return False

    def _command(self) -> bool:
        """In the container's files and network, though not among its processes: a user may not enter those."""
        process = self._process
        if process is None or not process.alive:
            return False
        plan = process.plan
        first = plan.argv[: plan.argv.index("--") + 1] if plan.entered else ()
        argv = (*first, *self._probe.command)
        probe = Process(replace(plan, argv=argv, log=os.devnull, result="", piped=False))
        probe.start()
        end = time.monotonic() + self._probe.timeout
        while time.monotonic() < end:
            pid, status = os.waitpid(probe.pid, os.WNOHANG)
            if pid:
                return status == 0
            time.sleep(_LOOK)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(probe.pid, signal.SIGKILL)
        os.waitpid(probe.pid, 0)
        return False


def _http(link: socket.socket, probe: Probe) -> bool:
    """Whether a GET is answered with a status from 200 to 399."""
    link.settimeout(probe.timeout)
    if probe.https:
        import ssl

        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        link = context.wrap_socket(link)
    headers = {"Host": f"{probe.host or '127.0.0.1'}:{probe.port}", "User-Agent": "kube-probe/nbflow"}
    headers |= dict(probe.headers)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    link.sendall(f"GET {probe.path or '/'} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())
    status = b""
    while b"\n" not in status and len(status) < _LONGEST_LINE:
        data = link.recv(1024)
        if not data:
            break
        status += data
    words = status.split(b"\n")[0].split()
    return len(words) > 1 and words[1].isdigit() and 200 <= int(words[1]) < 400
