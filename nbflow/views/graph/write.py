"""A scene as DOT. Every text in it is a stranger's: nothing reaches Graphviz but quoted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from nbflow.spec.status import Phase
from nbflow.views.graph.scene import Edge, Group, Kind, Scene, Shape
from nbflow.views.phases import SIGNS, SUSPENDED_SIGN
from nbflow.views.text import clean

FONT = "Helvetica"
INK = "#1f2328"
LINE = "#7d8590"  # readable on white and on black
_LONGEST = 34

# Fill and line of each phase, told apart by lightness, line and sign, too, not by hue alone (after Okabe and Ito).
COLORS: Mapping[Phase | None, tuple[str, str, str]] = {
    None: ("#f6f8fa", "#8c959f", "dashed"),
    Phase.PENDING: ("#f6f8fa", "#8c959f", "dashed"),
    Phase.RUNNING: ("#cde7fa", "#0072b2", "solid"),
    Phase.SUCCEEDED: ("#c9efdf", "#007a59", "solid"),
    Phase.SKIPPED: ("#eaeef2", "#8c959f", "dotted"),
    Phase.OMITTED: ("#eaeef2", "#8c959f", "dotted"),
    Phase.FAILED: ("#ffd5c2", "#c04a00", "bold"),
    Phase.ERROR: ("#f8d3e8", "#a3286b", "bold"),
}
_GRAPH = (
    f'bgcolor="transparent", fontname="{FONT}", fontsize=10, fontcolor="{LINE}", color="{LINE}", '
    "nodesep=0.22, ranksep=0.38, margin=0, pad=0.08"
)
_ENDS = ", compound=true"
_STACK_WIDTH = "1.9"  # inches: room for the counts of phases as they come
_SHAPES = {Kind.STACK: "box3d", Kind.GROUP: "folder"}
_ROUND = (Kind.POD, Kind.RECURSION)


def write(scene: Scene, *, horizontal: bool) -> str:
    """The DOT of a scene."""
    before = _before(scene.edges)
    lines = [
        "digraph workflow {",
        f"  graph [rankdir={'LR' if horizontal else 'TB'}, {_GRAPH}{_ENDS * _has_ends(scene)}];",
        f'  node [shape=box, fontname="{FONT}", fontsize=11, fontcolor="{INK}", margin="0.14,0.06", height=0.34];',
        f'  edge [color="{LINE}", arrowsize=0.6, penwidth=1.1];',
        *(line for member in scene.members for line in _member(member, before, "  ")),
        *(_edge(edge) for edge in scene.edges),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _member(member: Shape | Group, before: Mapping[str, frozenset[str]], indent: str) -> Iterator[str]:
    if isinstance(member, Shape):
        yield indent + (_joint(member) if member.kind is Kind.JOINT else _shape(member))
        return
    _, line, style = COLORS[member.phase]
    attributes = {
        "id": member.key,
        "class": f"{_word(member.phase)} group",
        "label": _title(member.phase, member.title),
        "tooltip": _tip(member.tip),
        "style": f"rounded,{style}",
        "color": line,
        "labeljust": "l",
        "margin": "9",
    }
    yield f"{indent}subgraph {member.name} {{"
    yield f"{indent}  graph [{_attributes(attributes)}];"
    for inner in member.members:
        yield from _member(inner, before, indent + "  ")
    for row in [member.row] if member.row else _rows(member, before):
        if len(row) > 1:
            yield f"{indent}  {{ rank=same; {' -> '.join(row)} [style=invis]; }}"
    yield f"{indent}}}"


def _rows(group: Group, before: Mapping[str, frozenset[str]]) -> Iterable[list[str]]:
    """Shapes of a box that wait for the same: Graphviz would set them from right to left there."""
    rows: dict[frozenset[str], list[str]] = {}
    for one in group.members:
        if isinstance(one, Shape) and one.kind is not Kind.JOINT:
            rows.setdefault(before.get(one.name, frozenset()), []).append(one.name)
    return rows.values()


def _before(edges: Iterable[Edge]) -> dict[str, frozenset[str]]:
    """Name of a shape -> those that it waits for."""
    tails: dict[str, set[str]] = {}
    for edge in edges:
        tails.setdefault(edge.head, set()).add(edge.tail)
    return {head: frozenset(found) for head, found in tails.items()}


def _shape(shape: Shape) -> str:
    fill, line, style = COLORS[shape.phase]
    rounded = "rounded," if shape.kind in _ROUND else ""
    attributes = {
        "id": shape.key,
        "class": f"{_word(shape.phase)} {shape.kind}",
        "tooltip": _tip(shape.tip),
        "style": f"{rounded}filled,{style}",
        "fillcolor": fill,
        "color": line,
    }
    if shape.kind in _SHAPES:
        attributes["shape"] = _SHAPES[shape.kind]
    if shape.kind is Kind.STACK:
        attributes["width"] = _STACK_WIDTH
    elif shape.fold:
        attributes["margin"] = "0.24,0.06"  # room for the sign of the fold
    if shape.kind is Kind.SUSPEND:
        attributes["peripheries"] = "2"
    first = _html(_title(shape.phase, shape.title, waiting=shape.waiting))
    note = (
        f'<br/><font point-size="9" color="#57606a">{_html(_short(shape.note))}</font>' if shape.note else ""
    )
    return f"{shape.name} [{_attributes(attributes)}, label=<{first}{note}>];"


def _joint(shape: Shape) -> str:
    return f'{shape.name} [shape=point, width=0.06, height=0.06, color="{LINE}", label=""];'


def _edge(edge: Edge) -> str:
    attributes = ['style=dashed, arrowhead=empty, class="aside"'] * edge.aside
    attributes += [f"ltail={edge.tail_group}"] * bool(edge.tail_group)
    attributes += [f"lhead={edge.head_group}"] * bool(edge.head_group)
    attributes += ["style=invis"] * edge.hidden
    told = f" [{', '.join(attributes)}]" if attributes else ""
    return f"  {edge.tail} -> {edge.head}{told};"


def _has_ends(scene: Scene) -> bool:
    """Whether an edge ends at a group."""
    return any(edge.tail_group or edge.head_group for edge in scene.edges)


def _title(phase: Phase | None, title: str, *, waiting: bool = False) -> str:
    return f"{SUSPENDED_SIGN if waiting else SIGNS[phase]} {_short(title)}"


def _word(phase: Phase | None) -> str:
    return (phase or Phase.PENDING).value


def _short(text: str) -> str:
    """A label's text: no control characters, the middle left out where it is long."""
    shown = clean(text)
    if len(shown) <= _LONGEST:
        return shown
    half = (_LONGEST - 1) // 2
    return f"{shown[:half]}…{shown[-half:]}"


def _tip(text: str) -> str:
    """Lines of a tooltip; each is cut at a length that a pointer can show."""
    return "\n".join(clean(line)[:300] for line in text.split("\n"))


def _attributes(attributes: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={_quoted(value)}" for name, value in attributes.items())


def _quoted(text: str) -> str:
    """A DOT string that means exactly `text`."""
    plain = _entities(text).replace('"', '\\"').replace("\n", "\\n")
    return f'"{plain}"'


def _html(text: str) -> str:
    """Text inside an HTML-like label."""
    return _entities(text).replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _entities(text: str) -> str:
    r"""No entity of a stranger's, and no backslash: Graphviz puts names in place of `\N` and `\G`, however escaped."""
    return text.replace("&", "&amp;").replace("\\", "⧵")
