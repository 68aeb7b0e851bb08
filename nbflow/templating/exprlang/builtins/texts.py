"""Functions on texts. Positions count bytes of UTF-8, as in Go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from nbflow.templating.exprlang.operators import MAX_TEXT, limited, text, to_int
from nbflow.templating.golang.text import from_bytes, to_bytes
from nbflow.templating.golang.values import Fault, go_type

GO_SPACE: Final = " \t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)


def upper(value: object) -> str:
    """Upper case, one character for one."""
    return (
        "".join(_single(char, char.upper()) for char in text(value))
        if not text(value).isascii()
        else text(value).upper()
    )


def lower(value: object) -> str:
    """Lower case, one character for one."""
    return (
        "".join(_single(char, char.lower()) for char in text(value))
        if not text(value).isascii()
        else text(value).lower()
    )


def _single(char: str, changed: str) -> str:
    return changed if len(changed) == 1 else "i" if char == "İ" else char


def trim(value: object, cutset: object = None) -> str:
    return text(value).strip(GO_SPACE) if cutset is None else _strip(text(value), text(cutset))


def _strip(value: str, cutset: str) -> str:
    return value.strip(cutset) if cutset else value


def trim_prefix(value: object, prefix: object = " ") -> str:
    return text(value).removeprefix(text(prefix))


def trim_suffix(value: object, suffix: object = " ") -> str:
    return text(value).removesuffix(text(suffix))


def split(value: object, separator: object, count: object = -1) -> list[object]:
    """At most `count` pieces; 0 gives none, below 0 all."""
    return _pieces(text(value), text(separator), to_int(count))


def _pieces(value: str, separator: str, count: int) -> list[object]:
    if count == 0:
        return []
    if not separator:
        chars: list[object] = list(value)
        return chars if count < 0 or len(chars) <= count else [*chars[: count - 1], value[count - 1 :]]
    return list(value.split(separator, count - 1 if count > 0 else -1))


def split_after(value: object, separator: object, count: object = -1) -> list[object]:
    """As `split`, and each piece keeps its separator."""
    mark, pieces = text(separator), split(value, separator, count)
    return [f"{piece}{mark}" for piece in pieces[:-1]] + pieces[-1:]


def replace(value: object, old: object, new: object, count: object = -1) -> str:
    """The first `count` occurrences; all below 0."""
    return replaced(text(value), text(old), text(new), to_int(count))


def replaced(value: str, old: str, new: str, count: int) -> str:
    """As str.replace, unless the result would be too long."""
    found = value.count(old) if count < 0 else min(count, value.count(old))
    if len(value) + found * (len(new) - len(old)) > MAX_TEXT:
        raise Fault("memory budget exceeded")
    return value.replace(old, new, count)


def repeat(value: object, count: object) -> str:
    times = to_int(count)
    if times < 0:
        raise Fault(f"invalid argument for repeat (expected positive integer, got {times})")
    if times > 1_000_000 or len(text(value)) * times > MAX_TEXT:
        raise Fault("memory budget exceeded")
    return text(value) * times


def join(items: object, glue: object = "") -> str:
    if not isinstance(items, list):
        raise Fault(f"invalid argument for join (type {go_type(items)})")
    return limited(text(glue).join(map(text, items)))


def index_of(value: object, part: object) -> int:
    return _byte_position(text(value), text(value).find(text(part)))


def last_index_of(value: object, part: object) -> int:
    return _byte_position(text(value), text(value).rfind(text(part)))


def _byte_position(value: str, position: int) -> int:
    return position if position < 0 or value.isascii() else len(to_bytes(value[:position]))


def has_prefix(value: object, prefix: object) -> bool:
    return text(value).startswith(text(prefix))


def has_suffix(value: object, suffix: object) -> bool:
    return text(value).endswith(text(suffix))


def substring_bytes(value: str, start: int, end: int) -> str:
    """The bytes from `start` to `end` as a text."""
    return value[start:end] if value.isascii() else from_bytes(to_bytes(value)[start:end])


FUNCTIONS: Final[dict[str, Callable[..., object]]] = {
    "upper": upper,
    "lower": lower,
    "trim": trim,
    "trimPrefix": trim_prefix,
    "trimSuffix": trim_suffix,
    "split": split,
    "splitAfter": split_after,
    "replace": replace,
    "repeat": repeat,
    "join": join,
    "indexOf": index_of,
    "lastIndexOf": last_index_of,
    "hasPrefix": has_prefix,
    "hasSuffix": has_suffix,
}
