"""The program of a resource template's pod: does to objects of the home what kubectl does to those of a cluster.

`python -m nbflow.controller.resources ORDER`: ORDER is a file that holds what engine/agent.py writes. It ends
with 0, or with 64 and a message, as Argo's executor does.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from nbflow.clients.local import LocalClient
from nbflow.clients.selectors import parse_selector
from nbflow.controller.conditions import Requirement, parse
from nbflow.controller.jobs import PodRunner, run_job, run_pod
from nbflow.controller.kinds import Kind, Target, target_of
from nbflow.controller.live_objects import change_pod, change_workflow, read_pod
from nbflow.controller.patching import json_patch, merge_patch, strategic_patch
from nbflow.controller.reading import output_value
from nbflow.errors import NbflowError, NotFoundError
from nbflow.spec.agent import REPORT
from nbflow.spec.status import format_time
from nbflow.store import Home, Store, open_store

Json = dict[str, object]
FAILED = 64
_POLL = 0.5


class Resource:
    """One order: an action on one object."""

    def __init__(self, order: Mapping[str, object], store: Store, runner: PodRunner) -> None:
        self._order = order
        self._resource = cast("Json", order["resource"])
        self._store = store
        self._runner = runner

    def carry_out(self) -> dict[str, str]:
        """Do it, wait for it; the values of the output parameters. Raises NbflowError."""
        success = parse(str(self._resource.get("successCondition") or ""), "success condition")
        failure = parse(str(self._resource.get("failureCondition") or ""), "fail condition")
        action = str(self._resource.get("action", ""))
        manifest = self._manifest()
        target = target_of(manifest, self._flags(), action)
        item = self._act(action, target, manifest)
        if item is None:
            return self._parameters(None)
        print(f"{target.kind.said}/{_name(item)} {_DONE.get(action, '')}".strip(), flush=True)  # noqa: T201
        item = self._wait(target.kind, item, success, failure, made=action in {"create", "apply", "replace"})
        return self._parameters(item)

    def _manifest(self) -> object:
        source = self._resource.get("manifestFrom")
        text = str(self._resource.get("manifest") or "")
        if isinstance(source, Mapping):
            name = cast("Json", source.get("artifact") or {}).get("name")
            path = cast("Mapping[object, str]", self._order.get("paths") or {}).get(name, "")
            try:
                text = Path(path).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                raise NbflowError(f"the manifest of artifact {name} cannot be read") from None
        import yaml

        try:
            return cast("object", yaml.safe_load(text)) if text.strip() else None
        except yaml.YAMLError as error:
            raise NbflowError(f"the manifest is no YAML: {error}") from None

    def _flags(self) -> Sequence[str]:
        flags = self._resource.get("flags")
        return [str(flag) for flag in flags] if isinstance(flags, list) else []

    # --- actions ---

    def _act(self, action: str, target: Target, manifest: object) -> Json | None:
        kind, name = target.kind, target.name
        if target.selector:
            self._delete_all(kind, parse_selector(target.selector))
            return None
        old = self._read(kind, name) if name else None
        if action in {"get", "delete"}:
            if old is None and not (action == "delete" or target.ignore_missing):
                raise _not_found(kind, name)
            if old is not None and action == "delete":
                self._delete(kind, name)
            return old if action == "get" else None
        if action == "create" or (action == "apply" and old is None):
            if old is not None:
                raise NbflowError(f'{kind.plural} "{name}" already exists')
            return self._create(kind, cast("Json", manifest))
        if old is None:
            raise _not_found(kind, name)
        return self._change(kind, old, self._changed(action, kind, old, manifest))

    def _changed(self, action: str, kind: Kind, old: Json, manifest: object) -> Json:
        strategy = str(self._resource.get("mergeStrategy") or "strategic") if action == "patch" else action
        if strategy == "strategic" and kind.custom:
            raise NbflowError(
                f"a strategic merge is not supported for {kind.name}", fix="use mergeStrategy: merge"
            )
        match strategy:
            case "merge":
                found = merge_patch(old, manifest)
            case "json":
                found = json_patch(old, manifest)
            case "strategic" | "apply":
                found = strategic_patch(old, manifest)
            case _:
                found = {**cast("Json", manifest), "status": old.get("status")}
        if not isinstance(found, dict) or _name(found) != _name(old):
            raise NbflowError("metadata.name cannot be changed")
        found["metadata"] = {**cast("Json", old["metadata"]), **cast("Json", found.get("metadata") or {})}
        return cast("Json", found)

    def _create(self, kind: Kind, manifest: Json) -> Json:
        metadata = dict(cast("Json", manifest.get("metadata") or {}))
        if not metadata.get("name"):
            metadata["name"] = f"{metadata.pop('generateName')}{secrets.token_hex(3)[:5]}"
        if self._resource.get("setOwnerReference"):
            owner = {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "Workflow",
                "name": self._order["workflow"],
            }
            metadata["ownerReferences"] = [{**owner, "uid": self._order["uid"], "blockOwnerDeletion": True}]
        made = {**manifest, "metadata": metadata}
        if kind.name == "Workflow":
            return _client(self._runner).submit(made).to_dict()
        metadata.setdefault("namespace", "default")
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": format_time(datetime.now(UTC))}
        if not self._store.objects.create(kind.name, str(metadata["name"]), made):
            raise NbflowError(f'{kind.plural} "{metadata["name"]}" already exists')
        return made

    def _change(self, kind: Kind, old: Json, new: Json) -> Json:
        if kind.name == "Pod":
            change_pod(self._store, old, new)
            return new
        if kind.name == "Workflow":
            change_workflow(self._store, old, new)
            return new
        if kind.runs:
            raise NbflowError(
                f"{kind.name} {_name(old)} exists, and what runs cannot be changed on this target",
                fix="delete it and create it anew, or submit with --on argo",
            )
        self._store.objects.replace(kind.name, _name(old), new)
        return new

    def _delete_all(self, kind: Kind, meets: Callable[[Mapping[str, str]], bool]) -> None:
        found = self._workflows() if kind.name == "Workflow" else self._store.objects.list(kind.name)
        chosen = [_name(item) for item in found if meets(_labels(item))]
        for name in chosen:
            self._delete(kind, name)
        if not chosen:
            print("No resources found", flush=True)  # noqa: T201

    def _workflows(self) -> Sequence[Mapping[str, object]]:
        return [
            {"metadata": {"name": name, "labels": labels}} for _, name, _, labels in self._store.listing()
        ]

    def _delete(self, kind: Kind, name: str) -> None:
        if kind.name == "Workflow":
            _client(self._runner).delete(name)
        else:
            self._store.objects.delete(kind.name, name)
        print(f'{kind.said} "{name}" deleted', flush=True)  # noqa: T201

    def _read(self, kind: Kind, name: str) -> Json | None:
        if kind.name == "Workflow":
            try:
                return _client(self._runner).get(name).to_dict()
            except NotFoundError:
                return None
        if kind.name == "Pod":
            return read_pod(self._store, name)
        found = self._store.objects.get(kind.name, name)
        return None if found is None else dict(found)

    # --- waiting ---

    def _wait(
        self, kind: Kind, item: Json, success: list[Requirement], failure: list[Requirement], *, made: bool
    ) -> Json:
        for state in self._states(kind, item, made=made, asked=bool(success or failure)):
            item = state
            for requirement in failure:
                if requirement.matches(item):
                    raise NbflowError(f"failure condition '{requirement.text}' evaluated true")
            if success and all(requirement.matches(item) for requirement in success):
                return item
        if success:
            raise NbflowError(
                f"{kind.name} {_name(item)} is over, and neither success condition nor failure condition came true"
            )
        return item

    def _states(self, kind: Kind, item: Json, *, made: bool, asked: bool) -> Iterator[Json]:
        """The object now and after each change, as long as it may change."""
        yield item
        if made and kind.name in {"Job", "Pod"}:
            run = run_job if kind.name == "Job" else run_pod
            for status in run(item, self._runner):
                item = {**item, "status": status}
                self._store.objects.replace(kind.name, _name(item), item)
                yield item
            return
        while asked:
            time.sleep(_POLL)
            found = self._read(kind, _name(item))
            if found is None:
                raise NbflowError(
                    f"the resource has been deleted while its status was still being checked: {kind.name} {_name(item)}"
                )
            yield found
            if kind.name == "Workflow" and str(_status(found).get("phase")) in {
                "Succeeded",
                "Failed",
                "Error",
            }:
                return

    def _parameters(self, item: Json | None) -> dict[str, str]:
        found: dict[str, str] = {}
        for parameter in cast("list[Json]", self._order.get("parameters") or []):
            source = cast("Json", parameter.get("valueFrom") or {})
            name = str(parameter["name"])
            if item is None:
                found[name] = str(source.get("default", ""))
            elif source.get("jsonPath") or source.get("jqFilter"):
                found[name] = output_value(
                    item, str(source.get("jsonPath") or ""), str(source.get("jqFilter") or "")
                )
        return found


_DONE = {"create": "created", "apply": "configured", "patch": "patched", "replace": "replaced"}


def _status(item: Json) -> Json:
    status = item.get("status")
    return cast("Json", status) if isinstance(status, dict) else {}


def _labels(item: Mapping[str, object]) -> Mapping[str, str]:
    return cast("Mapping[str, str]", cast("Json", item.get("metadata") or {}).get("labels") or {})


def _name(item: Mapping[str, object]) -> str:
    return str(cast("Json", item.get("metadata") or {}).get("name", ""))


def _not_found(kind: Kind, name: str) -> NbflowError:
    return NbflowError(f'Error from server (NotFound): {kind.plural} "{name}" not found')


def _client(runner: PodRunner) -> LocalClient:
    return LocalClient(runner.annotations.get("nbflow.dev/target", "sandbox"), runner.home)


def main(argv: Sequence[str]) -> int:
    """Carry out an order; what became of it goes into the report."""
    order = cast("Json", json.loads(Path(argv[1]).read_text(encoding="utf-8", errors="surrogateescape")))
    home = Home.default()
    annotations = cast("dict[str, str]", json.loads(os.environ.get("NBFLOW_ANNOTATIONS", "{}")))
    report = home.pod(str(order["uid"]), str(order["pod"])) / REPORT
    with open_store(home) as store:
        uid = f"{order['uid']}-{secrets.token_hex(4)}"
        runner = PodRunner(home, store.objects, str(order["workflow"]), uid, annotations)
        signal.signal(signal.SIGTERM, _end)
        try:
            parameters = Resource(order, store, runner).carry_out()
        except NbflowError as error:
            print(f"Error: {error}", file=sys.stderr, flush=True)  # noqa: T201
            report.write_text(json.dumps({"message": error.problem}))
            return FAILED
        finally:
            shutil.rmtree(home.workflow(uid), ignore_errors=True)
        report.write_text(json.dumps({"parameters": parameters}))
    return 0


def _end(number: int, _: object) -> None:
    """End the pod that runs on the way out."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
