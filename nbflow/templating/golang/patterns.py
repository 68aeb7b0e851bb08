"""Regular expressions in Go's syntax."""

from __future__ import annotations

import re
from functools import lru_cache

from nbflow.templating.golang.values import Fault


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """The compiled pattern. Raises Fault."""
    try:
        return re.compile(pattern)
    except re.error as error:
        raise Fault(f"error parsing regexp: {error}") from None


def search(pattern: str, text: str) -> bool:
    """Whether `pattern` is found anywhere in `text`."""
    return compile_pattern(pattern).search(text) is not None
