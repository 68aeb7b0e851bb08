"""The process of a pod that stays in the machine's network while the pod has its own: it lends sockets to it.

Forked before the pod's network is made, it is told over a pair of sockets what to listen on and whom to call; what
comes of it goes back as a file descriptor. It ends when the supervisor does, however that ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import threading

from nbflow.supervisor.plan import NAMESPACE, PLAN, STATUS

RESOLVER = "10.0.2.3"
"""Where the program that leads out answers questions for names: slirp4netns by itself, pasta because we say so."""
_MESSAGE = 4096
_TIMEOUT = 10.0


class Outside:
    """The supervisor's side of it. address: where it listens for us."""

    def __init__(self, address: str) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._link = ours
        self._calls: dict[int, socket.socket] = {}
        self._number = 0
        self._lock = threading.Lock()
        self._heard = threading.Semaphore(0)
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            _lend(theirs, address)
        theirs.close()

    def serve(self) -> None:
        """Take in what it sends, from now on."""
        threading.Thread(target=self._receive, daemon=True).start()

    def listen(self, port: int) -> None:
        """Have it listen; waits until it does."""
        self._say({"listen": port})
        self._heard.acquire(timeout=_TIMEOUT)

    def reach(self, inner: socket.socket, address: str, port: int) -> None:
        """Connect a socket of the pod with an address outside."""
        with self._lock:
            self._number += 1
            self._calls[self._number] = inner
            number = self._number
        self._say({"call": number, "address": address, "port": port})

    def connect_to_world(self, pid: int, *, with_user: bool) -> None:
        """Lead the way out of the pod's network through it, where the machine has a program for that."""
        self._say({"world": pid, "user": with_user})

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._link.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    def _say(self, message: dict[str, object]) -> None:
        with contextlib.suppress(OSError):
            self._link.send(json.dumps(message).encode())

    def _receive(self) -> None:
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(self._link, _MESSAGE, 1)
            except OSError:
                return
            if not data:
                return
            message = json.loads(data)
            lent = socket.socket(fileno=fds[0]) if fds else None
            if "listens" in message:
                self._heard.release()
            elif "accepted" in message and lent is not None:
                threading.Thread(target=_call_in, args=(lent, message["accepted"]), daemon=True).start()
            elif "call" in message:
                inner = self._calls.pop(message["call"])
                if lent is None:
                    inner.close()
                else:
                    join(inner, lent)


def _call_in(lent: socket.socket, port: int) -> None:
    """A connection from outside: on to who listens inside."""
    for address in ("127.0.0.1", "::1"):
        with contextlib.suppress(OSError):
            join(socket.create_connection((address, port), _TIMEOUT), lent)
            return
    lent.close()


def join(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes between two connections, both ways, until both are at their end."""
    for link in (one, other):
        link.settimeout(None)
    threading.Thread(target=_join, args=(one, other), daemon=True).start()


def _join(one: socket.socket, other: socket.socket) -> None:
    with one, other:
        back = threading.Thread(target=_carry, args=(other, one), daemon=True)
        back.start()
        _carry(one, other)
        back.join()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


# --- the process outside ---


def _lend(link: socket.socket, address: str) -> None:
    """What the process does, all its life."""
    signal.set_wakeup_fd(-1)
    for signum in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
        signal.signal(signum, signal.SIG_IGN)
    for fd in (STATUS, PLAN, NAMESPACE):
        with contextlib.suppress(OSError):
            os.close(fd)
    null = os.open(os.devnull, os.O_WRONLY)
    for fd in (1, 2):  # the pod's log is the pod's
        os.dup2(null, fd)
    world: subprocess.Popen[bytes] | None = None
    try:
        while data := link.recv(_MESSAGE):
            message = json.loads(data)
            if "listen" in message:
                _listen(link, address, message["listen"])
            elif "call" in message:
                threading.Thread(target=_call, args=(link, message), daemon=True).start()
            elif "world" in message:
                world = _world(message["world"], with_user=message["user"])
    finally:
        if world is not None:
            world.kill()
            world.wait()
        os._exit(0)


def _listen(link: socket.socket, address: str, port: int) -> None:
    with contextlib.suppress(OSError):
        listener = socket.create_server((address, port), backlog=128)
        threading.Thread(target=_accept, args=(link, listener, port), daemon=True).start()
    link.send(json.dumps({"listens": port}).encode())


def _accept(link: socket.socket, listener: socket.socket, port: int) -> None:
    while True:
        accepted, _ = listener.accept()
        with accepted, contextlib.suppress(OSError):
            socket.send_fds(link, [json.dumps({"accepted": port}).encode()], [accepted.fileno()])


def _call(link: socket.socket, message: dict[str, object]) -> None:
    answer = json.dumps({"call": message["call"]}).encode()
    try:
        with socket.create_connection((str(message["address"]), int(str(message["port"]))), _TIMEOUT) as made:
            socket.send_fds(link, [answer], [made.fileno()])
    except OSError:
        with contextlib.suppress(OSError):  # the pod has ended
            link.send(answer)


def _world(pid: int, *, with_user: bool) -> subprocess.Popen[bytes] | None:
    """slirp4netns or pasta, whichever there is."""
    namespace = f"/proc/{pid}/ns"
    slirp, pasta = shutil.which("slirp4netns"), shutil.which("pasta")
    if slirp:
        user = ["--userns-path", f"{namespace}/user"] if with_user else []
        argv = [slirp, "--configure", "--disable-host-loopback", *user, str(pid), "tap0"]
    elif pasta and with_user:
        closed = [word for flag in ("-t", "-u", "-T", "-U") for word in (flag, "none")]
        places = ["--userns", f"{namespace}/user", "--netns", f"{namespace}/net"]
        argv = [pasta, "--config-net", "--foreground", "--quiet", "--dns-forward", RESOLVER, *closed, *places]
    else:
        return None
    null = subprocess.DEVNULL
    return subprocess.Popen(argv, stdin=null, stdout=null, stderr=null)
