"""Plain data checked and converted as Argo's decoder does it: names of fields, types, nulls, texts from numbers.

The data is changed in place. A faultless value costs one look into a table per field; paths are put together only
for faults, on the way back up.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import cache

from nbflow.errors import Severity
from nbflow.spec.fields import KINDS, OBJECTS, RENAMED, Fields, table
from nbflow.spec.leaves import SCALARS, DecodeFault, Decoder, Faults, mismatch

UNKNOWN_FIELD = "NBF102"
DROPPED_FIELD = "NBF203"


class Mode(Enum):
    """What becomes of unknown fields.

    STRICT: they are errors. LOOSE: the case of names is nothing, other fields are dropped. ADVISORY: as LOOSE, with a
    warning; Argo reads what is below a step in this way, even when it is told to be strict.
    """

    STRICT = "strict"
    LOOSE = "loose"
    ADVISORY = "advisory"


def decode(data: dict[str, object], kind: str, *, strict: bool) -> Faults:
    """Check and convert a document of this kind; of kinds that neither Argo nor a submit takes nothing is looked at."""
    if kind not in KINDS and kind not in OBJECTS:
        return []
    faults: Faults = []
    _decoder(OBJECTS.get(kind, kind), Mode.STRICT if strict else Mode.LOOSE)(data, faults)
    return faults


@cache
def _decoder(type_name: str, mode: Mode) -> Decoder:
    """The decoder of a type; made when it is first needed."""
    if type_name.startswith("[]"):
        return _list_of(type_name[2:], mode)
    if type_name.startswith("map "):
        return _map_of(type_name[4:], mode)
    if type_name in SCALARS:
        return SCALARS[type_name]
    return _ObjectDecoder(type_name, mode)


class _ObjectDecoder:
    """Decodes a mapping whose fields are known."""

    def __init__(self, type_name: str, mode: Mode) -> None:
        is_step = type_name == "WorkflowStep"  # of these Argo always looks at the names itself
        self._type, self._mode = type_name, Mode.STRICT if is_step else mode
        self._below = Mode.ADVISORY if is_step and mode is Mode.STRICT else mode
        self._fields = table()[type_name]
        self._texts = frozenset(name for name, kind in self._fields.items() if kind == "string")
        self._decoders: dict[str, Decoder] = {}

    def __call__(self, value: object, faults: Faults) -> object:
        if not isinstance(value, dict):
            return mismatch(value, "a mapping", faults, {})
        texts, decoders = self._texts, self._decoders
        for name, item in list(value.items()):
            if name in texts and type(item) is str:
                continue
            decoder = decoders.get(name) or self._prepare(name)
            if decoder is None:
                self._take_unknown(value, name, faults)
            elif item is None:
                del value[name]
            else:
                before = len(faults)
                converted = decoder(item, faults)
                if converted is not item:
                    value[name] = converted
                if len(faults) > before:
                    _below(name, faults, before)
        return value

    def _prepare(self, name: str) -> Decoder | None:
        """The decoder of a field, kept for the next time; None if there is no such field."""
        kind = self._fields.get(name)
        if kind is None:
            return None
        self._decoders[name] = _decoder(kind, self._below)
        return self._decoders[name]

    def _take_unknown(self, value: dict[str, object], name: str, faults: Faults) -> None:
        """A field that is not known: say so. Where Argo drops it, drop it, or let the one meant take it."""
        if self._mode is not Mode.LOOSE:
            faults.append(_unknown(self._type, self._fields, name, self._mode))
            faults[-1].path = (name,)
        if self._mode is not Mode.STRICT:
            item = value.pop(name)
            meant = next((field for field in self._fields if field.lower() == name.lower()), None)
            if meant is not None:
                value.update(self({meant: item}, faults))  # type: ignore[call-overload]


def _below(step: str | int, faults: Faults, first: int) -> None:
    """The faults since the first one happened below this step."""
    for fault in faults[first:]:
        fault.path = (step, *fault.path)


def _unknown(type_name: str, fields: Fields, name: str, mode: Mode) -> DecodeFault:
    """An unknown field, and what may be meant."""
    fix = RENAMED.get((type_name, name), "")
    if not fix:
        from nbflow.spec.similar import did_you_mean

        fix = did_you_mean(name, fields) or _elsewhere(type_name, name)
    if mode is Mode.ADVISORY:
        problem = 'unknown field "{path}": Argo drops it without a word'
        return DecodeFault(DROPPED_FIELD, problem, fix, key=True, severity=Severity.WARNING)
    return DecodeFault(UNKNOWN_FIELD, 'unknown field "{path}"', fix, key=True)


def _elsewhere(type_name: str, name: str) -> str:
    """Where a field belongs that stands one level too high or too low."""
    types = table()
    for field, field_type in types[type_name].items():
        inner = types.get(field_type.removeprefix("[]"))
        if inner and name in inner and field_type != type_name:
            return f"`{name}` belongs under `{field}`"
    outer = [
        other for other in ("WorkflowSpec", "Template", "WorkflowStep", "V1Container") if name in types[other]
    ]
    words = {
        "WorkflowSpec": "spec",
        "Template": "the template",
        "WorkflowStep": "the step",
        "V1Container": "the container",
    }
    return f"`{name}` belongs to {words[outer[0]]}: check the indentation" if outer else "remove it"


def _list_of(item_type: str, mode: Mode) -> Decoder:
    decoder = _decoder(item_type, mode)
    empty = _empty(item_type)

    def decode_list(value: object, faults: Faults) -> object:
        if not isinstance(value, list):
            return mismatch(value, "a list", faults, [])
        if item_type == "any":
            return value
        for index, item in enumerate(value):
            before = len(faults)
            converted = empty() if item is None else decoder(item, faults)
            if converted is not item:
                value[index] = converted
            if len(faults) > before:
                _below(index, faults, before)
        return value

    return decode_list


def _map_of(item_type: str, mode: Mode) -> Decoder:
    decoder = _decoder(item_type, mode)
    empty = _empty(item_type)

    def decode_map(value: object, faults: Faults) -> object:
        if not isinstance(value, dict):
            return mismatch(value, "a mapping", faults, {})
        for name, item in value.items():
            before = len(faults)
            converted = empty() if item is None else decoder(item, faults)
            if converted is not item:
                value[name] = converted
            if len(faults) > before:
                _below(name, faults, before)
        return value

    return decode_map


_ZEROS: dict[str, object] = {
    "any": None,
    "boolean": False,
    "string": "",
    "any-string": "",
    "bytes": "",
    "time": "",
    "quantity": "0",
}


def _empty(item_type: str) -> Callable[[], object]:
    """What a null in a list or map stands for: Go's zero value."""
    if item_type.startswith("[]"):
        return list
    zero = _ZEROS.get(item_type, 0)
    return (lambda: zero) if item_type in SCALARS else dict
