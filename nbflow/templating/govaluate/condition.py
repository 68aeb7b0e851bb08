"""A condition from its text to its value, with Argo's messages for what is wrong with it."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from nbflow.templating.failures import WhenError
from nbflow.templating.golang.text import display
from nbflow.templating.golang.values import Fault
from nbflow.templating.govaluate.plan import Stage, plan
from nbflow.templating.govaluate.stages import evaluate
from nbflow.templating.govaluate.tokens import tokenize, with_patterns, with_words_as_strings

_HINT: Final = ' (hint: try wrapping the affected expression in quotes ("))'


def holds(when: str) -> bool:
    """The condition's value. Raises WhenError if it has none, or one that is no boolean."""
    stage = _planned(when)
    try:
        result = evaluate(stage) if stage is not None else None
    except Fault as fault:
        raise WhenError(f"Failed to evaluate 'when' expresion '{when}': {fault}") from None
    except RecursionError:
        raise WhenError(f"Failed to evaluate 'when' expresion '{when}': it is nested too deeply") from None
    if not isinstance(result, bool):
        raise WhenError(
            f"Expected boolean evaluation for '{when}'. Got {display(result)}",
            fix="compare it with something",
        )
    return result


@lru_cache(maxsize=1024)
def _planned(when: str) -> Stage | None:
    try:
        tokens = tokenize(when)
        plan(tokens)
        tokens = with_patterns(tokens)
    except Fault as fault:
        hint = _HINT if "Invalid token" in str(fault) else ""
        raise WhenError(f"Invalid 'when' expression '{when}': {fault}{hint}") from None
    except RecursionError:
        raise WhenError(f"Invalid 'when' expression '{when}': it is nested too deeply") from None
    try:
        tokens = with_words_as_strings(tokens)
        plan(tokens)
        return plan(with_patterns(tokens), checked=True)
    except Fault as fault:
        raise WhenError(f"Failed to parse 'when' expression '{when}': {fault}") from None
