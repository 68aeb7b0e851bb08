"""Templates by name: those of the workflow, of WorkflowTemplates, and those written in place."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias, cast

from nbflow.engine.decision import World
from nbflow.engine.failures import CallError
from nbflow.engine.merge import merge
from nbflow.spec.template import TEMPLATE_TYPES, Metadata, Template, TemplateRef
from nbflow.spec.workflow import WorkflowSpec, WorkflowTemplate
from nbflow.templating.scope import Value

LOCAL = "local"
Data: TypeAlias = "dict[str, Value]"
_RESULT = re.compile(r"""(?:steps|tasks)(?:\.([-\w]+)|\[\\?['"]([-\w]+)\\?['"]\])\.outputs\.result""")


class Named(Protocol):
    """How a template is called; engine.run.Reference is one."""

    @property
    def template(self) -> str: ...

    @property
    def template_ref(self) -> TemplateRef | None: ...

    @property
    def inline(self) -> Template | None: ...


@dataclass(frozen=True, slots=True)
class Source:
    """A template as it was written, with the defaults merged in.

    data: the same as plain data, for substitution. scope: where the names in it resolve.
    results: steps or tasks in it whose `outputs.result` something refers to.
    """

    template: Template
    data: Data
    scope: str
    results: frozenset[str]

    @property
    def kind(self) -> str:
        """container, steps, ..."""
        return self.template.kinds()[0]

    @property
    def is_pod(self) -> bool:
        """Whether the template runs as a pod."""
        return TEMPLATE_TYPES[self.kind] == "Pod"


class Templates:
    """Finds templates; those of other objects are kept from their first use on, whatever becomes of the object.

    stored: the kept ones under Argo's keys, for the status of the workflow.
    """

    def __init__(self, spec: WorkflowSpec, scope: str) -> None:
        self.scope = scope
        self.stored: dict[str, Mapping[str, object]] = {}
        self._spec = spec
        self._defaults = spec.template_defaults.to_dict() if spec.template_defaults else {}
        self._sources: dict[tuple[str, str], Source] = {}

    def find(self, scope: str, named: Named, world: World) -> Source:
        """The template that is called from a template in `scope`. Raises CallError if there is none."""
        if named.inline is not None:
            return self._source(named.inline, scope)
        if named.template_ref is not None:
            kind = "cluster" if named.template_ref.cluster_scope else "namespaced"
            scope, name = f"{kind}/{named.template_ref.name}", named.template_ref.template
        else:
            name = named.template
        source = self._sources.get((scope, name))
        if source is None:
            template = (
                self._local(name) if scope.startswith(f"{LOCAL}/") else self._referred(scope, name, world)
            )
            source = self._sources[scope, name] = self._source(template, scope)
        return source

    def _local(self, name: str) -> Template:
        template = self._spec.template(name)
        if not name or template is None:
            raise CallError(f"template {name} not found" if name else "failed to get a template")
        return with_metadata(template, self._spec.pod_metadata)

    def _referred(self, scope: str, name: str, world: World) -> Template:
        key = f"{scope}/{name}"
        if key not in self.stored:
            kind, _, owner = scope.partition("/")
            found = world.workflow_template(owner, cluster_scope=kind == "cluster")
            if found is None:
                raise CallError(f"workflow template {owner} not found")
            holder = WorkflowTemplate.from_dict(found)
            template = holder.spec.template(name)
            if template is None:
                raise CallError(f"template {name} not found in workflow template {owner}")
            self.stored[key] = with_metadata(template, holder.spec.pod_metadata).to_dict()
        return Template.from_dict(self.stored[key])

    def _source(self, template: Template, scope: str) -> Source:
        if len(template.kinds()) != 1:
            raise CallError(f"template '{template.name}' type is unknown")
        template = self._with_defaults(template)
        data = cast("Data", template.to_dict())
        found = _RESULT.findall(json.dumps(data)) if template.steps or template.dag else ()
        return Source(template, data, scope, frozenset(first or second for first, second in found))

    def _with_defaults(self, template: Template) -> Template:
        if not self._defaults:
            return template
        kind = template.kinds()[0]
        defaults = {k: v for k, v in self._defaults.items() if k not in TEMPLATE_TYPES or k == kind}
        return Template.from_dict(merge(defaults, template.to_dict()))


def with_metadata(template: Template, metadata: Metadata | None) -> Template:
    """The template with the labels and annotations that its object gives to all pods; its own win."""
    if metadata is None:
        return template
    own = template.metadata
    both = Metadata(
        labels={**metadata.labels, **own.labels}, annotations={**metadata.annotations, **own.annotations}
    )
    return template.model_copy(update={"metadata": both})
