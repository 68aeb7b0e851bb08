"""Asks a container what its probes ask, and does what its hooks do: by HTTP, by connecting, by running a command."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from dataclasses import replace

from nbflow.supervisor.plan import PROCESSES, Asked
from nbflow.supervisor.process import Process

_LOOK = 0.01
_LONGEST_LINE = 8192


def answers(asked: Asked, process: Process, timeout: float) -> bool:
    """Whether it is as it should be. timeout: in seconds."""
    if asked.kind == "sleep":
        time.sleep(min(asked.seconds, timeout))
        return True
    with contextlib.suppress(OSError, ValueError):
        if asked.kind == "exec":
            return _command(asked, process, timeout)
        with socket.create_connection((asked.host or "127.0.0.1", asked.port), timeout) as link:
            return asked.kind == "tcpSocket" or _http(link, asked, timeout)
    return False


def _command(asked: Asked, process: Process, timeout: float) -> bool:
    """In the container's files and network and among its processes."""
    if not process.alive:
        return False
    plan, processes = process.plan, process.namespace()
    argv, arguments = asked.command, plan.arguments
    if plan.entered:
        joined = ("--pidns", str(PROCESSES)) if processes >= 0 else ()
        first = plan.argv.index("--")
        end = plan.argv.index("--", first + 1) if plan.argv[first + 1].endswith("/setpriv") else first
        argv = (*plan.argv[:first], *joined, *plan.argv[first : end + 1], *argv)
    if arguments is not None and processes >= 0:
        arguments = arguments.replace("--unshare-pid\0", "")
    run = Process(
        replace(plan, argv=argv, arguments=arguments, log=os.devnull, result="", piped=False, missing="")
    )
    try:
        run.start(processes)
    finally:
        if processes >= 0:
            os.close(processes)
    return _wait(run, timeout)


def _wait(run: Process, timeout: float) -> bool:
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        pid, status = os.waitpid(run.pid, os.WNOHANG)
        if pid:
            return status == 0
        time.sleep(_LOOK)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(run.pid, signal.SIGKILL)
    os.waitpid(run.pid, 0)
    return False


def _http(link: socket.socket, asked: Asked, timeout: float) -> bool:
    """Whether a GET is answered with a status from 200 to 399."""
    link.settimeout(timeout)
    if asked.https:
        import ssl

        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        link = context.wrap_socket(link)
    headers = {"Host": f"{asked.host or '127.0.0.1'}:{asked.port}", "User-Agent": "kube-probe/nbflow"}
    headers |= dict(asked.headers)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    link.sendall(f"GET {asked.path or '/'} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())
    status = b""
    while b"\n" not in status and len(status) < _LONGEST_LINE:
        data = link.recv(1024)
        if not data:
            break
        status += data
    words = status.split(b"\n")[0].split()
    return len(words) > 1 and words[1].isdigit() and 200 <= int(words[1]) < 400
