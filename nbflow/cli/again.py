"""`nbflow retry`, `resubmit`, `node`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import click

from nbflow.cli.session import FIELD_SELECTOR, Session, no_color, on_target, output
from nbflow.clients.client import Selection
from nbflow.commands import again, changing
from nbflow.errors import NbflowError
from nbflow.spec.status import WorkflowObject

Command = TypeVar("Command", bound=Callable[..., object])


def _like_submit(command: Command) -> Command:
    """The flags that retry and resubmit share with submit."""
    for option in (
        click.option("--log", is_flag=True, help="log the workflow until it completes"),
        click.option("--watch", is_flag=True, help="watch the workflow until it completes"),
        click.option("-w", "--wait", is_flag=True, help="wait for the workflow to complete"),
        click.option("-l", "--selector", default="", help="Selector (label query) to filter on"),
        FIELD_SELECTOR,
        click.option(
            "-p",
            "--parameter",
            "parameters",
            multiple=True,
            metavar="NAME=VALUE",
            help="input parameter to override",
        ),
    ):
        command = option(command)
    return on_target(no_color(output("name", "json", "yaml", "wide")(command)))


@click.command("retry", short_help="retry zero or more workflows")
@click.argument("names", nargs=-1, metavar="WORKFLOW...")
@click.option(
    "--restart-successful", is_flag=True, help="restart successful nodes matching the --node-field-selector"
)
@click.option("--node-field-selector", default="", help="selector of nodes to reset, eg: displayName=train")
@_like_submit
@click.pass_obj
def retry(
    session: Session,
    /,
    names: Sequence[str],
    restart_successful: bool,  # click's signature
    node_field_selector: str,
    parameters: tuple[str, ...],
    **flags: object,
) -> int:
    """Rerun what failed of workflows. The same workflows go on, no new ones are created."""
    from nbflow.revise.retry import RetryOptions

    options = RetryOptions(restart_successful, node_field_selector, parameters)
    chosen = _chosen(session, names, flags, "retry")
    return _accompany(session, [again.retry(session.client, name, options) for name in chosen], flags)


@click.command("resubmit", short_help="resubmit one or more workflows")
@click.argument("names", nargs=-1, metavar="WORKFLOW...")
@click.option("--memoized", is_flag=True, help="re-use successful steps & outputs from the previous run")
@click.option("--priority", type=int, default=None, help="workflow priority")
@_like_submit
@click.pass_obj
def resubmit(
    session: Session,
    /,
    names: Sequence[str],
    memoized: bool,  # click's signature
    priority: int | None,
    parameters: tuple[str, ...],
    **flags: object,
) -> int:
    """Submit completed workflows again, as new ones."""
    from nbflow.revise.resubmit import ResubmitOptions

    options = ResubmitOptions(memoized, parameters, priority)
    chosen = _chosen(session, names, flags, "resubmit")
    return _accompany(session, [again.resubmit(session.client, name, options) for name in chosen], flags)


@click.command("node", short_help="perform action on a node in a workflow")
@click.argument("action", type=click.Choice(["set"]))
@click.argument("name", metavar="WORKFLOW")
@click.option("--node-field-selector", default="", help="Selector of node to set, eg: displayName=approve")
@click.option("--phase", default="", help="Phase to set the node to, eg: --phase Succeeded")
@click.option(
    "-p",
    "--output-parameter",
    "outputs",
    multiple=True,
    metavar="NAME=VALUE",
    help='Set a "supplied" output parameter of node',
)
@click.option("-m", "--message", default="", help='Set the message of a node, eg: --message "Hello, world!"')
@on_target
@click.pass_obj
def node(
    session: Session,
    action: str,  # noqa: ARG001  # argo has this one action
    name: str,
    node_field_selector: str,
    phase: str,
    outputs: Sequence[str],
    message: str,
) -> int:
    """Give suspended nodes what they wait for.

    Example: nbflow node set my-wf -p choice=yes --node-field-selector displayName=ask
    """
    again.set_node(session.client, name, node_field_selector, phase=phase, message=message, outputs=outputs)
    session.console.line("workflow values set")
    return 0


COMMANDS: dict[str, click.Command] = {"retry": retry, "resubmit": resubmit, "node": node}


def _chosen(session: Session, names: Sequence[str], flags: dict[str, object], verb: str) -> list[str]:
    labels, fields = str(flags["selector"]), str(flags["field_selector"])
    if not names and not labels and not fields:
        raise NbflowError("requires either selector or workflow", fix=f"nbflow {verb} WORKFLOW, or @latest")
    chosen = Selection(labels=labels, fields=fields) if labels or fields else None
    return changing.choose(session.client, names, chosen)


def _accompany(session: Session, workflows: Sequence[WorkflowObject], flags: dict[str, object]) -> int:
    """Say what goes on now, and what comes of it; with -o json and --wait that alone, as submit does.

    --watch and --log are for a single workflow.
    """
    from nbflow.cli.submit import OBJECTS, print_created
    from nbflow.cli.waiting import exit_code, say_failures, wait_for

    form, names = str(flags["output"] or ""), [workflow.name for workflow in workflows]
    watch, log = (bool(flags[flag]) and len(names) == 1 for flag in ("watch", "log"))
    waits = bool(flags["wait"]) or log
    in_the_end = waits and form in OBJECTS
    if not watch and not in_the_end:
        print_created(session.console, workflows, form)
    session.console.flush()
    if watch:
        from nbflow.cli.watching import watch_workflow

        return watch_workflow(session.console, session.client, names[0], output=form)
    if not waits:
        return 0
    if log:
        from nbflow.cli.logs import follow_logs

        follow_logs(session, names[0], to_stderr=bool(form))
    finished = wait_for(session, names, quiet=bool(form) or log)
    if in_the_end:
        print_created(session.console, finished, form)
    say_failures(session.console, finished)
    return exit_code(finished)
