"""What a page may ask for: verbs of the client, what is known of a node, an artifact, a log as a file.

Asked in the main thread or in that of a subshell: nothing here makes those wait, answers come from other threads.
"""

from __future__ import annotations

import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Protocol

from nbflow.clients.client import Client, LogOptions, Request
from nbflow.commands import again
from nbflow.errors import NbflowError
from nbflow.notebook.artifacts import Artifact
from nbflow.notebook.detail import detail
from nbflow.notebook.nodes import artifacts_of, pods_below
from nbflow.notebook.preview import preview
from nbflow.spec.status import WorkflowObject
from nbflow.views.podnames import pod_names

CHUNK = 1_000_000
"""Bytes of a file that travel in one message; the page asks for the next one."""
_SAID = {
    "stop": "Stop was asked for: running pods end, then exit handlers run.",
    "terminate": "Terminate was asked for: running pods end, exit handlers do not run.",
    "suspend": "Suspended: no more nodes start until somebody resumes it.",
    "resume": "It goes on.",
}
_BY = "Stopped in the notebook"

Content = Mapping[str, object]


class Reply(Protocol):
    """Sends a message to the page, with bytes beside it if there are any."""

    def __call__(self, content: Content, buffers: list[bytes] | None = None) -> None: ...


class Desk:
    """Answers what the page of one workflow asks.

    known: the workflow as last heard of. taken_up: it runs again.
    """

    def __init__(
        self,
        client: Client,
        name: str,
        reply: Reply,
        known: Callable[[], WorkflowObject | None],
        taken_up: Callable[[WorkflowObject], None],
    ) -> None:
        self._client, self._name, self._reply = client, name, reply
        self._known, self._taken_up = known, taken_up
        self._files: dict[int, Iterator[bytes]] = {}
        self._numbers = count(1)

    def take(self, request: Content) -> None:
        """Begin to do what was asked for."""
        verb = str(request.get("do", ""))
        work = {
            "approve": self._approve,
            "reject": self._reject,
            "retry": self._retry,
            "resubmit": self._resubmit,
            "detail": self._detail,
            "artifact": self._artifact,
            "log": self._log,
            "more": self._more,
        }.get(verb, self._change if verb in _SAID else None)
        if work is not None:
            threading.Thread(
                target=self._safely, args=(work, request), name=f"nbflow {verb}", daemon=True
            ).start()

    def _safely(self, work: Callable[[Content], None], request: Content) -> None:
        try:
            work(request)
        except NbflowError as error:
            self._say(request, str(error), wrong=True)

    def _say(self, request: Content, text: str, *, wrong: bool = False, **more: object) -> None:
        about = {key: request[key] for key in ("do", "node", "side", "name") if key in request}
        self._reply({"said": text, "wrong": wrong, "about": about, **more})

    def _change(self, request: Content) -> None:
        verb = str(request["do"])
        self._client.ask(self._name, Request(verb, message=_BY if verb == "stop" else ""))
        self._say(request, _SAID[verb])

    def _approve(self, request: Content) -> None:
        nodes, values = (str(request["node"]),), request.get("values")
        if isinstance(values, Mapping) and values:
            parameters = [{"name": str(name), "value": str(value)} for name, value in values.items()]
            self._client.ask(self._name, Request("set", nodes, outputs={"parameters": parameters}))
        self._client.ask(self._name, Request("resume", nodes))
        self._say(request, "It goes on.")

    def _reject(self, request: Content) -> None:
        self._client.ask(
            self._name, Request("stop", (str(request["node"]),), message="Rejected in the notebook")
        )
        self._say(request, "Rejected: the node fails.")

    def _retry(self, request: Content) -> None:
        from nbflow.revise.retry import RetryOptions

        self._taken_up(again.retry(self._client, self._name, RetryOptions()))
        self._say(request, "What failed runs again.")

    def _resubmit(self, request: Content) -> None:
        from nbflow.revise.resubmit import ResubmitOptions

        new = again.resubmit(self._client, self._name, ResubmitOptions())
        self._say(request, f"Submitted again as {new.name}.", run=new.name)

    def _detail(self, request: Content) -> None:
        workflow = self._node(request)
        self._reply({"detail": detail(workflow, workflow.status.nodes[str(request["node"])])})

    def _artifact(self, request: Content) -> None:
        """Look at an artifact, or save it where the browser puts files."""
        workflow, node, side = (
            self._node(request),
            str(request["node"]),
            str(request.get("side") or "outputs"),
        )
        found = artifacts_of(self._client, workflow, workflow.status.nodes[node], side)[str(request["name"])]
        if request.get("save"):
            folder = found.local.is_dir()
            file = f"{found.name}.tar.gz" if folder else found.file_name
            chunks = _packed(found) if folder else _read(found)
            self._send_file(request, file, "application/octet-stream", chunks)
            return
        shown = preview(found.local, found.file_name)
        about = {"node": node, "side": side, "name": found.name}
        self._reply({"artifact": {**about, "html": shown.html, "text": "" if shown.html else shown.text}})

    def _node(self, request: Content) -> WorkflowObject:
        """The workflow, if it has the node that was asked for."""
        workflow = self._known()
        if workflow is None or str(request.get("node")) not in workflow.status.nodes:
            raise NbflowError("the workflow has no such node any more")
        return workflow

    def _log(self, request: Content) -> None:
        """The whole log of a node, or of all, as a file."""
        workflow, node = self._known(), str(request.get("node") or "")
        chosen = workflow.status.nodes.get(node) if workflow else None
        pods: tuple[str, ...] = ()
        names: dict[str, str] = {}
        if workflow is not None:
            below = pods_below(workflow, chosen) if chosen else list(workflow.status.nodes.values())
            names = {name: pod.display_name for pod in below for name in pod_names(workflow, pod)}
            pods = tuple(pod.id for pod in below) if chosen else ()
        if chosen is not None and not pods:
            raise NbflowError(f"{chosen.display_name} has no pods, so it has no log")
        lines = self._client.logs(self._name, LogOptions(pods=pods))
        alone = len(pods) == 1
        texts = (line.text if alone else f"{names.get(line.pod, line.pod)}: {line.text}" for line in lines)
        file = f"{self._name}{'-' + chosen.display_name if chosen else ''}.log"
        self._send_file(request, file, "text/plain", _gathered(texts))

    def _send_file(self, request: Content, file: str, kind: str, chunks: Iterator[bytes]) -> None:
        number = next(self._numbers)
        self._files[number] = chunks
        self._reply({"file": {"number": number, "name": file, "type": kind, "about": dict(request)}})
        self._more({"number": number})

    def _more(self, request: Content) -> None:
        """The next part of a file; the page asks for it when it has the one before."""
        number = request.get("number")
        chunks = self._files.get(number) if isinstance(number, int) else None
        if chunks is None:
            return
        chunk = next(chunks, None)
        if chunk is None:
            del self._files[number]  # type: ignore[arg-type]
        self._reply({"chunk": {"number": number, "last": chunk is None}}, [chunk or b""])


def _read(artifact: Artifact) -> Iterator[bytes]:
    with artifact.local.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _packed(artifact: Artifact) -> Iterator[bytes]:
    """A folder as an archive."""
    with tempfile.TemporaryFile() as file:
        with tarfile.open(fileobj=file, mode="w:gz") as archive:
            archive.add(artifact.local, arcname=artifact.name)
        file.seek(0)
        while chunk := file.read(CHUNK):
            yield chunk


def _gathered(texts: Iterator[str]) -> Iterator[bytes]:
    """Lines in parts of about `CHUNK` bytes."""
    waiting: list[bytes] = []
    size = 0
    for text in texts:
        line = text.encode(errors="replace") + b"\n"
        waiting.append(line)
        size += len(line)
        if size >= CHUNK:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
