"""When Python looks for garbage: a run grows and keeps all it has, so its old parts are looked through once it ended.

Python would look through everything each time that a fifth more is there, and find nothing: the more nodes, the
dearer each of them.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass

_YOUNG, _MIDDLE, _OLD = 10_000, 20, 1_000
_SECONDS_BETWEEN = 10.0


def spare() -> None:
    """What was imported stays for ever: it is never looked at, nor its pages copied after a fork."""
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
    gc.enable()


@dataclass(slots=True)
class Garbage:
    """What ended runs leave: rings of objects, which only a look through everything finds. some: whether there is any.

    collected_at: when it was looked for, on the monotonic clock.
    """

    some: bool = False
    collected_at: float = 0.0

    def collect(self, now: float, *, idle: bool) -> None:
        """Let it go: at once if nothing else is to be done, else now and then."""
        if self.some and (idle or now - self.collected_at >= _SECONDS_BETWEEN):
            gc.collect()
            self.some, self.collected_at = False, now
