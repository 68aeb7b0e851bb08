"""Questions for names, asked where the machine's resolver listens on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from nbflow.supervisor import names


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One that echoes, by datagrams and by connections, as slirp4netns would be; the pod's listens at 127.0.0.53."""
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.88.0.3", 0))
    port = datagrams.getsockname()[1]
    connections = socket.create_server(("127.88.0.3", port))

    def answer() -> None:
        question, caller = datagrams.recvfrom(100)
        datagrams.sendto(b"to " + question, caller)
        link, _ = connections.accept()
        with link:
            link.sendall(b"to " + link.recv(100))

    thread = threading.Thread(target=answer)
    thread.start()
    monkeypatch.setattr(names, "RESOLVER", "127.88.0.3")
    monkeypatch.setattr(names, "_PORT", port)
    monkeypatch.setattr(names, "_resolvers", lambda: ["127.88.0.53"])
    yield
    thread.join()
    datagrams.close()
    connections.close()


def test_what_is_asked_of_loopback_is_answered_by_who_leads_out(
    resolver: None,
) -> None:
    names.answer_names()
    place = ("127.88.0.53", names._PORT)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(30)
        link.sendto(b"anna?", place)
        assert link.recvfrom(100) == (b"to anna?", place)
    with socket.create_connection(place, 30) as link:
        link.sendall(b"bert?")
        assert link.recv(100) == b"to bert?"
