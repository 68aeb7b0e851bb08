"""The nodes of a Workflow as its API object carries them: plain, packed to fit, or kept elsewhere."""

from __future__ import annotations

import base64
import copy
import gzip
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from nbflow.errors import NbflowError
from nbflow.kube.decoding import decoded
from nbflow.kube.resources import JSONObject
from nbflow.spec.status import WorkflowObject, parse_time

MAX_SIZE = 1024 * 1024
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
OFFLOADED = "its nodes are in the database of the Argo Server (offloaded), which is not read from here"
UNTAKEN = (
    "no workflow controller has taken it up: ask the administrator whether Argo's controller runs and watches this "
    "namespace; where a cluster has several, --instanceid chooses one"
)
UNTAKEN_SECONDS = 30
_FIX = (
    "look at it with the Argo Server's page or API, or ask for its database's alternative: smaller workflows"
)


def nodes_of(workflow: JSONObject) -> Mapping[str, JSONObject]:
    """The nodes, unpacked; empty if they are kept elsewhere. Raises NbflowError if they cannot be unpacked."""
    status = _mapping(workflow.get("status"))
    nodes = _mapping(status.get("nodes"))
    packed = status.get("compressedNodes")
    if nodes or not packed:
        return {key: _mapping(node) for key, node in nodes.items()}
    return unpack(str(packed), name_of(workflow))


@lru_cache(maxsize=2)
def unpack(text: str, name: str) -> Mapping[str, JSONObject]:
    """What Argo packs nodes into when they get too many for one object. Not to be changed: others are given the same.

    A live view asks for one state many times: for the watch, and for each log that it shows.
    """
    where = f"workflow {name}"
    try:
        data = base64.b64decode(text)
        if data.startswith(_GZIP):
            plain = gzip.decompress(data)
        elif data.startswith(_ZSTD):
            plain = _zstd(data, where)
        else:
            plain = _brotli(data, where)
        found = decoded(plain)
    except (ValueError, OSError, EOFError) as error:
        raise NbflowError(
            f"the packed nodes (compressedNodes) cannot be read: {error}", where=where
        ) from error
    return {key: _mapping(node) for key, node in _mapping(found).items()}


def _zstd(data: bytes, where: str) -> bytes:
    try:
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        try:
            import zstandard  # type: ignore[import-not-found, unused-ignore]
        except ImportError as error:
            raise NbflowError(
                "the nodes are packed with zstd, which this Python cannot read",
                where=where,
                fix="pip install 'nbflow[packings]'",
            ) from error
        return bytes(zstandard.ZstdDecompressor().decompressobj().decompress(data))
    return bytes(zstd.decompress(data))


def _brotli(data: bytes, where: str) -> bytes:
    try:
        import brotli  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError as error:
        raise NbflowError(
            "the nodes are packed with brotli, which this Python cannot read",
            where=where,
            fix="pip install 'nbflow[packings]'",
        ) from error
    try:
        return bytes(brotli.decompress(data))
    except brotli.error as error:
        raise ValueError(str(error)) from error


def pack(workflow: dict[str, object]) -> dict[str, object]:
    """The Workflow ready to be stored, as Argo's command line does it: nodes packed if it is too large otherwise."""
    status = dict(_mapping(workflow.get("status")))
    if not status.get("nodes"):
        return workflow  # there is nothing to pack, or it was never unpacked
    status.pop("compressedNodes", None)
    plain = {**workflow, "status": status}
    if len(_compact(plain)) <= MAX_SIZE:
        return plain
    packed = base64.b64encode(gzip.compress(_compact(status.get("nodes")))).decode()
    small = {key: value for key, value in status.items() if key != "nodes"}
    changed = {**workflow, "status": {**small, "compressedNodes": packed}}
    if (size := len(_compact(changed))) > MAX_SIZE:
        raise NbflowError(
            f"workflow is longer than maximum allowed size. compressed size {size} > maxSize {MAX_SIZE}",
            where=f"workflow {name_of(workflow)}",
        )
    return changed


def is_offloaded(workflow: JSONObject) -> bool:
    """Whether the nodes are kept in the Argo Server's database."""
    status = _mapping(workflow.get("status"))
    return bool(status.get("offloadNodeStatusVersion")) and not status.get("nodes")


def whole(workflow: JSONObject) -> dict[str, object]:
    """The Workflow with its nodes plain, to be changed. Raises NbflowError if they are not at hand."""
    if is_offloaded(workflow):
        raise NbflowError(OFFLOADED, where=f"workflow {name_of(workflow)}", fix=_FIX)
    status = dict(_mapping(workflow.get("status")))
    if status.pop("compressedNodes", None):
        status["nodes"] = copy.deepcopy(nodes_of(workflow))
    return {**workflow, "status": status}


def typed(workflow: JSONObject, *, nodes: bool = True) -> WorkflowObject:
    """The Workflow for those who look. One whose nodes are not at hand, or that nobody runs, says so in its message."""
    status = dict(_mapping(workflow.get("status")))
    status["nodes"] = nodes_of(workflow) if nodes else {}
    status.pop("compressedNodes", None)
    found = WorkflowObject.from_dict({**workflow, "status": status})
    if is_offloaded(workflow):
        said = f"{found.status.message}; {OFFLOADED}" if found.status.message else OFFLOADED
        return replace(found, status=replace(found.status, message=said))
    if is_untaken(workflow):
        created = parse_time(_mapping(workflow.get("metadata")).get("creationTimestamp"))
        if created and datetime.now(UTC) - created > timedelta(seconds=UNTAKEN_SECONDS):
            return replace(found, status=replace(found.status, message=UNTAKEN))
    return found


def is_untaken(workflow: JSONObject) -> bool:
    """Whether no controller has written anything into it."""
    return not _mapping(workflow.get("status"))


def name_of(workflow: JSONObject) -> str:
    """metadata.name."""
    return str(_mapping(workflow.get("metadata")).get("name", ""))


def phase_of(workflow: JSONObject) -> str:
    """status.phase, "" if it has none yet."""
    return str(_mapping(workflow.get("status")).get("phase") or "")


def is_finished(workflow: JSONObject) -> bool:
    """Whether the workflow is over."""
    return phase_of(workflow) in {"Succeeded", "Failed", "Error"}


def _compact(data: object) -> bytes:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()


def _mapping(value: object) -> JSONObject:
    return value if isinstance(value, Mapping) else {}
