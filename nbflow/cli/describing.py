"""A workflow in full: its header and its tree."""

from __future__ import annotations

from nbflow.cli.console import Console, now
from nbflow.spec.status import WorkflowObject


def describe(console: Console, workflow: WorkflowObject, form: str, selector: str) -> str:
    """The header and the tree of a workflow; the tree alone for the form "short"."""
    from nbflow.views.tables import header
    from nbflow.views.tree import tree

    moment = now()
    form = form if form in ("short", "wide") else ""
    shown = tree(workflow, now=moment, style=console.style, output=form, selector=selector)
    if form == "short" and shown:
        return shown
    top = header(workflow, now=moment, style=console.style)
    whole = f"{top}\n{shown}" if shown else top
    return whole + "".join(f"\n{line}\n" for line in _advice(workflow))


def _advice(workflow: WorkflowObject) -> list[str]:
    """What is in the way of its pods, with what to do."""
    if not any(node.message for node in workflow.status.nodes.values()):
        return []
    from nbflow.commands.advice import advice
    from nbflow.views.text import clean

    return ["\n".join(map(clean, text.split("\n"))) for text in advice(workflow)]
