"""A workflow as tree, graph, timeline, manifest and difference, in the forms that front ends can show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nbflow.cli.console import to_yaml as dump
from nbflow.commands.manifests import GIVEN_BY_THE_SYSTEM
from nbflow.notebook import rich
from nbflow.notebook.frames import pandas
from nbflow.notebook.picture import draw
from nbflow.notebook.rich import Rich, block, escape, image
from nbflow.notebook.snapshot import IMAGE, alt, node_table
from nbflow.spec.status import WorkflowObject
from nbflow.views import tree as trees
from nbflow.views.difference import Change, Difference, difference, difference_text, shown, template_lines
from nbflow.views.text import clean
from nbflow.views.timeline import timeline as timeline_text
from nbflow.views.timeline import timeline_svg

if TYPE_CHECKING:
    import pandas as pd

_KEYS_OF_THE_SYSTEM = ("workflows.argoproj.io/phase", "workflows.argoproj.io/completed", "nbflow.dev/")


def tree(workflow: WorkflowObject) -> Rich:
    """Its nodes as `get` prints them."""
    text = trees.tree(workflow) or f"workflow {workflow.name} has no nodes yet\n"
    return Rich(text, html=node_table(workflow) or f"<em>{escape(text)}</em>")


def graph(workflow: WorkflowObject) -> Rich:
    """Its graph; the tree where there is nothing that could draw it."""
    svg, problem = draw(workflow)
    text = trees.tree(workflow) or f"workflow {workflow.name} has no nodes yet\n"
    if problem or len(svg) > IMAGE:
        why = (
            problem
            or "The graph is too large to be kept in a notebook: `%workflow graph` draws it into a file."
        )
        return Rich(f"{text}{why}\n", html=f"{node_table(workflow)}<div>{escape(why)}</div>")
    return Rich(text, svg=svg, html=image(svg.encode(), "image/svg+xml", alt(workflow)))


def timeline(workflow: WorkflowObject) -> Rich:
    """When each of its nodes ran."""
    text, svg = timeline_text(workflow), timeline_svg(workflow)
    if not svg:
        return Rich(text)
    return Rich(text, svg=svg, html=image(svg.encode(), "image/svg+xml", text.replace("\n", "; ")))


def manifest_of(workflow: WorkflowObject) -> dict[str, object]:
    """The Workflow without what its run added, ready to be submitted again."""
    metadata = {key: value for key, value in workflow.metadata.items() if key not in GIVEN_BY_THE_SYSTEM}
    if metadata.get("generateName"):
        metadata.pop("name", None)
    if metadata.get("namespace") == "default":
        del metadata["namespace"]  # which a home on this machine adds
    for field in ("labels", "annotations"):
        given = metadata.get(field)
        if isinstance(given, dict):
            metadata[field] = {k: v for k, v in given.items() if not k.startswith(_KEYS_OF_THE_SYSTEM)}
            if not metadata[field]:
                del metadata[field]
    return {
        "apiVersion": workflow.api_version,
        "kind": workflow.kind,
        "metadata": metadata,
        "spec": dict(workflow.spec),
    }


def to_yaml(data: dict[str, object]) -> str:
    """The data as YAML, texts of several lines as blocks."""
    return dump(data)


class Diff(Rich):
    """What differs between two runs, to look at and to go on with. True if anything differs."""

    def __init__(self, found: Difference) -> None:
        self.found = found
        super().__init__(difference_text(found), html=_diff_html(found))

    @property
    def changes(self) -> Sequence[Change]:
        """One by one."""
        return self.found.changes

    def __bool__(self) -> bool:
        return bool(self.found.changes)

    def to_frame(self) -> pd.DataFrame:
        """One row a change. Raises NbflowError if pandas is not installed."""
        rows = [(c.what, c.name, c.before, c.after) for c in self.found.changes]
        frame: pd.DataFrame = pandas().DataFrame(rows, columns=["what", "name", "before", "after"])
        return frame


def diff(before: WorkflowObject, after: WorkflowObject) -> Diff:
    """What differs between two runs."""
    return Diff(difference(before, after))


def _diff_html(found: Difference) -> str:
    if not found.changes:
        return f"<em>{escape(difference_text(found))}</em>"
    rows = [
        [change.what, change.name, shown(change.before), shown(change.after)]
        for change in found.changes
        if change.what != "template"
    ]
    values = rich.table(["What", "Name", clean(found.before), clean(found.after)], rows) if rows else ""
    return values + "".join(_template_html(found))


def _template_html(found: Difference) -> Iterator[str]:
    for change in found.of("template"):
        yield f"<div>template <strong>{escape(change.name)}</strong></div>{block(chr(10).join(template_lines(change)))}"
