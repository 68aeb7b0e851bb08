"""The objects that a resource template finds on this machine: those of the home, as kubectl would find a cluster's."""

from __future__ import annotations

import secrets
import subprocess
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

from nbflow.clients.local import LocalClient
from nbflow.controller import jobs
from nbflow.controller.job_pods import STEP
from nbflow.controller.kinds import Kind
from nbflow.controller.live_objects import change_pod, change_workflow, read_pod
from nbflow.controller.pod_specs import Json, mapping
from nbflow.errors import NbflowError, NotFoundError
from nbflow.runtimes.stragglers import end_stragglers
from nbflow.spec.patching import json_patch, merge_patch, strategic_patch
from nbflow.spec.status import format_time
from nbflow.store import Home, Store


class HomeObjects:
    """annotations: of the step's pod, which tell target and Python. step: UID/POD of the step."""

    def __init__(self, home: Home, store: Store, annotations: Mapping[str, str], step: str) -> None:
        self._home, self._store, self._annotations, self._step = home, store, annotations, step
        self._running: dict[str, subprocess.Popen[bytes]] = {}  # uid -> the process that runs the object

    def read(self, kind: Kind, name: str) -> Json | None:
        """An object, None if there is none."""
        if kind.name == "Workflow":
            try:
                return self._client().get(name).to_dict()
            except NotFoundError:
                return None
        if kind.name == "Pod":
            return read_pod(self._store, name)
        found = self._store.objects.get(kind.name, name)
        return None if found is None else dict(found)

    def create(self, kind: Kind, manifest: Json, *, awaited: bool) -> Json:
        """awaited: the step waits for what becomes of it. Raises NbflowError if it exists."""
        metadata = dict(mapping(manifest, "metadata"))
        if not metadata.get("name"):
            metadata["name"] = f"{metadata.pop('generateName')}{secrets.token_hex(3)[:5]}"
        made = {**manifest, "metadata": metadata}
        if kind.name == "Workflow":
            return self._client().submit(made).to_dict()
        metadata.setdefault("namespace", "default")
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": format_time(datetime.now(UTC))}
        if kind.runs and awaited:
            metadata["annotations"] = {**mapping(metadata, "annotations"), STEP: self._step}
        if not self._store.objects.create(kind.name, str(metadata["name"]), made):
            raise NbflowError(f'{kind.plural} "{metadata["name"]}" already exists')
        if kind.runs:
            self._running[str(metadata["uid"])] = jobs.start(self._home, kind.name, made, self._annotations)
        return made

    def change(self, kind: Kind, old: Json, strategy: str, change: object) -> Json:
        """strategy: strategic, merge, json, apply or replace. Raises NbflowError for what cannot be changed."""
        new = _changed(kind, old, strategy, change)
        if kind.name == "Workflow":
            change_workflow(self._store, old, new)
        elif kind.runs:
            change_pod(self._store, old, new, kind.name)
        else:
            self._store.objects.replace(kind.name, name_of(old), new)
        return new

    def delete(self, kind: Kind, name: str) -> None:
        """Raises NotFoundError."""
        if kind.name == "Workflow":
            self._client().delete(name)
        else:
            self._client().delete_object(kind.name, name)

    def delete_all(self, kind: Kind, meets: Callable[[Mapping[str, str]], bool]) -> list[str]:
        """Those whose labels meet a selector; their names."""
        found = self._workflows() if kind.name == "Workflow" else self._store.objects.list(kind.name)
        labels = {name_of(item): mapping(mapping(item, "metadata"), "labels") for item in found}
        chosen = [name for name, own in labels.items() if meets(cast("Mapping[str, str]", own))]
        for name in chosen:
            self.delete(kind, name)
        return chosen

    def _workflows(self) -> Sequence[Mapping[str, object]]:
        return [
            {"metadata": {"name": name, "labels": labels}} for _, name, _, labels in self._store.listing()
        ]

    def output_of(self, item: Json) -> bytes:
        """What the pods of an object that the step made have printed by now."""
        try:
            return jobs.log_of(self._home, uid_of(item)).read_bytes()
        except OSError:
            return b""

    def check_alive(self, item: Json) -> None:
        """Raises NbflowError if an object that the step made is run by nobody any more; its pods end."""
        process = self._running.get(uid_of(item))
        if process is None or process.poll() is None:
            return
        folder = self._home.workflow(uid_of(item))
        for pod in folder.iterdir() if folder.is_dir() else ():
            end_stragglers(str(pod))
        raise NbflowError(f"the process that ran the pods of {name_of(item)} was killed")

    def let_go(self, kind: Kind, item: Json) -> None:
        """The step waits no longer: what runs goes on by itself."""
        if kind.runs and uid_of(item) in self._running:
            try:
                self._store.objects.change(kind.name, name_of(item), _without_step)
            except NotFoundError:
                return

    def _client(self) -> LocalClient:
        return LocalClient(self._annotations.get("nbflow.dev/target", "sandbox"), self._home)


def _without_step(item: Mapping[str, object]) -> Mapping[str, object]:
    metadata = mapping(item, "metadata")
    annotations = {key: value for key, value in mapping(metadata, "annotations").items() if key != STEP}
    return {**item, "metadata": {**metadata, "annotations": annotations}}


def _changed(kind: Kind, old: Json, strategy: str, change: object) -> Json:
    if strategy == "strategic" and kind.custom:
        raise NbflowError(
            f"a strategic merge is not supported for {kind.name}", fix="use mergeStrategy: merge"
        )
    match strategy:
        case "merge":
            found = merge_patch(old, change)
        case "json":
            found = json_patch(old, change)
        case "strategic" | "apply":
            found = strategic_patch(old, change)
        case _:
            found = {**cast("Json", change), "status": old.get("status")}
    if not isinstance(found, dict) or name_of(found) != name_of(old):
        raise NbflowError("metadata.name cannot be changed")
    found["metadata"] = {**mapping(old, "metadata"), **mapping(found, "metadata")}
    return cast("Json", found)


def name_of(item: Mapping[str, object]) -> str:
    """metadata.name"""
    return str(mapping(item, "metadata").get("name", ""))


def uid_of(item: Mapping[str, object]) -> str:
    """metadata.uid"""
    return str(mapping(item, "metadata").get("uid", ""))
