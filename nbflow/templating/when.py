"""`when`: whether a step or task runs at all.

Argo evaluates it with govaluate after plain text substitution, not as an expression of expr-lang:
bare words are strings, all numbers are floats.
"""

from __future__ import annotations


def should_execute(when: str) -> bool:
    """Whether the substituted condition holds; an empty one does. Raises WhenError with Argo's message."""
    if when == "":
        return True
    from nbflow.templating.govaluate.condition import holds  # most steps have no condition

    return holds(when)
