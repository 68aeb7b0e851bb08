"""Tables: what a run and its artifacts are as DataFrames. pandas is not needed for anything else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import TYPE_CHECKING

from nbflow.errors import NbflowError
from nbflow.spec.status import NodeStatus, WorkflowObject, artifacts_by_name, parameter_values
from nbflow.views import durations
from nbflow.views.podnames import template_of

if TYPE_CHECKING:
    import pandas as pd

READERS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    ".csv": ("read_csv", {}),
    ".tsv": ("read_csv", {"sep": "\t"}),
    ".tab": ("read_csv", {"sep": "\t"}),
    ".json": ("read_json", {}),
    ".jsonl": ("read_json", {"lines": True}),
    ".ndjson": ("read_json", {"lines": True}),
    ".parquet": ("read_parquet", {}),
    ".pq": ("read_parquet", {}),
    ".feather": ("read_feather", {}),
    ".arrow": ("read_feather", {}),
    ".xlsx": ("read_excel", {}),
}
"""Ending of a file -> pandas' reader and its options."""
_PACKED = (".gz", ".bz2", ".xz", ".zst")


def pandas() -> ModuleType:
    """The module pandas. Raises NbflowError if it is not installed."""
    try:
        return import_module("pandas")
    except ImportError as error:
        raise NbflowError(f"a DataFrame needs pandas: {error}", fix="pip install pandas") from None


def read_frame(path: Path, name: str, options: Mapping[str, object]) -> pd.DataFrame:
    """A file as a DataFrame. name: whose ending tells the kind. Raises NbflowError if it cannot be read as one."""
    reader, known, packing = _reader(name, path)
    module = pandas()
    compression = {"compression": packing} if packing and reader in ("read_csv", "read_json") else {}
    try:
        frame: pd.DataFrame = getattr(module, reader)(path, **{**known, **compression, **options})
    except ImportError as error:
        raise NbflowError(f"pandas cannot read {name}: {error}", fix=f"pip install {_engine(name)}") from None
    except (ValueError, TypeError, OSError) as error:
        raise NbflowError(
            f"{name} cannot be read as a table: {error}", fix="read_bytes() gives what it is"
        ) from None
    return frame


def _reader(name: str, path: Path) -> tuple[str, Mapping[str, object], str]:
    """Which reader of pandas, its options, and how the file is compressed."""
    suffixes = [suffix.lower() for suffix in PurePosixPath(name).suffixes]
    packing = (
        {"gz": "gzip", "zst": "zstd"}.get(suffixes[-1][1:], suffixes[-1][1:])
        if suffixes[-1:] and suffixes[-1] in _PACKED
        else ""
    )
    ending = suffixes[-2:-1] if packing else suffixes[-1:]
    if ending and ending[0] in READERS:
        return (*READERS[ending[0]], packing)
    with path.open("rb") as file:
        begin = file.read(6)
    guessed = ".parquet" if begin[:4] == b"PAR1" else ".feather" if begin == b"ARROW1" else ""
    if guessed:
        return (*READERS[guessed], "")
    raise NbflowError(
        f"{name} does not tell by its name what kind of table it is",
        fix=f"a path in the manifest that ends in {', '.join(READERS)}; or read_text(), read_bytes()",
    )


def _engine(name: str) -> str:
    return "openpyxl" if name.endswith(".xlsx") else "pyarrow"


def run_frame(nodes: Iterable[NodeStatus]) -> pd.DataFrame:
    """One row a node: what it is, how it ended, when, its parameters and outputs."""
    module = pandas()
    records = [_record(node) for node in nodes]
    columns = list(dict.fromkeys(["node", *_FIXED, *(key for record in records for key in record)]))
    frame: pd.DataFrame = module.DataFrame.from_records(records, columns=columns)
    for name in ("started", "finished"):
        frame[name] = module.to_datetime(frame[name], utc=True)
    frame["duration"] = module.to_timedelta(frame["duration"])
    return frame.set_index("node")


def runs_frame(workflows: Iterable[WorkflowObject]) -> pd.DataFrame:
    """One row a workflow, by name."""
    module = pandas()
    records = [_run_record(workflow) for workflow in workflows]
    columns = list(dict.fromkeys(["workflow", *_OF_RUNS, *(key for record in records for key in record)]))
    frame: pd.DataFrame = module.DataFrame.from_records(records, columns=columns)
    for name in ("started", "finished"):
        frame[name] = module.to_datetime(frame[name], utc=True)
    frame["duration"] = module.to_timedelta(frame["duration"])
    return frame.set_index("workflow")


_OF_RUNS = ("phase", "started", "finished", "duration", "progress", "message")


def _run_record(workflow: WorkflowObject) -> dict[str, object]:
    status, arguments = workflow.status, workflow.spec.get("arguments")
    given = parameter_values(arguments if isinstance(arguments, Mapping) else None)
    over = status.finished_at or datetime.now(UTC)
    return {
        "workflow": workflow.name,
        "phase": status.phase.value if status.phase else "Pending",
        "started": status.started_at,
        "finished": status.finished_at,
        "duration": durations.between(status.started_at, over, over) if status.started_at else None,
        "progress": status.progress,
        "message": status.message,
        **{f"parameters.{name}": value for name, value in given.items()},
    }


_FIXED = ("type", "template", "phase", "started", "finished", "duration", "message", "name", "id")


def _record(node: NodeStatus) -> dict[str, object]:
    over = node.finished_at or datetime.now(UTC)
    return {
        "node": node.display_name,
        "type": node.type.value,
        "template": template_of(node),
        "phase": (node.phase.value if node.phase else "Pending"),
        "started": node.started_at,
        "finished": node.finished_at,
        "duration": durations.between(node.started_at, node.finished_at, over) if node.started_at else None,
        "message": node.message,
        "name": node.name,
        "id": node.id,
        **dict(_values(node)),
    }


def _values(node: NodeStatus) -> Iterator[tuple[str, str]]:
    for side, given in (("inputs", node.inputs), ("outputs", node.outputs)):
        yield from ((f"{side}.{name}", value) for name, value in parameter_values(given).items())
        if given and given.get("result") is not None:
            yield f"{side}.result", str(given["result"])
        if given and given.get("exitCode") is not None:
            yield f"{side}.exitCode", str(given["exitCode"])
        yield from (
            (f"{side}.{name}", "(artifact)")
            for name in artifacts_by_name(given)
            if name not in parameter_values(given)
        )
