"""The flags that a cell has beside those of `submit`: what they name are Python values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nbflow.errors import NbflowError

PARAMS, ARTIFACT, NO_RAISE = "--params", "--artifact", "--no-raise"

CELL_FLAGS = (
    (PARAMS, "a dict of parameters, by the name of its Python variable"),
    (ARTIFACT, "NAME=VALUE: a DataFrame, bytes, data or a path as an input artifact"),
    (NO_RAISE, "a failed workflow does not fail its cell"),
)
_NAME = re.compile(r"\{?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\}?")


@dataclass
class CellFlags:
    """What a cell hands over. parameters, artifacts: name -> value. check: a failed workflow fails its cell."""

    parameters: dict[str, object] = field(default_factory=dict)
    artifacts: dict[str, object] = field(default_factory=dict)
    check: bool = True


def take_flags(words: Sequence[str], names: Mapping[str, object]) -> tuple[CellFlags, list[str]]:
    """The flags of ours among the words, and the other words. names: Python's variables.

    Raises NbflowError for a variable that is not there, or of the wrong kind.
    """
    flags, rest = CellFlags(), []
    for flag, value in _pairs(words):
        if flag == NO_RAISE:
            flags.check = False
        elif flag == PARAMS:
            flags.parameters.update(_dict(value, names))
        elif flag == ARTIFACT:
            name, what = _name_and_value(value)
            flags.artifacts[name] = _value(what, names)
        else:
            rest.append(value)
    return flags, rest


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(flag of ours, its value), or ("", word)."""
    pending = ""
    for word in words:
        flag, equals, value = word.partition("=")
        if pending:
            yield pending, word
            pending = ""
        elif word == NO_RAISE:
            yield NO_RAISE, ""
        elif flag in (PARAMS, ARTIFACT) and equals:
            yield flag, value
        elif word in (PARAMS, ARTIFACT):
            pending = word
        else:
            yield "", word
    if pending:
        raise NbflowError(f"{pending} wants a value", fix=dict(CELL_FLAGS)[pending])


def _name_and_value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise NbflowError(f"expected {ARTIFACT} NAME=VALUE, received: {text!r}", fix=f"{ARTIFACT} data=df")
    return name, value


def _dict(text: str, names: Mapping[str, object]) -> Mapping[str, object]:
    from nbflow.notebook.words import look_up

    found = _NAME.fullmatch(text)
    value = look_up(found.group(1), names) if found else None
    if not isinstance(value, Mapping):
        kind = "no name of a variable" if found is None else f"of type {type(value).__name__}, not a dict"
        one = f"; one value is `-p {text}={{{text}}}`" if text.isidentifier() else ""
        raise NbflowError(f"{PARAMS} {text}: this is {kind}", fix=f"{PARAMS} NAME, where NAME = {{...}}{one}")
    return {str(key): one for key, one in value.items()}


def _value(text: str, names: Mapping[str, object]) -> object:
    """A Python variable, else a path."""
    from nbflow.notebook.words import look_up

    found = _NAME.fullmatch(text)
    if found and (text.startswith("{") or found.group(1).partition(".")[0] in names):
        return look_up(found.group(1), names)
    path = Path(text).expanduser()
    if path.exists():
        return path
    if found:
        return look_up(found.group(1), names)
    raise NbflowError(
        f"{ARTIFACT}: there is no file {text!r}", fix="name a Python variable, or a path that exists"
    )
