"""Log lines of the pods of a workflow in a cluster: of many at once, across connections that end, and of those gone."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import cached_property

from nbflow.clients.argo_archived import ARGOS_OWN, Archived, ArchivedLogs
from nbflow.clients.argo_nodes import is_finished, is_offloaded, nodes_of, typed
from nbflow.clients.argo_podlog import PodLog
from nbflow.clients.argo_readers import Readers
from nbflow.clients.client import LogLine, LogOptions
from nbflow.clients.selectors import parse_pattern
from nbflow.errors import NbflowError, NotFoundError
from nbflow.kube.api import Api
from nbflow.kube.refusals import ForbiddenError, UnauthorizedError
from nbflow.kube.resources import POD, WORKFLOW, JSONObject
from nbflow.kube.watch import Watch
from nbflow.spec.status import NodeStatus
from nbflow.views.podnames import pod_name

LABEL = "workflows.argoproj.io/workflow"
_NOT_STARTED, _OVER = {"", "Pending"}, {"Succeeded", "Failed"}
_WAITING_AT_MOST = 4096
_FEW = 4


class WorkflowLogs:
    """nbflow.clients.Client.logs for a cluster. `close` ends it at once, from any thread."""

    def __init__(self, api: Api, name: str, options: LogOptions, archived: Archived) -> None:
        self._api, self._options = api, options
        self._workflow = api.get(WORKFLOW, name)
        self._name = name
        self._wanted = self._pods(options.pods)
        self._archived = ArchivedLogs(archived, options, self._wanted)
        self._pattern = parse_pattern(options.grep)
        self._closed = threading.Event()
        self._arrived: queue.Queue[LogLine | Exception | None] = queue.Queue(_WAITING_AT_MOST)
        self._readers = Readers(self._put, self._closed)
        self._lines = self._follow() if options.follow else self._read()
        self._lock = threading.Lock()
        self._reading: PodLog | None = None
        self._watches: list[Watch] = []
        self._seen: set[str] = set()

    @cached_property
    def _named(self) -> Mapping[str, str]:
        """Node id -> name of its pod, of the nodes there were at the start."""
        return self._named_of(nodes_of(self._workflow))

    def _named_of(self, nodes: Mapping[str, JSONObject]) -> Mapping[str, str]:
        found = typed(self._workflow, nodes=False)
        return {key: pod_name(found, NodeStatus.from_dict(node)) for key, node in nodes.items()}

    def _pods(self, wanted: Sequence[str]) -> frozenset[str]:
        """Names of pods for names or node ids. Raises NotFoundError if there is no such pod.

        Argo before v3.4 named pods by node id, and workflows of that time do not say so: both names are meant.
        """
        nodes = nodes_of(self._workflow) if wanted else {}
        ids = [text for text in wanted if text in nodes]
        if len(ids) == len(wanted):
            return frozenset((*ids, *self._named_of({key: nodes[key] for key in ids}).values()))
        others = {text for text in wanted if text not in nodes} - set(self._named.values())
        if others and not is_offloaded(self._workflow):
            others -= {_name(pod) for pod in self._listed()}
            for name in sorted(others):
                raise NotFoundError(f'pod "{name}" not found', where=f"workflow {self._name}")
        ids_of = {name: node for node, name in self._named.items()}
        return frozenset(
            name for text in wanted for name in (text, self._named.get(text, text), ids_of.get(text, text))
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
        if self._reading is not None:
            self._reading.close()
        self._readers.close()
        with suppress(queue.Full):  # then nobody waits for more
            self._arrived.put_nowait(None)

    def _read(self) -> Iterator[LogLine]:
        """Pod by pod in order of start."""
        pods = self._wanted_pods()
        for pod in self._in_order(pods):
            if _phase(pod) not in _NOT_STARTED:
                yield from self._of_pod(pod)
        yield from self._gone({_name(pod) for pod in pods})
        self._check_some_had()
        self._check_readable()

    def _gone(self, there: AbstractSet[str]) -> Iterator[LogLine]:
        """The archived logs of pods that are not there any more."""
        for pod, lines in self._archived.logs(self._workflow, there | self._seen):
            self._seen.add(pod)
            yield from lines

    def _in_order(self, pods: Iterable[JSONObject]) -> list[JSONObject]:
        """By their start; those of the same second as the workflow has them."""
        pods = list(pods)
        if len(pods) < 2:
            return pods
        numbers = {name: number for number, name in enumerate(self._named.values())}
        return sorted(
            pods, key=lambda pod: (_started(pod), numbers.get(_name(pod), len(numbers)), _name(pod))
        )

    def _of_pod(self, pod: JSONObject) -> Iterator[LogLine]:
        self._seen.add(_name(pod))
        for container in containers_of(pod, self._options.container):
            self._reading = PodLog(self._api, _name(pod), container, self._options)
            try:
                yield from self._reading.lines(self._closed)
            except (ForbiddenError, UnauthorizedError):
                raise
            except NotFoundError:
                self._seen.discard(_name(pod))
            except NbflowError as error:
                self._readers.failures[_name(pod)] = error

    def _check_some_had(self) -> None:
        """Raises NotFoundError if there is nothing at all to show, but was. That some pods are gone is usual."""
        if not self._seen:
            self._archived.check_some_had(self._name)

    def _check_readable(self) -> None:
        """Raises NbflowError for logs that could not be had."""
        for pod, error in self._readers.failures.items():
            others = len(self._readers.failures) - 1
            more = f", nor those of {others} more" if others else ""
            problem = f"the log of pod {pod} cannot be had{more}: {error.problem}"
            raise NbflowError(problem, where=f"workflow {self._name}", fix=error.fix)

    def _follow(self) -> Iterator[LogLine]:
        """As they come, until the workflow is over and every log is complete."""
        threading.Thread(target=self._feed, name=f"nbflow pods {self._name}", daemon=True).start()
        try:
            while (item := self._arrived.get()) is not None and not self._closed.is_set():
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self.close()

    def _feed(self) -> None:
        """All lines, the live ones and those that were archived."""
        try:
            there = self._read_as_they_start()
            self._readers.wait()
            if not self._closed.is_set():
                self._put_rest(there - self._readers.lost)
                self._put(None)
        except Exception as error:  # noqa: BLE001  # raised again by who waits
            self._put(error)

    def _put(self, item: LogLine | Exception | None) -> None:
        while not self._closed.is_set():
            with suppress(queue.Full):
                self._arrived.put(item, timeout=0.5)
                return

    def _put_rest(self, there: AbstractSet[str]) -> None:
        """What is archived of pods that came and went meanwhile."""
        self._seen -= self._readers.lost
        was_over = is_finished(self._workflow)
        with suppress(NotFoundError):  # it was deleted: what is gone is gone
            self._workflow = self._api.get(WORKFLOW, self._name)
            self._put_gone(there)
        if was_over:
            self._check_some_had()
        self._check_readable()

    def _put_gone(self, there: AbstractSet[str]) -> None:
        for line in self._gone(there):
            if self._closed.is_set():
                return
            self._put(line)

    def _read_as_they_start(self) -> frozenset[str]:
        """Read each container that runs, as soon as it runs, until the workflow is over. The pods that are left."""
        flow = Watch(self._api, WORKFLOW, fields=f"metadata.name={self._name}")
        flow.know(self._workflow)
        pods = Watch(self._api, POD, labels=f"{LABEL}={self._name}")
        with self._lock:
            self._watches += [pods, flow]
        gone = threading.Thread(
            target=self._put_gone, args=(self._take_all(),), name=f"nbflow gone {self._name}", daemon=True
        )
        gone.start()
        threading.Thread(
            target=self._until_over, args=(flow, pods), name=f"nbflow end {self._name}", daemon=True
        ).start()
        for change in pods:
            self._take(change.object, deleted=change.deleted)
        # What started between the last event and the end has written something, too.
        left = frozenset() if self._closed.is_set() else self._take_all()
        self._readers.all_over()
        gone.join()
        return left

    def _until_over(self, flow: Watch, pods: Watch) -> None:
        try:
            for change in () if is_finished(self._workflow) else flow:
                if change.deleted or is_finished(change.object):
                    break
        except NbflowError as error:
            self._put(error)
        pods.close()

    def _take_all(self) -> frozenset[str]:
        pods = self._wanted_pods()
        for pod in self._in_order(pods):
            self._take(pod)
        return frozenset(map(_name, pods))

    def _listed(self, fields: str = "") -> Sequence[JSONObject]:
        return self._api.list(POD, labels=f"{LABEL}={self._name}", fields=fields).items

    def _wanted_pods(self) -> Sequence[JSONObject]:
        """Few are asked for by name: a workflow may have thousands of others."""
        if 0 < len(self._wanted) <= _FEW:
            return [pod for name in self._wanted for pod in self._listed(f"metadata.name={name}")]
        return [pod for pod in self._listed() if self._is_wanted(pod)]

    def _take(self, pod: JSONObject, *, deleted: bool = False) -> None:
        """What became of a pod: it runs, and its logs are read from now on; or they are complete."""
        name, over = _name(pod), deleted or _phase(pod) in _OVER
        if _phase(pod) not in _NOT_STARTED and name not in self._seen and self._is_wanted(pod):
            self._seen.add(name)
            for container in containers_of(pod, self._options.container):
                self._readers.add(PodLog(self._api, name, container, self._options, over=over))
        elif over:
            self._readers.over(name)

    def _is_wanted(self, pod: JSONObject) -> bool:
        return not self._wanted or _name(pod) in self._wanted


def containers_of(pod: JSONObject, wanted: str) -> list[str]:
    """The containers whose logs are meant. A pod of a container set has no "main": all of the user's, then."""
    found = _mapping(pod.get("spec")).get("containers")
    names = [str(_mapping(one).get("name")) for one in found] if isinstance(found, list) else []
    if wanted and (wanted != "main" or wanted in names or not names):
        return [wanted]
    return [name for name in names if name not in ARGOS_OWN]


def _mapping(value: object) -> JSONObject:
    return value if isinstance(value, Mapping) else {}


def _name(pod: JSONObject) -> str:
    return str(_mapping(pod.get("metadata")).get("name", ""))


def _phase(pod: JSONObject) -> str:
    return str(_mapping(pod.get("status")).get("phase") or "")


def _started(pod: JSONObject) -> str:
    status, metadata = _mapping(pod.get("status")), _mapping(pod.get("metadata"))
    return str(status.get("startTime") or metadata.get("creationTimestamp") or "")
