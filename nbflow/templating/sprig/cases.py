"""snake_case, kebab-case and CamelCase, with sprig's idea of what a word is."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from enum import Enum, auto

from nbflow.templating.exprlang.builtins.texts import GO_SPACE, lower, upper


class _Kind(Enum):
    NUMBER = auto()
    UPPER = auto()
    ALPHABET = auto()
    CONNECTOR = auto()
    PUNCTUATION = auto()
    OTHER = auto()
    END = auto()


def _is_connector(char: str) -> bool:
    return char in "-_" or char in GO_SPACE


def _kind(char: str) -> _Kind:
    if _is_connector(char):
        return _Kind.CONNECTOR
    category = unicodedata.category(char)
    if category.startswith("P"):
        return _Kind.PUNCTUATION
    if category == "Lu":
        return _Kind.UPPER
    if category.startswith("L"):
        return _Kind.ALPHABET
    return _Kind.NUMBER if category.startswith("N") else _Kind.OTHER


def _words(text: str) -> Iterator[tuple[_Kind, str]]:
    position = 0
    while position < len(text):
        kind = _kind(text[position])
        end = _word_end(text, position, kind)
        yield kind, text[position:end]
        position = end
    while True:
        yield _Kind.END, ""


def _word_end(text: str, start: int, kind: _Kind) -> int:
    end = _run(text, start + 1, kind)
    if kind is not _Kind.UPPER:
        return end
    if end == start + 1:
        return _run(text, end, _Kind.ALPHABET)
    follows = end < len(text) and _kind(text[end]) is _Kind.ALPHABET
    return end - 1 if follows else end


def _run(text: str, position: int, kind: _Kind) -> int:
    while position < len(text) and _kind(text[position]) is kind:
        position += 1
    return position


_WORDLESS = (_Kind.CONNECTOR, _Kind.PUNCTUATION)


def _joined(text: str, connector: str) -> str:
    if not text:
        return ""
    return "".join(_pieces(text, connector))


def _pieces(text: str, connector: str) -> Iterator[str]:
    words = _words(text)
    kind, word = next(words)
    following, rest = next(words)
    while following is not _Kind.END:
        if kind is _Kind.CONNECTOR:
            yield connector * len(word)
        else:
            yield lower(word)
        previous, (kind, word) = kind, (following, rest)
        following, rest = next(words)
        if previous is _Kind.NUMBER:
            while kind in (_Kind.ALPHABET, _Kind.NUMBER):
                yield lower(word)
                (kind, word), (following, rest) = (following, rest), next(words)
            if kind is not _Kind.END and kind not in _WORDLESS:
                yield connector
        elif previous not in _WORDLESS:
            if kind is not _Kind.NUMBER:
                yield "" if kind in _WORDLESS else connector
            elif following is not _Kind.END:
                number, (kind, word) = word, (following, rest)
                following, rest = next(words)
                if kind is not _Kind.ALPHABET:
                    yield number + ("" if kind in _WORDLESS else connector)
                    continue
                yield connector + number
                while kind in (_Kind.ALPHABET, _Kind.NUMBER):
                    yield lower(word)
                    (kind, word), (following, rest) = (following, rest), next(words)
                if kind is not _Kind.END and kind not in _WORDLESS:
                    yield connector
    yield connector * len(word) if kind is _Kind.CONNECTOR else lower(word)


def snake_case(text: str) -> str:
    return _joined(text, "_")


def kebab_case(text: str) -> str:
    return _joined(text, "-")


def camel_case(text: str) -> str:
    """CamelCase that begins with a capital; connectors in front stay."""
    leading = len(text) - len(text.lstrip("-_" + GO_SPACE))
    if leading >= len(text) - 1:
        return text[:leading] + upper(text[leading:]) if leading < len(text) else text
    result = list(text[:leading])
    first = text[leading]
    was_upper, current = first.isupper(), upper(first)
    for char in text[leading + 1 :]:
        before, current = current, char
        if _is_connector(current) and _is_connector(before):
            result.append(before)
            continue
        if _is_connector(before):
            was_upper, current = current.isupper(), upper(current)
            continue
        if was_upper and current.isupper():
            current = lower(current)
        else:
            was_upper = False
        result.append(before)
    return "".join(result) + current
