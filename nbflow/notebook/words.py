"""The words on the line of a magic: split as a shell splits them, with Python's values where `{name}` asks for them.

`{run}` is the name of the workflow, `{a.b}` an attribute or an item.

IPython's own expansion is off: it turns `{{workflow.name}}` into something else.
"""

from __future__ import annotations

import keyword
import re
import shlex
from collections.abc import Callable, Mapping
from types import ModuleType

from nbflow.commands.values import text_of
from nbflow.errors import NbflowError
from nbflow.notebook.near import near
from nbflow.notebook.results import Run

_BY_NAME = ("--artifact", "--params")
_VARIABLE = re.compile(r"(?<!\{)\{([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\}(?!\})")


def split(line: str, names: Mapping[str, object]) -> list[str]:
    """The words of `line`. names: what `{name}` may mean.

    Raises NbflowError for a quote that is not closed, a name that is not defined, a value that is no JSON.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise NbflowError(
            f"the line cannot be read: {error}", where=line.strip(), fix="close the quote"
        ) from None
    by_name = [flag in _BY_NAME for flag in ["", *words]]  # words that name their values themselves
    return [
        word if named or word.partition("=")[0] in _BY_NAME else _VARIABLE.sub(_value_in(names), word)
        for named, word in zip(by_name, words, strict=False)
    ]


def take_name(words: list[str]) -> tuple[str, list[str]]:
    """The variable named first on the line of a cell ("" if none is), and the other words.

    Raises NbflowError if the first word is neither a flag nor a name.
    """
    if not words or words[0].startswith("-"):
        return "", words
    name = words[0]
    if not name.isidentifier() or keyword.iskeyword(name):
        suggestion = re.sub(r"\W", "_", name)
        usable = suggestion.isidentifier() and not keyword.iskeyword(suggestion)
        raise NbflowError(
            f"{name!r} is no name for a Python variable",
            fix=f"%%workflow {suggestion if usable else 'run'}; the workflow itself is named by --name",
        )
    return name, words[1:]


def _value_in(names: Mapping[str, object]) -> Callable[[re.Match[str]], str]:
    def value(match: re.Match[str]) -> str:
        found = look_up(match[1], names)
        return found.name if isinstance(found, Run) else text_of(match[1], found)

    return value


def look_up(path: str, names: Mapping[str, object]) -> object:
    """What a name stands for, or what is inside of it: `config.depth.max`. Raises NbflowError if there is no such."""
    name, *parts = path.split(".")
    where = f"{{{path}}}"
    if name not in names:
        known = [one for one in names if not one.startswith("_") and _may_be_meant(names[one])]
        raise NbflowError(f"there is no Python variable {name!r}", where=where, fix=_fix(name, known))
    found = names[name]
    for part in parts:
        found = _inside(found, part, where)
    return found


def _inside(owner: object, name: str, where: str) -> object:
    """An item of a mapping, or an attribute."""
    if isinstance(owner, Mapping) and name in owner:
        return owner[name]
    if hasattr(owner, name):
        return getattr(owner, name)
    known = [*owner] if isinstance(owner, Mapping) else [one for one in dir(owner) if not one.startswith("_")]
    problem = f"{type(owner).__name__} has no {name!r}"
    raise NbflowError(problem, where=where, fix=near(name, [str(one) for one in known]))


def _may_be_meant(value: object) -> bool:
    """Whether a value can be a parameter: not the functions and modules that every notebook has."""
    return not callable(value) and not isinstance(value, ModuleType)


def _fix(name: str, known: list[str]) -> str:
    fix = near(name, known)
    return fix if fix.startswith("did") else f"define {name} in a cell above"
