"""`nbflow graph`."""

from __future__ import annotations

from pathlib import Path

import click

from nbflow.cli.session import Session, on_target
from nbflow.commands import drawing
from nbflow.errors import NbflowError
from nbflow.views.graph import dot


@click.command("graph", short_help="draw a workflow, before it runs or after")
@click.argument("what", metavar="FILE|WORKFLOW")
@click.option(
    "-o",
    "--output",
    type=click.Choice(drawing.FORMS),
    default=None,
    help="Output format. One of: svg|dot|png",
)
@click.option(
    "--file", "path", default="", metavar="PATH", help="write it there; the ending tells the format"
)
@on_target
@click.pass_obj
def graph(session: Session, what: str, output: str | None, path: str) -> int:
    """Draw the graph of a manifest, or of a workflow as it stands. A terminal gets it as a file.

    \b
    Examples:
      nbflow graph my-wf.yaml > my-wf.svg
      nbflow graph @latest --file run.png
    """
    ending = Path(path).suffix.lstrip(".").lower()
    if ending and ending not in drawing.FORMS and not output:
        endings = ", ".join(f".{form}" for form in drawing.FORMS)
        raise NbflowError(f"no picture ends in .{ending}", where=path, fix=f"one of {endings}, or say -o")
    form = output or ending or "svg"
    found = drawing.find_drawable(session.client, what)
    data = drawing.render(dot(found), form)
    if not path and (session.console.tty and form != "dot"):
        path = f"{_file_name(found.name or str(found.metadata.get('generateName', '')))}.{form}"
    if path:
        _write(Path(path), data)
        session.console.say(f"the graph is in {path}")
    else:
        session.console.write_bytes(data)
    return 0


COMMANDS = {"graph": graph}


def _file_name(name: str) -> str:
    """A workflow's name as that of a file here, whatever it holds."""
    kept = "".join(character if character.isalnum() or character in "-_." else "-" for character in name)
    return kept.strip("-.") or "graph"


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise NbflowError(f"cannot be written: {error.strerror}", where=str(path)) from error
