"""From a workflow to the scene of its graph: templates first, nodes take their places in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

from nbflow.spec.status import WorkflowObject
from nbflow.views.graph.folds import Folds
from nbflow.views.graph.manifest import Call, JSONObject, Templates, calls_of
from nbflow.views.graph.places import Live, find_places, is_aside, phase_of, turns
from nbflow.views.graph.scene import Edge, Fold, Group, Kind, Scene, Shape
from nbflow.views.graph.spot import Block, Spot, kind_of, note, tip
from nbflow.views.graph.unplanned import reference, unplanned
from nbflow.views.phases import waits_for_resume

_DEEPEST = 12  # calls inside each other: further down nobody can read it
Members = list[Shape | Group]
Draw = Callable[[Members], Block]


def draw(workflow: WorkflowObject, fan_out: int, shapes: int, folds: Mapping[str, int]) -> Scene:
    """The scene of a workflow. fan_out, shapes, folds: see nbflow.views.graph."""
    return _Planner(workflow, fan_out, Folds(folds, shapes)).draw()


class _Planner:
    def __init__(self, workflow: WorkflowObject, fan_out: int, folds: Folds) -> None:
        self.workflow, self.fan_out, self.folds = workflow, fan_out, folds
        self.templates = Templates(workflow)
        self.scene = Scene()
        self.count = 0

    def draw(self) -> Scene:
        root, aside = find_places(self.workflow)
        entrypoint = str(
            self.templates.spec.get("entrypoint") or (root.node.template_name if root.node else "")
        )
        call = {"template": entrypoint, **reference(root)}
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
        groups = calls_of(template) or unplanned(spot.lives)
        if not groups:
            return self._pod(members, spot, title, template, name)
        again = name in spot.around and not any(live.inside for live in spot.lives)
        if again or len(spot.around) > _DEEPEST:
            return self._leaf(members, spot, title, Kind.RECURSION if again else Kind.GROUP, name)
        if not self.folds.group(spot.path, sum(map(len, groups)), always=root):
            fold = Fold.SHUT if spot.openable or not spot.stacked else Fold.NONE
            return self._leaf(members, spot, title, Kind.GROUP, name, fold)
        inner = members if root else self._group(members, spot, title, name, call).members
        stepwise = any(call.segment.startswith("[") for calls in groups for call in calls)
        drawn = self._steps if stepwise else self._dag
        return drawn(inner, groups, spot.inside(spot.path, spot.lives, name))

    def _steps(self, members: Members, groups: Sequence[Sequence[Call]], spot: Spot) -> Block:
        whole = Block()
        before: list[Block] = []
        for group in groups:
            blocks = [self._call(members, calls, spot) for calls in self._collapse(group)]
            blocks = [block for block in blocks if block.entries]
            if not blocks:
                continue
            self._connect(members, before, blocks)
            whole.entries = whole.entries or _entries(blocks)
            whole.exits = _exits(blocks)
            before = blocks
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
                    self._connect(members, [blocks[needed]], [blocks[task.name]])
        needed_by_others = {name for task in tasks for name in task.waits}
        first = (blocks[task.name] for task in tasks if not any(name in blocks for name in task.waits))
        last = (blocks[task.name] for task in tasks if task.name not in needed_by_others)
        return Block(_entries(first), _exits(last))

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
        if len(calls) > 1:
            return self._alike(members, calls, spot)
        call = calls[0]
        here = turns(spot.lives, call.segment)
        path = spot.path + call.segment
        looped = {turn: lives for turn, lives in here.items() if turn}
        if not call.loops or (here and not looped):
            inner = spot.inside(path, here.get("", ()), "")
            block = self._body(members, call.data, inner, call.name)
            return self._hooked(members, block, here.get("", []), inner)
        lives = [live for found in looped.values() for live in found]
        size = max(len(looped), call.size or 0) if not spot.stacked else 0
        inner = spot.stack(path, lives)
        owner = next((live.node.id for live in here.get("", ()) if live.node), "")
        if not looped or spot.stacked:
            return self._stack(members, inner, call.name, call, size, owner)
        draws = {turn: self._turn(call, spot, turn, found) for turn, found in looped.items()}
        return self._many(members, inner, f"{call.name} ×{size}", call, draws, owner)

    def _alike(self, members: Members, calls: Sequence[Call], spot: Spot) -> Block:
        """More tasks or steps of a kind than anybody wants to see."""
        lives = [live for one in calls for found in turns(spot.lives, one.segment).values() for live in found]
        inner = spot.stack(f"{spot.path}{calls[0].segment}…", lives)
        title = f"{calls[0].name} … {calls[-1].name}"
        if spot.stacked:
            return self._stack(members, inner, title, calls[0], len(calls), "")
        draws: dict[str, Draw] = {call.segment: lambda m, c=call: self._call(m, [c], spot) for call in calls}  # type: ignore[misc]
        return self._many(members, inner, f"{title} ×{len(calls)}", calls[0], draws, "")

    def _turn(self, call: Call, spot: Spot, turn: str, lives: Sequence[Live]) -> Draw:
        """Draws a turn of a loop."""

        def drawn(members: Members) -> Block:
            inner = spot.inside(spot.path + call.segment + turn, lives, "")
            return self._hooked(
                members, self._body(members, call.data, inner, call.name + turn), lives, inner
            )

        return drawn

    def _many(
        self, members: Members, spot: Spot, title: str, call: Call, draws: Mapping[str, Draw], owner: str
    ) -> Block:
        """Many of a kind in a box, as far as a person wants to see them; else one for all.

        spot: of all together. draws: segment or turn -> draws that one. owner: the node of all together, if there is.
        """
        shown = self.folds.many(spot.path, len(draws), self.fan_out)
        if not shown:
            return self._stack(members, spot, title, call, 0, owner)
        group = self._group(members, spot, title, call.template, call.data, owner)
        group.fold = Fold.OPEN
        blocks = [drawn(group.members) for drawn in list(draws.values())[:shown]]
        rest = len(draws) - shown
        if rest:
            left = spot.inside(f"{spot.path}…", spot.lives[shown:], "")
            more = self._leaf(group.members, left, f"{rest} more", Kind.STACK, call.template, Fold.MORE)
            group.members[-1].path = spot.path
            blocks.append(more)
        if len(blocks) <= self.fan_out:
            return Block(_entries(blocks), _exits(blocks))
        return self._in_rows([block for block in blocks if block.entries], group)

    def _in_rows(self, blocks: Sequence[Block], group: Group) -> Block:
        """Blocks that do not wait for each other, in rows that fill the box; edges end at its border."""
        columns = max(1, round(math.sqrt(len(blocks))))
        for above, below in zip(blocks, blocks[columns:], strict=False):
            self.scene.edges.append(Edge(above.exits[0], below.entries[0], hidden=True))
        top, bottom = blocks[:columns], blocks[-(len(blocks) % columns or columns) :]
        group.row = [block.entries[0] for block in top]
        first, last = top[(len(top) - 1) // 2], bottom[len(bottom) // 2]
        return Block(first.entries[:1], last.exits[:1], group.name)

    def _stack(self, members: Members, spot: Spot, title: str, call: Call, size: int, owner: str) -> Block:
        """Many of a kind: one shape, or one group whose shapes stand for many."""
        if size:
            title = f"{title} ×{size}"
        elif not spot.lives and "×" not in title:
            title = f"{title} ×n"
        template = self.templates.of(call.data)
        name = str(template.get("name") or call.template)
        if calls_of(template) and name not in spot.around:
            return self._body(members, call.data, spot, title)
        fold = Fold.SHUT if spot.openable else Fold.NONE
        return self._leaf(members, spot, title, Kind.STACK, name, fold, owner)

    def _pod(self, members: Members, spot: Spot, title: str, template: JSONObject, name: str) -> Block:
        """A call without calls inside; a retry may be open, with its attempts one after the other."""
        kind, attempts = kind_of(template, spot), spot.attempts
        if not attempts or not self.folds.asked(spot.path):
            fold = Fold.SHUT if attempts else Fold.NONE
            return self._leaf(members, spot, title, kind, name, fold)
        group = self._group(members, spot, title, name, {})
        blocks = [
            self._leaf(
                group.members,
                spot.inside(f"{spot.path}({index})", (Live([attempt]),), ""),
                f"attempt {index + 1}",
                kind,
                name,
            )
            for index, attempt in enumerate(attempts)
        ]
        for before, after in pairwise(blocks):
            self._connect(group.members, [before], [after])
        return Block(blocks[0].entries, blocks[-1].exits)

    def _leaf(
        self,
        members: Members,
        spot: Spot,
        title: str,
        kind: Kind,
        template: str,
        fold: Fold = Fold.NONE,
        node: str = "",
    ) -> Block:
        waiting = any(live.node and waits_for_resume(live.node) for live in spot.lives)
        shape = Shape(
            self._name("n"),
            spot.key,
            title,
            kind,
            phase_of(spot.lives),
            waiting,
            note(spot, title, kind, template),
            tip(spot, self.workflow.name, template, {}),
            node or (spot.node.id if spot.node else ""),
            spot.path,
            fold,
        )
        members.append(shape)
        return Block([shape.name], [shape.name])

    def _group(
        self, members: Members, spot: Spot, title: str, template: str, call: JSONObject, node: str = ""
    ) -> Group:
        """A box, empty for now."""
        group = Group(
            self._name("cluster_"),
            spot.key,
            title,
            phase_of(spot.lives),
            tip(spot, self.workflow.name, template, call),
            node=node or (spot.node.id if spot.node else ""),
            path=spot.path,
            fold=Fold.SHUT if spot.openable else Fold.NONE if spot.stacked else Fold.OPEN,
        )
        members.append(group)
        return group

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
        title = segment.lstrip(".").removeprefix("hooks.")
        drawn = self._body(members, {"template": name, **reference(live)}, inner, title)
        self._connect(members, [block], [drawn], aside=True)

    def _connect(
        self, members: Members, tails: Sequence[Block], heads: Sequence[Block], *, aside: bool = False
    ) -> None:
        """Edges from all to all; where that is many, through a joint."""
        if len(_exits(tails)) > 1 and len(_entries(heads)) > 1:
            joint = Shape(self._name("j"), "", kind=Kind.JOINT)
            members.append(joint)
            middle = Block([joint.name], [joint.name])
            self._connect(members, tails, [middle], aside=aside)
            tails = [middle]
        self.scene.edges += [
            Edge(tail, head, aside, before.group, after.group)
            for before in tails
            for after in heads
            for tail in before.exits
            for head in after.entries
        ]

    def _name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"


def _entries(blocks: Iterable[Block]) -> list[str]:
    return list(dict.fromkeys(name for block in blocks for name in block.entries))


def _exits(blocks: Iterable[Block]) -> list[str]:
    return list(dict.fromkeys(name for block in blocks for name in block.exits))
