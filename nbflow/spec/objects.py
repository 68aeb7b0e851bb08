"""Secrets and config maps: what Kubernetes would refuse in their values. No message holds a value."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping

from nbflow.spec.leaves import WRONG_TYPE, DecodeFault, Faults

ENCODED = {"Secret": "data", "ConfigMap": "binaryData"}
"""Kind -> the field whose values are base64."""
_VALUES = ("data", "stringData", "binaryData")
_FIXES = {
    "Secret": "write it as it is under `stringData`, or encode it with `base64 -w0`",
    "ConfigMap": "write text under `data`, or encode it with `base64 -w0`",
}


def check_values(data: Mapping[str, object], kind: str, faults: Faults) -> Faults:
    """The faults of decoding, without values in them, and those of values that are no base64."""
    if kind not in ENCODED:
        return faults
    for fault in faults:
        if fault.path[:1] and fault.path[0] in _VALUES and len(fault.path) > 1:
            fault.fix = "write one text, in quotes"
    field = ENCODED[kind]
    known = {fault.path for fault in faults}
    return [*faults, *(f for f in _not_encoded(data.get(field), field, _FIXES[kind]) if f.path not in known)]


def _not_encoded(values: object, field: str, fix: str) -> Iterator[DecodeFault]:
    for key, value in values.items() if isinstance(values, Mapping) else ():
        if not isinstance(value, str) or not _is_base64(value):
            yield DecodeFault(WRONG_TYPE, "{path} is not base64", fix, path=(field, str(key)))


def _is_base64(text: str) -> bool:
    """Padded, of the standard alphabet; ends of lines count for nothing."""
    try:
        base64.b64decode(text.replace("\n", "").replace("\r", "").encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return False
    return True
