"""The functions of the language that take values, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from nbflow.templating.exprlang.builtins import conversions, dates, lists, numbers, texts

FUNCTIONS: Final[dict[str, Callable[..., object]]] = {
    **texts.FUNCTIONS,
    **numbers.FUNCTIONS,
    **lists.FUNCTIONS,
    **conversions.FUNCTIONS,
    **dates.FUNCTIONS,
}

GROWING: Final = frozenset(("repeat", "reverse", "concat", "flatten", "sort"))
"""The results of these count against the memory budget."""
