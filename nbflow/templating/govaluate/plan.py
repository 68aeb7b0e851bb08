"""Arranges tokens in a tree of stages, in the order in which they are evaluated.

Operators of one precedence are first planned from right to left and then mirrored, the way govaluate
does it, because where it mirrors too little or too much conditions in the field depend on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nbflow.templating.golang.moments import SECOND, Time
from nbflow.templating.golang.values import Fault
from nbflow.templating.govaluate.tokens import COMPARATORS, TERNARIES, Kind, Token, check_order

NEGATE, INVERT, COMPLEMENT = "prefix -", "prefix !", "prefix ~"
LITERAL, NOOP, ACCESS = "literal", "noop", "access"


@dataclass(slots=True, eq=False)
class Stage:
    """symbol: what is done with left and right. value: of a literal."""

    symbol: str
    left: Stage | None = None
    right: Stage | None = None
    value: object = None


_LEVELS: Final = (
    (Kind.SEPARATOR, frozenset((",",))),
    (Kind.TERNARY, TERNARIES),
    (Kind.LOGICAL, frozenset(("||",))),
    (Kind.LOGICAL, frozenset(("&&",))),
    (Kind.COMPARATOR, COMPARATORS),
    (Kind.MODIFIER, frozenset(("^", "&", "|"))),
    (Kind.MODIFIER, frozenset((">>", "<<"))),
    (Kind.MODIFIER, frozenset(("+", "-"))),
    (Kind.MODIFIER, frozenset(("*", "/", "%"))),
    (Kind.MODIFIER, frozenset(("**",))),
)
"""From the loosest to the tightest."""

_PRECEDENCE: Final = {
    NOOP: 0, ACCESS: 2, NEGATE: 3, INVERT: 3, COMPLEMENT: 3, "**": 4, "+": 5, "-": 5, "&": 6, "|": 6, "^": 6,
    ">>": 7, "<<": 7, "*": 8, "/": 8, "%": 8, **dict.fromkeys(COMPARATORS, 9), "?": 10, ":": 10, "??": 10,
    "&&": 11, "||": 12, ",": 13,
}  # fmt: skip
_VALUE: Final = 1


def plan(tokens: Sequence[Token], *, checked: bool = False) -> Stage | None:
    """The stages of a condition, None for an empty one. checked: the order of the tokens was. Raises Fault."""
    if not checked:
        check_order(tokens)
    root = _Planner(tokens).level(0) if tokens else None
    if root is not None:
        _reorder(root)
    return root


class _Planner:
    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens, self.position = tokens, 0

    def take(self, *kinds: Kind) -> Token | None:
        if self.position < len(self.tokens) and self.tokens[self.position].kind in kinds:
            self.position += 1
            return self.tokens[self.position - 1]
        return None

    def level(self, number: int) -> Stage | None:
        if number == len(_LEVELS):
            return self.operand()
        kind, symbols = _LEVELS[number]
        left = self.level(number + 1)
        token = self.take(kind)
        if token is None:
            return left
        if token.value not in symbols:
            self.position -= 1
            return left
        return Stage(str(token.value), left, self.level(number))

    def operand(self) -> Stage | None:
        if self.position >= len(self.tokens):
            return None
        token = self.tokens[self.position]
        self.position += 1
        match token.kind:
            case Kind.CLAUSE:
                inner = self.level(0)
                self.position += 1
                return Stage(NOOP, right=inner)
            case Kind.CLAUSE_CLOSE:
                self.position -= 1
                return None
            case Kind.PREFIX:
                return Stage(f"prefix {token.value}", right=self.operand())
            case Kind.ACCESSOR:
                return self.access(token)
            case Kind.TIME:
                assert isinstance(token.value, Time)
                return Stage(LITERAL, value=float(token.value.nanoseconds // SECOND))
            case Kind.VARIABLE | Kind.NUMERIC | Kind.STRING | Kind.PATTERN | Kind.BOOLEAN:
                return Stage(LITERAL, value=token.value)
        raise Fault(f"Unable to plan token kind: '{token.kind}', value: '{token.value}'")

    def access(self, token: Token) -> Stage:
        has_arguments = self.position < len(self.tokens) and self.tokens[self.position].kind is Kind.CLAUSE
        return Stage(ACCESS, right=self.level(0) if has_arguments else None, value=token.value)


def _precedence(stage: Stage) -> int:
    return _PRECEDENCE.get(stage.symbol, _VALUE)


def _reorder(root: Stage) -> None:
    """Mirror every run of stages of one precedence down the right side."""
    run: list[Stage] = []
    here: Stage | None = root
    while here is not None:
        if here.left is not None:
            _reorder(here.left)
        if run and _precedence(here) != _precedence(run[0]):
            _mirror(run)
            run = []
        run.append(here)
        here = here.right
    _mirror(run)


def _mirror(stages: list[Stage]) -> None:
    """Turn a - (b - c) into (a - b) - c, for any number of stages."""
    count = len(stages)
    if count < 2:
        return
    for stage in stages:
        stage.left, stage.right = stage.right, stage.left
    first, last = stages[0], stages[-1]
    last.left, first.right = first.right, last.left
    for index in range((count - 2) // 2 + 1):
        one, other = stages[index + 1], stages[count - index - 1]
        one.right, other.right = other.right, one.right
    for index in range(count // 2):
        one, other = stages[index], stages[count - index - 1]
        one.symbol, other.symbol = other.symbol, one.symbol
        one.value, other.value = other.value, one.value
