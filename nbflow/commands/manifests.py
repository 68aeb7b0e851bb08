"""Manifests from files, standard input, the web, text and mappings."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from nbflow.errors import NbflowError

if TYPE_CHECKING:
    from nbflow.spec.yaml import Document


@runtime_checkable
class Convertible(Protocol):
    """An object that knows itself as plain data: a workflow of Hera, a model of ours, and others of that kind."""

    def to_dict(self) -> dict[str, object]: ...


Manifest: TypeAlias = "str | os.PathLike[str] | Mapping[str, object] | Convertible | Document"
"""A path or URL, the text of a manifest (a string of several lines), the object itself, or what has `to_dict`."""

SUFFIXES = (".yaml", ".yml", ".json")
LARGEST = 64 * 1024 * 1024
"""Bytes of a file that may be a manifest."""
_MISSING = "check the path; `-` reads standard input"


def load(manifest: Manifest, *, source: str = "", strict: bool = True) -> list[Document]:
    """The documents of a manifest, with the position of every key.

    source: what positions call it; by default the path, or "<text>". strict: unknown fields are findings.
    Raises NbflowError if it cannot be read; what is wrong with the text is for `lint`.
    """
    from nbflow.spec.yaml import Document, load_documents

    if isinstance(manifest, Document):
        return [manifest]
    if isinstance(manifest, Convertible):
        manifest = _as_submitted(manifest.to_dict())
    if isinstance(manifest, Mapping):
        return load_documents(_json(manifest), source or "<object>", strict=strict)
    if isinstance(manifest, str) and ("\n" in manifest or manifest.lstrip().startswith("{")):
        return load_documents(manifest, source or "<text>", strict=strict)
    path = os.fspath(manifest)
    return load_documents(read_bytes(path), source or ("<stdin>" if path == "-" else path), strict=strict)


def load_all(manifests: Iterable[Manifest], *, strict: bool = True) -> list[Document]:
    """The documents of all manifests, in order."""
    return [document for manifest in manifests for document in load(manifest, strict=strict)]


def read_bytes(path: str) -> bytes:
    """A file, "-" (standard input) or what is behind a URL. Raises NbflowError if it cannot be read."""
    try:
        return _read(path)
    except FileNotFoundError as error:
        raise NbflowError("no such file", where=path, fix=_MISSING) from error
    except IsADirectoryError as error:
        raise NbflowError(
            "this is a directory", where=path, fix=f"name a file in it, {path.rstrip('/')}/..."
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise NbflowError(f"cannot be read: {reason}", where=path) from error


def expand(paths: Iterable[str]) -> Iterator[str]:
    """The paths, with the manifests in it in place of each directory."""
    for path in paths:
        if path != "-" and Path(path).is_dir():
            found = (p for p in sorted(Path(path).rglob("*")) if p.suffix in SUFFIXES and p.is_file())
            yield from (str(p) for p in found)
        else:
            yield path


def _read(path: str) -> bytes:
    if path == "-":
        return _bounded(sys.stdin.buffer, path)
    if path.startswith(("http://", "https://")):
        from urllib.request import urlopen

        with urlopen(path, timeout=30) as answer:  # noqa: S310  # the scheme was looked at
            return _bounded(answer, path)
    with Path(path).open("rb") as file:
        if _is_device(file):
            raise ValueError("this is a device")
        return _bounded(file, path)


def _is_device(file: IO[bytes]) -> bool:
    """Such as /dev/zero or a disk: they may never end. Terminals and /dev/null do."""
    found = os.fstat(file.fileno())
    character = stat.S_ISCHR(found.st_mode) and not file.isatty()
    return stat.S_ISBLK(found.st_mode) or (character and found.st_rdev != Path(os.devnull).stat().st_rdev)


def _bounded(file: IO[bytes], path: str) -> bytes:
    """All that is in it. Raises NbflowError for what is far too large for a manifest."""
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise NbflowError(
            f"larger than {LARGEST >> 20} MB, too large for a manifest",
            where=path,
            fix="move data into files",
        )
    return data


def _as_submitted(data: Mapping[str, object]) -> Mapping[str, object]:
    """An object without what a run added to it: a workflow that ran can be given as the manifest of the next one."""
    metadata = data.get("metadata")
    if not isinstance(metadata, Mapping) or not ("status" in data or "uid" in metadata):
        return data
    given = {key: value for key, value in metadata.items() if key not in GIVEN_BY_THE_SYSTEM}
    if given.get("generateName"):
        given.pop("name", None)
    return {**{key: value for key, value in data.items() if key != "status"}, "metadata": given}


GIVEN_BY_THE_SYSTEM = frozenset(
    {"uid", "creationTimestamp", "resourceVersion", "generation", "managedFields", "selfLink", "finalizers"}
)
"""Fields of metadata that nobody writes."""


def _json(manifest: Mapping[str, object]) -> str:
    import json

    from nbflow.commands.values import plain

    try:
        return json.dumps(plain(manifest), indent=2, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise NbflowError(f"the object is no plain data: {error}") from error
