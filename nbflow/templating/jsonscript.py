"""The small language inside of JSONPath's filters and scripts: ?(@.age > 42 && @.name =~ /^J/)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from nbflow.templating.exprlang.operators import divide, modulo, power
from nbflow.templating.golang.patterns import search
from nbflow.templating.golang.values import Fault, is_number

Find = Callable[[str, object, object], object]
"""Follows a path: (selector, root, current)."""

_Code = Callable[[object, object, Find], object]

_LEXEME = re.compile(
    r"""\s*(?:(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
      |(?P<path>[@$](?:\[(?:[^\]'"]|'[^']*'|"[^"]*")*\]|\.\.?(?:\w+|\*)|\.\.)*)
      |(?P<operator>\|\||&&|==|!=|<=|>=|=~|<|>|\*\*|not\s+in\b|[-+*/%!()\[\],])|(?P<word>\w+))""",
    re.X | re.S,
)
_REGEX = re.compile(r"\s*/((?:[^/\\]|\\.)*)/")
_LEVELS: Final = (
    ("||",),
    ("&&",),
    ("==", "!=", "<", "<=", ">", ">=", "=~", "in", "not in"),
    ("+", "-"),
    ("*", "/", "%"),
    ("**",),
)
_WORDS: Final[dict[str, object]] = {"true": True, "false": False, "null": None, "nil": None}
_MAX_DEPTH: Final = 50


@dataclass(frozen=True, slots=True)
class Script:
    """A compiled filter or script."""

    source: str
    code: _Code

    def run(self, root: object, current: object, find: Find) -> object:
        """Raises Fault."""
        return self.code(root, current, find)


@lru_cache(maxsize=512)
def compile_script(source: str) -> Script:
    """Raises Fault."""
    return Script(source, _Parser(source).parse())


def truthy(value: object) -> bool:
    """Whether a filter keeps an element for which it gives `value`."""
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1]
    return bool(value)


class _Parser:
    def __init__(self, source: str) -> None:
        self.source, self.position, self.depth = source, 0, 0

    def parse(self) -> _Code:
        if not self.source:
            raise Fault("invalid expression. is empty")
        code = self.level(0)
        if self.source[self.position :].strip():
            raise self.error()
        return code

    def error(self) -> Fault:
        return Fault(f"invalid expression. unexpected '{self.source[self.position :].strip()}'")

    def peek(self) -> re.Match[str] | None:
        return _LEXEME.match(self.source, self.position)

    def accept(self, *wanted: str) -> str:
        match = self.peek()
        lexeme = " ".join(match[match.lastgroup].split()) if match and match.lastgroup else ""
        if match and match.lastgroup in ("operator", "word") and lexeme in wanted:
            self.position = match.end()
            return lexeme
        return ""

    def level(self, number: int) -> _Code:
        if number == len(_LEVELS):
            return self.operand()
        left = self.level(number + 1)
        while operator := self.accept(*_LEVELS[number]):
            right = self.pattern() if operator == "=~" else self.level(number + 1)
            left = _operation(operator, left, right)
        return left

    def pattern(self) -> _Code:
        match = _REGEX.match(self.source, self.position)
        if match is None:
            return self.operand()
        self.position = match.end()
        value = match[0].strip()
        return lambda root, current, find: value

    def operand(self) -> _Code:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise Fault("invalid expression. it is nested too deeply")
        try:
            return self.nested()
        finally:
            self.depth -= 1

    def nested(self) -> _Code:
        if self.accept("!"):
            inner = self.operand()
            return lambda root, current, find: not _boolean(inner(root, current, find))
        if self.accept("-"):
            inner = self.operand()
            return lambda root, current, find: -_number(inner(root, current, find))
        if self.accept("("):
            inner = self.level(0)
            if not self.accept(")"):
                raise self.error()
            return inner
        return self.array() if self.accept("[") else self.literal()

    def array(self) -> _Code:
        items: list[_Code] = []
        while not self.accept("]"):
            if items and not self.accept(","):
                raise self.error()
            items.append(self.level(0))
        return lambda root, current, find: [item(root, current, find) for item in items]

    def literal(self) -> _Code:
        match = self.peek()
        if match is None:
            raise self.error()
        kind, lexeme = match.lastgroup, match[match.lastgroup or 0]
        if kind == "operator" or (kind == "word" and lexeme not in _WORDS):
            raise self.error()
        self.position = match.end()
        if kind == "path":
            return lambda root, current, find: find(lexeme, root, current)
        value = _value(kind, lexeme)
        return lambda root, current, find: value


def _value(kind: str | None, lexeme: str) -> object:
    if kind == "string":
        return re.sub(r"\\(['\"\\])", r"\1", lexeme[1:-1])
    return float(lexeme) if kind == "number" else _WORDS[lexeme]


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise Fault("invalid argument. expected boolean")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or not is_number(value):
        raise Fault("invalid argument. expected number")
    return float(value)


def _operation(operator: str, left: _Code, right: _Code) -> _Code:
    if operator == "&&":
        return lambda r, c, f: all([_boolean(left(r, c, f)), _boolean(right(r, c, f))])
    if operator == "||":
        return lambda r, c, f: any([_boolean(left(r, c, f)), _boolean(right(r, c, f))])
    operate = _OPERATIONS[operator]
    return lambda r, c, f: operate(left(r, c, f), right(r, c, f))


def _ordered(compare: Callable[[float, float], bool]) -> Callable[[object, object], object]:
    return lambda left, right: compare(_number(left), _number(right))


def _add(left: object, right: object) -> object:
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    return _number(left) + _number(right)


def _within(left: object, right: object) -> object:
    """Finds numbers and bools; a text is never found, since Argo's library compares it with its quotes."""
    if isinstance(right, dict):
        right = list(right.values())
    if not isinstance(right, list):
        raise Fault("invalid argument. expected array")
    return not isinstance(left, str) and any(_equal(left, each) for each in right)


def _matching(left: object, right: object) -> object:
    if not isinstance(left, str) or not isinstance(right, str):
        raise Fault("invalid argument. expected string")
    return search(right, left)


def _equal(left: object, right: object) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return left == right


_OPERATIONS: Final[dict[str, Callable[[object, object], object]]] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": _ordered(lambda a, b: a < b),
    "<=": _ordered(lambda a, b: a <= b),
    ">": _ordered(lambda a, b: a > b),
    ">=": _ordered(lambda a, b: a >= b),
    "=~": _matching,
    "in": _within,
    "not in": lambda left, right: not _within(left, right),
    "+": _add,
    "-": lambda left, right: _number(left) - _number(right),
    "*": lambda left, right: _number(left) * _number(right),
    "/": lambda left, right: divide(_number(left), _number(right)),
    "%": lambda left, right: float(modulo(int(_number(left)), int(_number(right)))),
    "**": lambda left, right: power(_number(left), _number(right)),
}
