"""Loops: the values of withSequence, and the items of withItems and withParam."""

from __future__ import annotations

import re
from typing import Final

from nbflow.templating.failures import LoopError
from nbflow.templating.golang.text import sprintf
from nbflow.templating.items import item_name, item_scope, item_text, manifest_item, with_param_items

__all__ = ["item_name", "item_scope", "item_text", "manifest_item", "with_param_items", "with_sequence"]

MAX_ITEMS: Final = 100_000
"""A longer sequence is refused; Argo would run out of room in the Workflow object long before."""

_INTEGER = re.compile(r"[+-]?\d{1,19}", re.A)


def with_sequence(
    count: str | None = None,
    start: str | None = None,
    end: str | None = None,
    format: str | None = None,  # noqa: A002
) -> list[str]:
    """The values of a withSequence, both ends included; downwards if `start` is above `end`.

    format: for Go's printf, "%d" if not given. Raises LoopError.
    """
    first = _integer(start) if start is not None else 0
    if end is not None:
        last = _integer(end)
    elif count is not None:
        number = _integer(count)
        if number == 0:
            return []
        last = first + number - 1
    else:
        raise LoopError(
            "neither end nor count was specified in withSequence", fix="give it an end or a count"
        )
    if abs(last - first) >= MAX_ITEMS:
        raise LoopError(f"withSequence has {abs(last - first) + 1} items, more than {MAX_ITEMS}")
    values = range(first, last + 1) if first <= last else range(first, last - 1, -1)
    return [_formatted(format or "%d", value) for value in values]


def _formatted(template: str, value: int) -> str:
    text = sprintf(template, value)
    if any(char in text for char in '"\\') or any(ord(char) < 0x20 for char in text):
        return _unquoted(text)
    return text


def _unquoted(text: str) -> str:
    items = with_param_items(f'["{text}"]')
    if len(items) != 1 or not isinstance(items[0], str):
        raise LoopError(f"withSequence cannot make an item of {text}")
    return items[0]


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text) or not -(1 << 63) <= int(text) < 1 << 63:
        raise LoopError(
            f'strconv.Atoi: parsing "{text}": invalid syntax', fix="give withSequence whole numbers"
        )
    return int(text)
