"""Python values as input artifacts: DataFrames, bytes, paths and data become files that a workflow takes."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from nbflow.commands.values import is_table, plain
from nbflow.errors import NbflowError

if TYPE_CHECKING:
    from nbflow.clients.client import Client
    from nbflow.spec.yaml import Document

FOLDER = "uploads"
"""Where they are in a repository; then a hash of the content, so that the same value is stored once."""
IN_THE_MANIFEST = 64 * 1024
"""Bytes of a text that a cluster gets as a part of the manifest: no repository is needed then."""
_TABLES = {
    ".csv": ("to_csv", "write_csv"),
    ".tsv": ("to_csv", "write_csv"),
    ".json": ("to_json", "write_json"),
    ".jsonl": ("to_json", "write_ndjson"),
    ".ndjson": ("to_json", "write_ndjson"),
    ".parquet": ("to_parquet", "write_parquet"),
    ".pq": ("to_parquet", "write_parquet"),
    ".feather": ("to_feather", "write_ipc"),
    ".arrow": ("to_feather", "write_ipc"),
    ".xlsx": ("to_excel", "write_excel"),
}
"""Ending of the path that the template asks for -> how pandas writes it, and how polars does."""


@runtime_checkable
class Storing(Protocol):
    """A client that can put an artifact into the repository that a workflow will use."""

    def store_artifact(
        self, source: Path, artifact: Mapping[str, object], workflow: Mapping[str, object]
    ) -> None:
        """Store a file or folder. Raises NbflowError if the repository is not reached from here."""


class Handed(NamedTuple):
    """An argument. artifact: as the manifest names it. source: what is to be stored; None if the manifest holds it."""

    artifact: Mapping[str, object]
    source: Path | None = None


@contextmanager
def handed_over(
    values: Mapping[str, object], documents: Sequence[Document], client: Client
) -> Iterator[tuple[list[Document], Callable[[], None]]]:
    """The documents with these values as their artifacts, and what stores them: to be called after lint, before submit.

    Raises NbflowError for a value that cannot be a file, and for a name that no workflow takes.
    """
    if not values:
        yield list(documents), _nothing
        return
    with tempfile.TemporaryDirectory(prefix="nbflow-") as scratch:
        handed = [
            _handed(name, value, documents, client, Path(scratch, str(number)))
            for number, (name, value) in enumerate(values.items())
        ]
        changed = [_with_artifacts(one, handed) if one.kind == "Workflow" else one for one in documents]
        workflow = next((one.data for one in changed if one.kind == "Workflow"), {})

        def store() -> None:
            for one in handed:
                if one.source is not None:
                    _storing(client).store_artifact(one.source, one.artifact, workflow)

        yield changed, store


def _handed(name: str, value: object, documents: Sequence[Document], client: Client, folder: Path) -> Handed:
    workflows = [one.data for one in documents if one.kind == "Workflow"]
    wanted = _wanted_path(name, workflows)
    folder.mkdir()
    source = write_value(name, value, folder, wanted)
    text = _short_text(source)
    if client.target == "argo" and text is not None:
        return Handed({"name": name, "raw": {"data": text}, "archive": {"none": {}}})
    _storing(client)
    key = f"{FOLDER}/{_digest(source)}/{source.name}"
    return Handed({"name": name, "s3": {"key": key}, "archive": {"none": {}}}, source)


def _storing(client: Client) -> Storing:
    if isinstance(client, Storing):
        return client
    raise NbflowError(
        f"an artifact cannot be stored on {client.target} from here",
        fix="put it where the manifest can name it: a bucket, or an address",
    )


def _nothing() -> None:
    """There is nothing to store."""


# --- what the manifest asks for


def _wanted_path(name: str, workflows: Sequence[Mapping[str, object]]) -> str:
    """The path at which a template takes the artifact: its ending tells the kind of file."""
    known: dict[str, str] = {}
    somewhere = False
    for workflow in workflows:
        spec = _mapping(workflow.get("spec"))
        somewhere = somewhere or "workflowTemplateRef" in spec
        for one in _list(_mapping(spec.get("arguments")).get("artifacts")):
            known.setdefault(str(one.get("name")), "")
        for template in sorted(
            _list(spec.get("templates")), key=lambda t: t.get("name") != spec.get("entrypoint")
        ):
            for one in _list(_mapping(template.get("inputs")).get("artifacts")):
                known[str(one.get("name"))] = known.get(str(one.get("name"))) or str(one.get("path") or "")
    if name in known or somewhere:
        return known.get(name, "")
    from nbflow.spec.similar import did_you_mean

    fix = did_you_mean(name, known) or (
        f"it takes {', '.join(known)}" if known else "a template takes it by `inputs.artifacts`"
    )
    raise NbflowError(f"the workflow takes no artifact {name!r}", fix=fix)


def _with_artifacts(document: Document, handed: Sequence[Handed]) -> Document:
    """The Workflow with the values as arguments, in place of those of the same names."""
    spec = _mapping(document.data.get("spec"))
    arguments = _mapping(spec.get("arguments"))
    given = {str(one.artifact["name"]): dict(one.artifact) for one in handed}
    kept = [one for one in _list(arguments.get("artifacts")) if one.get("name") not in given]
    changed = {**spec, "arguments": {**arguments, "artifacts": [*kept, *given.values()]}}
    return document.with_data({**document.data, "spec": changed})


# --- from a value to a file


def write_value(name: str, value: object, folder: Path, wanted: str) -> Path:
    """The value as a file (or folder) in `folder`, called as `wanted` is, in the form that its ending asks for.

    Raises NbflowError for a value that cannot be a file.
    """
    target = folder / (PurePath(wanted).name or name)
    ending = target.suffix.lower()
    if isinstance(value, PurePath) or (isinstance(value, str) and _is_path(name, value)):
        return _copied(name, Path(value), folder)
    if isinstance(value, str):
        target.write_text(value, encoding="utf-8")
    elif isinstance(value, bytes | bytearray | memoryview):
        target.write_bytes(value)
    elif is_table(value):
        _write_table(name, value, target, ending)
    elif ending in (".pkl", ".pickle"):
        target.write_bytes(pickle.dumps(value))
    elif ending == ".npy" and hasattr(value, "tobytes"):
        import_module("numpy").save(target, value)
    else:
        _write_json(name, value, target)
    return target


def _is_path(name: str, text: str) -> bool:
    """Whether a text names a file; one of several lines is a text. Raises NbflowError if it can be neither."""
    if "\n" in text or len(text) > 1000:
        return False
    if Path(text).exists():
        return True
    fix = f"check the path; {name}={text.encode()!r} passes a text itself"
    raise NbflowError(f"artifact {name}: no such file {text!r}", fix=fix)


def _copied(name: str, path: Path, folder: Path) -> Path:
    target = folder / (path.resolve().name or name)
    try:
        if path.is_dir():
            shutil.copytree(path, target, symlinks=True)
        else:
            shutil.copyfile(path, target)
    except OSError as error:
        raise NbflowError(
            f"artifact {name} cannot be read: {error.strerror}", where=os.fspath(path)
        ) from error
    return target


def _write_table(name: str, value: object, target: Path, ending: str) -> None:
    """A DataFrame of pandas or polars; CSV where the ending does not say."""
    if ending in (".pkl", ".pickle"):
        target.write_bytes(pickle.dumps(value))
        return
    methods = _TABLES.get(ending, _TABLES[".csv"])
    method = next((one for one in methods if hasattr(value, one)), "")
    if not method:
        raise NbflowError(
            f"artifact {name}: this table cannot be written as {ending}", fix="use .csv or .parquet"
        )
    try:
        getattr(value, method)(target, **_options(value, method, ending))
    except ImportError as error:
        problem = f"artifact {name} cannot be written as {ending}: {error}"
        raise NbflowError(problem, fix="pip install pyarrow") from None


def _options(value: object, method: str, ending: str) -> dict[str, object]:
    """Without the numbers of the rows where they say nothing; JSON as records."""
    if method.startswith("write_"):
        return {"separator": "\t"} if ending == ".tsv" else {}
    index = getattr(value, "index", None)
    numbered = type(index).__name__ == "RangeIndex" and getattr(index, "name", None) is None
    match method:
        case "to_csv":
            return {"index": not numbered, **({"sep": "\t"} if ending == ".tsv" else {})}
        case "to_json":
            return {"orient": "records", "lines": ending in (".jsonl", ".ndjson")}
        case "to_parquet" | "to_excel":
            return {"index": not numbered}
    return {}


def _write_json(name: str, value: object, target: Path) -> None:
    try:
        target.write_text(json.dumps(plain(value), ensure_ascii=False, indent=1), encoding="utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise NbflowError(
            f"artifact {name} is a {type(value).__name__}, which cannot be a file: {error}",
            fix="pass a DataFrame, bytes, a path, or plain data; a path that ends in .pkl takes any object",
        ) from None


def _short_text(source: Path) -> str | None:
    """The content, if it is a short text without tags: Argo would take those for its own."""
    if source.is_dir() or source.stat().st_size > IN_THE_MANIFEST:
        return None
    try:
        text = source.read_bytes().decode()
    except UnicodeDecodeError:
        return None
    return None if "{{" in text or "\0" in text else text


def _digest(source: Path) -> str:
    """A hash of a file, or of all files of a folder with their names."""
    found = hashlib.sha256()
    for path in [source] if source.is_file() else sorted(source.rglob("*")):
        if path.is_file():
            found.update(os.fsencode(path.relative_to(source.parent)) + b"\0")
            with path.open("rb") as file:
                while chunk := file.read(1 << 20):
                    found.update(chunk)
    return found.hexdigest()[:16]


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Mapping[str, object]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list | tuple) else []
