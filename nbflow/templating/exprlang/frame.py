"""What an expression works on while it is evaluated, and how much it may use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from nbflow.templating.golang.values import Fault

MEMORY_BUDGET: Final = 1_000_000
STEP_BUDGET: Final = 2_000_000


UNREADABLE: Final = object()
"""The element of a map: it can be counted, and nothing else."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What would make an expression impure: the time (aware, UTC) and the seed of random functions."""

    now: datetime
    seed: int


class Frame:
    """One evaluation.

    env: the variables and functions by their first part. variables: those of `let`. item, index, accumulated: what
    the predicate being evaluated sees as #, #index and #acc. memory: elements made so far; steps: rounds of
    predicates so far. random: how many random numbers were drawn; salt: what makes them differ from those of other
    expressions with the same seed. Most of it stays as it is: the class holds what a frame begins with.
    """

    variables: Mapping[str, object] = MappingProxyType({})
    item: object = None
    index = 0
    accumulated: object = None
    memory = 0
    steps = 0
    random = 0

    def __init__(self, env: dict[str, object], clock: Clock, salt: tuple[str, str] = ("", "")) -> None:
        self.env, self.clock, self.salts = env, clock, salt

    @property
    def salt(self) -> str:
        """The source of the expression and its place."""
        return "@".join(self.salts)

    def grow(self, elements: int) -> None:
        """Account for a list or text of that size."""
        self.memory += elements
        if self.memory >= MEMORY_BUDGET:
            raise Fault("memory budget exceeded")

    def step(self) -> None:
        """Account for one round of a predicate."""
        self.steps += 1
        if self.steps > STEP_BUDGET:
            raise Fault(f"the expression takes too long (more than {STEP_BUDGET} rounds)")


Code = Callable[[Frame], object]
