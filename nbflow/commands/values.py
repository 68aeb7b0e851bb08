"""Python values as Argo's parameters, which are texts: text as it is, all else as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from uuid import UUID

from nbflow.errors import NbflowError


def text_of(name: str, value: object) -> str:
    """A value as a parameter. Raises NbflowError if it is none; `name` says whose it is."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return str(value)
    try:
        data = plain(value)
        return data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise _none(name, value, error) from None


def texts(parameters: Mapping[str, object] | None) -> tuple[str, ...]:
    """Python values as NAME=VALUE. Raises NbflowError for one that cannot be a parameter."""
    return tuple(f"{name}={text_of(name, value)}" for name, value in (parameters or {}).items())


def plain(value: object) -> object:
    """Plain JSON data: numbers and arrays of numpy and its kin, sets, tuples, models become what they stand for."""
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=repr)
    return _converted(value)


def _converted(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, PurePath | Decimal | UUID):
        return str(value)
    if is_table(value):
        raise TypeError("it is a table")
    if _is_short_float(value):
        return float(str(value))
    for method, options in (
        ("tolist", {}),
        ("to_dict", {}),
        ("model_dump", {"mode": "json"}),
        ("_asdict", {}),
    ):
        convert = getattr(value, method, None)
        if callable(convert) and not isinstance(value, type):
            return plain(convert(**options))
    raise TypeError(f"{type(value).__name__} is not JSON")


def _none(name: str, value: object, error: Exception) -> NbflowError:
    kind = type(value).__name__
    fix = "pass text, numbers, lists or dicts"
    if is_table(value):
        fix = f"pass it as an artifact: --artifact NAME={{{name}}}; or as a list: {{{name}.values}}"
    elif isinstance(value, bytes | bytearray | memoryview):
        fix = f"pass it as an artifact: --artifact NAME={{{name}}}; or decode it to text"
    return NbflowError(f"{name} is {_article(kind)} {kind}, which cannot be a parameter: {error}", fix=fix)


def is_table(value: object) -> bool:
    """Whether it is a DataFrame of pandas, polars and their kin."""
    return hasattr(value, "columns") and (hasattr(value, "to_csv") or hasattr(value, "write_csv"))


def _is_short_float(value: object) -> bool:
    """Whether it is a short float of numpy: what it prints is what was meant, 0.1 and not 0.100000001."""
    kind = getattr(value, "dtype", None)
    return (
        getattr(kind, "kind", "") == "f"
        and getattr(value, "shape", None) == ()
        and getattr(kind, "itemsize", 8) < 8
    )


def _article(word: str) -> str:
    return "an" if word[:1].lower() in "aeiou" else "a"
