"""Reads a regular expression in Go's syntax into a tree, and writes the tree in Python's syntax.

A little long, as the tree, its reader and its writer change together.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn

from nbflow.templating.golang.values import Fault

MAX_REPEAT: Final = 1000
_LAST: Final = 0x10FFFF
Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class CharSet:
    """Characters: in the ranges, of the categories, in or outside of other sets; all of it possibly negated."""

    ranges: Ranges = ()
    categories: tuple[str, ...] = ()
    parts: tuple[CharSet, ...] = ()
    negated: bool = False

    def has(self, char: str) -> bool:
        code = ord(char)
        found = (
            any(low <= code <= high for low, high in self.ranges)
            or (bool(self.categories) and unicodedata.category(char).startswith(self.categories))
            or any(part.has(char) for part in self.parts)
        )
        return found is not self.negated


@dataclass(frozen=True, slots=True)
class Cat:
    """One after the other."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Alt:
    """One of them, the first ones preferred."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """At least `least` times, at most `most`, None for any number."""

    node: Node
    least: int
    most: int | None
    greedy: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A group that is remembered; the whole pattern is number 0."""

    node: Node
    index: int


@dataclass(frozen=True, slots=True)
class Assert:
    """A place: "A" and "z" the ends of the text, "^" and "$" of a line, "b" and "B" of a word."""

    kind: str


Node = CharSet | Cat | Alt | Repeat | Group | Assert

_DIGIT: Final = ((48, 57),)
_SPACE: Final = ((9, 10), (12, 13), (32, 32))
_WORD: Final = ((48, 57), (65, 90), (95, 95), (97, 122))
_PERL: Final = {"d": _DIGIT, "s": _SPACE, "w": _WORD}
_POSIX: Final[dict[str, Ranges]] = {
    "alnum": ((48, 57), (65, 90), (97, 122)), "alpha": ((65, 90), (97, 122)), "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)), "cntrl": ((0, 31), (127, 127)), "digit": _DIGIT, "graph": ((33, 126),),
    "lower": ((97, 122),), "print": ((32, 126),), "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)), "upper": ((65, 90),), "word": _WORD, "xdigit": ((48, 57), (65, 70), (97, 102)),
}  # fmt: skip
_ESCAPES: Final = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_CATEGORY = re.compile(r"\{\^?([A-Za-z_]+)\}|([A-Z])")
_COUNT = re.compile(r"\{(\d+)(?:(,)(\d*))?\}", re.A)
_FLAGS = re.compile(r"\(\?([imsU]*)(?:-([imsU]+))?([:)])")
_NAME = re.compile(r"\(\?P?<(\w+)>", re.A)


def parse_pattern(pattern: str) -> tuple[Node, tuple[str, ...]]:
    """The tree, and the names of the groups, that of the whole first. Raises Fault."""
    parser = _Parser(pattern)
    node = parser.alternatives()
    if parser.position < len(pattern):
        parser.fail("unexpected )", pattern)
    return Group(node, 0), tuple(parser.names)


@dataclass(slots=True)
class _Parser:
    pattern: str
    position: int = 0
    flags: frozenset[str] = frozenset()
    names: list[str] = field(default_factory=lambda: [""])
    depth: int = 0

    def fail(self, what: str, where: str) -> NoReturn:
        raise Fault(f"error parsing regexp: {what}: `{where}`")

    def at(self, *texts: str) -> bool:
        return self.pattern.startswith(texts, self.position)

    def alternatives(self) -> Node:
        self.depth += 1
        if self.depth > 100:
            self.fail("expression nests too deeply", self.pattern)
        flags, nodes = self.flags, [self.sequence()]
        while self.at("|"):
            self.position += 1
            nodes.append(self.sequence())
        self.flags = flags
        self.depth -= 1
        return nodes[0] if len(nodes) == 1 else Alt(tuple(nodes))

    def sequence(self) -> Node:
        nodes: list[Node] = []
        while self.position < len(self.pattern) and not self.at("|", ")"):
            if self.at("\\Q"):
                nodes += self.quoted()
            elif (node := self.atom()) is not None:
                nodes.append(self.repeated(node))
        return Cat(tuple(nodes))

    def quoted(self) -> list[Node]:
        end = self.pattern.find("\\E", self.position + 2)
        text = self.pattern[self.position + 2 : end if end >= 0 else len(self.pattern)]
        self.position = end + 2 if end >= 0 else len(self.pattern)
        nodes: list[Node] = [self.char(ord(char)) for char in text]
        if nodes:
            nodes[-1] = self.repeated(nodes[-1])
        return nodes

    def char(self, code: int) -> CharSet:
        return self.folded(((code, code),))

    def folded(self, ranges: Ranges) -> CharSet:
        """The ranges; with the flag i, and both cases of what is in them."""
        if "i" not in self.flags:
            return CharSet(ranges)
        more = set(ranges)
        for low, high in ranges:
            for code in range(low, min(high, low + 1000) + 1):
                for other in {chr(code).lower(), chr(code).upper(), chr(code).swapcase()}:
                    if len(other) == 1:
                        more.add((ord(other), ord(other)))
        for low, high in ((65, 90), (97, 122)) if ranges and ranges[0][1] - ranges[0][0] > 1000 else ():
            more.add((low, high))
        return CharSet(tuple(sorted(more)))

    def atom(self) -> Node | None:
        """One thing that can be repeated; None for flags."""
        start, char = self.position, self.pattern[self.position]
        if char in "*+?" or (char == "{" and _COUNT.match(self.pattern, start)):
            count = _COUNT.match(self.pattern, start)
            self.fail("missing argument to repetition operator", count[0] if count else char)
        if char == "(":
            return self.group()
        if char == "[":
            return self.char_class()
        if char == "\\":
            return self.escape()
        self.position += 1
        match char:
            case ".":
                return CharSet(((0, _LAST),)) if "s" in self.flags else CharSet(((10, 10),), negated=True)
            case "^":
                return Assert("^" if "m" in self.flags else "A")
            case "$":
                return Assert("$" if "m" in self.flags else "z")
        return self.char(ord(char))

    def repeated(self, node: Node) -> Node:
        start = self.position
        bounds = self.bounds()
        if bounds is None:
            return node
        greedy = True
        if self.at("?"):
            self.position += 1
            greedy = False
        following = self.position
        if self.bounds() is not None:
            self.fail("invalid nested repetition operator", self.pattern[start : self.position])
        self.position = following
        return Repeat(node, *bounds, greedy=greedy is not ("U" in self.flags))

    def bounds(self) -> tuple[int, int | None] | None:
        for operator, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.at(operator):
                self.position += 1
                return bounds
        match = _COUNT.match(self.pattern, self.position)
        if match is None:
            return None
        self.position = match.end()
        least = int(match[1]) if len(match[1]) < 6 else MAX_REPEAT + 1
        most = least if not match[2] else int(match[3][:6]) if match[3] else None
        if max(least, most or 0) > MAX_REPEAT or (most is not None and most < least):
            self.fail("invalid repeat count", match[0])
        return least, most

    def group(self) -> Node | None:
        start = self.position
        flags = _FLAGS.match(self.pattern, start)
        outer = self.flags
        if flags:
            self.position = flags.end()
            self.flags = (outer | frozenset(flags[1])) - frozenset(flags[2] or "")
            if flags[3] == ")":
                return None
            return self.closed(self.alternatives(), outer)
        name = _NAME.match(self.pattern, start)
        if name is None and self.at("(?"):
            self.fail("invalid or unsupported Perl syntax", self.pattern[start : start + 3])
        self.position = name.end() if name else start + 1
        self.names.append(name[1] if name else "")
        index = len(self.names) - 1
        return Group(self.closed(self.alternatives(), outer), index)

    def closed(self, node: Node, outer: frozenset[str]) -> Node:
        if not self.at(")"):
            self.fail("missing closing )", self.pattern)
        self.position += 1
        self.flags = outer
        return node

    def escape(self) -> Node:
        following = self.pattern[self.position + 1 : self.position + 2]
        if following and following in "AzbB":
            self.position += 2
            return Assert(following)
        known = self.class_escape()
        return known if known is not None else self.char(self.code_escape())

    def class_escape(self) -> CharSet | None:
        r"""\d, \W, \pL and the like."""
        start = self.position
        letter = self.pattern[start + 1 : start + 2]
        if letter and letter in "dswDSW":
            self.position += 2
            return CharSet(_PERL[letter.lower()], negated=letter.isupper())
        if not letter or letter not in "pP":
            return None
        match = _CATEGORY.match(self.pattern, start + 2)
        name = (match[1] or match[2]) if match else ""
        if match is None or not re.fullmatch("Any|[CLMNPSZ][a-z]?", name):
            self.fail(
                "invalid character class range", self.pattern[start : match.end() if match else start + 3]
            )
        self.position = match.end()
        negated = (letter == "P") is not match[0].startswith("{^")
        return (
            CharSet(((0, _LAST),), negated=negated)
            if name == "Any"
            else CharSet((), (name,), negated=negated)
        )

    def code_escape(self) -> int:
        match = re.compile(
            r"\\(?:x\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|([1-7][0-7]{1,2}|0[0-7]{0,2})|([aftnrv])|([^\w]|_))",
            re.A,
        ).match(self.pattern, self.position)
        if match is None:
            if self.position + 1 >= len(self.pattern):
                raise Fault("error parsing regexp: trailing backslash at end of expression: ``")
            self.fail("invalid escape sequence", self.pattern[self.position : self.position + 2])
        self.position = match.end()
        if match[1] or match[2]:
            code = int(match[1] or match[2], 16)
            return code if code <= _LAST else self.fail("invalid escape sequence", match[0])
        return int(match[3], 8) if match[3] else _ESCAPES[match[4]] if match[4] else ord(match[5])

    def char_class(self) -> Node:
        start = self.position
        self.position += 1
        negated = self.at("^")
        self.position += negated
        ranges: list[tuple[int, int]] = []
        parts: list[CharSet] = []
        first = True
        while first or not self.at("]"):
            first = False
            if self.position >= len(self.pattern):
                self.fail("missing closing ]", self.pattern[start:])
            part = self.class_part(start, ranges)
            if part is not None:
                parts.append(part)
        self.position += 1
        folded = self.folded(tuple(ranges)).ranges if ranges else ()
        return CharSet(folded, (), tuple(parts), negated)

    def class_part(self, start: int, ranges: list[tuple[int, int]]) -> CharSet | None:
        posix = re.compile(r"\[:(\^?)(\w+):\]").match(self.pattern, self.position)
        if posix:
            if posix[2] not in _POSIX:
                self.fail("invalid character class range", posix[0])
            self.position = posix.end()
            return CharSet(_POSIX[posix[2]], negated=bool(posix[1]))
        if self.at("\\") and (known := self.class_escape()) is not None:
            return known
        began = self.position
        low = self.class_char(start)
        if self.at("-") and not self.at("-]") and self.position + 1 < len(self.pattern):
            self.position += 1
            high = self.class_char(start)
            if high < low:
                self.fail("invalid character class range", self.pattern[began : self.position])
            ranges.append((low, high))
        else:
            ranges.append((low, low))
        return None

    def class_char(self, start: int) -> int:
        if self.position >= len(self.pattern):
            self.fail("missing closing ]", self.pattern[start:])
        if self.at("\\"):
            return self.code_escape()
        self.position += 1
        return ord(self.pattern[self.position - 1])


_MANY: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Effort:
    """What an engine that tries one way after the other may have to do at each place of a text.

    loops: without bound. ways: how many there are besides, at most _MANY. nested: there is a choice within a loop, so
    that each character may double them.
    """

    loops: int = 0
    ways: int = 1
    nested: bool = False


def effort(node: Node) -> Effort:
    """What a tree asks of such an engine."""
    below = [effort(child) for child in _children(node)]
    loops, nested = sum(one.loops for one in below), any(one.nested for one in below)
    ways = 1
    for one in below:
        ways = min(ways + one.ways if isinstance(node, Alt) else ways * one.ways, _MANY)
    if isinstance(node, Repeat):
        if node.most is None or node.most > 10:
            return Effort(loops + 1, ways, nested or loops > 0 or ways > 1 or nullable(node.node))
        ways = min(ways**node.most * (node.most - node.least + 1), _MANY)
        nested = nested or (loops > 0 and node.most > 1)
    return Effort(loops, ways, nested)


def nullable(node: Node) -> bool:
    """Whether the tree can match nothing at all."""
    match node:
        case CharSet():
            return False
        case Assert():
            return True
        case Repeat():
            return node.least == 0 or nullable(node.node)
        case Group():
            return nullable(node.node)
        case Alt():
            return any(map(nullable, node.nodes))
    return all(map(nullable, node.nodes))


def _children(node: Node) -> Sequence[Node]:
    match node:
        case Cat() | Alt():
            return node.nodes
        case Repeat() | Group():
            return (node.node,)
    return ()


_PLACES: Final = {"A": r"\A", "z": r"\Z", "^": "(?m:^)", "$": "(?m:$)", "b": r"(?a:\b)", "B": r"(?a:\B)"}


def python_pattern(node: Node) -> str | None:
    """The tree in the syntax of Python's engine; None if it cannot be said there."""
    match node:
        case CharSet():
            return _python_set(node)
        case Assert():
            return _PLACES[node.kind] if node.kind != "B" else None
        case Repeat():
            inner = python_pattern(node.node)
            most = "" if node.most is None else node.most
            return (
                None if inner is None else f"(?:{inner}){{{node.least},{most}}}{'' if node.greedy else '?'}"
            )
        case Group():
            inner = python_pattern(node.node)
            return inner if inner is None or node.index == 0 else f"({inner})"
    parts = [python_pattern(child) for child in node.nodes]
    if any(part is None for part in parts):
        return None
    glue = "" if isinstance(node, Cat) else "|"
    return "(?:" + glue.join(part for part in parts if part is not None) + ")"


def _python_set(charset: CharSet) -> str | None:
    if charset.categories or any(part.negated or part.categories or part.parts for part in charset.parts):
        return None
    ranges = charset.ranges + tuple(r for part in charset.parts for r in part.ranges)
    if not ranges:
        return None
    body = "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges)
    return f"[{'^' if charset.negated else ''}{body}]"
