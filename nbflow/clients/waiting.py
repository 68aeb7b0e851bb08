"""How a client waits for the controller: look at a number that costs 4 us, seldomer the longer it takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from nbflow.clients.starting import Starter
from nbflow.errors import NbflowError
from nbflow.store import Store
from nbflow.store.presence import controller_of, is_listening

T = TypeVar("T")

_FIRST, _LAST, _GROWTH = 0.002, 0.02, 1.05
_QUIET, _SELDOM = 5.0, 0.15
"""After so many seconds in which nothing changed there is time: a workflow that waits for a person costs nothing."""
_LOOK_AFTER_CONTROLLER = 1.0
_BEAR_TROUBLE = 3.0


class Pacer:
    """Pauses between looks, and sees to it that a controller is alive meanwhile.

    longest: the longest pause, in seconds.
    """

    def __init__(self, store: Store, starter: Starter, longest: float = _LAST) -> None:
        self._store = store
        self._starter = starter
        self._longest = longest
        self._pause = _FIRST
        self._version = store.data_version()
        self._looked_at = self._changed_at = time.monotonic()
        self._troubled_at = 0.0

    def pause(self) -> bool:
        """Sleep a little; whether the store changed since the last call."""
        time.sleep(self._pause)
        now = time.monotonic()
        longest = _SELDOM if now - self._changed_at > _QUIET else self._longest
        self._pause = min(self._pause * _GROWTH, longest)
        self._starter.check()
        if now - self._looked_at > _LOOK_AFTER_CONTROLLER:
            self._looked_at = now
            self.revive()
        version = self._store.data_version()
        changed, self._version = version != self._version, version
        if changed:
            self._changed_at = now
        return changed

    def revive(self) -> None:
        """Start a controller if there is work and none does it (it was killed).

        Raises NbflowError if one is there that has not been able to go on for a while.
        """
        running = controller_of(self._store.home)
        if running is None or not running.trouble:
            self._troubled_at = 0.0
        elif not self._troubled_at:
            self._troubled_at = time.monotonic()
        elif time.monotonic() - self._troubled_at > _BEAR_TROUBLE:
            raise _troubled(running.trouble, str(self._store.home.root))
        if not is_listening(self._store.home) and self._store.has_work():
            self._starter.ensure(self._store)

    def hurry(self) -> None:
        """Something happened: more may follow soon."""
        self._pause = _FIRST


def wait_for(look: Callable[[], T | None], store: Store, starter: Starter, *, what: str, seconds: float) -> T:
    """What `look` finds once it finds something. Raises NbflowError after `seconds` without."""
    pacer = Pacer(store, starter)
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None:
            return found
        if time.monotonic() > end:
            raise NbflowError(
                f"the controller did not {what} within {seconds:.0f} s",
                where=str(store.home.controller_log),
                fix="look into that log; `nbflow controller stop` ends it, running pods go on",
            )
        pacer.pause()


def _troubled(trouble: str, where: str) -> NbflowError:
    return NbflowError(
        f"nothing goes on: {trouble}",
        where=where,
        fix="free space on its disk: workflows go on by themselves then, and `nbflow watch` comes back to them",
    )
