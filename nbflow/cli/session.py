"""What every verb has at hand: a console, and the client of the target."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from nbflow.cli.console import Console
    from nbflow.clients.client import Client
    from nbflow.commands.connecting import ClusterFlags

Command = TypeVar("Command", bound=Callable[..., object])


FIELD_SELECTOR = click.option(
    "--field-selector",
    default="",
    help="Selector (field query) to filter on, supports '=', '==', and '!=', e.g. metadata.name=my-wf",
)


class Session:
    """One command line. The client is opened when first asked for."""

    def __init__(self, console: Console, given: Client | None = None) -> None:
        self.console, self.given = console, given
        self.namespace = ""
        self.target: str | None = None
        self.context = self.kubeconfig = self.instance_id = ""

    @property
    def cluster(self) -> ClusterFlags:
        """Which cluster the flags name."""
        from nbflow.commands.connecting import ClusterFlags

        return ClusterFlags(self.namespace, self.context, self.kubeconfig, self.instance_id)

    @property
    def client(self) -> Client:
        """The client of the target. Raises NbflowError if there is no such target."""
        if self.given is None:
            from nbflow.commands.connecting import connect, trouble_of

            self.given = connect(self.target, self.cluster)
            if trouble := trouble_of(self.given):
                self.console.say(trouble)
        return self.given

    def tell(self) -> None:
        """Say what the place where workflows run has remarked meanwhile."""
        if self.given is not None:
            from nbflow.commands.connecting import notices_of
            from nbflow.errors import NbflowError

            with suppress(NbflowError):  # what the verb itself ran into is said already
                for notice in notices_of(self.given):
                    self.console.say(notice)


def on_target(command: Command) -> Command:
    """`-n`, `--on` and the choice of a cluster, which every verb that asks a client takes."""
    for option in (
        _cluster_option(
            "--instanceid", "instance_id", "with --on argo: submit with controller's instance id label"
        ),
        _cluster_option("--kubeconfig", "kubeconfig", "with --on argo: path to a kube config"),
        _cluster_option("--context", "context", "with --on argo: the name of the kubeconfig context to use"),
        click.option(
            "-n",
            "--namespace",
            expose_value=False,
            callback=_take_namespace,
            help="the namespace; of the cluster with --on argo, else kept as written",
        ),
        click.option(
            "--on",
            metavar="TARGET",
            expose_value=False,
            callback=_take_target,
            help="where: sandbox, host, or argo (a cluster)",
        ),
    ):
        command = option(command)
    return command


def _cluster_option(flag: str, attribute: str, text: str) -> Callable[[Command], Command]:
    def take(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
        if value and isinstance(ctx.obj, Session):
            setattr(ctx.obj, attribute, value)

    return click.option(flag, metavar="TEXT", expose_value=False, callback=take, help=text)


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
