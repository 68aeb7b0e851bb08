"""Builds the tree of an expression.

Precedence climbing over one table of operators. What is nested too deeply is refused rather than
left to exhaust the stack. One class and a little long, as every rule of the grammar may lead to every other.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from nbflow.templating.exprlang import syntax as tree
from nbflow.templating.exprlang.names import BUILTIN_NAMES, PREDICATES, Argument
from nbflow.templating.exprlang.source import error_at
from nbflow.templating.exprlang.tokens import MAX_NODES, TOO_MANY, WORD_OPERATORS, Kind, Token, tokenize
from nbflow.templating.failures import ExpressionError

MAX_DEPTH: Final = 80

_UNARY: Final = {"not": 50, "!": 50, "-": 90, "+": 90}
_BINARY: Final = {
    "|": 0, "or": 10, "||": 10, "and": 15, "&&": 15,
    "==": 20, "!=": 20, "<": 20, ">": 20, ">=": 20, "<=": 20,
    "in": 20, "matches": 20, "contains": 20, "startsWith": 20, "endsWith": 20,
    "..": 25, "+": 30, "-": 30, "*": 60, "/": 60, "%": 60, "**": 100, "^": 100, "??": 500,
}  # fmt: skip
_RIGHT: Final = {"**", "^"}
_COMPARISONS: Final = {"<", ">", ">=", "<="}
_NEGATABLE: Final = {"contains", "matches", "startsWith", "endsWith", "in"}
_LITERALS: Final[dict[str, object]] = {"true": True, "false": False, "nil": None}


def parse(source: str, overridden: Collection[str] = ()) -> tree.Node:
    """The tree of `source`. overridden: variables that hide functions of the language by their name.

    Raises ExpressionError.
    """
    return _Parser(source, overridden).parse()


class _Parser:
    def __init__(self, source: str, overridden: Collection[str]) -> None:
        self.source, self.overridden = source, overridden
        self.tokens = tokenize(source)
        self.position = 0
        self.predicate_depth = 0
        self.nodes = 0
        self.depth = 0

    def parse(self) -> tree.Node:
        node = self.sequence()
        if not self.current.is_(Kind.EOF):
            raise self.unexpected()
        return node

    # tokens

    @property
    def current(self) -> Token:
        return self.tokens[self.position]

    def next(self) -> Token:
        token = self.current
        if token.kind is Kind.EOF:
            raise self.error("unexpected end of expression")
        self.position += 1
        return token

    def is_(self, kind: Kind, *texts: str) -> bool:
        return self.current.is_(kind, *texts)

    def accept(self, kind: Kind, *texts: str) -> bool:
        found = self.is_(kind, *texts)
        if found:
            self.position += 1
        return found

    def expect(self, kind: Kind, *texts: str) -> Token:
        if not self.is_(kind, *texts):
            raise self.unexpected()
        return self.next()

    def error(self, problem: str, token: Token | None = None) -> ExpressionError:
        return error_at(self.source, (token or self.current).at, problem)

    def unexpected(self, token: Token | None = None) -> ExpressionError:
        return self.error(f"unexpected token {token or self.current}", token)

    def count(self) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.error(TOO_MANY)

    # expressions

    def sequence(self) -> tree.Node:
        nodes = [self.expression(0)]
        while self.accept(Kind.OPERATOR, ";"):
            if self.is_(Kind.EOF):
                break
            nodes.append(self.expression(0))
        return nodes[0] if len(nodes) == 1 else tree.Sequence(nodes[0].at, nodes)

    def expression(self, precedence: int) -> tree.Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"the expression is nested too deeply (more than {MAX_DEPTH} levels)")
        if precedence == 0 and self.is_(Kind.OPERATOR, "let"):
            node = self.let()
        elif precedence == 0 and self.is_(Kind.OPERATOR, "if"):
            node = self.if_else()
        else:
            node = self.operators(self.primary(), precedence)
            if precedence == 0:
                node = self.ternary(node)
        self.depth -= 1
        return node

    def operators(self, left: tree.Node, precedence: int) -> tree.Node:
        previous = ""
        while self.is_(Kind.OPERATOR):
            token, negation = self.current, None
            if token.text == "not":
                negation, token = token, self.tokens[self.position + 1]
                if not token.is_(Kind.OPERATOR, *_NEGATABLE):
                    raise self.unexpected(token)
            if _BINARY.get(token.text, -1) < precedence:
                break
            self.position += 2 if negation else 1
            if previous == "??" and token.text not in ("??", "|"):
                raise self.error(
                    f"Operator ({token.text}) and coalesce expressions (??) cannot be mixed."
                    " Wrap either by parentheses.",
                    token,
                )
            left = self.binary(left, token)
            if negation:
                left = tree.Unary(negation.at, "not", left)
            previous = token.text
        return left

    def binary(self, left: tree.Node, token: Token) -> tree.Node:
        precedence = _BINARY[token.text]
        self.count()
        if token.text == "|":
            return self.call(self.expect(Kind.IDENTIFIER), [left])
        if token.text in _COMPARISONS:
            return self.comparison(left, token, precedence)
        right = self.expression(precedence if token.text in _RIGHT else precedence + 1)
        return tree.Binary(token.at, token.text, left, right)

    def comparison(self, left: tree.Node, token: Token, precedence: int) -> tree.Node:
        root: tree.Node | None = None
        while True:
            right = self.expression(precedence + 1)
            link = tree.Binary(token.at, token.text, left, right)
            root = link if root is None else tree.Binary(token.at, "&&", root, link)
            left, token = right, self.current
            if not token.is_(Kind.OPERATOR, *_COMPARISONS):
                return root
            self.position += 1

    def let(self) -> tree.Node:
        self.next()
        name = self.expect(Kind.IDENTIFIER)
        self.expect(Kind.OPERATOR, "=")
        value = self.expression(0)
        self.expect(Kind.OPERATOR, ";")
        return tree.Let(name.at, name.text, value, self.sequence())

    def if_else(self) -> tree.Node:
        at = self.next().at
        condition = self.expression(0)
        then = self.block()
        self.expect(Kind.OPERATOR, "else")
        otherwise = self.if_else() if self.is_(Kind.OPERATOR, "if") else self.block()
        return tree.Conditional(at, condition, then, otherwise)

    def block(self) -> tree.Node:
        self.expect(Kind.BRACKET, "{")
        node = self.sequence()
        self.expect(Kind.BRACKET, "}")
        return node

    def ternary(self, node: tree.Node) -> tree.Node:
        while self.accept(Kind.OPERATOR, "?"):
            if self.accept(Kind.OPERATOR, ":"):
                then = node
            else:
                then = self.expression(0)
                self.expect(Kind.OPERATOR, ":")
            node = tree.Conditional(node.at, node, then, self.expression(0))
        return node

    # operands

    def primary(self) -> tree.Node:
        token = self.current
        if token.kind is Kind.OPERATOR and token.text in _UNARY:
            self.position += 1
            operand = self.expression(_UNARY[token.text])
            return self.postfix(tree.Unary(token.at, token.text, operand))
        if self.accept(Kind.BRACKET, "("):
            node = self.sequence()
            self.expect(Kind.BRACKET, ")")
            return self.postfix(node)
        if self.predicate_depth and token.is_(Kind.OPERATOR, "#", "."):
            return self.postfix(self.pointer(token))
        if self.accept(Kind.OPERATOR, "::"):
            return self.postfix(self.call(self.expect(Kind.IDENTIFIER), [], may_be_overridden=False))
        return self.secondary()

    def pointer(self, token: Token) -> tree.Node:
        name = ""
        if token.text == "#":
            self.position += 1
            following = self.current
            if following.kind is Kind.IDENTIFIER:
                name = self.next().text
        return tree.Pointer(token.at, name)

    def secondary(self) -> tree.Node:
        token = self.current
        self.count()
        match token.kind:
            case Kind.IDENTIFIER:
                self.position += 1
                if token.text in _LITERALS:
                    return tree.Constant(token.at, _LITERALS[token.text])
                return self.postfix(self.name(token))
            case Kind.NUMBER:
                self.position += 1
                return tree.Constant(token.at, self.number(token))
            case Kind.STRING:
                self.position += 1
                return self.postfix(tree.Constant(token.at, token.text))
            case Kind.BYTES:
                self.position += 1
                return self.postfix(tree.Constant(token.at, token.text.encode("latin-1")))
        if token.is_(Kind.BRACKET, "["):
            return self.postfix(self.array(token))
        if token.is_(Kind.BRACKET, "{"):
            return self.postfix(self.map(token))
        raise self.unexpected()

    def name(self, token: Token) -> tree.Node:
        if self.is_(Kind.BRACKET, "("):
            return self.call(token, [])
        return tree.Identifier(token.at, token.text)

    def number(self, token: Token) -> int | float:
        text = token.text.replace("_", "")
        lowered = text.lower()
        try:
            if lowered[:2] in ("0x", "0o", "0b"):
                value: int | float = int(text, 0)
            elif "." in text or "e" in lowered:
                value = float(text)
            else:
                value = int(text, 10)
        except ValueError:
            raise self.error(f"invalid number literal: {token.text}", token) from None
        if isinstance(value, int) and value >= 1 << 63:
            raise self.error(f'invalid integer literal: parsing "{text}": value out of range', token)
        if value == float("inf"):
            raise self.error("float literal is too large", token)
        return value

    # calls

    def call(self, token: Token, first: list[tree.Node], may_be_overridden: bool = True) -> tree.Node:
        self.count()
        hidden = may_be_overridden and token.text in self.overridden
        if token.text in PREDICATES and not hidden:
            return tree.Builtin(token.at, token.text, self.predicate_arguments(PREDICATES[token.text], first))
        if token.text in BUILTIN_NAMES and not hidden:
            return tree.Builtin(token.at, token.text, self.arguments(first))
        return tree.Call(token.at, tree.Identifier(token.at, token.text), self.arguments(first))

    def arguments(self, first: list[tree.Node]) -> list[tree.Node]:
        nodes = list(first)
        self.expect(Kind.BRACKET, "(")
        while not self.is_(Kind.BRACKET, ")"):
            if len(nodes) > len(first):
                self.expect(Kind.OPERATOR, ",")
                if self.is_(Kind.BRACKET, ")"):
                    break
            nodes.append(self.expression(0))
        self.expect(Kind.BRACKET, ")")
        return nodes

    def predicate_arguments(self, wanted: tuple[Argument, ...], first: list[tree.Node]) -> list[tree.Node]:
        nodes = list(first)
        self.expect(Kind.BRACKET, "(")
        rest = wanted[len(first) :]
        for index, argument in enumerate(rest):
            if self.is_(Kind.BRACKET, ")"):
                if argument.optional:
                    break
                raise self.error(f"expected at least {len(rest)} arguments")
            if index > 0:
                self.expect(Kind.OPERATOR, ",")
                if argument.optional and self.is_(Kind.BRACKET, ")"):
                    break
            nodes.append(self.predicate() if argument.predicate else self.expression(0))
        self.accept(Kind.OPERATOR, ",")
        self.expect(Kind.BRACKET, ")")
        return nodes

    def predicate(self) -> tree.Node:
        at = self.current.at
        self.predicate_depth += 1
        if self.is_(Kind.BRACKET, "{"):
            body = self.block()
        else:
            body = self.expression(0)
            if self.is_(Kind.OPERATOR, ";"):
                raise self.error("wrap predicate with brackets { and }")
        self.predicate_depth -= 1
        return tree.Predicate(at, body)

    # collections

    def array(self, token: Token) -> tree.Node:
        self.position += 1
        nodes: list[tree.Node] = []
        while not self.is_(Kind.BRACKET, "]"):
            if nodes:
                self.expect(Kind.OPERATOR, ",")
                if self.is_(Kind.BRACKET, "]"):
                    break
            nodes.append(self.expression(0))
        self.position += 1
        return tree.Array(token.at, nodes)

    def map(self, token: Token) -> tree.Node:
        self.position += 1
        pairs: list[tuple[tree.Node, tree.Node]] = []
        while not self.is_(Kind.BRACKET, "}"):
            if pairs:
                self.expect(Kind.OPERATOR, ",")
                if self.is_(Kind.BRACKET, "}"):
                    break
            key = self.key()
            self.expect(Kind.OPERATOR, ":")
            pairs.append((key, self.expression(0)))
        self.position += 1
        return tree.Map(token.at, pairs)

    def key(self) -> tree.Node:
        token = self.current
        if token.kind in (Kind.NUMBER, Kind.STRING, Kind.IDENTIFIER):
            self.position += 1
            return tree.Constant(token.at, token.text)
        if token.is_(Kind.BRACKET, "("):
            return self.expression(0)
        raise self.error(
            "a map key must be a quoted string, a number, a identifier, or an expression enclosed in"
            f" parentheses (unexpected token {token})"
        )

    # what follows an operand

    def postfix(self, node: tree.Node) -> tree.Node:
        while True:
            token = self.current
            if token.is_(Kind.OPERATOR, ".", "?."):
                self.position += 1
                if token.text == "?." and self.is_(Kind.BRACKET, "["):
                    node = self.index(node, self.next(), optional=True)
                else:
                    node = self.member(node, optional=token.text == "?.")
            elif token.is_(Kind.BRACKET, "["):
                node = self.index(node, self.next(), optional=False)
            else:
                break
        return node

    def member(self, node: tree.Node, optional: bool) -> tree.Node:
        self.count()
        token = self.current
        if token.kind is not Kind.IDENTIFIER and not token.is_(Kind.OPERATOR, *WORD_OPERATORS):
            raise self.error("expected name") if token.kind is not Kind.EOF else self.unexpected_end()
        self.position += 1
        in_chain = isinstance(node, tree.Chain)
        base = node.inner if isinstance(node, tree.Chain) else node
        result: tree.Node = tree.Member(token.at, base, tree.Constant(token.at, token.text), optional)
        if self.is_(Kind.BRACKET, "("):
            assert isinstance(result, tree.Member)
            result.method = True
            result = tree.Call(token.at, result, self.arguments([]))
        return tree.Chain(token.at, result) if in_chain or optional else result

    def unexpected_end(self) -> ExpressionError:
        return self.error("unexpected end of expression")

    def index(self, node: tree.Node, bracket: Token, optional: bool) -> tree.Node:
        self.count()
        start = None if self.is_(Kind.OPERATOR, ":") else self.expression(0)
        if self.accept(Kind.OPERATOR, ":"):
            end = None if self.is_(Kind.BRACKET, "]") else self.expression(0)
            self.expect(Kind.BRACKET, "]")
            return tree.Slice(bracket.at, node, start, end)
        assert start is not None
        self.expect(Kind.BRACKET, "]")
        member = tree.Member(bracket.at, node, start, optional)
        return tree.Chain(bracket.at, member) if optional else member
