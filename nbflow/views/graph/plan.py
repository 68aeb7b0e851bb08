"""From a workflow to the scene of its graph: templates first, nodes take their places in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nbflow.spec.status import NodeType, Phase, WorkflowObject
from nbflow.views.graph.manifest import Call, JSONObject, Templates, calls_of, mapping
from nbflow.views.graph.places import Live, count_phases, find_places, is_aside, phase_of, turns
from nbflow.views.graph.scene import Edge, Group, Kind, Scene, Shape
from nbflow.views.phases import SIGNS, waits_for_resume

_DEEPEST = 12  # calls inside each other: further down nobody can read it
Members = list[Shape | Group]


@dataclass(slots=True)
class Block:
    """What was drawn for a call: the shapes where it begins and ends."""

    entries: list[str] = field(default_factory=list)
    exits: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a call is drawn. path: unique. lives: what runs there, several in a stack. around: templates outside."""

    path: str
    lives: tuple[Live, ...] = ()
    around: tuple[str, ...] = ()
    stacked: bool = False

    def inside(self, path: str, lives: Iterable[Live], template: str, *, stacked: bool = False) -> Spot:
        """A place further in."""
        around = (*self.around, template) if template else self.around
        return Spot(path, tuple(lives), around, self.stacked or stacked)


def draw(workflow: WorkflowObject, fan_out: int, shapes: int) -> Scene:
    """The scene of a workflow. fan_out, shapes: see nbflow.views.graph."""
    return _Planner(workflow, fan_out, shapes).draw()


class _Planner:
    def __init__(self, workflow: WorkflowObject, fan_out: int, shapes: int) -> None:
        self.workflow, self.fan_out, self.left = workflow, fan_out, shapes
        self.templates = Templates(workflow)
        self.scene = Scene()
        self.count = 0

    def draw(self) -> Scene:
        root, aside = find_places(self.workflow)
        entrypoint = str(
            self.templates.spec.get("entrypoint") or (root.node.template_name if root.node else "")
        )
        call = {"template": entrypoint, **_reference(root)}
        spot = Spot("", (root,) if root.nodes else ())
        main = self._body(self.scene.members, call, spot, entrypoint or self.workflow.name, root=True)
        handler = str(self.templates.spec.get("onExit") or "")
        if handler:
            aside.setdefault(".onExit", Live())
        for segment, live in aside.items():
            self._aside(self.scene.members, main, segment, live, spot, handler)
        return self.scene

    def _body(
        self, members: Members, call: JSONObject, spot: Spot, title: str, *, root: bool = False
    ) -> Block:
        """A call that is no loop: a leaf, or a group with all that is inside."""
        template = self.templates.of(call)
        name = str(template.get("name") or call.get("template") or "")
        groups = calls_of(template) or _unplanned(spot)
        wanted = sum(len(group) for group in groups)
        again = name in spot.around and not any(live.inside for live in spot.lives)
        if not groups or again or len(spot.around) > _DEEPEST or (wanted > self.left and not root):
            kind = Kind.RECURSION if groups and again else Kind.GROUP if groups else _leaf(template, spot)
            return self._leaf(members, spot, title, kind, name)
        self.left -= wanted
        inner = members
        if not root:
            group = Group(
                self._name("cluster_"), _key(spot), title, phase_of(spot.lives), self._tip(spot, name, call)
            )
            members.append(group)
            inner = group.members
        stepwise = any(call.segment.startswith("[") for calls in groups for call in calls)
        return (self._steps if stepwise else self._dag)(
            inner, groups, spot.inside(spot.path, spot.lives, name)
        )

    def _steps(self, members: Members, groups: Sequence[Sequence[Call]], spot: Spot) -> Block:
        whole = Block()
        before: list[str] = []
        for group in groups:
            blocks = [self._call(members, calls, spot) for calls in self._collapse(group)]
            entries = [name for block in blocks for name in block.entries]
            exits = [name for block in blocks for name in block.exits]
            if not entries:
                continue
            self._connect(members, before, entries)
            whole.entries = whole.entries or entries
            before = whole.exits = exits
        return whole

    def _dag(self, members: Members, groups: Sequence[Sequence[Call]], spot: Spot) -> Block:
        tasks = groups[0]
        blocks: dict[str, Block] = {}
        for calls in self._collapse(tasks):
            blocks.update(dict.fromkeys((call.name for call in calls), self._call(members, calls, spot)))
        joined: set[tuple[int, int]] = set()
        for task in tasks:
            for needed in task.waits:
                pair = (id(blocks.get(needed)), id(blocks[task.name]))
                if needed in blocks and pair[0] != pair[1] and pair not in joined:
                    joined.add(pair)
                    self._connect(members, blocks[needed].exits, blocks[task.name].entries)
        needed_by_others = {name for task in tasks for name in task.waits}
        first = (blocks[task.name] for task in tasks if not any(name in blocks for name in task.waits))
        last = (blocks[task.name] for task in tasks if task.name not in needed_by_others)
        return Block(
            list(dict.fromkeys(name for block in first for name in block.entries)),
            list(dict.fromkeys(name for block in last for name in block.exits)),
        )

    def _collapse(self, calls: Sequence[Call]) -> list[list[Call]]:
        """The calls one by one; more than `fan_out` that are alike in place and template together."""
        if len(calls) <= self.fan_out:
            return [[call] for call in calls]
        after: dict[str, list[str]] = {}
        for call in calls:
            for needed in call.waits:
                after.setdefault(needed, []).append(call.name)
        alike: dict[object, list[Call]] = {}
        for call in calls:
            kind = (call.template or call.name, call.loops, call.waits, tuple(after.get(call.name, ())))
            alike.setdefault(kind, []).append(call)
        return [
            part
            for same in alike.values()
            for part in ([same] if len(same) > self.fan_out else [[c] for c in same])
        ]

    def _call(self, members: Members, calls: Sequence[Call], spot: Spot) -> Block:
        """A step or task, a loop, or many alike."""
        call = calls[0]
        if len(calls) > 1:
            lives = [
                live for one in calls for found in turns(spot.lives, one.segment).values() for live in found
            ]
            path = f"{spot.path}{call.segment}…"
            inner = spot.inside(path, lives, "", stacked=True)
            return self._stack(members, inner, f"{call.name} … {calls[-1].name}", call, len(calls))
        here = turns(spot.lives, call.segment)
        path = spot.path + call.segment
        looped = {turn: lives for turn, lives in here.items() if turn}
        if not call.loops or (here and not looped):
            block = self._body(members, call.data, spot.inside(path, here.get("", ()), ""), call.name)
            return self._hooked(members, block, here.get("", []), spot.inside(path, here.get("", ()), ""))
        if looped and len(looped) <= self.fan_out and not spot.stacked and len(looped) <= self.left:
            return self._turns(members, call, spot, looped)
        lives = [live for found in looped.values() for live in found]
        inner = spot.inside(path, lives, "", stacked=True)
        return self._stack(
            members, inner, call.name, call, max(len(looped), call.size or 0) if not spot.stacked else 0
        )

    def _turns(self, members: Members, call: Call, spot: Spot, looped: dict[str, list[Live]]) -> Block:
        """The turns of a loop, each on its own."""
        whole = Block()
        self.left -= len(looped)
        for turn, lives in looped.items():
            inner = spot.inside(spot.path + call.segment + turn, lives, "")
            block = self._hooked(
                members, self._body(members, call.data, inner, call.name + turn), lives, inner
            )
            whole.entries += block.entries
            whole.exits += block.exits
        return whole

    def _stack(self, members: Members, spot: Spot, title: str, call: Call, size: int) -> Block:
        """Many of a kind: one shape, or one group whose shapes stand for many."""
        title = f"{title} ×{size}" if size else f"{title} ×n" if not spot.lives else title
        template = self.templates.of(call.data)
        name = str(template.get("name") or call.template)
        if calls_of(template) and name not in spot.around:
            return self._body(members, call.data, spot, title)
        return self._leaf(members, spot, title, Kind.STACK, name)

    def _leaf(self, members: Members, spot: Spot, title: str, kind: Kind, template: str) -> Block:
        waiting = any(live.node and waits_for_resume(live.node) for live in spot.lives)
        if spot.stacked and kind is Kind.POD:
            kind = Kind.STACK
        shape = Shape(
            self._name("n"),
            _key(spot),
            title,
            kind,
            phase_of(spot.lives),
            waiting,
            _note(spot, title, kind, template),
            self._tip(spot, template, {}),
        )
        members.append(shape)
        return Block([shape.name], [shape.name])

    def _hooked(self, members: Members, block: Block, lives: Iterable[Live], spot: Spot) -> Block:
        """The block with the hooks and exit handlers that ran beside it."""
        for live in lives:
            for segment, found in live.inside.items():
                if is_aside(segment):
                    for inner in found.values():
                        self._aside(members, block, segment, inner, spot, "")
        return block

    def _aside(
        self, members: Members, block: Block, segment: str, live: Live, spot: Spot, template: str
    ) -> None:
        lives = (live,) if live.nodes else ()
        name = template or (live.node.template_name if live.node else "")
        inner = spot.inside(spot.path + segment, lives, "")
        drawn = self._body(
            members, {"template": name, **_reference(live)}, inner, segment.lstrip(".").removeprefix("hooks.")
        )
        self._connect(members, block.exits, drawn.entries, aside=True)

    def _connect(
        self, members: Members, tails: Sequence[str], heads: Sequence[str], *, aside: bool = False
    ) -> None:
        """Edges from all to all; where that is many, through a joint."""
        if len(tails) > 1 and len(heads) > 1:
            joint = Shape(self._name("j"), "", kind=Kind.JOINT)
            members.append(joint)
            self.scene.edges += [Edge(tail, joint.name, aside) for tail in tails]
            tails = [joint.name]
        self.scene.edges += [Edge(tail, head, aside) for tail in tails for head in heads]

    def _name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def _tip(self, spot: Spot, template: str, call: JSONObject) -> str:
        node = spot.lives[0].node if len(spot.lives) == 1 else None
        lines = [node.name if node else spot.path.lstrip(".") or self.workflow.name]
        lines += [f"template {template}"] * bool(template)
        if call.get("when"):
            lines.append(f"when {call['when']}")
        if node:
            lines.append((node.phase or Phase.PENDING).value + (f": {node.message}" if node.message else ""))
        return "\n".join(lines)


def _leaf(template: JSONObject, spot: Spot) -> Kind:
    suspends = "suspend" in template or any(
        live.node and live.node.type is NodeType.SUSPEND for live in spot.lives
    )
    return Kind.SUSPEND if suspends else Kind.POD


def _note(spot: Spot, title: str, kind: Kind, template: str) -> str:
    """The second line: counts of a stack, the attempt of a retry, else the template if the title is another."""
    if spot.stacked or len(spot.lives) > 1:
        counts = count_phases(spot.lives)
        if counts:
            return "  ".join(f"{SIGNS[phase]} {counts[phase]}" for phase in Phase if counts[phase])
    if kind is Kind.RECURSION:
        return f"↻ {template}"
    attempts = max((live.attempts for live in spot.lives), default=0)
    if attempts > 1:
        return f"attempt {attempts}"
    return template if template != title else ""


def _key(spot: Spot) -> str:
    if spot.stacked:
        return f"stack:{spot.path}"
    node = spot.lives[0].node if spot.lives else None
    return node.id if node else f"plan:{spot.path}"


def _reference(live: Live) -> JSONObject:
    """The templateRef that a node came from."""
    reference = mapping(live.node.extra.get("templateRef")) if live.node else {}
    return {"templateRef": reference} if reference else {}


def _unplanned(spot: Spot) -> list[list[Call]]:
    """What runs inside, where the manifest is not at hand: each group of steps after the one before, or a DAG."""
    segments = {segment: None for live in spot.lives for segment in live.inside if not is_aside(segment)}
    calls: dict[str, list[Call]] = {}
    for segment in segments:
        group, _, name = segment.rpartition(".")
        found = turns(spot.lives, segment)
        node = next((live.node for lives in found.values() for live in lives if live.node), None)
        data: dict[str, object] = {"template": node.template_name if node else ""}
        if any(found):
            data["withParam"] = ""
        calls.setdefault(group, []).append(Call(name, segment, data, _waits(spot, segment, segments)))
    return [calls[group] for group in sorted(calls, key=lambda g: (len(g), g))]


def _waits(spot: Spot, segment: str, segments: Iterable[str]) -> tuple[str, ...]:
    """The names of those beside it whose nodes have its node among their children."""
    ids = {node.id for lives in turns(spot.lives, segment).values() for live in lives for node in live.nodes}
    return tuple(
        other.rpartition(".")[2]
        for other in segments
        if other != segment
        and any(
            child in ids
            for lives in turns(spot.lives, other).values()
            for live in lives
            for node in live.nodes
            for child in node.children
        )
    )
