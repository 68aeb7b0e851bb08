"""`nbflow explain`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from nbflow.cli.session import Session, no_color

if TYPE_CHECKING:
    from nbflow.commands.explaining import Explanation
    from nbflow.views.text import Style

_BOLD = 1
_KIND = 36


@click.command("explain", short_help="say what a field or variable means")
@click.argument("names", nargs=-1, metavar="[FIELD|VARIABLE...]")
@no_color
@click.pass_obj
def explain(session: Session, names: Sequence[str]) -> int:
    """Say what a field of a manifest, a variable in {{ }} or a type means, and what it holds. Without a name: what
    there is to ask for.

    \b
    Examples:
      nbflow explain workflow.spec.templates         a field by its path
      nbflow explain retryStrategy.backoff           or by a part of it
      nbflow explain lastRetry.exitCode              a variable
    """
    from nbflow.commands import explaining

    if not names:
        session.console.write("\n".join(_overview(session.console.style)) + "\n")
        return 0
    found = [one for name in names for one in explaining.explain(name)]
    texts = ["\n".join(_lines(one, session.console.style, told=told)) + "\n" for one, told in _once(found)]
    session.console.write("\n".join(texts))
    return 0


COMMANDS = {"explain": explain}


def _overview(style: Style) -> Iterator[str]:
    from nbflow.commands.explaining import kinds, variables_by_place
    from nbflow.views.text import columns

    yield style.paint("KINDS", _BOLD)
    yield from columns([[f"  {name}", meaning] for name, meaning in kinds()], 2)
    yield ""
    yield style.paint("VARIABLES", _BOLD)
    for place, variables in variables_by_place():
        yield f"  {place}"
        yield from columns([[f"    {variable.name}", variable.meaning] for variable in variables], 2)
    yield ""
    yield "Explain any of them, a field by its path or a part of it, or a type:"
    yield "  nbflow explain workflow.spec     nbflow explain retryStrategy.backoff     nbflow explain Template"


def _once(found: Sequence[Explanation]) -> Iterator[tuple[Explanation, bool]]:
    """Each explanation, and whether one before has told its fields already."""
    seen: set[object] = set()
    for one in found:
        yield one, one.fields in seen
        seen.add(one.fields)


def _lines(one: Explanation, style: Style, *, told: bool) -> Iterator[str]:
    from nbflow.commands.explaining import kind_text
    from nbflow.views.text import columns, shorten

    kind = f"  ({one.kind})" if one.kind else ""
    yield f"{one.what:<9} {style.paint(one.path, _BOLD)}{kind}"
    for text in (one.meaning, *one.notes, f"one of {', '.join(one.values)}" if one.values else ""):
        if text:
            yield f"          {text}"
    if one.fields and told:
        yield "          its fields are those above"
    elif one.fields:
        yield ""
        yield "FIELDS"
        rows = [[f"  {f.name}", shorten(kind_text(f.kind), _KIND), f.meaning] for f in one.fields]
        yield from columns(rows, 3)
