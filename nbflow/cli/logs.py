"""`nbflow logs`."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime
from typing import TYPE_CHECKING

import click

from nbflow.cli.advising import advising
from nbflow.cli.process import INTERRUPTED
from nbflow.cli.session import Session, no_color, on_target
from nbflow.cli.waiting import say_detached
from nbflow.clients.client import LogLine, LogOptions
from nbflow.commands import reading
from nbflow.errors import NbflowError
from nbflow.views.text import BLUE, CYAN, GREEN, MAGENTA, YELLOW, Style, clean, clean_log

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLORS = (GREEN, YELLOW, BLUE, MAGENTA, CYAN, 37)


@click.command("logs", short_help="view logs of a pod or workflow")
@click.argument("name", metavar="WORKFLOW|POD")
@click.argument("pod", default="", metavar="[POD]")
@click.option(
    "-w", "--workflow", is_flag=True, help="The name is a workflow's (as in older versions of argo)"
)
@click.option("-c", "--container", default="main", help="Print the logs of this container")
@click.option("-f", "--follow", is_flag=True, help="Specify if the logs should be streamed.")
@click.option("-p", "--previous", is_flag=True, hidden=True)
@click.option("-l", "--selector", default="", hidden=True)
@click.option(
    "--since", default="", help="Only return logs newer than a relative duration like 5s, 2m, or 3h."
)
@click.option("--since-time", default="", help="Only return logs after a specific date (RFC3339).")
@click.option("--tail", type=int, default=-1, help="Show that many lines from the end of each pod's logs")
@click.option("--grep", default="", help="grep for lines")
@click.option("--timestamps", is_flag=True, help="Include timestamps on each line in the log output")
@no_color
@on_target
@click.pass_obj
def logs(session: Session, /, name: str, pod: str, **flags: object) -> int:
    """View the logs of a workflow, or of one of its pods; `@latest` is the newest workflow.

    \b
    Examples:
      nbflow logs my-wf                   of all its pods
      nbflow logs -f @latest              as they come
      nbflow logs my-wf my-wf-step-123    of one pod; a step's name will do
      nbflow logs my-wf-step-123          the same
    """
    _refuse(flags)
    options = options_of(flags, pod)
    workflow = reading.resolve(session.client, name)
    if not pod and not flags["workflow"] and name != reading.LATEST:
        workflow, pods = reading.find_pod(session.client, name)
        options = options_of(flags, *pods)
    with advising(session, workflow) if options.follow else nullcontext():
        lines = reading.logs(session.client, workflow, options)
        return _print(session, workflow, lines, timestamps=bool(flags["timestamps"]))


COMMANDS = {"logs": logs}


def _refuse(flags: dict[str, object]) -> None:
    """Flags of argo that mean nothing here."""
    if flags["selector"]:
        raise NbflowError(
            "-l: logs outlive their pods, and what is left of those has no labels", fix="name a step or a pod"
        )
    if flags["previous"]:
        raise NbflowError(
            "-p: no container is started anew in its pod", fix="each attempt of a retry is a pod: name it"
        )


def follow_logs(session: Session, name: str, *, to_stderr: bool) -> None:
    """Print the logs of a workflow until it is finished."""
    with advising(session, name):
        lines = reading.logs(session.client, name, LogOptions(follow=True))
        code = _print(session, name, lines, to_stderr=to_stderr)
    if code:
        raise click.exceptions.Exit(code)


def options_of(flags: dict[str, object], *pods: str) -> LogOptions:
    """The flags as data. Raises NbflowError if they make no sense."""
    from nbflow.cli.look import parse_since

    if flags["since"] and flags["since_time"]:
        raise NbflowError("--since-time and --since cannot be used together", fix="leave one out")
    tail = flags["tail"]
    if isinstance(tail, int) and tail < -1:
        raise NbflowError(f"--tail {tail} is no number of lines", fix="give 0 or more; -1 shows all")
    return LogOptions(
        pods=tuple(pod for pod in pods if pod),
        container=str(flags["container"]),
        follow=bool(flags["follow"]),
        tail=tail if isinstance(tail, int) and tail >= 0 else None,
        since=parse_since(str(flags["since"])) if flags["since"] else None,
        since_time=_time(str(flags["since_time"])) if flags["since_time"] else None,
        grep=_pattern(str(flags["grep"])),
    )


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise NbflowError(f"{text!r} is no time", fix="write 2024-01-31T12:00:00Z") from error
    return at if at.tzinfo else at.astimezone()


def _pattern(text: str) -> str:
    import re

    try:
        re.compile(text)
    except re.error as error:
        raise NbflowError(
            f"{text!r} is no regular expression: {error}", fix=f"--grep {re.escape(text)!r}"
        ) from error
    return text


def _print(
    session: Session,
    name: str,
    lines: Iterator[LogLine],
    *,
    timestamps: bool = False,
    to_stderr: bool = False,
) -> int:
    console = session.console
    style = console.style
    write = console.err.write if to_stderr else console.write
    untold = timestamps
    try:
        for line in lines:
            write(render(line, style, tty=console.tty, timestamps=timestamps) + "\n")
            if untold and line.at is None:
                untold = False
                console.say(f"the time of some lines is not known: first of pod {line.pod}")
            if console.tty or to_stderr:
                console.flush()
    except KeyboardInterrupt:
        say_detached(console, [name])
        return INTERRUPTED
    return 0


def render(line: LogLine, style: Style, *, tty: bool, timestamps: bool) -> str:
    """`<pod>: <line>`; on a terminal in a colour of the pod's own, and without what could steer the terminal."""
    text = clean_log(line.text) if tty else line.text
    at = f"{line.at.isoformat().replace('+00:00', 'Z')} " if timestamps and line.at else ""
    return style.paint(f"{clean(line.pod)}: ", _COLORS[sum(map(ord, line.pod)) % len(_COLORS)]) + at + text
