"""The file in which the daemons of a workflow say what they offer: `ADDRESS PORT` for a port that others reach from
then on, `ADDRESS gone` when a daemon has ended. Lines are added by single writes, and never changed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Container


def offer(file: str, address: str, port: int) -> None:
    """Tell the other pods of the workflow."""
    _add(file, f"{address} {port}\n")


def withdraw(file: str, address: str) -> None:
    """Tell them that nothing is offered any more."""
    if os.path.exists(file):
        _add(file, f"{address} gone\n")


def _add(file: str, line: str) -> None:
    with contextlib.suppress(FileNotFoundError):  # the workflow was deleted meanwhile
        fd = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, line.encode())
        finally:
            os.close(fd)


class Peers:
    """What there is by now, for one reader. own, taken: an address and ports that do not count."""

    def __init__(self, file: str, own: str, taken: Container[int] = ()) -> None:
        self._file = file
        self._own = own
        self._taken = taken
        self._size = -1
        self._offered: set[tuple[str, int]] = set()

    def offered(self) -> frozenset[tuple[str, int]]:
        """Address and port of what others offer."""
        with contextlib.suppress(OSError):
            size = os.stat(self._file).st_size
            if size != self._size:
                with open(self._file, encoding="ascii") as file:
                    self._offered = self._read(file.read())
                self._size = size
        return frozenset(self._offered)

    def _read(self, text: str) -> set[tuple[str, int]]:
        found: set[tuple[str, int]] = set()
        for line in text.split("\n")[:-1]:
            address, _, what = line.partition(" ")
            if what == "gone":
                found = {(other, port) for other, port in found if other != address}
            elif address != self._own and int(what) not in self._taken:
                found.add((address, int(what)))
        return found
