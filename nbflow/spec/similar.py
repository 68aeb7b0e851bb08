"""Near misses: which known name a wrong one may stand for."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST, _MOST = 128, 40


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that comes closest, "" if none does.

    Who mistypes a name seldom does so at both ends: only names that begin or end alike are looked at, and not all
    of these, so that a thousand wrong names are answered at once.
    """
    from difflib import get_close_matches

    wanted = name.lower()
    if not 0 < len(name) <= _LONGEST:
        return ""
    lowered = {other.lower(): other for other in sorted(known, reverse=True) if len(other) <= _LONGEST}
    if wanted in lowered:
        return lowered[wanted]
    reach = max(2, len(wanted) // 3)
    near = (other for other in lowered if abs(len(other) - len(wanted)) <= reach)
    alike = [other for other in near if other[:1] == wanted[0] or other[-2:] == wanted[-2:]]
    found = get_close_matches(wanted, alike[:_MOST], n=1, cutoff=0.7)
    return lowered[found[0]] if found else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A fix, "" if nothing comes close."""
    close = nearest(name, known)
    return f"did you mean `{close}`?" if close else ""
