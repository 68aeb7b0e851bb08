"""The one place where moving an artifact is tried again: as often, and after as long, as Argo's executor does."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from nbflow.artifacts.driver import ArtifactUnavailable

WAITS: Sequence[float] = (1.0, 1.6, 2.56, 4.1)
"""Seconds between attempts: five attempts in all."""

_Found = TypeVar("_Found")


def attempt(
    move: Callable[[], _Found], *, waits: Sequence[float] = WAITS, wait: Callable[[float], None] = time.sleep
) -> _Found:
    """Do it, and do it again while the place does not answer. Raises what the last attempt raised."""
    for seconds in waits:
        try:
            return move()
        except ArtifactUnavailable:
            wait(seconds)
    return move()
