"""Log lines of the pods of a workflow in a cluster: of many at once, across connections that end, and of those gone."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from nbflow.clients.argo_nodes import is_finished, typed
from nbflow.clients.client import LogLine, LogOptions
from nbflow.errors import NbflowError, NotFoundError
from nbflow.kube.api import Api, Pauses
from nbflow.kube.refusals import UnavailableError
from nbflow.kube.resources import POD, WORKFLOW, JSONObject
from nbflow.kube.transport import HTTPStream, Query
from nbflow.kube.watch import Watch
from nbflow.spec.status import NodeStatus, NodeType, artifacts_by_name, format_time, parse_time
from nbflow.views.podnames import pod_name

LABEL = "workflows.argoproj.io/workflow"
_ARGOS_OWN = ("wait", "init", "supervisor")
_SILENCE_SECONDS = 90.0
_NOT_YET = re.compile(
    r"waiting to start|ContainerCreating|PodInitializing|not available|not found in pod", re.IGNORECASE
)
_STAMP = re.compile(r"^(\S+?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$")
_TRIES = 20
_EXECUTOR = re.compile(r"time=\S+ level=\w+ msg=.* argo=true(?: |$)")
"""What Argo's executor says of itself in the log of a container that it runs: no line of the user's."""
_MORE_LINES = 16
_LOGS = "-logs"
Archived = Callable[[JSONObject, str, str], bytes]
"""(workflow, node id, artifact) -> a log that was archived. Raises NbflowError if it is out of reach."""


@dataclass(slots=True)
class PodLog:
    """One container's log, read from any number of connections without losing or repeating a line.

    last: time of the last line given, in nanoseconds for comparing; count: how many lines of that time were given.
    """

    api: Api
    pod: str
    container: str
    options: LogOptions
    last: tuple[str, str] = ("", "")
    count: int = 0
    stream: HTTPStream | None = None

    def lines(self, closed: threading.Event) -> Iterator[LogLine]:
        """All lines; with follow until the container ended. Raises NbflowError if the log cannot be had."""
        pauses = Pauses(first=0.1, longest=2.0)
        tail = self.options.tail
        while not closed.is_set():
            before = (self.last, self.count)
            try:
                if tail is not None:
                    yield from self._tail(tail, closed)
                    if not self.options.follow:
                        return
                    tail = None
                yield from self._users(self._connect(self._query(), closed))
                return
            except UnavailableError:
                if (self.last, self.count) != before:
                    pauses.reset()
                if pauses.taken >= _TRIES:
                    raise
            except NbflowError as error:
                if not (self.options.follow and _NOT_YET.search(error.problem)) or pauses.taken >= _TRIES:
                    raise
            closed.wait(pauses.next())

    def _connect(self, query: Query, closed: threading.Event) -> Iterator[LogLine]:
        self.stream = self.api.stream(POD, query, name=self.pod, part="log", silence=_SILENCE_SECONDS)
        if closed.is_set():
            self.stream.close()
        return self._read(self.stream)

    def _users(self, lines: Iterator[LogLine]) -> Iterator[LogLine]:
        return (line for line in lines if not _EXECUTOR.match(line.text))

    def _tail(self, wanted: int, closed: threading.Event) -> list[LogLine]:
        """The last lines of the user's: the executor's own do not count, and nobody knows before how many there are."""
        ask = wanted + _MORE_LINES
        while True:
            self.last, self.count = ("", ""), 0
            query = {**self._query(), "follow": None, "tailLines": str(ask)}
            found = list(self._connect(query, closed))
            users = list(self._users(iter(found)))
            if len(users) >= wanted or len(found) < ask or closed.is_set():
                return users[-wanted:] if wanted else []
            ask *= 4

    def _query(self) -> Query:
        options = self.options
        query: dict[str, str | int | bool | None] = {
            "container": self.container,
            "follow": options.follow,
            "timestamps": True,
        }
        if self.last[0]:
            return {**query, "sinceTime": self.last[0] + "Z"}
        if options.since is not None:
            query["sinceSeconds"] = max(1, int(options.since.total_seconds()))
        if options.since_time is not None:
            query["sinceTime"] = format_time(options.since_time)
        return query

    def _read(self, stream: HTTPStream) -> Iterator[LogLine]:
        known, skip = self.last, self.count
        for line in stream.lines():
            text = line.decode(errors="replace").removesuffix("\r")
            stamp, _, rest = text.partition(" ")
            at = _sortable(stamp)
            if at is None:
                yield LogLine(self.pod, self.container, text)
                continue
            if at < known:
                continue
            if at == known and skip > 0:
                skip -= 1
                continue
            self.count = self.count + 1 if at == self.last else 1
            self.last = at
            yield LogLine(self.pod, self.container, rest, parse_time(_micro(stamp)))


def _sortable(stamp: str) -> tuple[str, str] | None:
    """A time to the nanosecond, in UTC, that sorts as text; None for what is no time."""
    found = _STAMP.match(stamp)
    if found is None:
        return None
    try:
        at = datetime.fromisoformat(found[1] + found[3]).astimezone(UTC)
    except ValueError:
        return None
    return at.strftime("%Y-%m-%dT%H:%M:%S"), (found[2] or "").ljust(9, "0")


def _micro(stamp: str) -> str:
    """The time to the microsecond: more than that Python does not read."""
    return re.sub(r"(\.\d{6})\d+", r"\1", stamp)


class WorkflowLogs:
    """nbflow.clients.Client.logs for a cluster. `close` ends it at once, from any thread."""

    def __init__(self, api: Api, name: str, options: LogOptions, archived: Archived) -> None:
        self._api, self._options, self._archived = api, options, archived
        self._workflow = api.get(WORKFLOW, name)
        self._name = name
        self._wanted = _pod_names(self._workflow, options.pods)
        self._pattern = re.compile(options.grep) if options.grep else None
        self._closed = threading.Event()
        self._lines = self._follow() if options.follow else self._read()
        self._lock = threading.Lock()
        self._logs: list[PodLog] = []
        self._watches: list[Watch] = []
        self._seen: set[str] = set()

    def __iter__(self) -> Iterator[LogLine]:
        return self

    def __next__(self) -> LogLine:
        for line in self._lines:
            if self._pattern is None or self._pattern.search(line.text):
                return line
        raise StopIteration

    def close(self) -> None:
        """End it at once."""
        self._closed.set()
        with self._lock:
            for watch in self._watches:
                watch.close()
            for log in self._logs:
                if log.stream is not None:
                    log.stream.close()

    def _read(self) -> Iterator[LogLine]:
        """Pod by pod in order of start."""
        pods = self._api.list(POD, labels=f"{LABEL}={self._name}").items
        chosen = [pod for pod in sorted(pods, key=_started) if self._is_wanted(pod)]
        for pod in chosen:
            if _phase(pod) != "Pending":
                yield from self._of_pod(pod)
        yield from self._gone({_name(pod) for pod in pods})

    def _of_pod(self, pod: JSONObject) -> Iterator[LogLine]:
        self._seen.add(_name(pod))
        for container in containers_of(pod, self._options.container):
            yield from self._log(pod, container).lines(self._closed)

    def _log(self, pod: JSONObject, container: str) -> PodLog:
        log = PodLog(self._api, _name(pod), container, self._options)
        with self._lock:
            self._logs.append(log)
        return log

    def _gone(self, present: set[str]) -> Iterator[LogLine]:
        """The archived logs of pods that are gone. Raises NotFoundError if there is nothing at all to show."""
        workflow = typed(self._workflow)
        pods = [n for n in workflow.status.nodes.values() if n.type is NodeType.POD and n.started_at]
        gone = [
            (pod, n) for n in pods if (pod := pod_name(workflow, n)) not in present and pod not in self._seen
        ]
        chosen = [(pod, n) for pod, n in gone if not self._wanted or pod in self._wanted]
        missing: list[str] = []
        reason: NbflowError | None = None
        for pod, node in chosen:
            try:
                lines = self._archived_lines(pod, node)
            except NbflowError as error:
                reason, lines = error, None
            if lines is None:
                missing.append(pod)
            else:
                yield from lines
        if missing and len(missing) == len(chosen) and not self._seen:
            raise self._explained(missing, reason)

    def _archived_lines(self, pod: str, node: NodeStatus) -> list[LogLine] | None:
        """What was kept of a pod's log, None if nothing was. Raises NbflowError if it is out of reach."""
        found: list[LogLine] | None = None
        for container in _archived_containers(node, self._options.container):
            data = self._archived(self._workflow, node.id, container + _LOGS)
            texts = data.decode(errors="replace").splitlines()
            if self._options.tail is not None:
                texts = texts[len(texts) - self._options.tail :] if self._options.tail else []
            found = [*(found or ()), *(LogLine(pod, container, text) for text in texts)]
        return found

    def _explained(self, missing: Sequence[str], reason: NbflowError | None) -> NotFoundError:
        said = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        where = f"workflow {self._name}"
        if reason is not None:
            problem = (
                f"the pods are gone ({said}), and their archived logs are out of reach: {reason.problem}"
            )
            return NotFoundError(problem, where=where, fix=reason.fix)
        fix = "set `podGC.strategy` to keep pods, or `archiveLogs: true` where artifacts have a repository"
        return NotFoundError(f"the pods are gone, and their logs with them: {said}", where=where, fix=fix)

    def _follow(self) -> Iterator[LogLine]:
        """As they come, until the workflow is over and every log has ended."""
        arrived: queue.Queue[LogLine | Exception | None] = queue.Queue(4096)
        threads: list[threading.Thread] = []
        put = _putter(arrived, self._closed)
        follower = threading.Thread(
            target=self._start_readers, args=(put, threads), name=f"nbflow pods {self._name}", daemon=True
        )
        follower.start()
        try:
            while True:
                try:
                    item = arrived.get(timeout=0.2)
                except queue.Empty:
                    if self._closed.is_set() or (
                        not follower.is_alive() and not any(t.is_alive() for t in threads) and arrived.empty()
                    ):
                        break
                    continue
                if isinstance(item, Exception):
                    raise item
                if item is not None:
                    yield item
            if not self._closed.is_set() and is_finished(self._workflow):
                yield from self._gone(set())
        finally:
            self.close()

    def _start_readers(self, put: Callable[[object], None], threads: list[threading.Thread]) -> None:
        """A thread for each container that runs, as soon as it runs, until the workflow is over."""
        pods = Watch(self._api, POD, labels=f"{LABEL}={self._name}")
        flow = Watch(self._api, WORKFLOW, fields=f"metadata.name={self._name}")
        flow.know(self._workflow)
        with self._lock:
            self._watches += [pods, flow]
        over = threading.Event()

        def until_over() -> None:
            try:
                for change in () if is_finished(self._workflow) else flow:
                    if change.deleted or is_finished(change.object):
                        break
            except NbflowError as error:
                put(error)
            over.set()
            pods.close()

        threading.Thread(target=until_over, name=f"nbflow end {self._name}", daemon=True).start()
        try:
            for change in pods:
                if not change.deleted:
                    self._start_reader(change.object, put, threads)
            # What started between the last event and the end has written something, too.
            if not self._closed.is_set():
                for pod in sorted(self._api.list(POD, labels=f"{LABEL}={self._name}").items, key=_started):
                    self._start_reader(pod, put, threads)
        except Exception as error:  # noqa: BLE001  # raised again by who waits
            put(error)

    def _start_reader(
        self, pod: JSONObject, put: Callable[[object], None], threads: list[threading.Thread]
    ) -> None:
        if _phase(pod) in {"", "Pending"} or _name(pod) in self._seen or not self._is_wanted(pod):
            return
        self._seen.add(_name(pod))
        for container in containers_of(pod, self._options.container):
            log = self._log(pod, container)
            thread = threading.Thread(
                target=_pump, args=(log, put, self._closed), name=f"log {log.pod}", daemon=True
            )
            threads.append(thread)
            thread.start()

    def _is_wanted(self, pod: JSONObject) -> bool:
        return not self._wanted or _name(pod) in self._wanted


def _pump(log: PodLog, put: Callable[[object], None], closed: threading.Event) -> None:
    try:
        for line in log.lines(closed):
            put(line)
    except NotFoundError:
        return  # the pod went before its log was read: as kubectl, what is gone is gone
    except Exception as error:  # noqa: BLE001  # raised again by who waits
        put(error)


def _putter(
    arrived: queue.Queue[LogLine | Exception | None], closed: threading.Event
) -> Callable[[object], None]:
    def put(item: object) -> None:
        while not closed.is_set():
            try:
                arrived.put(item, timeout=0.5)  # type: ignore[arg-type]
            except queue.Full:
                continue
            return

    return put


def _pod_names(workflow: JSONObject, wanted: Sequence[str]) -> frozenset[str]:
    """Names of pods for names or node ids."""
    if not wanted:
        return frozenset()
    found = typed(workflow)
    names = {node.id: pod_name(found, node) for node in found.status.nodes.values()}
    return frozenset(names.get(text, text) for text in wanted)


def containers_of(pod: JSONObject, wanted: str) -> list[str]:
    """The containers whose logs are meant. A pod of a container set has no "main": all of the user's, then."""
    found = _mapping(pod.get("spec")).get("containers")
    names = [str(_mapping(one).get("name")) for one in found] if isinstance(found, list) else []
    if wanted and (wanted != "main" or wanted in names or not names):
        return [wanted]
    return [name for name in names if name not in _ARGOS_OWN]


def _archived_containers(node: NodeStatus, wanted: str) -> list[str]:
    """The containers whose logs were archived, as far as they are wanted."""
    names = [name.removesuffix(_LOGS) for name in artifacts_by_name(node.outputs) if name.endswith(_LOGS)]
    if wanted and (wanted != "main" or wanted in names):
        return [name for name in names if name == wanted]
    return [name for name in names if name not in _ARGOS_OWN]


def _mapping(value: object) -> JSONObject:
    return value if isinstance(value, Mapping) else {}


def _name(pod: JSONObject) -> str:
    return str(_mapping(pod.get("metadata")).get("name", ""))


def _phase(pod: JSONObject) -> str:
    return str(_mapping(pod.get("status")).get("phase") or "")


def _started(pod: JSONObject) -> tuple[str, str]:
    status, metadata = _mapping(pod.get("status")), _mapping(pod.get("metadata"))
    return str(status.get("startTime") or metadata.get("creationTimestamp") or ""), _name(pod)
