"""Objects beside workflows: secrets, config maps, claims, templates."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nbflow.clients.client import Selection
from nbflow.commands.linting import lint_parsed, object_name, refuse_errors
from nbflow.commands.naming import CREATED, check_data_key, check_name
from nbflow.commands.submission import left_alone
from nbflow.commands.support import check_created
from nbflow.errors import ConflictError, NbflowError
from nbflow.spec.naming import is_data_key

if TYPE_CHECKING:
    from nbflow.clients.client import Client, Stored
    from nbflow.spec.yaml import Document

_MISSING_REFERENCE = "NBF114"


def create_all(documents: Sequence[Document], client: Client) -> tuple[list[Stored], list[str]]:
    """Create the objects of manifests; those that exist stay as they are. Also what is left alone, in words.

    A template may refer to one that is not stored yet, as with kubectl: that is said, not refused.
    Raises ManifestError or NbflowError before anything is created. Workflows are for `submit`.
    """
    refuse_errors([finding for document in documents for finding in document.findings])
    chosen = [document for document in documents if document.kind in CREATED]
    if not chosen:
        raise NbflowError("nothing to create in given files", fix=f"nbflow creates {', '.join(CREATED)}")
    findings = lint_parsed(chosen, client=client, submit=True, created=CREATED)
    refuse_errors([finding for finding in findings if finding.rule != _MISSING_REFERENCE])
    dangling = [f"{finding.problem}; create it before a workflow uses it" for finding in findings]
    others = [document for document in documents if document.kind not in CREATED]
    remarks = [*dangling, *check_created(chosen, client), *left_alone(others)]
    return [client.create(document.data) for document in chosen], remarks


def create_secret(client: Client, name: str, values: Mapping[str, bytes], *, kind: str = "Opaque") -> Stored:
    """A Secret with these values. Raises ConflictError if there is one of that name."""
    data = {key: base64.b64encode(value).decode() for key, value in values.items()}
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": kind, "data": data}
    return _create_new(client, manifest)


def create_config_map(
    client: Client, name: str, values: Mapping[str, bytes], *, labels: Mapping[str, str] | None = None
) -> Stored:
    """A ConfigMap with these values; those that are no text become binary data. Raises ConflictError as above."""
    texts: dict[str, str] = {}
    binary: dict[str, str] = {}
    for key, value in values.items():
        try:
            texts[key] = value.decode()
        except UnicodeDecodeError:
            binary[key] = base64.b64encode(value).decode()
    metadata: dict[str, object] = {"name": name} | ({"labels": dict(labels)} if labels else {})
    manifest: dict[str, object] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": texts,
    }
    return _create_new(client, {**manifest, "binaryData": binary} if binary else manifest)


def create_claim(client: Client, name: str, size: str) -> Stored:
    """A PersistentVolumeClaim: a folder that outlives workflows. Raises ConflictError if there is one of that name."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    kind = "PersistentVolumeClaim"
    return _create_new(
        client, {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "spec": spec}, word="volume"
    )


def collect(literals: Sequence[str], files: Sequence[str], env_files: Sequence[str]) -> dict[str, bytes]:
    """The values of --from-literal, --from-file and --from-env-file, as kubectl reads them.

    Raises NbflowError for a key that is malformed or given twice, or a file that cannot be read; no message
    holds a value.
    """
    values: dict[str, bytes] = {}
    pairs = (
        *(pair for text in literals for pair in _literal(text)),
        *(pair for text in files for pair in _files(text)),
        *(pair for text in env_files for pair in _env_file(text)),
    )
    for key, value in pairs:
        check_data_key(key)
        if key in values:
            raise NbflowError(f"key {key!r} is given twice", fix="leave one out")
        values[key] = value
    return values


def list_objects(client: Client, kind: str, selection: Selection = Selection()) -> list[Mapping[str, object]]:
    """The objects of a kind, by name; no data of secrets."""
    return sorted(client.objects(kind, selection), key=object_name)


def _create_new(client: Client, manifest: Mapping[str, object], *, word: str = "") -> Stored:
    kind, name = str(manifest["kind"]), object_name(manifest)
    check_name(name, kind)
    stored = client.create(manifest)
    if stored.existed:
        word = word or kind.lower()
        raise ConflictError(f'{word}s "{name}" already exists', fix=f"`nbflow {word} delete {name}` first")
    return stored


def _literal(text: str) -> Iterator[tuple[str, bytes]]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        # What has no "=" may well be the secret itself: it is not repeated.
        raise NbflowError("--from-literal takes KEY=VALUE", fix="--from-literal=password=...")
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    yield key, value.encode("utf-8", "surrogateescape")


def _files(text: str) -> Iterator[tuple[str, bytes]]:
    """[KEY=]PATH; a directory gives all its files whose name is a key."""
    key, equals, name = text.partition("=")
    path = Path(name if equals else text)
    if equals and not (key and name):
        raise NbflowError("--from-file takes [KEY=]PATH", fix="--from-file=key=path/to/file")
    if not equals and path.is_dir():
        for child in sorted(path.iterdir()):
            if child.is_file() and is_data_key(child.name):
                yield child.name, _read(child)
        return
    yield (key if equals else path.name), _read(path)


def _env_file(name: str) -> Iterator[tuple[str, bytes]]:
    """Lines of KEY=VALUE; blank lines and comments count for nothing."""
    try:
        lines = _read(Path(name)).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise NbflowError("this is no text in UTF-8", where=name) from error
    for number, line in enumerate(lines, 1):
        text = line.lstrip()
        if not text or text.startswith("#"):
            continue
        key, equals, value = text.partition("=")
        if not equals:
            raise NbflowError("a line holds KEY=VALUE", where=f"{name}:{number}")
        yield key, value.encode()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NbflowError(
            f"cannot be read: {error.strerror}", where=str(path), fix="check the path"
        ) from error
