"""What each field of a manifest does on each target: the one table behind lint, submit and docs/compatibility.md.

support.json has a line for each type: names of fields that work; those that are ignored, and why; those that are
refused, and why. `host` holds what differs there. `--on argo` is Argo itself: there all of them work. A field of a type
that is not in the table is below one that is ignored or refused, and shares its fate.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from nbflow.spec.fields import BASES, KINDS, table

Place = tuple[str | int, ...]
LOCAL = ("sandbox", "host")
TARGETS = (*LOCAL, "argo")


class Effect(StrEnum):
    """What becomes of a field: it works, is ignored with a warning, or is refused before anything starts."""

    WORKS = "works"
    IGNORED = "ignored"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An effect, and why it is not that of Argo."""

    effect: Effect = Effect.WORKS
    why: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """A field that a manifest sets and that does not work. place: of the field in the document."""

    place: Place
    type_name: str
    verdict: Verdict
    value: object

    @property
    def field(self) -> str:
        """Its name."""
        return str(self.place[-1])


WORKS = Verdict()


@cache
def verdicts(target: str) -> Mapping[str, Mapping[str, Verdict]]:
    """Type -> field -> verdict, on a local target. What a type takes over from another one is in it."""
    text = (Path(__file__).parent / "support.json").read_text(encoding="utf-8")
    data: dict[str, dict[str, object]] = json.loads(text)
    found = {name: _verdicts(entry, target) for name, entry in data.items()}
    for name in BASES.keys() & found.keys():
        base = BASES.get(name)
        while base is not None:
            found[name] = {**found[base], **found[name]}
            base = BASES.get(base)
    return found


def _verdicts(entry: Mapping[str, object], target: str) -> dict[str, Verdict]:
    found = dict.fromkeys(str(entry.get("works", "")).split(), WORKS)
    for part in (entry, entry.get(target)):
        for effect in (Effect.IGNORED, Effect.REFUSED):
            reasons = part.get(effect.value) if isinstance(part, Mapping) else None
            if isinstance(reasons, Mapping):
                found |= {name: Verdict(effect, str(why)) for name, why in reasons.items()}
    return found


def without_effect(data: Mapping[str, object], kind: str, target: str) -> list[Use]:
    """The fields of an object that do not work on a target as they do on Argo."""
    found: list[Use] = []
    if kind in KINDS and target in LOCAL:
        _look(data, kind, (), _plan(target), found)
    return found


def _look(value: object, type_name: str, place: Place, plan: _Plan, found: list[Use]) -> None:
    """What is below one place; scalars hold nothing."""
    if isinstance(value, list | tuple):
        if type_name.startswith("[]"):
            for index, item in enumerate(value):
                _look(item, type_name[2:], (*place, index), plan, found)
    elif not isinstance(value, Mapping):
        return
    elif type_name.startswith("map "):
        for key, item in value.items():
            _look(item, type_name[4:], (*place, str(key)), plan, found)
    elif type_name in plan:
        fields = plan[type_name]
        for name in [name for name in value if name in fields]:
            item, (verdict, inner) = value[name], fields[name]
            if not item:
                continue
            if verdict.effect is not Effect.WORKS:
                found.append(Use((*place, name), type_name, verdict, item))
            else:
                _look(item, inner, (*place, name), plan, found)


_Plan = Mapping[str, Mapping[str, tuple[Verdict, str]]]
"""Type -> field -> verdict and type."""


@cache
def _plan(target: str) -> _Plan:
    """Type -> field -> verdict and type: only fields that do not work, or that lead to such."""
    known, types = verdicts(target), table()
    dull = set(known)
    while True:
        bright = {name for name in dull if any(_leads(known, types, dull, name, f) for f in known[name])}
        if not bright:
            break
        dull -= bright
    return {
        name: {
            field: (verdict, types[name][field])
            for field, verdict in fields.items()
            if _leads(known, types, dull, name, field)
        }
        for name, fields in known.items()
        if name not in dull
    }


def _leads(
    known: Mapping[str, Mapping[str, Verdict]],
    types: Mapping[str, Mapping[str, str]],
    dull: set[str],
    name: str,
    field: str,
) -> bool:
    """Whether a field does not work, or holds a type in which one may not."""
    if known[name][field].effect is not Effect.WORKS:
        return True
    inner = inner_type(types[name][field])
    return inner in known and inner not in dull


def inner_type(type_name: str) -> str:
    """What a list or map is made of in the end."""
    while type_name.startswith(("[]", "map ")):
        type_name = type_name[2:] if type_name.startswith("[]") else type_name[4:]
    return type_name
