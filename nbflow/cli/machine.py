"""`nbflow doctor`, `controller`, `version`, `completion`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from nbflow.cli.console import print_data
from nbflow.cli.session import Session, no_color, on_target, output
from nbflow.errors import NbflowError

if TYPE_CHECKING:
    from nbflow.commands.doctor import Check

ARGO = "v4.1"
SHELLS = ("bash", "zsh", "fish")


@click.command("doctor", short_help="check that workflows can run here")
@output("json", "yaml")
@no_color
@on_target
@click.pass_obj
def doctor(session: Session, output: str | None) -> int:
    """Check that workflows can run on this machine, and say what to do if not; with --on argo, in a cluster."""
    from nbflow.commands.doctor import Verdict, doctor
    from nbflow.views.text import GREEN, RED, YELLOW, clean

    checks = _cluster_checks(session) if session.target == "argo" else doctor()
    bad = any(check.verdict is Verdict.FAIL for check in checks)
    if output:
        keys = ("name", "verdict", "text", "fix")
        print_data(
            session.console, [{key: str(getattr(check, key)) for key in keys} for check in checks], output
        )
        return 2 if bad else 0
    style = session.console.style
    colors = {Verdict.OK: GREEN, Verdict.WARN: YELLOW, Verdict.FAIL: RED}
    for check in checks:
        verdict = style.paint(f"{check.verdict:<5}", colors[check.verdict])
        session.console.write(f"{verdict}{check.name:<13}{clean(check.text)}\n")
        if check.fix:
            session.console.write(f"{'':<18}fix: {clean(check.fix)}\n")
    return 2 if bad else 0


def _cluster_checks(session: Session) -> list[Check]:
    from nbflow.commands.doctor_cluster import doctor_cluster

    return doctor_cluster(session.cluster)


@click.group("controller", short_help="show, stop or run the controller in the background")
def controller() -> None:
    """The process that runs workflows in the background.

    It starts with a submit and ends by itself after five minutes without work (NBFLOW_IDLE_SECONDS changes that).
    """


@controller.command("status")
@click.pass_obj
def controller_status(session: Session) -> int:
    """Show whether a controller runs."""
    from nbflow.commands.background import describe, status

    running = status()
    session.console.line(describe(running) if running else "not running; the next submit starts it")
    return 0


@controller.command("stop")
@click.pass_obj
def controller_stop(session: Session) -> int:
    """End the controller. Pods go on, and the next verb starts another one that takes them up."""
    from nbflow.commands.background import stop

    ended = stop()
    session.console.line(f"controller {ended.pid} stopped" if ended else "no controller runs")
    return 0


@controller.command("run")
@click.option("--foreground", is_flag=True, help="stay in this terminal, and log to it")
def controller_run(foreground: bool) -> int:  # click's signature
    """Run the controller."""
    from nbflow.commands.background import run

    return run(foreground=foreground)


@click.command("version", short_help="print version information")
@click.option("--short", is_flag=True, help="print just the version number")
@output("json", "yaml")
@click.pass_obj
def version(session: Session, short: bool, output: str | None) -> int:  # click's signature
    """Print version information."""
    from platform import python_version

    from nbflow import __version__

    facts = {"nbflow": f"v{__version__}", "argo": ARGO, "python": python_version()}
    if output:
        print_data(session.console, facts, output)
    elif short:
        session.console.line(f"nbflow: v{__version__}")
    else:
        session.console.write(f"nbflow: v{__version__}\n  Argo Workflows: {ARGO} (the language)\n")
        session.console.write(f"  Python: {python_version()} ({sys.executable})\n")
    return 0


@click.command("completion", short_help="print the completion script of a shell")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_obj
def completion(session: Session, shell: str) -> int:
    """Print the completion script of a shell.

    \b
      bash:  source <(nbflow completion bash)
      zsh:   source <(nbflow completion zsh)
      fish:  nbflow completion fish | source
    """
    from click.shell_completion import get_completion_class

    from nbflow.cli.app import group

    found = get_completion_class(shell)
    if found is None:
        raise NbflowError(f"no completion for {shell}")
    session.console.write(found(group, {}, "nbflow", "_NBFLOW_COMPLETE").source())
    return 0


@click.command("help", short_help="help about any command")
@click.argument("words", nargs=-1, metavar="[VERB]...")
@click.pass_context
def help_(ctx: click.Context, words: Sequence[str]) -> int:
    """Help about any command: `nbflow help submit` is `nbflow submit --help`."""
    at = ctx.find_root()
    for word in words:
        group = at.command
        found = group.get_command(at, word) if isinstance(group, click.Group) else None
        if found is None:
            raise NbflowError(f"there is no command {' '.join(words)!r}", fix="`nbflow help` shows them all")
        at = click.Context(found, info_name=word, parent=at)
    session: Session = ctx.obj
    session.console.write(at.get_help() + "\n")
    return 0


COMMANDS: dict[str, click.Command] = {
    "doctor": doctor,
    "controller": controller,
    "version": version,
    "completion": completion,
    "help": help_,
}
