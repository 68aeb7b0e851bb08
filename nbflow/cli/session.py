"""What every verb has at hand: a console, and the client of the target."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from nbflow.cli.console import Console
    from nbflow.clients.client import Client

Command = TypeVar("Command", bound=Callable[..., object])


class Session:
    """One command line. The client is opened when first asked for."""

    def __init__(self, console: Console, given: Client | None = None) -> None:
        self.console, self.given = console, given
        self.namespace = ""
        self.target: str | None = None

    @property
    def client(self) -> Client:
        """The client of the target. Raises NbflowError if there is no such target."""
        if self.given is None:
            from nbflow.commands.connecting import connect, trouble_of

            self.given = connect(self.target)
            if trouble := trouble_of(self.given):
                self.console.say(trouble)
        return self.given


def on_target(command: Command) -> Command:
    """`-n` and `--on`, which every verb that asks a client takes."""
    for option in (
        click.option(
            "-n",
            "--namespace",
            expose_value=False,
            callback=_take_namespace,
            help="the namespace (kept as written)",
        ),
        click.option(
            "--on", metavar="TARGET", expose_value=False, callback=_take_target, help="where: sandbox or host"
        ),
    ):
        command = option(command)
    return command


def no_color(command: Command) -> Command:
    """`--no-color`."""
    return click.option(
        "--no-color",
        is_flag=True,
        expose_value=False,
        callback=_take_no_color,
        help="Disable colorized output",
    )(command)


def no_utf8(command: Command) -> Command:
    """`--no-utf8`."""
    return click.option(
        "--no-utf8",
        is_flag=True,
        expose_value=False,
        callback=_take_no_utf8,
        help="Use plain 7-bits ascii characters",
    )(command)


def output(*forms: str, default: str = "") -> Callable[[Command], Command]:
    """`-o` with the forms it takes."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(forms),
        default=default or None,
        help="Output format. One of: " + "|".join(forms),
    )


def _take_namespace(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value and isinstance(ctx.obj, Session):
        ctx.obj.namespace = value


def _take_target(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    from nbflow.commands.connecting import check_target

    check_target(value)
    if value and isinstance(ctx.obj, Session):
        ctx.obj.target = value


def _take_no_color(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # click's signature
    if isinstance(ctx.obj, Session):
        ctx.obj.console.no_color = ctx.obj.console.no_color or value


def _take_no_utf8(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # click's signature
    if isinstance(ctx.obj, Session):
        ctx.obj.console.no_utf8 = ctx.obj.console.no_utf8 or value
