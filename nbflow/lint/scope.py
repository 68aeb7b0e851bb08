"""Which names a tag may use at a place, and which of them have a value already."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


@dataclass
class Scope:
    """Names that resolve.

    open: beginnings of names that cannot be judged (outputs of a step whose template is unknown).
    any_item, any_output_parameter, any_output_artifact: names are only known at run time.
    also: names that are costly to list.
    own: how names begin that Argo lets pass here and nobody means: a task's own outputs. None is suggested.
    """

    outer: Scope | None = None
    names: set[str] = field(default_factory=set)
    open: tuple[str, ...] = ()
    any_item: bool = False
    any_output_parameter: bool = False
    any_output_artifact: bool = False
    also: Callable[[str], bool] | None = None
    own: str = ""

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
        found = self.names | (self.outer.listed() if self.outer else set())
        return {name for name in found if not name.startswith(self.own)} if self.own else found
