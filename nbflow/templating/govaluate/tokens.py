"""Cuts a condition into tokens and checks which may follow which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from nbflow.templating.exprlang.builtins.conversions import parse_float
from nbflow.templating.golang.layouts import (
    ANSIC,
    KITCHEN,
    RFC3339,
    RFC3339_NANO,
    RUBY_DATE,
    UNIX_DATE,
    parse_time,
)
from nbflow.templating.golang.moments import Time
from nbflow.templating.golang.patterns import compile_pattern
from nbflow.templating.golang.text import display
from nbflow.templating.golang.values import Fault


class Kind(StrEnum):
    """Kinds of tokens, named as errors name them."""

    UNKNOWN = "UNKNOWN"
    PREFIX = "PREFIX"
    NUMERIC = "NUMERIC"
    BOOLEAN = "BOOLEAN"
    STRING = "STRING"
    PATTERN = "PATTERN"
    TIME = "TIME"
    VARIABLE = "VARIABLE"
    ACCESSOR = "ACCESSOR"
    COMPARATOR = "COMPARATOR"
    LOGICAL = "LOGICALOP"
    MODIFIER = "MODIFIER"
    CLAUSE = "CLAUSE"
    CLAUSE_CLOSE = "CLAUSE_CLOSE"
    TERNARY = "TERNARY"
    SEPARATOR = "SEPARATOR"


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a condition, and what it stands for."""

    kind: Kind
    value: object


PREFIXES: Final = frozenset(("-", "!", "~"))
MODIFIERS: Final = frozenset(("+", "-", "*", "/", "%", "**", "&", "|", "^", ">>", "<<"))
LOGICALS: Final = frozenset(("&&", "||"))
COMPARATORS: Final = frozenset(("==", "!=", ">", ">=", "<", "<=", "=~", "!~", "in"))
TERNARIES: Final = frozenset(("?", ":", "??"))

_SYMBOLS: Final = (
    (MODIFIERS, Kind.MODIFIER),
    (LOGICALS, Kind.LOGICAL),
    (COMPARATORS, Kind.COMPARATOR),
    (TERNARIES, Kind.TERNARY),
)

_OPERAND: Final = {
    Kind.PREFIX,
    Kind.NUMERIC,
    Kind.BOOLEAN,
    Kind.VARIABLE,
    Kind.ACCESSOR,
    Kind.STRING,
    Kind.CLAUSE,
}
_AFTER_VALUE: Final = {Kind.MODIFIER, Kind.COMPARATOR, Kind.LOGICAL, Kind.CLAUSE_CLOSE, Kind.SEPARATOR}
_FOLLOWING: Final[dict[Kind, set[Kind]]] = {
    Kind.UNKNOWN: _OPERAND | {Kind.PATTERN, Kind.TIME},
    Kind.CLAUSE: _OPERAND | {Kind.PATTERN, Kind.TIME, Kind.CLAUSE_CLOSE},
    Kind.CLAUSE_CLOSE: (_OPERAND | _AFTER_VALUE | {Kind.PATTERN, Kind.TIME, Kind.TERNARY})
    - {Kind.PREFIX, Kind.ACCESSOR},
    Kind.NUMERIC: _AFTER_VALUE | {Kind.TERNARY},
    Kind.BOOLEAN: _AFTER_VALUE | {Kind.TERNARY},
    Kind.STRING: _AFTER_VALUE | {Kind.TERNARY},
    Kind.VARIABLE: _AFTER_VALUE | {Kind.TERNARY},
    Kind.TIME: _AFTER_VALUE,
    Kind.PATTERN: _AFTER_VALUE,
    Kind.ACCESSOR: _AFTER_VALUE | {Kind.TERNARY, Kind.CLAUSE},
    Kind.MODIFIER: _OPERAND | {Kind.CLAUSE_CLOSE},
    Kind.COMPARATOR: _OPERAND | {Kind.CLAUSE_CLOSE, Kind.PATTERN, Kind.TIME},
    Kind.LOGICAL: _OPERAND | {Kind.CLAUSE_CLOSE, Kind.TIME},
    Kind.PREFIX: {Kind.NUMERIC, Kind.BOOLEAN, Kind.VARIABLE, Kind.ACCESSOR, Kind.CLAUSE, Kind.CLAUSE_CLOSE},
    Kind.TERNARY: _OPERAND | {Kind.TIME, Kind.SEPARATOR},
    Kind.SEPARATOR: _OPERAND | {Kind.TIME},
}
_ENDS: Final = {
    Kind.CLAUSE_CLOSE, Kind.NUMERIC, Kind.BOOLEAN, Kind.STRING, Kind.TIME, Kind.PATTERN, Kind.VARIABLE, Kind.ACCESSOR,
}  # fmt: skip

_TIMES: Final = (
    ANSIC, UNIX_DATE, RUBY_DATE, KITCHEN, RFC3339, RFC3339_NANO, "2006-01-02", "2006-01-02 15:04",
    "2006-01-02 15:04:05", "2006-01-02 15:04:05-07:00", "2006-01-02T15Z0700", "2006-01-02T15:04Z0700",
    "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05.999999999Z0700",
)  # fmt: skip


def tokenize(text: str) -> list[Token]:
    """The tokens of a condition. Raises Fault."""
    reader, tokens, before = _Reader(text), [], Kind.UNKNOWN
    while (token := reader.token(before)) is not None:
        tokens.append(token)
        before = token.kind
    return tokens


def check_order(tokens: Sequence[Token]) -> None:
    """Raises Fault if a token may not follow the one before it."""
    depth = sum((t.kind is Kind.CLAUSE) - (t.kind is Kind.CLAUSE_CLOSE) for t in tokens)
    if depth != 0:
        raise Fault("Unbalanced parenthesis")
    before = Token(Kind.UNKNOWN, None)
    for token in tokens:
        if token.kind not in _FOLLOWING[before.kind]:
            if before.kind is Kind.VARIABLE and token.kind is Kind.CLAUSE:
                raise Fault(f"Undefined function {before.value}")
            raise Fault(f"Cannot transition token types from {_shown(before)} to {_shown(token)}")
        before = token
    if before.kind not in _ENDS:
        raise Fault("Unexpected end of expression")


def _shown(token: Token) -> str:
    bracket = (
        {"(": "40", ")": "41"}.get(str(token.value))
        if token.kind in (Kind.CLAUSE, Kind.CLAUSE_CLOSE)
        else None
    )
    return f"{token.kind} [{bracket or display(token.value)}]"


def with_words_as_strings(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with bare words taken for what they say."""
    return [replace(t, kind=Kind.STRING) if t.kind is Kind.VARIABLE else t for t in tokens]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression, which is no text any more."""

    source: str

    def __str__(self) -> str:
        return self.source


def with_patterns(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with every string after =~ or !~ taken for a regular expression. Raises Fault if it is none."""
    result = list(tokens)
    for index, token in enumerate(tokens[:-1]):
        following = tokens[index + 1]
        if token.kind is Kind.COMPARATOR and token.value in ("=~", "!~") and following.kind is Kind.STRING:
            compile_pattern(str(following.value))
            result[index + 1] = replace(following, kind=Kind.PATTERN, value=Pattern(str(following.value)))
    return result


def _is_numeric(char: str) -> bool:
    return char.isdigit() or char == "."


def _is_word(char: str) -> bool:
    return char.isalpha() or char.isdigit() or char in "_."


def _is_symbol(char: str) -> bool:
    return not (char.isdigit() or char.isalpha() or char in "()[]'\"")


class _Reader:
    """A place in the text, and the rules by which the next token is read."""

    def __init__(self, text: str) -> None:
        self.text, self.position = text, 0

    def token(self, before: Kind) -> Token | None:
        self.skip_blanks()
        if self.position >= len(self.text):
            return None
        char = self.text[self.position]
        if _is_numeric(char):
            return self.number()
        if char.isalpha():
            return self.word()
        if char in "'\"":
            return self.string()
        simple = {",": Kind.SEPARATOR, "(": Kind.CLAUSE, ")": Kind.CLAUSE_CLOSE}.get(char)
        if simple:
            self.position += 1
            return Token(simple, char)
        return self.variable() if char == "[" else self.symbol(before)

    def skip_blanks(self) -> None:
        while self.position < len(self.text) and self.text[self.position].isspace():
            self.position += 1

    def run(
        self, belongs: Callable[[str], bool], *, blanks: bool = False, stop: bool = True
    ) -> tuple[str, bool]:
        """Characters while they belong; a backslash makes any belong. The second: whether the end was found.

        blanks: keep them. stop: end at one.
        """
        read: list[str] = []
        while self.position < len(self.text):
            char = self.text[self.position]
            self.position += 1
            if char == "\\":
                if self.position >= len(self.text):
                    raise Fault("runtime error: index out of range")
                read.append(self.text[self.position])
                self.position += 1
            elif char.isspace() and not blanks:
                if stop and read:
                    return "".join(read), True
            elif belongs(char):
                read.append(char)
            else:
                self.position -= 1
                return "".join(read), True
        return "".join(read), False

    def number(self) -> Token:
        if self.text.startswith("0x", self.position) and self.position + 2 < len(self.text):
            return self.hexadecimal()
        spelled = self.run(_is_numeric)[0]
        value = parse_float(spelled)
        if value is None:
            raise Fault(f"Unable to parse numeric value '{spelled}' to float64\n")
        return Token(Kind.NUMERIC, value)

    def hexadecimal(self) -> Token:
        self.position += 2
        digits = self.run(lambda char: char.isdigit() or char.lower() in "abcdef")[0]
        if not digits.isascii() or not digits or len(digits) > 16:
            raise Fault(f"Unable to parse hex value '{digits}' to uint64\n")
        return Token(Kind.NUMERIC, float(int(digits, 16)))

    def variable(self) -> Token:
        self.position += 1
        name, closed = self.run(lambda char: char != "]", blanks=True, stop=False)
        if not closed:
            raise Fault("Unclosed parameter bracket")
        self.position += 1
        return Token(Kind.VARIABLE, name)

    def word(self) -> Token:
        name = self.run(_is_word)[0]
        if name in ("true", "false"):
            return Token(Kind.BOOLEAN, name == "true")
        if name in ("in", "IN"):
            return Token(Kind.COMPARATOR, "in")
        if name.find(".") > 0:
            return self.accessor(name)
        return Token(Kind.VARIABLE, name)

    def accessor(self, name: str) -> Token:
        if name.endswith("."):
            raise Fault(f"Hanging accessor on token '{name}'")
        parts = name.split(".")
        for part in parts[1:]:
            first = part[:1]
            if first and first.upper() != first:
                raise Fault(f"Unable to access unexported field '{part}' in token '{name}'")
        return Token(Kind.ACCESSOR, parts)

    def string(self) -> Token:
        self.position += 1
        content, closed = self.run(lambda char: char not in "'\"", blanks=True, stop=False)
        if not closed:
            raise Fault("Unclosed string literal")
        self.position += 1
        time = _as_time(content)
        return Token(Kind.STRING, content) if time is None else Token(Kind.TIME, time)

    def symbol(self, before: Kind) -> Token:
        spelled = self.run(_is_symbol)[0]
        if Kind.PREFIX in _FOLLOWING[before] and spelled in PREFIXES:
            return Token(Kind.PREFIX, spelled)
        for symbols, kind in _SYMBOLS:
            if spelled in symbols:
                return Token(kind, spelled)
        raise Fault(f"Invalid token: '{spelled}'")


def _as_time(content: str) -> Time | None:
    """A string that looks like a time is one."""
    if not any(char.isdigit() for char in content):
        return None
    for layout in _TIMES:
        try:
            return parse_time(content, layout)
        except Fault:
            continue
    return None
