"""The objects at hand, and the templates they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from nbflow.lint.filling import Values
from nbflow.lint.report import Where
from nbflow.spec.yaml import Document

Json = dict[str, object]
Known = Mapping[tuple[str, str], object]
"""(kind, name) -> an object that is stored somewhere, as plain data."""

TYPES = {
    "container": "Container",
    "containerSet": "ContainerSet",
    "steps": "Steps",
    "dag": "DAG",
    "script": "Script",
    "resource": "Resource",
    "data": "Data",
    "suspend": "Suspend",
    "http": "HTTP",
    "plugin": "Plugin",
}
"""Field that makes a template what it is -> Argo's name for it; the first one that is set counts."""
POD_TYPES = frozenset({"Container", "ContainerSet", "Script", "Resource", "Data"})
LEAF_TYPES = POD_TYPES | {"HTTP", "Plugin"}


# Most of what lint does is look fields up: these three compare classes, which is faster than isinstance.


def mapping(owner: object, name: str) -> Json:
    """A field that is a mapping; empty if it is absent."""
    value = owner.get(name) if owner.__class__ is dict else None
    return value if value.__class__ is dict else {}


def items(owner: object, name: str) -> list[Json]:
    """A field that is a list of mappings; empty if it is absent."""
    value = owner.get(name) if owner.__class__ is dict else None
    return value if value.__class__ is list else []


def groups(template: object) -> list[list[Json]]:
    """The steps of a template, in their groups."""
    value = template.get("steps") if isinstance(template, dict) else None
    return [group if isinstance(group, list) else [] for group in value] if isinstance(value, list) else []


def text(owner: object, name: str) -> str:
    """A field that is a text; "" if it is absent."""
    value = owner.get(name) if owner.__class__ is dict else None
    return value if value.__class__ is str else ""


class Template:
    """A template, where it is written and what holds it.

    name: "" for one that is written inline. types: those it claims to be; a good one has one. type: what it is, "" if
    it does not say. filled: of one that is written inline, what the template around it fills its tags with.
    """

    __slots__ = ("data", "filled", "holder", "name", "type", "types", "where")

    def __init__(
        self,
        data: Json,
        where: Where,
        holder: Holder,
        types: tuple[str, ...] | None = None,
        filled: Values | None = None,
    ) -> None:
        self.data, self.where, self.holder, self.filled = data, where, holder, filled or {}
        self.name = text(data, "name")
        self.types = _types(data) if types is None else types
        self.type = self.types[0] if self.types else ""

    def reached(self, where: Where) -> Template:
        """The same template, as a caller reached it."""
        return Template(self.data, where, self.holder, self.types)

    @property
    def is_leaf(self) -> bool:
        """Whether it runs something itself."""
        return self.type in LEAF_TYPES

    @property
    def is_pod(self) -> bool:
        """Whether it makes a pod of its own."""
        return self.type in POD_TYPES

    def parameters(self, direction: str) -> list[Json]:
        """Of its `inputs` or `outputs`."""
        return items(self.data[direction], "parameters") if direction in self.data else []

    def artifacts(self, direction: str) -> list[Json]:
        """Of its `inputs` or `outputs`."""
        return items(self.data[direction], "artifacts") if direction in self.data else []


def _types(data: Json) -> tuple[str, ...]:
    claimed = [name for name in data if name in TYPES and data[name] is not None]
    if len(claimed) > 1:
        claimed = [name for name in TYPES if name in claimed]
    return tuple([TYPES[name] for name in claimed])


@dataclass
class Holder:
    """Something with a spec: a Workflow, a template object, or a CronWorkflow's Workflow."""

    scope: str
    spec: Json
    where: Where
    kind: str = "Workflow"
    name: str = ""
    namespace: str = ""
    metadata: Json = field(default_factory=dict)
    _made: dict[int, Template] = field(default_factory=dict)

    @cached_property
    def _templates(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for index, template in enumerate(items(self.spec, "templates")):
            found.setdefault(text(template, "name"), index)
        return found

    @property
    def template_names(self) -> Iterable[str]:
        """The names of its templates."""
        return self._templates

    def template(self, name: str) -> Template | None:
        """The template of that name, the first one of several."""
        index = self._templates.get(name)
        return None if index is None else self.template_at(index)

    def template_at(self, index: int) -> Template:
        """The template at that place."""
        template = self._made.get(index)
        if template is None:
            data, where = items(self.spec, "templates")[index], self.where.at("templates", index)
            template = self._made[index] = Template(data, where, self)
        return template


def holder_of(data: Json, document: Document | None) -> Holder:
    """The spec of an object and where it is."""
    kind, metadata, spec = text(data, "kind"), mapping(data, "metadata"), mapping(data, "spec")
    path: tuple[str, ...] = ("spec",)
    if kind == "CronWorkflow":
        spec, path = mapping(spec, "workflowSpec"), ("spec", "workflowSpec")
    name, namespace = text(metadata, "name"), text(metadata, "namespace")
    scope = {"WorkflowTemplate": f"namespaced/{name}", "ClusterWorkflowTemplate": f"cluster/{name}"}.get(
        kind, "local/"
    )
    return Holder(scope, spec, Where(document, path), kind, name, namespace, metadata)


class Objects:
    """Finds the template objects that others refer to: in the documents at hand, then among the stored ones."""

    def __init__(self, documents: Iterable[Document], known: Known) -> None:
        self._known = known
        self._given: dict[tuple[str, str, str], Holder] = {}
        self._of: dict[int, Holder] = {}
        for document in documents:
            if document.kind in {"WorkflowTemplate", "ClusterWorkflowTemplate"}:
                holder = holder_of(document.data, document)
                namespace = "" if document.kind.startswith("Cluster") else holder.namespace
                self._given.setdefault((document.kind, namespace, holder.name), holder)
                self._of[id(document)] = holder

    def holder(self, document: Document) -> Holder:
        """The spec of one of the documents; it is the same one that others find."""
        return self._of.get(id(document)) or holder_of(document.data, document)

    def find(self, name: str, namespace: str, *, cluster: bool) -> Holder | None:
        """A WorkflowTemplate of this namespace, or a ClusterWorkflowTemplate."""
        kind = "ClusterWorkflowTemplate" if cluster else "WorkflowTemplate"
        given = self._given.get((kind, "" if cluster else namespace, name))
        if given is not None:
            return given
        stored = self._known.get((kind, name))
        data = stored.get("spec") if isinstance(stored, Mapping) else None
        if not isinstance(stored, Mapping) or not isinstance(data, Mapping):
            return None
        return holder_of({"kind": kind, **stored}, None)

    def names(self, *, cluster: bool) -> list[str]:
        """The names that could have been meant."""
        kind = "ClusterWorkflowTemplate" if cluster else "WorkflowTemplate"
        return [name for given, _, name in self._given if given == kind] + [
            n for k, n in self._known if k == kind
        ]
