"""Near misses: which known name a wrong one may stand for."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that comes closest, "" if none does."""
    from difflib import get_close_matches

    names = sorted(known)
    lowered = {other.lower(): other for other in reversed(names)}
    exact = lowered.get(name.lower())
    if exact:
        return exact
    found = get_close_matches(name.lower(), lowered, n=1, cutoff=0.7)
    return lowered[found[0]] if found else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A fix, "" if nothing comes close."""
    close = nearest(name, known)
    return f"did you mean `{close}`?" if close else ""
