"""sprig's functions on texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from nbflow.templating.exprlang.builtins.conversions import parse_int
from nbflow.templating.exprlang.builtins.texts import GO_SPACE, lower, replaced, substring_bytes, upper
from nbflow.templating.exprlang.operators import MAX_TEXT, limited
from nbflow.templating.golang.text import display, from_bytes, quote, to_bytes
from nbflow.templating.golang.values import Fault, Function
from nbflow.templating.sprig.cases import camel_case, kebab_case, snake_case
from nbflow.templating.sprig.conversions import to_text, to_texts
from nbflow.templating.sprig.signature import function


def abbreviate(width: int, text: str) -> str:
    return text if width < 4 else _abbreviated(text, 0, width)


def abbreviate_both(left: int, right: int, text: str) -> str:
    return text if right < 4 or (left > 0 and right < 7) else _abbreviated(text, left, right)


def _abbreviated(text: str, offset: int, width: int) -> str:
    data = to_bytes(text)
    if len(data) <= width:
        return text
    offset = min(offset, len(data))
    if len(data) - offset < width - 3:
        offset = len(data) - (width - 3)
    if offset <= 4:
        return from_bytes(data[: width - 3]) + "..."
    if width < 7:
        return ""
    if offset + width - 3 < len(data):
        return "..." + _abbreviated(from_bytes(data[offset:]), 0, width - 3)
    return "..." + from_bytes(data[len(data) - (width - 3) :])


def truncate(count: int, text: str) -> str:
    """The first `count` bytes; the last ones if it is negative."""
    size = len(to_bytes(text))
    if count < 0 < size + count:
        return substring_bytes(text, size + count, size)
    return substring_bytes(text, 0, count) if 0 <= count < size else text


def substring(start: int, end: int, text: str) -> str:
    size = len(to_bytes(text))
    if start < 0:
        _within(0, end, size)
        return substring_bytes(text, 0, end)
    if end < 0 or end > size:
        _within(start, size, size)
        return substring_bytes(text, start, size)
    _within(start, end, size)
    return substring_bytes(text, start, end)


def _within(start: int, end: int, size: int) -> None:
    if not 0 <= start <= end <= size:
        raise Fault(f"runtime error: slice bounds out of range [{start}:{end}] with length {size}")


def title(text: str) -> str:
    """The first letter of every word in upper case."""
    return re.sub(r"(?<![\w'])\w|(?<=')\w", lambda m: m[0].title() if len(m[0].title()) == 1 else m[0], text)


def untitle(text: str) -> str:
    return re.sub(r"(?<!\S)\S", lambda m: lower(m[0]), text)


def swap_case(text: str) -> str:
    """Upper to lower and back."""
    return "".join(lower(char) if char.isupper() or char.istitle() else upper(char) for char in text)


def initials(text: str) -> str:
    return "".join(re.findall(r"(?<!\S)\S", to_bytes(text).decode("latin-1")))


def without_blanks(text: str) -> str:
    chars = to_bytes(text).decode("latin-1")
    kept = "".join(char for char in chars if char not in GO_SPACE)
    return text if kept == chars else kept


def repeat(count: int, text: str) -> str:
    if count < 0:
        raise Fault("strings: negative Repeat count")
    if count * len(text) > MAX_TEXT:
        raise Fault("memory budget exceeded")
    return text * count


def indent(spaces: int, text: str) -> str:
    if spaces < 0:
        raise Fault("strings: negative Repeat count")
    if spaces * (text.count("\n") + 1) > MAX_TEXT:
        raise Fault("memory budget exceeded")
    pad = " " * spaces
    return pad + text.replace("\n", "\n" + pad)


def wrap(width: int, text: str) -> str:
    return _wrapped(text, width, "\n", break_words=False)


def wrap_with(width: int, separator: str, text: str) -> str:
    return _wrapped(text, width, separator or "\n", break_words=True)


def _wrapped(text: str, width: int, newline: str, *, break_words: bool) -> str:
    data, width, pieces, offset = to_bytes(text), max(width, 1), [], 0
    while len(data) - offset > width:
        if data[offset] == 0x20:
            offset += 1
            continue
        space = data.rfind(b" ", offset, offset + width + 1)
        if space < 0 and not break_words:
            space = data.find(b" ", offset + width)
            if space < 0:
                break
        end = offset + width if space < 0 else space
        pieces.append(from_bytes(data[offset:end]) + newline)
        offset = end if space < 0 else end + 1
    return limited("".join(pieces) + from_bytes(data[offset:]))


def quoted(*values: object) -> str:
    return " ".join(quote(to_text(value)) for value in values if value is not None)


def single_quoted(*values: object) -> str:
    return " ".join(f"'{display(value)}'" for value in values if value is not None)


def concatenate(*values: object) -> str:
    return limited(" ".join(display(value) for value in values if value is not None))


def split(separator: str, text: str) -> dict[str, object]:
    return {f"_{i}": part for i, part in enumerate(_parts(text, separator, -1))}


def split_n(separator: str, count: int, text: str) -> dict[str, object]:
    return {f"_{i}": part for i, part in enumerate(_parts(text, separator, count))}


def _parts(text: str, separator: str, count: int) -> list[str]:
    if count == 0:
        return []
    if not separator:
        chars = list(text)
        return chars if count < 0 or len(chars) <= count else [*chars[: count - 1], text[count - 1 :]]
    return text.split(separator, count - 1 if count > 0 else -1)


def _strip(cutset: str, text: str) -> str:
    return text.strip(cutset) if cutset else text


def _table() -> dict[str, tuple[str, Callable[..., object]]]:
    return {
        "hello": ("", lambda: "Hello!"),
        "abbrev": ("int string", abbreviate),
        "abbrevboth": ("int int string", abbreviate_both),
        "trunc": ("int string", truncate),
        "trim": ("string", lambda text: text.strip(GO_SPACE)),
        "upper": ("string", upper),
        "lower": ("string", lower),
        "title": ("string", title),
        "untitle": ("string", untitle),
        "substr": ("int int string", substring),
        "repeat": ("int string", repeat),
        "trimall": ("string string", _strip),
        "trimAll": ("string string", _strip),
        "trimSuffix": ("string string", lambda suffix, text: text.removesuffix(suffix)),
        "trimPrefix": ("string string", lambda prefix, text: text.removeprefix(prefix)),
        "nospace": ("string", without_blanks),
        "initials": ("string", initials),
        "swapcase": ("string", swap_case),
        "snakecase": ("string", snake_case),
        "camelcase": ("string", camel_case),
        "kebabcase": ("string", kebab_case),
        "wrap": ("int string", wrap),
        "wrapWith": ("int string string", wrap_with),
        "contains": ("string string", lambda part, text: part in text),
        "hasPrefix": ("string string", lambda prefix, text: text.startswith(prefix)),
        "hasSuffix": ("string string", lambda suffix, text: text.endswith(suffix)),
        "quote": ("any*", quoted),
        "squote": ("any*", single_quoted),
        "cat": ("any*", concatenate),
        "indent": ("int string", indent),
        "nindent": ("int string", lambda spaces, text: "\n" + indent(spaces, text)),
        "replace": ("string string string", lambda old, new, text: replaced(text, old, new, -1)),
        "plural": ("string string int", lambda one, many, count: one if count == 1 else many),
        "toString": ("any", to_text),
        "toStrings": ("any", to_texts),
        "atoi": ("string", lambda text: parse_int(text) or 0),
        "split": ("string string", split),
        "splitn": ("string int string", split_n),
        "splitList": ("string string", lambda separator, text: _parts(text, separator, -1)),
        "join": ("string any", lambda separator, items: limited(separator.join(to_texts(items)))),
        "sortAlpha": ("any", lambda items: sorted(to_texts(items), key=to_bytes)),
    }


FUNCTIONS: Final[dict[str, Function]] = {name: function(name, *entry) for name, entry in _table().items()}
