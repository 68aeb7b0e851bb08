"""Which names a tag may use at a place, and which of them have a value already."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

TAG = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
UNKNOWN = "\ufffc"
"""Begins and ends what stands for a value that exists and is not known yet; the name of the variable is between."""

_EXPRESSION = re.compile(r"\{\{=.*?\}\}", re.DOTALL)
_UNKNOWN_VALUE = re.compile(f"{UNKNOWN}[^{UNKNOWN}]*{UNKNOWN}")


def is_reference(text: str) -> bool:
    """Whether a text holds a tag without blanks, as Argo asks it of globalName and target."""
    return re.search(r"\{\{[-a-zA-Z0-9]+(\.[-a-zA-Z0-9_]+)*\}\}", text) is not None


@dataclass
class Scope:
    """Names that resolve.

    open: beginnings of names that cannot be judged (outputs of a step whose template is unknown).
    any_item, any_output_parameter, any_output_artifact: names are only known at run time.
    also: names that are costly to list.
    """

    outer: Scope | None = None
    names: set[str] = field(default_factory=set)
    open: tuple[str, ...] = ()
    any_item: bool = False
    any_output_parameter: bool = False
    any_output_artifact: bool = False
    also: Callable[[str], bool] | None = None

    def inner(self) -> Scope:
        """A scope that adds to this one."""
        return Scope(self)

    def add(self, names: Iterable[str]) -> None:
        """More names that resolve."""
        self.names.update(names)

    def resolves(self, name: str) -> bool:
        """Whether a tag of this name is fine here."""
        scope: Scope | None = self
        while scope is not None:
            if scope._resolves(name):  # noqa: SLF001 - an outer scope is one of us
                return True
            scope = scope.outer
        return False

    def _resolves(self, name: str) -> bool:
        return (
            name in self.names
            or (self.also is not None and self.also(name))
            or (self.any_item and name.startswith("item."))
            or (self.any_output_parameter and name.startswith("workflow.outputs.parameters."))
            or (self.any_output_artifact and name.startswith("workflow.outputs.artifacts."))
            or (self.open != () and name.startswith(self.open))
        )

    def listed(self) -> set[str]:
        """All names, for suggestions."""
        return self.names | (self.outer.listed() if self.outer else set())


Values = dict[str, str | None]
"""Name -> its text, None if it has one that is not known yet."""


def fill(text: str, values: Values) -> str:
    """`text` with known values in place of their tags, from the inside; UNKNOWN marks those that come later."""
    for _ in range(2):
        filled = TAG.sub(lambda match: _value(match.group(1), values), text)
        if filled == text:
            break
        text = filled
    return text


def known_parts(text: str, instead: str) -> str:
    """A filled text with `instead` for each value that is not known, and a letter for each expression."""
    return _UNKNOWN_VALUE.sub(instead, _EXPRESSION.sub("x", text))


def shown(text: str) -> str:
    """A filled text for people: the tags are back where values are not known."""
    return re.sub(f"{UNKNOWN}([^{UNKNOWN}]*){UNKNOWN}", r"{{\1}}", text)


def _value(inner: str, values: Values) -> str:
    before, brace, name = inner.rpartition("{{")
    found = values.get(name.strip(), inner) if not name.startswith("=") else inner
    if found is inner:
        return "{{" + inner + "}}"
    return (("{{" + before) if brace else "") + (
        f"{UNKNOWN}{name.strip()}{UNKNOWN}" if found is None else found
    )
