"""Cuts the text of an expression into tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from nbflow.templating.exprlang.literals import unescape, unescape_bytes
from nbflow.templating.exprlang.source import error_at


class Kind(StrEnum):
    """Kinds of tokens, named as errors name them."""

    IDENTIFIER = "Identifier"
    NUMBER = "Number"
    STRING = "String"
    BYTES = "Bytes"
    OPERATOR = "Operator"
    BRACKET = "Bracket"
    EOF = "EOF"


@dataclass(frozen=True, slots=True)
class Token:
    """kind, text (a string's content, unescaped), and where it starts in the source."""

    kind: Kind
    text: str
    at: int

    def is_(self, kind: Kind, *texts: str) -> bool:
        return self.kind is kind and (not texts or self.text in texts)

    def __str__(self) -> str:
        return f'{self.kind}("{self.text}")' if self.text else str(self.kind)


WORD_OPERATORS = {
    "in",
    "or",
    "and",
    "not",
    "matches",
    "contains",
    "startsWith",
    "endsWith",
    "let",
    "if",
    "else",
}

_LEXEME = re.compile(
    r"""(?P<space>\s+|//[^\n]*\n?|/\*.*?\*/)
      | (?P<unclosed>/\*)
      | (?P<raw>`(?:[^`]|``)*`)
      | (?P<bytes>[bB](?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"))
      | (?P<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
      | (?P<number>0[xX][0-9a-fA-F_]*(?:\.(?!\.)[0-9a-fA-F_]*)?(?:[eE][+-]?[0-9a-fA-F_]*)?
          |0[oO][0-7_]*|0[bB][01_]*
          |(?:[0-9][0-9_]*(?:\.(?!\.)[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]*)?)
      | (?P<word>[^\W\d][\w$]*|\$[\w$]*)
      | (?P<bracket>[()\[\]{}])
      | (?P<operator>\?\.|\?\?|\?|\|\||\||::|:|\#\#?|\.\.|\.|[&!=*<>][&=*]?|[,;%+\-^/])
    """,
    re.X | re.S,
)


MAX_NODES: Final = 10_000
MAX_TOKENS: Final = 4 * MAX_NODES
"""Whatever they are, they make more nodes than there may be, or are nested too deeply."""
TOO_MANY: Final = "compilation failed: expression exceeds maximum allowed nodes"


def tokenize(source: str) -> list[Token]:
    """The tokens of `source`, an EOF at the end. Raises ExpressionError."""
    tokens: list[Token] = []
    position = 0
    while position < len(source):
        match = _LEXEME.match(source, position)
        if match is None or match.end() == position or match.lastgroup == "unclosed":
            raise _stray(source, position)
        if len(tokens) > MAX_TOKENS:
            raise error_at(source, position, TOO_MANY)
        end = match.end()
        if match.lastgroup == "number" and end < len(source) and _is_alphanumeric(source[end]):
            raise error_at(source, end, f'bad number syntax: "{source[position : end + 1]}"')
        if match.lastgroup != "space":
            tokens.append(_token(match, source))
        position = end
    tokens.append(Token(Kind.EOF, "", max(len(source) - 1, 0)))
    return tokens


def _is_alphanumeric(char: str) -> bool:
    return char in "_$" or char.isalpha() or char.isdigit()


def _stray(source: str, position: int) -> Exception:
    char = source[position]
    if char in "'\"`":
        return error_at(source, len(source), "literal not terminated")
    if source.startswith("/*", position):
        return error_at(source, len(source), "unclosed comment")
    return error_at(source, position, f"unrecognized character: U+{ord(char):04X} '{char}'")


def _token(match: re.Match[str], source: str) -> Token:
    text, at = match[0], match.start()
    match match.lastgroup:
        case "raw":
            return Token(Kind.STRING, text[1:-1].replace("``", "`"), at)
        case "string":
            return Token(Kind.STRING, unescape(text[1:-1], text[0], source, at + 1), at)
        case "bytes":
            return Token(
                Kind.BYTES, unescape_bytes(text[2:-1], text[1], source, at + 2).decode("latin-1"), at
            )
        case "number":
            return Token(Kind.NUMBER, text, at)
        case "word":
            return Token(Kind.OPERATOR if text in WORD_OPERATORS else Kind.IDENTIFIER, text, at)
        case "bracket":
            return Token(Kind.BRACKET, text, at)
    return Token(Kind.OPERATOR, text, at)
