"""sprig's semantic versions and what constrains them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from nbflow.templating.golang.values import Fault, Function
from nbflow.templating.sprig.signature import function

_IDENTIFIERS = r"[0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*"
_VERSION = re.compile(rf"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-({_IDENTIFIERS}))?(?:\+({_IDENTIFIERS}))?", re.A)
_LOOSE = rf"v?[\dxX*]+(?:\.[\dxX*]+)?(?:\.[\dxX*]+)?(?:-{_IDENTIFIERS})?(?:\+{_IDENTIFIERS})?"
_OPERATORS = r"!=|>=|=>|<=|=<|~>|=|>|<|~|\^|"
_ONE = re.compile(
    rf"\s*({_OPERATORS})\s*v?([\dxX*]+)(?:\.([\dxX*]+))?(?:\.([\dxX*]+))?(?:-({_IDENTIFIERS}))?(?:\+{_IDENTIFIERS})?\s*"
)
# Blanks are taken as a whole, and a range begins where a word begins: however long the text, it is tried once.
_ALL = re.compile(rf"\s*+(?:{_OPERATORS})\s*+{_LOOSE}(?:(?>\s*,\s*|\s+)(?:{_OPERATORS})\s*+{_LOOSE})*+\s*")
_PART = re.compile(rf"(?:{_OPERATORS})\s*+{_LOOSE}")
_RANGE = re.compile(rf"(?:(?<!\s)\s+)?(?<![\w.*+\-])({_LOOSE})\s+-\s+({_LOOSE})\s*")


@dataclass(frozen=True, slots=True)
class Version:
    """A version; parts that were left out are 0."""

    GO_TYPE: ClassVar = "*semver.Version"
    numbers: tuple[int, int, int]
    prerelease: str = ""
    metadata: str = ""
    original: str = ""

    @classmethod
    def parse(cls, text: str) -> Version:
        """Raises Fault."""
        match = _VERSION.fullmatch(text)
        if match is None or any(len(part or "") > 19 for part in match.groups()[:3]):
            raise Fault("Invalid Semantic Version")
        numbers = tuple(int(part or 0) for part in match.groups()[:3])
        for identifier in (match[4] or "").split("."):
            if len(identifier) > 1 and identifier.isdigit() and identifier[0] == "0":
                raise Fault("Version segment starts with 0")
        return cls((numbers[0], numbers[1], numbers[2]), match[4] or "", match[5] or "", text)

    def __str__(self) -> str:
        tail = (f"-{self.prerelease}" if self.prerelease else "") + (
            f"+{self.metadata}" if self.metadata else ""
        )
        return ".".join(map(str, self.numbers)) + tail

    def to_json(self) -> str:
        return f'"{self}"'

    def key(self) -> tuple[object, ...]:
        """What orders versions: a release comes after its prereleases."""
        identifiers = tuple(
            (0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.prerelease.split(".")
        )
        return (*self.numbers, (0, identifiers) if self.prerelease else (1, ()))


@dataclass(frozen=True, slots=True)
class _Constraint:
    """operator, version, and how many of its parts were given (0 to 3)."""

    operator: str
    version: Version
    given: int

    def allows(self, version: Version) -> bool:
        if version.prerelease and not self.version.prerelease and (self.operator != "!=" or self.given < 3):
            return False
        return _CHECKS[self.operator](self, version.key(), version.numbers)


def _constraint(text: str) -> _Constraint:
    match = _ONE.fullmatch(text)
    if match is None:
        raise Fault(f"improper constraint: {text}")
    parts: list[str] = []
    for part in match.groups()[1:4]:
        if not part or part in "xX*":
            break
        parts.append(part)
    if not all(part.isdigit() for part in parts):
        raise Fault("constraint Parser Error")
    padded = ".".join((parts + ["0"] * 3)[:3]) + (f"-{match[5]}" if match[5] else "")
    return _Constraint(match[1], Version.parse(padded), len(parts))


Check = Callable[[_Constraint, tuple[object, ...], tuple[int, int, int]], bool]


def _tilde(c: _Constraint, key: tuple[object, ...], numbers: tuple[int, int, int]) -> bool:
    mine = c.version
    if key < mine.key():
        return False
    if mine.numbers == (0, 0, 0) and c.given in (0, 3):
        return True
    return numbers[0] == mine.numbers[0] and (numbers[1] == mine.numbers[1] or c.given < 2)


def _equal(c: _Constraint, key: tuple[object, ...], numbers: tuple[int, int, int]) -> bool:
    return _tilde(c, key, numbers) if c.given < 3 else key == c.version.key()


def _different(c: _Constraint, key: tuple[object, ...], numbers: tuple[int, int, int]) -> bool:
    if c.given in (0, 3):
        return key != c.version.key()
    return numbers[: c.given] != c.version.numbers[: c.given]


def _greater(c: _Constraint, key: tuple[object, ...], numbers: tuple[int, int, int]) -> bool:
    if c.given in (1, 2):
        return numbers[: c.given] > c.version.numbers[: c.given]
    return key > c.version.key()


def _at_most(c: _Constraint, key: tuple[object, ...], numbers: tuple[int, int, int]) -> bool:
    if c.given == 3:
        return key <= c.version.key()
    given = 1 if c.given == 1 else 2
    return numbers[:given] <= c.version.numbers[:given]


def _caret(c: _Constraint, key: tuple[object, ...], numbers: tuple[int, int, int]) -> bool:
    mine = c.version.numbers
    if key < c.version.key():
        return False
    if mine[0] > 0 or c.given == 1:
        return numbers[0] == mine[0]
    if numbers[0] > 0:
        return False
    if mine[1] > 0 or c.given == 2:
        return numbers[1] == mine[1]
    return numbers[1] == 0 and numbers[2] == mine[2]


_CHECKS: Final[dict[str, Check]] = {
    "": _equal,
    "=": _equal,
    "!=": _different,
    ">": _greater,
    "<": lambda c, key, numbers: key < c.version.key(),
    ">=": lambda c, key, numbers: key >= c.version.key(),
    "=>": lambda c, key, numbers: key >= c.version.key(),
    "<=": _at_most,
    "=<": _at_most,
    "~": _tilde,
    "~>": _tilde,
    "^": _caret,
}


def compare(constraint: str, version: str) -> bool:
    """Whether the version is within the constraint, "^1.2 || >=3.0, <4". Raises Fault."""
    groups: list[list[_Constraint]] = []
    for group in _RANGE.sub(r">= \1, <= \2 ", constraint).split("||"):
        if not _ALL.fullmatch(group):
            raise Fault(f"improper constraint: {group}")
        groups.append([_constraint(part) for part in _PART.findall(group)])
    wanted = Version.parse(version)
    return any(all(c.allows(wanted) for c in group) for group in groups)


METHODS: Final[dict[str, Callable[..., object]]] = {
    "Major": lambda v: v.numbers[0],
    "Minor": lambda v: v.numbers[1],
    "Patch": lambda v: v.numbers[2],
    "Prerelease": lambda v: v.prerelease,
    "Metadata": lambda v: v.metadata,
    "Original": lambda v: v.original,
    "String": str,
    "Compare": lambda v, other: (v.key() > other.key()) - (v.key() < other.key()),
    "Equal": lambda v, other: v.key() == other.key(),
    "LessThan": lambda v, other: v.key() < other.key(),
    "GreaterThan": lambda v, other: v.key() > other.key(),
}

FUNCTIONS: Final[dict[str, Function]] = {
    "semver": function("semver", "string", Version.parse),
    "semverCompare": function("semverCompare", "string string", compare),
}
