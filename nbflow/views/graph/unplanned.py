"""What runs at a place, where the manifest that planned it is not at hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nbflow.views.graph.manifest import Call, JSONObject, mapping
from nbflow.views.graph.places import Live, is_aside, turns


def reference(live: Live) -> JSONObject:
    """The templateRef that a node came from."""
    named = mapping(live.node.extra.get("templateRef")) if live.node else {}
    return {"templateRef": named} if named else {}


def unplanned(lives: Sequence[Live]) -> list[list[Call]]:
    """What runs inside, where the manifest is not at hand: each group of steps after the one before, or a DAG."""
    segments = {segment: None for live in lives for segment in live.inside if not is_aside(segment)}
    calls: dict[str, list[Call]] = {}
    for segment in segments:
        group, _, name = segment.rpartition(".")
        found = turns(lives, segment)
        node = next((live.node for those in found.values() for live in those if live.node), None)
        data: dict[str, object] = {"template": node.template_name if node else ""}
        if any(found):
            data["withParam"] = ""
        calls.setdefault(group, []).append(Call(name, segment, data, _waits(lives, segment, segments)))
    return [calls[group] for group in sorted(calls, key=lambda g: (len(g), g))]


def _waits(lives: Sequence[Live], segment: str, segments: Iterable[str]) -> tuple[str, ...]:
    """The names of those beside it whose nodes have its node among their children."""
    ids = {node.id for found in turns(lives, segment).values() for live in found for node in live.nodes}
    return tuple(
        other.rpartition(".")[2]
        for other in segments
        if other != segment
        and any(
            child in ids
            for found in turns(lives, other).values()
            for live in found
            for node in live.nodes
            for child in node.children
        )
    )
