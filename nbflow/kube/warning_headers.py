"""What the API server remarks beside its answers: deprecated versions, a policy that only warns, unknown fields."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Sequence

_WARNING = re.compile(r'\s*(\d{3}) (\S+) "((?:[^"\\]|\\.)*)"\s*(?:"[^"]*"\s*)?(?:,|$)')
"""RFC 7234, section 5.5: code, agent, text, perhaps a date; several are separated by commas."""
_ESCAPED = re.compile(r"\\(.)")
_SHOWN = "299"
"""kubectl shows this code alone: what stays true however often one asks."""


class Warnings:
    """The warnings of a cluster. Any thread may add some; each text is given once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._untold: list[str] = []

    def add(self, headers: Iterable[str]) -> None:
        """Take in the `Warning` headers of an answer."""
        for header in headers:
            for text in warning_texts(header):
                with self._lock:
                    if text not in self._known:
                        self._known.add(text)
                        self._untold.append(text)

    def take(self) -> Sequence[str]:
        """Those that were not given yet."""
        with self._lock:
            found, self._untold = self._untold, []
            return found


def warning_texts(header: str) -> list[str]:
    """The texts in a header. What is malformed ends it, as for kubectl."""
    found, place = [], 0
    while match := _WARNING.match(header, place):
        code, _, text = match.groups()
        if code == _SHOWN and text:
            found.append(_decoded(_ESCAPED.sub(r"\1", text)))
        place = match.end()
    return found


def _decoded(text: str) -> str:
    """Go sends UTF-8; Python's HTTP client reads headers as Latin-1."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text
