"""Where a call is drawn, and what is said of it there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from nbflow.spec.status import NodeStatus, NodeType, Phase
from nbflow.views.graph.manifest import JSONObject
from nbflow.views.graph.places import Live, count_phases
from nbflow.views.graph.scene import Kind
from nbflow.views.phases import SIGNS
from nbflow.views.text import clean


@dataclass(slots=True)
class Block:
    """What was drawn for a call: the shapes where it begins and ends. group: the box around it, if edges end there."""

    entries: list[str] = field(default_factory=list)
    exits: list[str] = field(default_factory=list)
    group: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a call is drawn. path: unique. lives: what runs there, several in a stack. around: templates outside.

    stacked: inside what stands for many. openable: it is that itself, and each of the many can be drawn.
    """

    path: str
    lives: tuple[Live, ...] = ()
    around: tuple[str, ...] = ()
    stacked: bool = False
    openable: bool = False

    def inside(self, path: str, lives: Iterable[Live], template: str) -> Spot:
        """A place further in."""
        around = (*self.around, template) if template else self.around
        return Spot(path, tuple(lives), around, self.stacked)

    def stack(self, path: str, lives: Iterable[Live]) -> Spot:
        """A place further in, where one stands for many."""
        return Spot(path, tuple(lives), self.around, stacked=True, openable=not self.stacked)

    @property
    def node(self) -> NodeStatus | None:
        """The one node that runs here; None where there is none, or where there are several."""
        return self.lives[0].node if len(self.lives) == 1 and not self.stacked else None

    @property
    def key(self) -> str:
        """The id of its shape."""
        place = clean(self.path).replace("\\", "⧵")  # Graphviz would read more into it
        if self.stacked:
            return f"stack:{place}"
        return self.node.id if self.node else f"plan:{place}"

    @property
    def attempts(self) -> list[NodeStatus]:
        """The attempts of the retry that runs here."""
        retried = self.node is not None and self.node.type is NodeType.RETRY
        return [one for one in self.lives[0].nodes if one is not self.node] if retried else []


def kind_of(template: JSONObject, spot: Spot) -> Kind:
    """What stands for a template that is no group."""
    suspends = "suspend" in template or any(
        live.node and live.node.type is NodeType.SUSPEND for live in spot.lives
    )
    if suspends:
        return Kind.SUSPEND
    return Kind.STACK if spot.stacked else Kind.POD


def note(spot: Spot, title: str, kind: Kind, template: str) -> str:
    """The second line: counts of a stack, the attempt of a retry, else the template if the title is another."""
    if spot.stacked or len(spot.lives) > 1:
        return counts(spot.lives) or template or "not started"
    if kind is Kind.RECURSION:
        return f"↻ {template}"
    attempts = max((live.attempts for live in spot.lives), default=0)
    if attempts > 1:
        return f"attempt {attempts}"
    return template if template != title else ""


def counts(lives: Iterable[Live]) -> str:
    """How many are in which phase."""
    found = count_phases(lives)
    return "  ".join(f"{SIGNS[phase]} {found[phase]}" for phase in Phase if found[phase])


def tip(spot: Spot, name: str, template: str, call: JSONObject) -> str:
    """What a pointer over it shows. name: of the workflow."""
    node = spot.lives[0].node if len(spot.lives) == 1 else None
    lines = [node.name if node else spot.path.lstrip(".") or name]
    lines += [f"template {template}"] * bool(template)
    if call.get("when"):
        lines.append(f"when {call['when']}")
    if node:
        lines.append((node.phase or Phase.PENDING).value + (f": {node.message}" if node.message else ""))
    return "\n".join(lines)
