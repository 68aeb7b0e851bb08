"""What runs at a place, where the manifest that planned it is not at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nbflow.spec.status import NodeStatus
from nbflow.views.graph.manifest import Call, JSONObject, mapping
from nbflow.views.graph.places import Live, is_aside, turns


def reference(live: Live) -> JSONObject:
    """The templateRef that a node came from."""
    named = mapping(live.node.extra.get("templateRef")) if live.node else {}
    return {"templateRef": named} if named else {}


def unplanned(lives: Sequence[Live]) -> list[list[Call]]:
    """What runs inside, where the manifest is not at hand: each group of steps after the one before, or a DAG."""
    segments = dict.fromkeys(segment for live in lives for segment in live.inside if not is_aside(segment))
    places = {segment: turns(lives, segment) for segment in segments}
    before = _before(places)
    calls: dict[str, list[Call]] = {}
    for segment, found in places.items():
        group, _, name = segment.rpartition(".")
        node = next((live.node for those in found.values() for live in those if live.node), None)
        data: dict[str, object] = {"template": node.template_name if node else ""}
        if any(found):
            data["withParam"] = ""
        calls.setdefault(group, []).append(Call(name, segment, data, before.get(segment, ())))
    return [calls[group] for group in sorted(calls, key=lambda g: (len(g), g))]


def _before(places: Mapping[str, Mapping[str, list[Live]]]) -> dict[str, tuple[str, ...]]:
    """Segment -> the names of those beside it whose nodes have its node among their children."""
    home = {node.id: segment for segment, found in places.items() for node in _nodes(found)}
    names: dict[str, dict[str, None]] = {}
    for segment, found in places.items():
        for node in _nodes(found):
            for child in node.children:
                below = home.get(child, segment)
                if below != segment:
                    names.setdefault(below, {})[segment.rpartition(".")[2]] = None
    return {segment: tuple(found) for segment, found in names.items()}


def _nodes(found: Mapping[str, list[Live]]) -> Iterator[NodeStatus]:
    return (node for lives in found.values() for live in lives for node in live.nodes)
