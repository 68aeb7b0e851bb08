"""The logs of pods that are gone, as far as Argo archived them (archiveLogs): artifacts of their nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from nbflow.clients.argo_nodes import nodes_of, typed
from nbflow.clients.client import LogLine, LogOptions
from nbflow.errors import NbflowError, NotFoundError
from nbflow.kube.resources import JSONObject
from nbflow.spec.status import NodeStatus, NodeType, artifacts_by_name
from nbflow.views.podnames import pod_name, pod_names

Archived = Callable[[JSONObject, str, str], bytes]
"""(workflow, node id, artifact) -> a log that was archived. Raises NbflowError if it is out of reach."""
ARGOS_OWN = ("wait", "init", "supervisor")
_LOGS = "-logs"


class ArchivedLogs:
    """fetch: reads one. wanted: names of pods, empty for all."""

    def __init__(self, fetch: Archived, options: LogOptions, wanted: frozenset[str]) -> None:
        self._fetch, self._options, self._wanted = fetch, options, wanted
        self._missing: dict[str, NbflowError | None] = {}

    def logs(self, workflow: JSONObject, there: AbstractSet[str]) -> Iterator[tuple[str, list[LogLine]]]:
        """Pod and lines, of those that ended and are not `there`. What cannot be had is remembered."""
        from nbflow.artifacts.driver import ArtifactNotFound

        unreachable = None
        for pod, node in self._gone(workflow, there):
            self._missing[pod] = unreachable
            if unreachable is not None:
                continue  # the same place, which would be waited for again
            try:
                lines = self._lines(workflow, pod, node)
            except ArtifactNotFound as error:
                self._missing[pod] = error
            except NbflowError as error:
                self._missing[pod] = unreachable = error
            else:
                if lines is not None:
                    del self._missing[pod]
                    yield pod, lines

    def _gone(self, workflow: JSONObject, there: AbstractSet[str]) -> Iterator[tuple[str, NodeStatus]]:
        found = typed(workflow, nodes=False)
        for key, data in nodes_of(workflow).items():
            if data.get("type") != NodeType.POD.value or (self._wanted and key not in self._wanted):
                continue
            node = NodeStatus.from_dict(data)
            if _had_pod(node) and not there & pod_names(found, node):
                yield pod_name(found, node), node

    def check_some_had(self, name: str) -> None:
        """Raises NotFoundError if logs are missing: for when there is nothing else to show. Some are often gone."""
        if not self._missing:
            return
        pods, where = list(self._missing), f"workflow {name}"
        said = ", ".join(pods[:3]) + (f" and {len(pods) - 3} more" if len(pods) > 3 else "")
        for reason in self._missing.values():
            if reason is not None:
                problem = (
                    f"the pods are gone ({said}), and their archived logs are out of reach: {reason.problem}"
                )
                raise NotFoundError(problem, where=where, fix=reason.fix)
        fix = "set `podGC.strategy` to keep pods, or `archiveLogs: true` where artifacts have a repository"
        raise NotFoundError(f"the pods are gone, and their logs with them: {said}", where=where, fix=fix)

    def _lines(self, workflow: JSONObject, pod: str, node: NodeStatus) -> list[LogLine] | None:
        """What was kept of a pod's log, None if nothing was. Raises NbflowError if it is out of reach."""
        found: list[LogLine] | None = None
        for container in _containers(node, self._options.container):
            data = self._fetch(workflow, node.id, container + _LOGS)
            texts = data.decode(errors="replace").splitlines()
            if self._options.tail is not None:
                texts = texts[len(texts) - self._options.tail :] if self._options.tail else []
            found = [*(found or ()), *(LogLine(pod, container, text) for text in texts)]
        return found


def _had_pod(node: NodeStatus) -> bool:
    """Whether a pod ran for it and has ended. One whose outputs were remembered (memoize) had none."""
    memoization = node.extra.get("memoizationStatus")
    remembered = isinstance(memoization, Mapping) and memoization.get("hit")
    ended = node.phase is not None and node.phase.finished
    return ended and node.started_at is not None and not remembered


def _containers(node: NodeStatus, wanted: str) -> Sequence[str]:
    """The containers whose logs were archived, as far as they are wanted."""
    names = [name.removesuffix(_LOGS) for name in artifacts_by_name(node.outputs) if name.endswith(_LOGS)]
    if wanted and (wanted != "main" or wanted in names):
        return [name for name in names if name == wanted]
    return [name for name in names if name not in ARGOS_OWN]
