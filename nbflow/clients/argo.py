"""Workflows in a cluster that runs Argo: the client of the Kubernetes API. Changes are those of Argo's command line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from nbflow.clients.argo_fields import completed
from nbflow.clients.argo_logs import WorkflowLogs
from nbflow.clients.argo_nodes import is_finished, is_offloaded, name_of, nodes_of, pack, typed, whole
from nbflow.clients.argo_watching import WorkflowWatch, latest
from nbflow.clients.client import LogLine, LogOptions, Request, Selection, Stored, WorkflowUpdate
from nbflow.clients.submitting import name_suffix
from nbflow.errors import ConflictError, NbflowError, NotFoundError
from nbflow.kube.access import Cluster
from nbflow.kube.api import Api, Pauses
from nbflow.kube.resources import POD, SECRET, WORKFLOW, JSONObject, resource_of
from nbflow.revise.node_set import NodeValues, is_suspended, resume, set_nodes
from nbflow.spec.status import WorkflowObject, artifacts_by_name, parameter_values

if TYPE_CHECKING:
    from pathlib import Path

    from nbflow.artifacts.credentials import Secrets
    from nbflow.artifacts.driver import Artifact
    from nbflow.revise.resubmit import ResubmitOptions
    from nbflow.revise.retry import RetryOptions

T = TypeVar("T")

LATEST = "@latest"
INSTANCE = "workflows.argoproj.io/controller-instanceid"
_COMPLETED, _PHASE = "workflows.argoproj.io/completed", "workflows.argoproj.io/phase"
_TRIES = 5


class ArgoClient:
    """nbflow.clients.Client for a cluster.

    instance_id: of the controller that is to take the workflows, where a cluster has several; "" for the one without.
    """

    def __init__(
        self, cluster: Cluster = Cluster(), *, instance_id: str = "", api: Api | None = None
    ) -> None:
        self.target = "argo"
        self.instance_id = instance_id
        self._cluster = cluster
        self._opened = api
        self._elsewhere: dict[str, Api] = {}

    @property
    def api(self) -> Api:
        """The cluster, opened when first asked. Raises NbflowError if there is no way in."""
        if self._opened is None:
            self._opened = Api(self._cluster)
        return self._opened

    @property
    def namespace(self) -> str:
        """The namespace that the workflows are in."""
        return self.api.namespace

    def within(self, namespace: str) -> ArgoClient:
        """The same cluster, asked for another namespace."""
        if namespace in {"", self.namespace}:
            return self
        return ArgoClient(self._cluster, instance_id=self.instance_id, api=self.api.within(namespace))

    def submit(self, workflow: Mapping[str, object]) -> WorkflowObject:
        api = self._api_for(workflow)
        submitted = typed(api.create(WORKFLOW, self._labelled(workflow)))
        if api.namespace != self.namespace:
            self._elsewhere[submitted.name] = api
        return submitted

    def try_submit(self, workflow: Mapping[str, object]) -> Mapping[str, object]:
        """The Workflow as the server would store it, checked by it and not stored (a server's dry run)."""
        return self._api_for(workflow).create(WORKFLOW, self._labelled(workflow), dry_run=True)

    def get(self, name: str) -> WorkflowObject:
        return typed(self._find(name))

    def list(self, selection: Selection = Selection()) -> Sequence[WorkflowObject]:
        labels, fields = self._selector(selection), selection.fields
        items = self.api.list(
            WORKFLOW, labels=labels, fields=fields, all_namespaces=selection.all_namespaces
        ).items
        chosen = (one for one in items if name_of(one).startswith(selection.prefix))
        found = [typed(one, nodes=selection.whole) for one in chosen]
        found.sort(key=lambda one: (str(one.metadata.get("creationTimestamp", "")), one.name), reverse=True)
        return found if selection.limit is None else found[: selection.limit]

    def watch(self, name: str) -> Iterator[WorkflowUpdate]:
        return WorkflowWatch(self._api_of(name), self._name(name))

    def logs(self, name: str, options: LogOptions = LogOptions()) -> Iterator[LogLine]:
        return WorkflowLogs(self._api_of(name), self._name(name), options, self._stored)

    def ask(self, name: str, request: Request) -> WorkflowObject:
        found = self._find(name)
        self._check_managed(found)
        change = {"stop": self._shut_down, "terminate": self._shut_down, "suspend": self._suspend}.get(
            request.verb
        )
        if request.nodes or request.verb == "set":
            self._set_nodes(name_of(found), request)
        elif change is not None:
            change(name_of(found), request.verb)
        elif request.verb == "resume":
            self._update(name_of(found), "Resume", self._resumed)
        else:
            raise NbflowError(f"unknown request {request.verb!r}")
        return self.get(name_of(found))

    def retry(self, name: str, options: RetryOptions) -> WorkflowObject:
        """Run what failed once more, in the same workflow. Raises ConflictError if its phase does not allow it."""
        from nbflow.revise.retry import retry
        from nbflow.views.podnames import pod_name
        from nbflow.views.selector import matches, parse_selector

        found = whole(self._find(name))
        self._check_managed(found)
        seen = typed(found)
        terms = parse_selector(options.node_field_selector)
        chosen = {node.id for node in seen.status.nodes.values() if terms and matches(terms, node)}
        retried = retry(found, options, datetime.now(UTC), chosen=chosen)
        for node in retried.pods:
            self._forget_pod(self._api_of(name), pod_name(seen, seen.status.nodes[str(node["id"])]))
        return typed(self._api_of(name).replace(WORKFLOW, pack(self._acted(retried.workflow, "Retry"))))

    def resubmit(self, name: str, options: ResubmitOptions) -> WorkflowObject:
        """Run it all once more, as a new workflow."""
        from nbflow.revise.resubmit import resubmit

        found = self._find(name)
        self._check_managed(found)
        old = whole(found) if options.memoized else found
        new = resubmit(old, options, datetime.now(UTC), suffix=name_suffix())
        again = typed(self._api_of(name).create(WORKFLOW, pack(self._created(new))))
        if name in self._elsewhere:
            self._elsewhere[again.name] = self._elsewhere[name]
        return again

    def delete(self, name: str) -> None:
        found = self._find(name)
        self._check_managed(found)
        self._api_of(name).delete(WORKFLOW, name_of(found))

    def create(self, manifest: Mapping[str, object]) -> Stored:
        kind, name = str(manifest.get("kind") or ""), name_of(manifest)
        resource = resource_of(kind)
        labelled = self._labelled(manifest) if resource.group else manifest
        api = self._api_for(manifest) if resource.namespaced else self.api
        try:
            stored = api.create(resource, labelled)
        except ConflictError:
            stored = api.get(resource, name)
            return Stored(kind, name, existed=True, object=_shown(kind, stored))
        return Stored(kind, name_of(stored), object=_shown(kind, stored))

    def replace(self, manifest: Mapping[str, object]) -> Stored:
        """Put a manifest in place of the object of its kind and name (template update). Raises NotFoundError."""
        kind, name = str(manifest.get("kind") or ""), name_of(manifest)
        resource = resource_of(kind)
        old = _mapping(self.api.get(resource, name).get("metadata"))
        metadata = {**_mapping(manifest.get("metadata")), "resourceVersion": old.get("resourceVersion")}
        labelled = self._labelled({**manifest, "metadata": metadata})
        body = {"apiVersion": resource.api_version, "kind": kind, **labelled}
        return Stored(kind, name, existed=True, object=self.api.replace(resource, body))

    def merge(self, kind: str, name: str, patch: Mapping[str, object]) -> Stored:
        """Change some fields of an object (cron suspend, cron resume). Raises NotFoundError."""
        return Stored(kind, name, existed=True, object=self.api.patch(resource_of(kind), name, patch))

    def objects(self, kind: str, selection: Selection = Selection()) -> Sequence[Mapping[str, object]]:
        resource = resource_of(kind)
        labels = ",".join(filter(None, (selection.labels, self._instance() if resource.group else "")))
        everywhere = selection.all_namespaces
        listing = self.api.list(resource, labels=labels, fields=selection.fields, all_namespaces=everywhere)
        return [_shown(kind, one) for one in listing.items]

    def get_object(self, kind: str, name: str) -> Mapping[str, object]:
        return _shown(kind, self.api.get(resource_of(kind), name))

    def delete_object(self, kind: str, name: str) -> None:
        self.api.delete(resource_of(kind), name)

    def artifact(self, name: str, node_id: str, artifact: str) -> bytes:
        return self._stored(self._find(name), node_id, artifact)

    def copy_artifact(self, name: str, node_id: str, artifact: str, target: Path) -> None:
        """Put an artifact at `target`, a file or a folder, without holding it in memory."""
        from nbflow.clients.artifacts import copy_artifact

        found = self._find(name)
        self._with_artifact(
            found, node_id, artifact, lambda one, keys: copy_artifact(one, keys, None, target)
        )

    def store_artifact(
        self, source: Path, artifact: Mapping[str, object], workflow: Mapping[str, object]
    ) -> None:
        """Put a file or folder into the repository that the workflow will use, under the artifact's key."""
        from nbflow.clients.argo_uploads import store

        store(self._api_for(workflow), workflow, artifact, source)

    def notices(self) -> Sequence[str]:
        """The warnings of the API server, as kubectl words them: each is given once."""
        return [f"Warning: {text}" for text in self._opened.warnings()] if self._opened else []

    # --- reading

    def _find(self, name: str) -> JSONObject:
        if name == LATEST:
            return latest([*self.api.list(WORKFLOW, labels=self._instance()).items])
        return self._api_of(name).get(WORKFLOW, name)

    def _api_of(self, name: str) -> Api:
        """The namespace of a workflow: one that this client put elsewhere is found there again."""
        return self._elsewhere.get(name) or self.api

    def _api_for(self, manifest: JSONObject) -> Api:
        """The namespace that a manifest names, else the client's."""
        named = str(_mapping(manifest.get("metadata")).get("namespace") or "")
        return self.api.within(named) if named and named != self.namespace else self.api

    def _name(self, name: str) -> str:
        return name_of(self._find(name)) if name == LATEST else name

    def _instance(self) -> str:
        return f"{INSTANCE}={self.instance_id}" if self.instance_id else f"!{INSTANCE}"

    def _selector(self, selection: Selection) -> str:
        """As `argo list` chooses: by the labels that the controller keeps current."""
        terms = [selection.labels, self._instance()]
        if selection.phases:
            terms.append(f"{_PHASE} in ({','.join(selection.phases)})")
        if selection.completed:
            terms.append(f"{_COMPLETED}=true")
        if selection.running:
            terms.append(f"{_COMPLETED}!=true")
        return ",".join(term for term in terms if term)

    def _check_managed(self, workflow: JSONObject) -> None:
        labels = _mapping(_mapping(workflow.get("metadata")).get("labels"))
        if str(labels.get(INSTANCE) or "") != self.instance_id:
            other = labels.get(INSTANCE)
            raise NbflowError(
                f"'{name_of(workflow)}' is managed by another controller",
                fix=f"--instanceid {other}" if other else "leave out --instanceid",
            )

    def _stored(self, workflow: JSONObject, node_id: str, artifact: str) -> bytes:
        """The bytes of an artifact. Raises NbflowError if they are out of reach."""
        from nbflow.clients.artifacts import read_artifact

        return self._with_artifact(workflow, node_id, artifact, read_artifact)

    def _with_artifact(
        self, workflow: JSONObject, node_id: str, artifact: str, move: Callable[[Artifact, Secrets], T]
    ) -> T:
        from nbflow.clients.argo_artifacts import reach

        node = _mapping(nodes_of(workflow).get(node_id))
        inputs, outputs = (artifacts_by_name(_mapping(node.get(side))) for side in ("inputs", "outputs"))
        known = outputs.get(artifact) or inputs.get(artifact)
        if known is None:
            where = f"node {node_id} of {name_of(workflow)}"
            raise NotFoundError(f'artifact "{artifact}" not found', where=where)
        return reach(self._api_for(workflow), workflow, node, known, move)

    # --- changing

    def _labelled(self, manifest: JSONObject) -> dict[str, object]:
        """The manifest with the labels of the controller that it is for, and of who creates it."""
        return self._created(_with_labels(completed(manifest), {INSTANCE: self.instance_id or None}))

    def _created(self, manifest: JSONObject) -> dict[str, object]:
        return _with_labels(manifest, self.api.access.identity.creator_labels())

    def _acted(self, workflow: JSONObject, action: str) -> dict[str, object]:
        return _with_labels(workflow, self.api.access.identity.actor_labels(action))

    def _shut_down(self, name: str, verb: str) -> None:
        strategy = {"stop": "Stop", "terminate": "Terminate"}[verb]
        api = self._api_of(name)
        if is_finished(api.get(WORKFLOW, name)):
            raise ConflictError(
                f'cannot shutdown a completed workflow: workflow: "{name}", namespace: "{api.namespace}"'
            )
        labels = {k: v for k, v in self.api.access.identity.actor_labels(strategy).items() if v}
        patch: dict[str, object] = {"spec": {"shutdown": strategy}}
        api.patch(WORKFLOW, name, {**patch, "metadata": {"labels": labels}} if labels else patch)

    def _suspend(self, name: str, _: str) -> None:
        def changed(workflow: JSONObject) -> JSONObject | None:
            if is_finished(workflow):
                raise ConflictError("cannot suspend completed workflows", where=f"workflow {name}")
            spec = _mapping(workflow.get("spec"))
            return None if spec.get("suspend") else {**workflow, "spec": {**spec, "suspend": True}}

        self._update(name, "Suspend", changed)

    def _resumed(self, workflow: JSONObject) -> JSONObject | None:
        if is_offloaded(workflow) and not _mapping(workflow.get("spec")).get("suspend"):
            whole(workflow)
        known = workflow if is_offloaded(workflow) else whole(workflow)
        return resume(known, datetime.now(UTC), by=self.api.access.identity.described())

    def _set_nodes(self, name: str, request: Request) -> None:
        action = {"resume": "Resume", "stop": "Stop"}.get(request.verb, "")
        phase = {"resume": "Succeeded", "stop": "Failed"}.get(request.verb, request.phase)
        by = self.api.access.identity.described()
        message = f"Resumed by: {by}" if request.verb == "resume" and by else request.message
        values = NodeValues(phase, message, parameter_values(request.outputs))

        def changed(workflow: JSONObject) -> JSONObject:
            known = whole(workflow)
            chosen = request.nodes or [k for k, node in nodes_of(known).items() if is_suspended(node)]
            return set_nodes(known, chosen, values, datetime.now(UTC))

        self._update(name, action, changed)

    def _update(self, name: str, action: str, change: Callable[[JSONObject], JSONObject | None]) -> None:
        """Read, change, write; from the start if somebody else, such as the controller, wrote in between."""
        api, pauses = self._api_of(name), Pauses()
        while True:
            workflow = api.get(WORKFLOW, name)
            changed = change(workflow)
            if changed is None:
                return
            acted = self._acted(changed, action)
            body = acted if is_offloaded(workflow) else pack(acted)
            try:
                api.replace(WORKFLOW, body)
            except ConflictError:
                if pauses.taken >= _TRIES:
                    raise
                time.sleep(pauses.next())
            else:
                return

    @staticmethod
    def _forget_pod(api: Api, pod: str) -> None:
        try:
            api.delete(POD, pod)
        except NotFoundError:
            return


def _with_labels(manifest: JSONObject, labels: Mapping[str, str | None]) -> dict[str, object]:
    """The object with these labels; those that are None are taken off."""
    metadata = dict(_mapping(manifest.get("metadata")))
    merged = {**_mapping(metadata.get("labels")), **labels}
    kept = {key: value for key, value in merged.items() if value is not None}
    metadata["labels"] = kept
    if not kept:
        del metadata["labels"]
    return {**manifest, "metadata": metadata}


def _shown(kind: str, stored: JSONObject) -> JSONObject:
    """An object without what nobody is to see: the data of a Secret, also where kubectl keeps a copy of it."""
    if kind != SECRET.kind:
        return stored
    return {key: value for key, value in stored.items() if key in {"apiVersion", "kind", "type"}} | {
        "metadata": {
            key: value
            for key, value in _mapping(stored.get("metadata")).items()
            if key not in {"annotations", "managedFields"}
        }
    }


def _mapping(value: object) -> JSONObject:
    return value if isinstance(value, Mapping) else {}
