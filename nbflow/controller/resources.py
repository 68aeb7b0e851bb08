"""The program of a resource template's pod: does to objects of the home what kubectl does to those of a cluster.

`python -m nbflow.controller.resources ORDER`: ORDER is a file that holds what engine/agent.py writes. It ends
with 0, or with 64 and a message, as Argo's executor does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

from nbflow.clients.selectors import parse_selector
from nbflow.controller.conditions import Requirement, parse
from nbflow.controller.home_objects import HomeObjects, name_of
from nbflow.controller.kinds import Kind, Target, kind_of, target_of
from nbflow.controller.pod_specs import Json, items, mapping
from nbflow.controller.reading import output_value
from nbflow.errors import NbflowError
from nbflow.spec.agent import REPORT
from nbflow.store import Home, open_store

FAILED = 64
_POLL = 0.2


class Objects(Protocol):
    """Where the objects are: this machine's home (home_objects.py), or a cluster (cluster_objects.py)."""

    def read(self, kind: Kind, name: str) -> Json | None: ...

    def create(self, kind: Kind, manifest: Json, *, awaited: bool) -> Json: ...

    def change(self, kind: Kind, old: Json, strategy: str, change: object) -> Json: ...

    def delete(self, kind: Kind, name: str) -> None: ...

    def delete_all(self, kind: Kind, meets: Callable[[Mapping[str, str]], bool]) -> list[str]: ...

    def output_of(self, item: Json) -> bytes: ...

    def check_alive(self, item: Json) -> None: ...

    def let_go(self, kind: Kind, item: Json) -> None: ...


class Resource:
    """One order: an action on one object. objects: those of this machine."""

    def __init__(self, order: Mapping[str, object], objects: Objects) -> None:
        self._order = order
        self._resource = cast("Json", order["resource"])
        self._objects = objects
        self._printed = 0

    def carry_out(self) -> dict[str, str]:
        """Do it, wait for it; the values of the output parameters. Raises NbflowError."""
        success = parse(str(self._resource.get("successCondition") or ""), "success condition")
        failure = parse(str(self._resource.get("failureCondition") or ""), "fail condition")
        action = str(self._resource.get("action", ""))
        if action == "delete" and (success or failure or self._order.get("parameters")):
            raise NbflowError(
                "successCondition, failureCondition and outputs are not supported for delete action"
            )
        manifest = self._manifest()
        target = target_of(manifest, self._flags(), action)
        kind = kind_of(target.word)
        if kind is None:
            from nbflow.controller.cluster_objects import find_in_cluster

            kind, self._objects = find_in_cluster(target)
        item = self._act(action, kind, target, manifest, awaited=bool(success or failure))
        if item is None:
            return self._parameters(None)
        _say(f"{kind.said}/{name_of(item)} {_DONE.get(action, '')}".strip())
        if success or failure:
            try:
                item = self._wait(kind, item, success, failure)
            finally:
                self._print_output(item)
                self._objects.let_go(kind, item)
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

    def _act(
        self, action: str, kind: Kind, target: Target, manifest: object, *, awaited: bool
    ) -> Json | None:
        name = target.name
        if target.selector:
            self._delete_all(kind, target.selector)
            return None
        old = self._objects.read(kind, name) if name else None
        if action in {"get", "delete"}:
            if old is None and not (action == "delete" or target.ignore_missing):
                raise _not_found(kind, name)
            if old is not None and action == "delete":
                self._objects.delete(kind, name)
                _say(f'{kind.said} "{name}" deleted')
            return old if action == "get" else None
        if action == "create" or (action == "apply" and old is None):
            if old is not None:
                raise NbflowError(f'{kind.plural} "{name}" already exists')
            return self._objects.create(kind, self._owned(cast("Json", manifest)), awaited=awaited)
        if old is None:
            raise _not_found(kind, name)
        strategy = str(self._resource.get("mergeStrategy") or "strategic") if action == "patch" else action
        return self._objects.change(kind, old, strategy, manifest)

    def _owned(self, manifest: Json) -> Json:
        """The manifest with the workflow as its owner, if the template wants that."""
        if not self._resource.get("setOwnerReference"):
            return manifest
        owner = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": self._order["workflow"]}
        owner |= {"uid": self._order["uid"], "blockOwnerDeletion": True}
        return {**manifest, "metadata": {**mapping(manifest, "metadata"), "ownerReferences": [owner]}}

    def _delete_all(self, kind: Kind, selector: str) -> None:
        deleted = self._objects.delete_all(kind, parse_selector(selector))
        for name in deleted:
            _say(f'{kind.said} "{name}" deleted')
        if not deleted:
            _say("No resources found")

    # --- waiting ---

    def _wait(self, kind: Kind, item: Json, success: list[Requirement], failure: list[Requirement]) -> Json:
        """Until the conditions say how it ended. Raises NbflowError if it failed, or cannot come to its end."""
        while True:
            for requirement in failure:
                if requirement.matches(item):
                    raise NbflowError(f"failure condition '{requirement.text}' evaluated true")
            if all(requirement.matches(item) for requirement in success):
                return item  # without a successCondition at once, as in Argo
            if _is_over(kind, item):
                raise NbflowError(
                    f"{kind.name} {name_of(item)} is over, and neither success condition nor failure condition "
                    "came true"
                )
            self._print_output(item)
            self._objects.check_alive(item)
            time.sleep(_POLL)
            found = self._objects.read(kind, name_of(item))
            if found is None:
                raise NbflowError(
                    "the resource has been deleted while its status was still being checked: "
                    f"{kind.name} {name_of(item)}"
                )
            item = found

    def _print_output(self, item: Json) -> None:
        """What the pods of the object printed since the last time."""
        output = self._objects.output_of(item)
        sys.stdout.buffer.write(output[self._printed :])
        sys.stdout.buffer.flush()
        self._printed = len(output)

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


def _is_over(kind: Kind, item: Json) -> bool:
    """Whether nothing more can become of it: of kinds that come to an end at all."""
    status = mapping(item, "status")
    if kind.name == "Job":
        ends = ("Complete", "Failed")
        return any(c.get("type") in ends and c.get("status") == "True" for c in items(status, "conditions"))
    return kind.name in {"Pod", "Workflow"} and str(status.get("phase")) in {"Succeeded", "Failed", "Error"}


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the log of the step


def _not_found(kind: Kind, name: str) -> NbflowError:
    return NbflowError(f'Error from server (NotFound): {kind.plural} "{name}" not found')


def main(argv: Sequence[str]) -> int:
    """Carry out an order; what became of it goes into the report."""
    order = cast("Json", json.loads(Path(argv[1]).read_text(encoding="utf-8", errors="surrogateescape")))
    home = Home.default()
    annotations = cast("dict[str, str]", json.loads(os.environ.get("NBFLOW_ANNOTATIONS", "{}")))
    report = home.pod(str(order["uid"]), str(order["pod"])) / REPORT
    with open_store(home) as store:
        objects = HomeObjects(home, store, annotations, f"{order['uid']}/{order['pod']}")
        signal.signal(signal.SIGTERM, _end)
        try:
            parameters = Resource(order, objects).carry_out()
        except NbflowError as error:
            print(f"Error: {error}", file=sys.stderr, flush=True)  # noqa: T201
            report.write_text(json.dumps({"message": error.problem}))
            return FAILED
        report.write_text(json.dumps({"parameters": parameters}))
    return 0


def _end(number: int, _: object) -> None:
    """At once: the objects that the step waits for end with it, as nobody tells them that they may go on."""
    os._exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
