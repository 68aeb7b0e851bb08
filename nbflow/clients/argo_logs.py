"""Log lines of the pods of a workflow in a cluster: of many at once, across connections that end, and of those gone."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from nbflow.clients.argo_nodes import is_finished, is_offloaded, typed
from nbflow.clients.argo_podlog import PodLog
from nbflow.clients.client import LogLine, LogOptions
from nbflow.clients.selectors import parse_pattern
from nbflow.errors import NbflowError, NotFoundError
from nbflow.kube.api import Api
from nbflow.kube.resources import POD, WORKFLOW, JSONObject
from nbflow.kube.watch import Watch
from nbflow.spec.status import NodeStatus, NodeType, artifacts_by_name
from nbflow.views.podnames import pod_name, pod_names

LABEL = "workflows.argoproj.io/workflow"
_ARGOS_OWN = ("wait", "init", "supervisor")
_LOGS = "-logs"
Archived = Callable[[JSONObject, str, str], bytes]
"""(workflow, node id, artifact) -> a log that was archived. Raises NbflowError if it is out of reach."""


class WorkflowLogs:
    """nbflow.clients.Client.logs for a cluster. `close` ends it at once, from any thread."""

    def __init__(self, api: Api, name: str, options: LogOptions, archived: Archived) -> None:
        self._api, self._options, self._archived = api, options, archived
        self._workflow = api.get(WORKFLOW, name)
        self._name = name
        self._wanted = self._pods(options.pods)
        self._pattern = parse_pattern(options.grep)
        self._closed = threading.Event()
        self._lines = self._follow() if options.follow else self._read()
        self._lock = threading.Lock()
        self._logs: list[PodLog] = []
        self._watches: list[Watch] = []
        self._seen: set[str] = set()

    def _pods(self, wanted: Sequence[str]) -> frozenset[str]:
        """Names of pods for names or node ids. Raises NotFoundError if there is no such pod.

        Argo before v3.4 named pods by node id, and workflows of that time do not say so: both names are meant.
        """
        if not wanted:
            return frozenset()
        found = typed(self._workflow)
        names = {node.id: pod_name(found, node) for node in found.status.nodes.values()}
        others = {text for text in wanted if text not in names} - set(names.values())
        if others and not is_offloaded(self._workflow):
            others -= {_name(pod) for pod in self._api.list(POD, labels=f"{LABEL}={self._name}").items}
            for name in sorted(others):
                raise NotFoundError(f'pod "{name}" not found', where=f"workflow {self._name}")
        ids = {name: node for node, name in names.items()}
        return frozenset(
            name for text in wanted for name in (text, names.get(text, text), ids.get(text, text))
        )

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
        chosen = [pod for pod in self._in_order(pods) if self._is_wanted(pod)]
        for pod in chosen:
            if _phase(pod) != "Pending":
                yield from self._of_pod(pod)
        yield from self._gone({_name(pod) for pod in pods})

    def _in_order(self, pods: Iterable[JSONObject]) -> list[JSONObject]:
        """By their start; those of the same second as the workflow has them."""
        found = typed(self._workflow)
        numbers = {pod_name(found, node): number for number, node in enumerate(found.status.nodes.values())}
        return sorted(
            pods, key=lambda pod: (_started(pod), numbers.get(_name(pod), len(numbers)), _name(pod))
        )

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
        there = present | self._seen
        gone = [(pod_name(workflow, n), n) for n in pods if not there & pod_names(workflow, n)]
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

        def until_over() -> None:
            try:
                for change in () if is_finished(self._workflow) else flow:
                    if change.deleted or is_finished(change.object):
                        break
            except NbflowError as error:
                put(error)
            pods.close()

        threading.Thread(target=until_over, name=f"nbflow end {self._name}", daemon=True).start()
        try:
            for change in pods:
                if not change.deleted:
                    self._start_reader(change.object, put, threads)
            # What started between the last event and the end has written something, too.
            if not self._closed.is_set():
                for pod in self._in_order(self._api.list(POD, labels=f"{LABEL}={self._name}").items):
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


def _started(pod: JSONObject) -> str:
    status, metadata = _mapping(pod.get("status")), _mapping(pod.get("metadata"))
    return str(status.get("startTime") or metadata.get("creationTimestamp") or "")
