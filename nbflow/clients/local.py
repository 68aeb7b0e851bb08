"""Workflows on this machine: the client of the store, with a controller that it starts when needed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nbflow.clients.client import LogLine, LogOptions, Request, Selection, Stored, WorkflowUpdate
from nbflow.clients.logs import logs
from nbflow.clients.selectors import labels_of, parse_fields, parse_selector
from nbflow.clients.starting import starter_of
from nbflow.clients.submitting import name_suffix, new_uid, prepare_submit, with_ours, without_ours
from nbflow.clients.waiting import wait_for
from nbflow.clients.watching import watch
from nbflow.errors import ConflictError, NbflowError, NotFoundError
from nbflow.spec.naming import is_name
from nbflow.spec.status import WorkflowObject, artifacts_by_name, format_time
from nbflow.store import LATEST, Home, Store, open_store
from nbflow.store.connection import is_made
from nbflow.store.objects import merged, object_not_found, replaced, without_secrets
from nbflow.store.presence import Lock, controller_of, is_listening
from nbflow.store.rows import JsonObject

if TYPE_CHECKING:
    from nbflow.revise.resubmit import ResubmitOptions
    from nbflow.revise.retry import RetryOptions

CRON = "CronWorkflow"
DELETE = "delete"
RETRY = "retry"

_TAKE_IN_SECONDS = 60.0
_DELETE_SECONDS = 120.0
_RUNNING = ("", "Pending", "Running")


class LocalClient:
    """nbflow.clients.Client for this machine. target: which runtime runs the pods of what it submits."""

    def __init__(self, target: str = "sandbox", home: Home | None = None) -> None:
        self.target = target
        self.home = home or Home.default()
        self._starter = starter_of(self.home)

    def prepare(self) -> None:
        """A submit may follow: start what takes long beside the caller's own work. Leaves no trace if none does."""
        self._starter.prepare()

    def close(self) -> None:
        """Let go of what `prepare` started."""
        self._starter.close()

    def submit(self, workflow: Mapping[str, object]) -> WorkflowObject:
        return self._submit(workflow, None)

    def _submit(self, workflow: Mapping[str, object], status: object) -> WorkflowObject:
        now = datetime.now(UTC)
        row = prepare_submit(workflow, self.target, now, status)
        with self._store() as store:
            key = store.submit(row, format_time(now))
            try:
                self._have_taken_in(store, key)
            except NbflowError:
                self._withdraw(store, key)
                raise
            return store.find(row.name).object()

    def _have_taken_in(self, store: Store, key: int) -> None:
        self._starter.ensure(store)
        wait_for(
            lambda: store.sequence(key) or None,
            store,
            self._starter,
            what="take the workflow in",
            seconds=_TAKE_IN_SECONDS,
        )

    def _withdraw(self, store: Store, key: int) -> None:
        """What was refused does not stay, unless there is a controller after all: it may be about to take it in."""
        lock = Lock(self.home)
        with suppress(NbflowError, OSError):
            if lock.take():
                try:
                    store.withdraw(key)
                finally:
                    lock.release()

    def get(self, name: str) -> WorkflowObject:
        with self._reading(name) as store:
            snapshot, nodes = store.find_with_nodes(name)
            return snapshot.object(nodes)

    def list(self, selection: Selection = Selection()) -> Sequence[WorkflowObject]:
        chosen, has_fields = _choice(selection), parse_fields(selection.fields)
        if not is_made(self.home):
            return []
        found: list[WorkflowObject] = []
        with self._store() as store:
            self._look_after(store)
            for key, name, phase, labels in store.listing():
                if selection.limit is not None and len(found) >= selection.limit:
                    break
                if not chosen(name, phase, labels) or not (snapshot := store.by_key(key)):
                    continue
                if has_fields(workflow := snapshot.object()):
                    found.append(self.get(name) if selection.whole else workflow)
        return found

    def watch(self, name: str) -> Iterator[WorkflowUpdate]:
        self._require_store(name)
        return watch(self._store(), self._starter, name)

    def logs(self, name: str, options: LogOptions = LogOptions()) -> Iterator[LogLine]:
        self._require_store(name)
        return logs(self._store(), self._starter, name, options)

    def ask(self, name: str, request: Request) -> WorkflowObject:
        body = {
            "nodes": list(request.nodes),
            "message": request.message,
            "phase": request.phase,
            "outputs": request.outputs,
        }
        with self._reading(name) as store:
            snapshot = store.find(name)
            self._request(store, snapshot.key, request.verb, body, _TAKE_IN_SECONDS)
            return store.find(snapshot.name).object()

    def retry(self, name: str, options: RetryOptions) -> WorkflowObject:
        """Run what failed once more, in the same workflow. Raises ConflictError if its phase does not allow it."""
        from nbflow.views.selector import matches, parse_selector

        terms = parse_selector(options.node_field_selector)
        with self._reading(name) as store:
            snapshot, nodes = store.find_with_nodes(name)
            chosen = [node.id for node in nodes.values() if terms and matches(terms, node)]
            body = {**options.to_dict(), "nodes": chosen}
            self._request(store, snapshot.key, RETRY, body, _DELETE_SECONDS)
            return store.find(snapshot.name).object()

    def resubmit(self, name: str, options: ResubmitOptions) -> WorkflowObject:
        """Run it all once more, as a new workflow."""
        from nbflow.revise.resubmit import resubmit

        old = self.get(name)
        new = resubmit(old.to_dict(), options, datetime.now(UTC), suffix=name_suffix())
        return self._submit({**new, "metadata": without_ours(new["metadata"])}, new.get("status"))

    def delete(self, name: str) -> None:
        with self._reading(name) as store:
            self._request(store, store.find(name).key, DELETE, {}, _DELETE_SECONDS)

    def create(self, manifest: Mapping[str, object]) -> Stored:
        kind = str(manifest.get("kind") or "")
        given = manifest.get("metadata")
        metadata = dict(given) if isinstance(given, Mapping) else {}
        name = str(metadata.get("name") or "")
        if not kind or not name:
            raise NbflowError(f"{kind or 'an object'} without a {'name' if kind else 'kind'}", fix="add it")
        if not is_name(name):
            fix = "lower case letters, digits, '-' and '.', for example my-secret"
            raise NbflowError(f"{name!r} is no name for a {kind}", fix=fix)
        metadata.setdefault("uid", new_uid())
        metadata.setdefault("creationTimestamp", format_time(datetime.now(UTC)))
        manifest = self._owned(kind, {**manifest, "metadata": metadata})
        with self._store() as store:
            created = store.objects.create(kind, name, manifest)
            stored = store.objects.get(kind, name)
            self._see_to_crons(kind, store)
        return Stored(kind, name, existed=not created, object=without_secrets(stored or {}))

    def replace(self, manifest: Mapping[str, object]) -> Stored:
        """Put a manifest in place of the object of its kind and name (template update). Raises NotFoundError."""
        kind = str(manifest.get("kind") or "")
        return self._change_object(kind, manifest, replaced(self._owned(kind, manifest)))

    def merge(self, kind: str, name: str, patch: Mapping[str, object]) -> Stored:
        """Change some fields of an object (cron suspend, cron resume). Raises NotFoundError."""
        return self._change_object(kind, {"metadata": {"name": name}}, lambda old: merged(old, patch))

    def _owned(self, kind: str, manifest: Mapping[str, object]) -> Mapping[str, object]:
        """A cron workflow says for which Python and target its workflows are meant."""
        metadata = manifest.get("metadata")
        if kind != CRON or not isinstance(metadata, Mapping):
            return manifest
        return {**manifest, "metadata": with_ours(metadata, self.target)}

    def _see_to_crons(self, kind: str, store: Store) -> None:
        """A cron workflow needs a controller that waits for its time."""
        if kind == CRON:
            self._starter.ensure(store)
            wait_for(
                lambda: is_listening(self.home) or None,
                store,
                self._starter,
                what="come up",
                seconds=_TAKE_IN_SECONDS,
            )

    def _change_object(
        self, kind: str, named: Mapping[str, object], change: Callable[[JsonObject], JsonObject]
    ) -> Stored:
        metadata = named.get("metadata")
        name = str(metadata.get("name") or "") if isinstance(metadata, Mapping) else ""
        if not is_made(self.home):
            raise object_not_found(kind, name)
        with self._store() as store:
            stored = store.objects.change(kind, name, change)
            self._see_to_crons(kind, store)
        return Stored(kind, name, existed=True, object=without_secrets(stored))

    def objects(self, kind: str, selection: Selection = Selection()) -> Sequence[Mapping[str, object]]:
        meets = parse_selector(selection.labels)
        if not is_made(self.home):
            return []
        with self._store() as store:
            return [one for one in store.objects.list(kind) if meets(labels_of(one))]

    def get_object(self, kind: str, name: str) -> Mapping[str, object]:
        found = None
        if is_made(self.home):
            with self._store() as store:
                found = store.objects.get(kind, name)
        if found is None:
            raise object_not_found(kind, name)
        return without_secrets(found)

    def delete_object(self, kind: str, name: str) -> None:
        if not is_made(self.home):
            raise object_not_found(kind, name)
        with self._store() as store:
            store.objects.delete(kind, name)
        if kind == "PersistentVolumeClaim":
            shutil.rmtree(self.home.claim(name), ignore_errors=True)

    def artifact(self, name: str, node_id: str, artifact: str) -> bytes:
        from nbflow.clients.artifacts import read_artifact

        with self._reading(name) as store:
            found = _artifact(store, name, node_id, artifact)
            return read_artifact(found, store.objects.secret, self.home.artifacts)

    def copy_artifact(self, name: str, node_id: str, artifact: str, target: Path) -> None:
        """Put an output artifact at `target`, a file or a folder; what was there goes."""
        from nbflow.clients.artifacts import copy_artifact

        with self._reading(name) as store:
            found = _artifact(store, name, node_id, artifact)
            copy_artifact(found, store.objects.secret, self.home.artifacts, target)

    def store_artifact(
        self,
        source: Path,
        artifact: Mapping[str, object],
        workflow: Mapping[str, object],  # noqa: ARG002
    ) -> None:
        """Put a file or folder into the repository of this home, under the artifact's key."""
        from nbflow.artifacts import driver_for

        with self._store():
            driver_for(artifact, self.home.artifacts).save(source, artifact, take=False)

    def notices(self) -> Sequence[str]:
        """What users should know of this machine and were not told yet: each is given once."""
        if not is_made(self.home):
            return []
        with self._store() as store:
            return store.take_notices()

    def trouble(self) -> str:
        """Why unfinished workflows do not go on right now, "" if they do. Never raises."""
        running = controller_of(self.home)
        if running is not None:
            return running.trouble
        with suppress(NbflowError):
            if is_made(self.home) and not is_listening(self.home):
                with self._store() as store:
                    if store.has_work():
                        return "their controller had ended; another one is started"
        return ""

    def _store(self) -> Store:
        return open_store(self.home)

    @contextmanager
    def _reading(self, name: str) -> Iterator[Store]:
        """The store, without making one only to find it empty; unfinished work goes on."""
        self._require_store(name)
        with self._store() as store:
            self._look_after(store)
            yield store

    def _require_store(self, name: str) -> None:
        if not is_made(self.home):
            if name == LATEST:
                raise NotFoundError("no workflows found", fix="submit one first")
            raise NotFoundError(
                f'workflows.argoproj.io "{name}" not found', fix="`nbflow list` shows those there are"
            )

    def _look_after(self, store: Store) -> None:
        """Whatever verb is used: workflows whose controller was killed go on."""
        if not is_listening(self.home) and store.has_work():
            self._starter.ensure(store)

    def _request(self, store: Store, key: int, verb: str, body: Mapping[str, object], seconds: float) -> None:
        request = store.request(key, verb, body)
        self._starter.ensure(store)
        answer = wait_for(
            lambda: store.take_answer(request), store, self._starter, what=f"answer `{verb}`", seconds=seconds
        )
        if problem := answer.get("error"):
            raise ConflictError(
                str(problem), where=str(answer.get("where") or ""), fix=str(answer.get("fix") or "")
            )


def _artifact(store: Store, name: str, node_id: str, artifact: str) -> Mapping[str, object]:
    """An artifact of a node, an output before an input. Raises NotFoundError."""
    snapshot = store.find(name)
    node = store.node(snapshot.key, node_id)
    known = {**artifacts_by_name(node.inputs), **artifacts_by_name(node.outputs)} if node else {}
    found = known.get(artifact)
    if found is None:
        raise NotFoundError(f'artifact "{artifact}" not found', where=f"node {node_id} of {snapshot.name}")
    return found


def _choice(selection: Selection) -> Callable[[str, str, Mapping[str, str]], bool]:
    """Whether a workflow of that name, phase and labels is wanted."""
    meets = parse_selector(selection.labels)

    def chosen(name: str, phase: str, labels: Mapping[str, str]) -> bool:
        running = phase in _RUNNING
        return (
            name.startswith(selection.prefix)
            and (not selection.phases or (phase or "Pending") in selection.phases)
            and not (selection.running and not running)
            and not (selection.completed and running)
            and meets(labels)
        )

    return chosen
