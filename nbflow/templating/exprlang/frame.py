"""What an expression works on while it is evaluated, and how much it may use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
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


@dataclass(slots=True)
class Frame:
    """One evaluation.

    env: the variables and functions by their first part. item, index, accumulated: what the
    predicate being evaluated sees as #, #index and #acc. memory: elements made so far; steps:
    rounds of predicates so far. random: how many random numbers were drawn; salt: what makes them
    differ from those of other expressions with the same seed.
    """

    env: dict[str, object]
    clock: Clock
    variables: dict[str, object] = field(default_factory=dict)
    item: object = None
    index: int = 0
    accumulated: object = None
    memory: int = 0
    steps: int = 0
    random: int = 0
    salt: str = ""

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
