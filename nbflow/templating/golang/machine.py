"""Runs regular expressions in one pass over the text, all alternatives at the same time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from nbflow.templating.golang.regexsyntax import Alt, Assert, Cat, CharSet, Group, Node, Repeat, nullable
from nbflow.templating.golang.values import Fault

MAX_PROGRAM: Final = 20_000


@dataclass(frozen=True, slots=True)
class Char:
    """Take one character of the set, then go on at `next`."""

    charset: CharSet
    next: int


@dataclass(frozen=True, slots=True)
class Split:
    """Try `first`, and if that fails `second`."""

    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Save:
    """Note the place as start or end of a group."""

    slot: int
    next: int


@dataclass(frozen=True, slots=True)
class Place:
    """Go on if the place is of this kind."""

    kind: str
    next: int


@dataclass(frozen=True, slots=True)
class Match:
    """The whole pattern was found."""


Instruction = Char | Split | Save | Place | Match


@dataclass(frozen=True, slots=True)
class Program:
    """Instructions, where they begin, and how many places they note."""

    instructions: tuple[Instruction, ...]
    start: int
    slots: int


def build(node: Node) -> Program:
    """The program of a tree. Raises Fault if it is too large."""
    builder = _Builder()
    end = builder.add(Match())
    start = builder.code(node, end)
    slots = 1 + max(i.slot for i in builder.instructions if isinstance(i, Save))
    return Program(tuple(builder.instructions), start, slots)


class _Builder:
    """Writes instructions from the end to the beginning: each knows what follows it."""

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []

    def add(self, instruction: Instruction) -> int:
        if len(self.instructions) >= MAX_PROGRAM:
            raise Fault("error parsing regexp: expression too large")
        self.instructions.append(instruction)
        return len(self.instructions) - 1

    def code(self, node: Node, following: int) -> int:
        """Where the code of `node` begins, that goes on at `following`."""
        match node:
            case CharSet():
                return self.add(Char(node, following))
            case Assert():
                return self.add(Place(node.kind, following))
            case Group():
                end = self.add(Save(2 * node.index + 1, following))
                return self.add(Save(2 * node.index, self.code(node.node, end)))
            case Cat():
                for child in reversed(node.nodes):
                    following = self.code(child, following)
                return following
            case Alt():
                starts = [self.code(child, following) for child in node.nodes]
                begin = starts.pop()
                while starts:
                    begin = self.add(Split(starts.pop(), begin))
                return begin
        return self.repeat(node, following)

    def repeat(self, node: Repeat, following: int) -> int:
        copies = node.least
        if node.most is None:
            begin = self.loop(node, following)
            copies -= 1
        else:
            begin = following
            for _ in range(node.most - node.least):
                begin = self.choice(node, self.code(node.node, begin), following)
        for _ in range(copies):
            begin = self.code(node.node, begin)
        return begin

    def loop(self, node: Repeat, following: int) -> int:
        """x+ tries again after each x; x* does so before, unless x may be empty: then it is (x+)?."""
        split = self.add(Split(following, following))
        body = self.code(node.node, split)
        self.instructions[split] = Split(body, following) if node.greedy else Split(following, body)
        if node.least > 0:
            return body
        return self.choice(node, body, following) if nullable(node.node) else split

    def choice(self, node: Repeat, body: int, following: int) -> int:
        return self.add(Split(body, following) if node.greedy else Split(following, body))


_Thread = tuple[int, tuple[int, ...]]


class Steps:
    """How many more steps may be taken, for all matches on one text."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, count: int) -> None:
        """Raises Fault if there are none left."""
        self.left -= count
        if self.left < 0:
            raise Fault("the regular expression takes too long on this text")


def execute(program: Program, text: str, start: int, steps: Steps) -> tuple[int, ...] | None:
    """The leftmost match from `start` on, by the preferences of the pattern. Raises Fault if it takes too long."""
    return _Run(program, text, steps).run(start)


def occurs(program: Program, text: str, steps: Steps) -> bool:
    """Whether there is a match. Where the program may stand after a text is worked out once, whatever follows."""
    if any(isinstance(instruction, Place) for instruction in program.instructions):
        return execute(program, text, 0, steps) is not None
    states = _States(program, steps)
    state = states.first
    for char in text:
        if state.ended:
            return True
        state = state.following.get(char) or states.after(state, char)
    return state.ended


class _State:
    """Where a program may stand: before which characters. ended: it has found a match."""

    __slots__ = ("ended", "following", "places")

    def __init__(self, places: frozenset[int], *, ended: bool) -> None:
        self.places, self.ended = places, ended
        self.following: dict[str, _State] = {}


class _States:
    """The states that a text leads to, made when they are first met."""

    def __init__(self, program: Program, steps: Steps) -> None:
        self._instructions, self._start, self._steps = program.instructions, program.start, steps
        self._known: dict[frozenset[int], _State] = {}
        self.first = self._state({program.start})

    def after(self, state: _State, char: str) -> _State:
        self._steps.take(len(state.places))
        reached = {self._start}
        for place in state.places:
            instruction = self._instructions[place]
            if isinstance(instruction, Char) and instruction.charset.has(char):
                reached.add(instruction.next)
        found = state.following[char] = self._state(reached)
        return found

    def _state(self, pending: set[int]) -> _State:
        seen: set[int] = set()
        todo, ended = list(pending), False
        while todo:
            here = todo.pop()
            if here in seen:
                continue
            seen.add(here)
            match self._instructions[here]:
                case Split(first=first, second=second):
                    todo += (first, second)
                case Save(next=following):
                    todo.append(following)
                case Match():
                    ended = True
        self._steps.take(len(seen))
        places = frozenset(pc for pc in seen if isinstance(self._instructions[pc], Char))
        return (
            self._known.setdefault(places, _State(places, ended=ended))
            if not ended
            else _State(places, ended=True)
        )


class _Run:
    def __init__(self, program: Program, text: str, steps: Steps) -> None:
        self.program, self.text, self.steps = program, text, steps
        self.known: dict[tuple[int, str], bool] = {}

    def run(self, position: int) -> tuple[int, ...] | None:
        empty = (-1,) * self.program.slots
        threads: list[_Thread] = []
        matched: tuple[int, ...] | None = None
        while True:
            seen: set[int] = {pc for pc, _ in threads}
            if matched is None:
                self.follow(self.program.start, empty, position, threads, seen)
            if not threads and matched is not None:
                return matched
            threads, found = self.advance(threads, position)
            matched = found or matched
            if position >= len(self.text):
                return matched
            position += 1

    def advance(self, threads: list[_Thread], position: int) -> tuple[list[_Thread], tuple[int, ...] | None]:
        """Let every thread take the character; what a match cuts off is dropped."""
        char = self.text[position] if position < len(self.text) else ""
        after: list[_Thread] = []
        seen: set[int] = set()
        self.steps.take(len(threads))
        for pc, saved in threads:
            instruction = self.program.instructions[pc]
            if isinstance(instruction, Match):
                return after, saved
            if isinstance(instruction, Char) and char and self.takes(pc, instruction, char):
                self.follow(instruction.next, saved, position + 1, after, seen)
        return after, None

    def takes(self, pc: int, instruction: Char, char: str) -> bool:
        key = pc, char
        answer = self.known.get(key)
        if answer is None:
            answer = self.known[key] = instruction.charset.has(char)
        return answer

    def follow(
        self, pc: int, saved: tuple[int, ...], position: int, threads: list[_Thread], seen: set[int]
    ) -> None:
        """Add what can be reached without a character, in the order of preference."""
        pending = [(pc, saved)]
        before = len(seen)
        while pending:
            here, slots = pending.pop()
            if here in seen:
                continue
            seen.add(here)
            match self.program.instructions[here]:
                case Split(first=first, second=second):
                    pending += ((second, slots), (first, slots))
                case Save(slot=slot, next=following):
                    pending.append((following, (*slots[:slot], position, *slots[slot + 1 :])))
                case Place(kind=kind, next=following):
                    if _holds(kind, self.text, position):
                        pending.append((following, slots))
                case _:
                    threads.append((here, slots))
        self.steps.take(len(seen) - before)


def _holds(kind: str, text: str, position: int) -> bool:
    match kind:
        case "A":
            return position == 0
        case "z":
            return position == len(text)
        case "^":
            return position == 0 or text[position - 1] == "\n"
        case "$":
            return position == len(text) or text[position] == "\n"
    before = position > 0 and _is_word(text[position - 1])
    after = position < len(text) and _is_word(text[position])
    return (before is not after) is (kind == "b")


def _is_word(char: str) -> bool:
    return char == "_" or (char.isascii() and char.isalnum())
