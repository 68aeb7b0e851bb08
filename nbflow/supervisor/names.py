"""Names in a pod's own network, where the machine's resolver listens on loopback (systemd-resolved: 127.0.0.53).

The pod's resolv.conf is the machine's, but its loopback is its own: what is asked there is passed on to the resolver of
the program that leads out, which asks the machine's.
"""

from __future__ import annotations

import contextlib
import socket
import threading

from nbflow.supervisor.outside import RESOLVER, join

_PORT = 53
_LARGEST = 65535
_TIMEOUT = 10.0


def answer_names() -> None:
    """Listen where the machine's resolver does, if that is on loopback."""
    for address in _resolvers():
        with contextlib.suppress(OSError):
            questions = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            questions.bind((address, _PORT))
            callers = socket.create_server((address, _PORT), backlog=16)
            for serve, listener in ((_datagrams, questions), (_connections, callers)):
                threading.Thread(target=serve, args=(listener,), daemon=True).start()


def _resolvers() -> list[str]:
    """The machine's resolvers on loopback."""
    with contextlib.suppress(OSError), open("/etc/resolv.conf", encoding="utf-8", errors="replace") as file:
        lines = [line.split() for line in file]
        return [
            words[1]
            for words in lines
            if words[:1] == ["nameserver"] and "".join(words[1:2]).startswith("127.")
        ]
    return []


def _datagrams(questions: socket.socket) -> None:
    while True:
        question, caller = questions.recvfrom(_LARGEST)
        threading.Thread(target=_ask, args=(questions, question, caller), daemon=True).start()


def _ask(questions: socket.socket, question: bytes, caller: tuple[str, int]) -> None:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(_TIMEOUT)
        link.connect((RESOLVER, _PORT))
        link.send(question)
        questions.sendto(link.recv(_LARGEST), caller)


def _connections(callers: socket.socket) -> None:
    while True:
        caller, _ = callers.accept()
        threading.Thread(target=_call, args=(caller,), daemon=True).start()


def _call(caller: socket.socket) -> None:
    try:
        join(caller, socket.create_connection((RESOLVER, _PORT), _TIMEOUT))
    except OSError:
        caller.close()
