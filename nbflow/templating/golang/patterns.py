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


def find(pattern: str, text: str) -> str:
    match = compile_pattern(pattern).search(text)
    return match[0] if match else ""


def find_all(pattern: str, text: str, count: int) -> list[object]:
    found: list[object] = [m[0] for m in compile_pattern(pattern).finditer(text)]
    return found if count < 0 else found[:count]


def replace_all(pattern: str, text: str, replacement: str) -> str:
    return compile_pattern(pattern).sub(replacement, text)


def replace_all_literally(pattern: str, text: str, replacement: str) -> str:
    return compile_pattern(pattern).sub(lambda _: replacement, text)


def split(pattern: str, text: str, count: int) -> list[object]:
    return list(compile_pattern(pattern).split(text))


def quote_meta(text: str) -> str:
    return re.sub(r"[\\.+*?()|\[\]{}^$]", r"\\\g<0>", text)
