"""Whether a daemon is ready, as Kubernetes asks it: by HTTP, by connecting, by running a command."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable

from nbflow.supervisor.plan import Probe
from nbflow.supervisor.process import Process, first_program

_SHORTEST = 1.0
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
        with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
            if probe.kind == "exec":
                return self._command()
            with socket.create_connection((probe.host or "127.0.0.1", probe.port), probe.timeout) as link:
                return probe.kind == "tcpSocket" or _http(link, probe)
        return False

    def _command(self) -> bool:
        process = self._process
        if process is None or not process.alive:
            return False
        argv = list(self._probe.command)
        env = process.plan.inner_env or process.plan.env
        cwd = process.plan.cwd or None
        if process.plan.entered:
            pid, nsenter = first_program(process), shutil.which("nsenter", path="/usr/bin:/bin")
            if not pid or not nsenter:
                return False
            flags = ["--user", "--mount", "--uts", "--pid", "--root", "--wd", "--preserve-credentials"]
            argv = [nsenter, "--target", str(pid), *flags, "--", *argv]
            cwd = "/"
        done = subprocess.run(
            argv,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=self._probe.timeout,
            start_new_session=True,
            check=False,
        )
        return done.returncode == 0


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
