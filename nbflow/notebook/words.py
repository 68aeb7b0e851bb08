"""The words on the line of a magic: split as a shell splits them, with Python's values where `{name}` asks for them.

IPython's own expansion is off: it turns `{{workflow.name}}` into something else.
"""

from __future__ import annotations

import json
import keyword
import re
import shlex
from collections.abc import Callable, Mapping

from nbflow.errors import NbflowError
from nbflow.notebook.near import near

_VARIABLE = re.compile(r"(?<!\{)\{([A-Za-z_]\w*)\}(?!\})")


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
    return [_VARIABLE.sub(_value_in(names), word) for word in words]


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


def text_of(name: str, value: object) -> str:
    """A value as a parameter: text as it is, all else as JSON. Raises NbflowError if it is neither."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, default=_plain)
    except (TypeError, ValueError) as error:
        kind = type(value).__name__
        raise NbflowError(
            f"{name} is a {kind}, which cannot be a parameter: {error}",
            fix="pass text, numbers, lists or dicts",
        ) from None


def _value_in(names: Mapping[str, object]) -> Callable[[re.Match[str]], str]:
    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in names:
            known = [one for one in names if not one.startswith("_")]
            raise NbflowError(f"there is no Python variable {name!r}", where=match[0], fix=_fix(name, known))
        return text_of(name, names[name])

    return value


def _fix(name: str, known: list[str]) -> str:
    fix = near(name, known)
    return fix if fix.startswith("did") else f"define {name} in a cell above"


def _plain(value: object) -> object:
    """Scalars and arrays of numpy and its kin as plain Python."""
    convert = getattr(value, "tolist", None)
    if convert is None:
        raise TypeError(f"{type(value).__name__} is not JSON")
    return convert()
