"""A network of its own for a pod: its loopback is private, its ports meet nobody's.

What listens inside is shown outside at the pod's address, one of 127.0.0.0/8, and the daemons of the same workflow
are shown inside at theirs: bytes are carried by hand, which asks the machine for no device, no rule and no root.
Where the kernel refuses, the pod shares the machine's network. All of it ends with the supervisor.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator

from nbflow.supervisor.names import answer_names
from nbflow.supervisor.outside import Outside
from nbflow.supervisor.peers import Peers, offer, withdraw
from nbflow.supervisor.plan import Plan

NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
_SET_FLAGS, _UP = 0x8914, 0x1 | 0x40
_OFTEN, _SELDOM, _YOUNG = 0.1, 1.0, 10.0
_LISTENS = "0A"


class Network:
    """Set up by making it, before any thread is started. address: where the pod is seen from outside."""

    def __init__(self, plan: Plan) -> None:
        self.address = "127.0.0.1"
        self._file = plan.peers
        self._peers = Peers(plan.peers, plan.address, plan.taken)
        self._listeners: dict[tuple[str, int], socket.socket] = {}
        self.private = False
        self._shown: set[int] = set()
        self._lock = threading.Lock()
        self._outside: Outside | None = None
        if not plan.private:
            return
        outside = Outside(plan.address)  # a process that stays where we are now
        if not _enter(any(container.namespace for container in plan.containers)):
            outside.close()
            return
        self.private, self.address, self._outside = True, plan.address, outside
        _prepare()
        outside.connect_to_world(os.getpid(), with_user=os.geteuid() != 0)
        outside.serve()
        answer_names()
        self._meet_peers()
        threading.Thread(target=self._look, args=(plan.daemon,), daemon=True).start()

    def show(self) -> None:
        """Show outside what listens by now."""
        if self._outside is None:
            return
        with self._lock:
            for port in sorted(set(_listening(self.address)) - self._shown):
                self._shown.add(port)
                self._outside.listen(port)
                offer(self._file, self.address, port)

    def close(self) -> None:
        """Let go of all that is outside."""
        if self._outside is not None:
            if self._shown:
                withdraw(self._file, self.address)
            self._outside.close()

    def _look(self, daemon: bool) -> None:
        young = time.monotonic() + _YOUNG
        while True:
            if daemon:
                self.show()
            self._meet_peers()
            time.sleep(_OFTEN if time.monotonic() < young else _SELDOM)

    def _meet_peers(self) -> None:
        """Show inside what the daemons of the workflow offer by now, and no more what they do not."""
        offered = self._peers.offered()
        for peer in offered - self._listeners.keys():
            with contextlib.suppress(OSError):
                listener = self._listeners[peer] = socket.create_server(peer, backlog=128)
                threading.Thread(target=self._serve_peer, args=(listener, *peer), daemon=True).start()
        for peer in self._listeners.keys() - offered:
            with contextlib.suppress(OSError):
                self._listeners[peer].shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for callers
            self._listeners.pop(peer).close()

    def _serve_peer(self, listener: socket.socket, address: str, port: int) -> None:
        with contextlib.suppress(OSError):
            while True:
                inner, _ = listener.accept()
                assert self._outside is not None
                self._outside.reach(inner, address, port)


def _enter(has_namespace: bool) -> bool:
    """Go into a network of our own; False if that is refused."""
    unshare = ctypes.CDLL(None, use_errno=True).unshare
    if os.geteuid() == 0:
        return bool(unshare(NEW_NETWORK) == 0)
    uid, gid = os.geteuid(), os.getegid()
    if has_namespace or unshare(NEW_USER | NEW_NETWORK):
        return False
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with contextlib.suppress(OSError), open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)
    return True


def _prepare() -> None:
    """Loopback up; every port may be listened on, as in a container."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket, contextlib.suppress(OSError):
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP))
    for name, text in (("ip_unprivileged_port_start", "0"), ("ping_group_range", "0 2147483647")):
        with contextlib.suppress(OSError), open(f"/proc/sys/net/ipv4/{name}", "w", encoding="ascii") as file:
            file.write(text)


def _listening(address: str) -> Iterator[int]:
    """Ports that are open to other pods: what listens on this address or on all."""
    own = socket.inet_aton(address)[::-1].hex().upper()
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError), open(f"/proc/self/net/{name}", encoding="ascii") as file:
            for line in list(file)[1:]:
                _, local, _, status = line.split()[:4]
                place, _, port = local.partition(":")
                if status == _LISTENS and (place == own or not place.strip("0")):
                    yield int(port, 16)
