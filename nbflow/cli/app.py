"""The group of all verbs. A verb's module is imported when the verb is used, not before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import click

from nbflow import __version__
from nbflow.cli.session import Session
from nbflow.errors import NbflowError

if TYPE_CHECKING:
    from nbflow.cli.console import Console
    from nbflow.clients.client import Client

VERBS: dict[str, dict[str, tuple[str, str]]] = {
    "Run": {
        "submit": ("submit", "submit a workflow"),
        "lint": ("lint", "validate files or directories of manifests"),
        "graph": ("graph", "draw a workflow, before it runs or after"),
        "explain": ("explain", "say what a field or variable means"),
        "notebook": ("documents", "make a notebook from manifests, or take the manifests out of one"),
        "create": ("objects", "create what a manifest needs: secrets, config maps, claims, templates"),
        "secret": ("objects", "create, list and delete secrets"),
        "configmap": ("objects", "create, list and delete config maps"),
        "template": ("templates", "manipulate workflow templates"),
        "cluster-template": ("templates", "manipulate cluster workflow templates"),
        "cron": ("crons", "manage cron workflows"),
        "volume": ("objects", "create, list and delete volumes"),
    },
    "Look": {
        "list": ("look", "list workflows"),
        "get": ("look", "display details about a workflow"),
        "logs": ("logs", "view logs of a pod or workflow"),
        "watch": ("look", "watch a workflow until it completes"),
        "wait": ("look", "wait for workflows to complete"),
        "report": ("documents", "write a run into one HTML file"),
        "cp": ("copy", "copy artifacts from workflow"),
    },
    "Change": {
        "stop": ("change", "stop workflows, allowing all exit handlers to run"),
        "terminate": ("change", "terminate workflows immediately"),
        "suspend": ("change", "suspend workflows (opposite of resume)"),
        "resume": ("change", "resume workflows (opposite of suspend)"),
        "delete": ("change", "delete workflows"),
        "retry": ("again", "retry zero or more workflows"),
        "resubmit": ("again", "resubmit one or more workflows"),
        "node": ("again", "perform action on a node in a workflow"),
    },
    "This machine": {
        "doctor": ("machine", "check that workflows can run here, and say what to do if not"),
        "controller": ("machine", "show, stop or run the controller in the background"),
        "version": ("machine", "print version information"),
        "completion": ("machine", "print the completion script of a shell"),
        "help": ("machine", "help about any command"),
    },
}
EXAMPLE = """Example:

  nbflow submit --watch hello-world.yaml     run a manifest on this machine, and watch it
  nbflow logs @latest                        what its pods wrote
"""
_ELSEWHERE = ("archive", "auth", "cluster", "convert", "executor-plugin", "server", "sync")
_HOMES = {
    **{verb: home for verbs in VERBS.values() for verb, (home, _) in verbs.items()},
    **dict.fromkeys(_ELSEWHERE, "elsewhere"),
}


class Verbs(click.Group):
    """Finds verbs by the table above."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(_HOMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        home = _HOMES.get(cmd_name)
        if home is None:
            return None
        module = import_module(f"nbflow.cli.{home}")
        command: click.Command = module.COMMANDS[cmd_name]
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _HOMES and not args[0].startswith("-"):
            raise _no_such_verb(args[0])
        name, command, rest = super().resolve_command(ctx, args)
        return name, command, list(_flags_with_values(command, rest)) if command else rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        for title, verbs in VERBS.items():
            with formatter.section(title):
                formatter.write_dl([(verb, text) for verb, (_, text) in verbs.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        formatter.write(f"\n{EXAMPLE}")


@click.group(
    cls=Verbs,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="Argo Workflows on your own machine: submit a manifest, watch it run, look at what it left.",
)
@click.option("-n", "--namespace", default="", hidden=True)
@click.version_option(__version__, message="nbflow: v%(version)s")
@click.pass_context
def group(ctx: click.Context, namespace: str) -> None:
    """All verbs."""
    session: Session = ctx.obj
    session.namespace = namespace
    if ctx.invoked_subcommand is None:
        session.console.write(ctx.get_help() + "\n")


def _no_such_verb(name: str) -> NbflowError:
    from nbflow.spec.similar import nearest

    close = nearest(name, _HOMES)
    fix = f"did you mean `nbflow {close}`?" if close else "`nbflow --help` shows all verbs"
    return NbflowError(f"No such command {name!r}", fix=fix)


def _flags_with_values(command: click.Command, args: list[str]) -> Iterator[str]:
    """The arguments, with `--strict=false` and the like (argo takes them) as click wants them."""
    flags = {
        name: parameter
        for parameter in command.params
        if isinstance(parameter, click.Option) and parameter.is_flag
        for name in parameter.opts
    }
    for index, argument in enumerate(args):
        if argument == "--":
            yield from args[index:]
            return
        name, _, value = argument.partition("=")
        if name not in flags or value.lower() not in ("true", "false"):
            yield argument
        elif value.lower() == "true":
            yield name
        else:
            yield from flags[name].secondary_opts[:1]


def invoke(argv: list[str], console: Console, client: Client | None = None) -> int:
    """Do what `argv` says and return the exit code. Raises NbflowError, also for what click does not understand."""
    session = Session(console, client)
    try:
        return translated(lambda: group.main(argv, prog_name="nbflow", standalone_mode=False, obj=session))
    finally:
        session.tell()


def read(argv: Sequence[str], client: Client | None = None) -> tuple[Session, dict[str, object]]:
    """A verb's flags as data, and the session that they choose; nothing is done. Raises as `invoke` does."""
    from nbflow.cli.console import Console

    session, found = Session(Console(), client), dict[str, object]()

    def parse() -> None:
        with click.Context(group, obj=session) as outer:
            name, command, rest = group.resolve_command(outer, list(argv))
            if command is not None:
                with command.make_context(name, rest, parent=outer) as ctx:
                    found.update(ctx.params)

    translated(parse)
    return session, found


def translated(action: Callable[[], object]) -> int:
    """The exit code of a click command; click's exceptions become ours."""
    try:
        result = action()
    except click.Abort as error:
        raise KeyboardInterrupt from error
    except click.UsageError as error:
        from nbflow.cli.elsewhere import flag_of_argo

        known = flag_of_argo(error.option_name) if isinstance(error, click.NoSuchOption) else None
        if known is not None:
            raise known from error
        path = error.ctx.command_path if error.ctx else "nbflow"
        raise NbflowError(error.format_message().rstrip("."), fix=f"`{path} --help` shows how") from error
    except click.ClickException as error:
        raise NbflowError(error.format_message().rstrip(".")) from error
    return result if isinstance(result, int) and not isinstance(result, bool) else 0
