"""`nbflow notebook` and `report`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from nbflow.cli.session import Session, on_target
from nbflow.errors import NbflowError

_FILE = click.option(
    "--file", "path", default="", metavar="PATH", help="write it there; `-` is standard output"
)
_FORCE = click.option("--force", is_flag=True, help="write over a file that is there")


@click.command("notebook", short_help="make a notebook from manifests, or take the manifests out of one")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@_FILE
@_FORCE
@click.pass_obj
def notebook(session: Session, files: Sequence[str], path: str, force: bool) -> int:  # click's signature
    """Make a notebook that runs the manifests in FILEs, a cell each; of a notebook (.ipynb), print the manifests in it.

    \b
    Examples:
      nbflow notebook my-wf.yaml             makes my-wf.ipynb
      nbflow notebook my-wf.ipynb            prints the manifests of its cells
    """
    from nbflow.commands.documents import manifests_in, notebook_text

    notebooks = [name for name in files if name.endswith(".ipynb")]
    if notebooks:
        if len(files) > 1:
            raise NbflowError("one notebook at a time", fix=f"nbflow notebook {notebooks[0]}")
        _write(session, path or "-", manifests_in(notebooks[0]), force=force)
        return 0
    stem = Path(files[0]).stem if files[0] != "-" else "workflow"
    _write(session, path or f"{stem}.ipynb", notebook_text(files), force=force)
    return 0


@click.command("report", short_help="write a run into one HTML file")
@click.argument("name", metavar="WORKFLOW")
@_FILE
@_FORCE
@on_target
@click.pass_obj
def report(session: Session, name: str, path: str, force: bool) -> int:  # click's signature
    """Write a run into one HTML file: graph, nodes, timeline, outputs, logs, manifest. It needs no other file.

    Example: nbflow report @latest
    """
    from nbflow.cli.console import to_yaml
    from nbflow.commands.documents import report as make

    found, text = make(session.client, name, to_yaml)
    _write(session, path or f"{found}.html", text, force=force)
    return 0


COMMANDS = {"notebook": notebook, "report": report}


def _write(session: Session, path: str, text: str, *, force: bool) -> None:
    if path == "-":
        session.console.write(text)
        return
    if Path(path).exists() and not force:
        raise NbflowError(
            "this file is there already", where=path, fix="--force writes over it, --file PATH elsewhere"
        )
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise NbflowError(f"cannot be written: {error.strerror}", where=path) from error
    session.console.say(f"written: {path}")
