"""The credentials that artifacts name: keys of Secrets, held in memory, or in files that only their owner reads."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from nbflow.errors import NbflowError

Secrets = Callable[[str], Mapping[str, bytes] | None]
"""Name of a Secret -> its keys and values, None if there is no such Secret."""


def no_secrets(name: str) -> Mapping[str, bytes] | None:  # noqa: ARG001
    """Where there are no Secrets."""
    return None


def read_key(reference: object, secrets: Secrets) -> str:
    """The value that a `{name, key}` stands for; "" if nothing is referred to.

    Raises NbflowError, naming what is missing.
    """
    if not isinstance(reference, Mapping) or not reference.get("name"):
        return ""
    name, key = str(reference["name"]), str(reference.get("key", ""))
    values = secrets(name)
    if values is None:
        if reference.get("optional"):
            return ""
        raise NbflowError(
            f'secret "{name}" not found',
            fix=f"create it: nbflow secret create {name} --from-literal {key or 'KEY'}=VALUE",
        )
    if key not in values:
        if reference.get("optional"):
            return ""
        raise NbflowError(
            f"references non-existent secret key: {key} in secret {name}", fix=f"add the key {key}"
        )
    return values[key].decode("utf-8", "surrogateescape")


@contextlib.contextmanager
def private_folder(beside: Path | None) -> Iterator[Path]:
    """A folder that nobody else can look into, for files with credentials; gone afterwards.

    beside: a file whose folder is private too; None where there is none.
    """
    folder = Path(tempfile.mkdtemp(prefix=".private-", dir=beside.parent if beside else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_private(path: Path, text: str) -> Path:
    """Write a file that only its owner reads."""
    with open(path, "x", encoding="utf-8", errors="surrogateescape", opener=_private) as file:
        file.write(text)
    return path


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
