"""`nbflow cp`."""

from __future__ import annotations

from pathlib import Path

import click

from nbflow.cli.session import Session, on_target
from nbflow.commands.copying import PLACES, Wanted, copy_artifacts


@click.command("cp", short_help="copy artifacts from workflow")
@click.argument("name", metavar="WORKFLOW")
@click.argument("folder", metavar="OUTPUT-DIRECTORY")
@click.option("--node-id", default="", help="id of node in workflow")
@click.option("--template-name", default="", help="name of template in workflow")
@click.option("--artifact-name", default="", help="name of output artifact in workflow")
@click.option(
    "--path",
    default=PLACES,
    show_default=True,
    help="where below the directory: use {workflowName}, {nodeId}, {templateName}, {artifactName} and {namespace}",
)
@on_target
@click.pass_obj
def cp(
    session: Session, name: str, folder: str, node_id: str, template_name: str, artifact_name: str, path: str
) -> int:
    """Copy the output artifacts of a workflow to a folder: nbflow cp @latest results"""
    wanted = Wanted(node_id, template_name, artifact_name)
    for copied in copy_artifacts(session.client, name, Path(folder), wanted, path):
        session.console.line(f'Created "{copied}"')
    return 0


COMMANDS: dict[str, click.Command] = {"cp": cp}
