"""A run as one HTML file: to send, to keep, to print. It needs no server, no script and no other file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import NamedTuple

from nbflow.errors import NbflowError
from nbflow.spec.status import InputsOutputs, NodeStatus, WorkflowObject, artifacts_by_name, parameter_values
from nbflow.views import durations, tree
from nbflow.views.graph import dot
from nbflow.views.phases import SIGNS, status_text
from nbflow.views.podnames import template_of
from nbflow.views.text import clean
from nbflow.views.timeline import timeline_svg

LINES, LONGEST = 200, 1_000
"""Of each log: its last lines, and so many characters of each."""
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em }
body { color: #1f2328; background: #fff }
h1 { font-size: 1.6em } h2 { font-size: 1.2em; margin-top: 2em; border-bottom: 1px solid #d0d7de }
table { border-collapse: collapse }
td, th { text-align: left; padding: .2em .9em .2em 0; vertical-align: top }
td:first-child { white-space: pre }
pre { background: #f6f8fa; padding: .7em 1em; overflow: auto; white-space: pre-wrap; border-radius: 6px }
svg { max-width: 100%; height: auto } summary { cursor: pointer }
""".strip()


class Log(NamedTuple):
    """The end of a pod's log."""

    node: NodeStatus
    lines: Sequence[str]


def report(workflow: WorkflowObject, logs: Iterable[Log], manifest: str, now: datetime) -> str:
    """The report. manifest: the YAML of what ran. now: the end of what still runs."""
    parts = [
        *_head(workflow, now),
        *_section("Parameters", _values(_arguments(workflow))),
        *_section("Outputs", _values(_outputs(workflow))),
        *_section("Graph", _graph(workflow)),
        *_section("Nodes", _nodes(workflow, now)),
        *_section("Timeline", timeline_svg(workflow, now)),
        *_section("Logs", "".join(_log(log) for log in logs)),
        *_section(
            "Manifest",
            f"<details><summary>YAML</summary><pre>{_lines(manifest.splitlines())}</pre></details>",
        ),
    ]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><title>{_text(workflow.name)}</title>'
        f"<style>\n{_STYLE}\n</style></head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _head(workflow: WorkflowObject, now: datetime) -> Iterator[str]:
    status = workflow.status
    yield f"<h1>{SIGNS[status.phase]} {_text(workflow.name)}</h1>"
    took = durations.long(durations.between(status.started_at, status.finished_at, now))
    facts = [status_text(workflow), f"{status.progress} pods" if status.progress else ""]
    if status.started_at:
        facts.append(took)
        facts.append(f"started {status.started_at.strftime('%Y-%m-%d %H:%M:%S')} UTC")
    yield f"<p>{_text(' · '.join(fact for fact in facts if fact))}</p>"
    if status.message:
        yield f"<p>{_text(status.message)}</p>"


def _section(title: str, body: str) -> Iterator[str]:
    if body:
        yield f"<h2>{title}</h2>"
        yield body


def _arguments(workflow: WorkflowObject) -> InputsOutputs | None:
    arguments = workflow.spec.get("arguments")
    return arguments if isinstance(arguments, Mapping) else None


def _outputs(workflow: WorkflowObject) -> InputsOutputs | None:
    root = workflow.status.nodes.get(workflow.name)
    return root.outputs if root and root.outputs else workflow.status.outputs


def _values(given: InputsOutputs | None) -> str:
    rows = [*parameter_values(given).items()]
    if given and given.get("result") is not None:
        rows.append(("result", str(given["result"])))
    rows += [
        (name, f"artifact {artifact.get('path') or ''}")
        for name, artifact in artifacts_by_name(given).items()
    ]
    return _table([], rows) if rows else ""


def _graph(workflow: WorkflowObject) -> str:
    from nbflow import render

    try:
        return render.svg(dot(workflow))
    except NbflowError as error:
        return f"<p>{_text(str(error))}</p>"


def _nodes(workflow: WorkflowObject, now: datetime) -> str:
    rows = []
    for row in tree.rows(workflow):
        node = row.node
        took = (
            durations.short(durations.between(node.started_at, node.finished_at, now))
            if node.started_at
            else ""
        )
        rows.append(
            (f"{row.lead}{SIGNS[node.phase]} {node.display_name}", template_of(node), took, node.message)
        )
    return _table(["Node", "Template", "Duration", "Message"], rows)


def _log(log: Log) -> str:
    bad = " open" if log.node.phase and log.node.phase.bad else ""
    cut = [line if len(line) <= LONGEST else line[: LONGEST - 1] + "…" for line in log.lines[-LINES:]]
    return (
        f"<details{bad}><summary>{_text(log.node.display_name)}</summary><pre>{_lines(cut)}</pre></details>"
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = f"<tr>{''.join(f'<th>{_text(name)}</th>' for name in head)}</tr>" if head else ""
    body = "".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{top}{body}</table>" if body else ""


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(_text(line.expandtabs()) for line in lines)


def _text(text: str) -> str:
    return escape(clean(text), quote=True)
