"""Parameters and artifacts: what goes into a template, and what comes out."""

from __future__ import annotations

from nbflow.spec.artifacts import Artifact
from nbflow.spec.model import AnyString, KubeObject, Many, Model


class ConfigMapKeyRef(Model):
    """A key of a ConfigMap (or, for `SecretKeyRef`, of a Secret)."""

    name: str = ""
    key: str = ""
    optional: bool = False


class ValueFrom(Model):
    """Where a parameter's value comes from; exactly one source, `default` beside it.

    path: a file in the container. parameter: `{{tag}}` of an inner step or task.
    expression: an expr-lang expression. supplied: given by a person (suspend templates).
    """

    path: str = ""
    json_path: str = ""
    jq_filter: str = ""
    event: str = ""
    parameter: str = ""
    supplied: KubeObject | None = None
    config_map_key_ref: ConfigMapKeyRef | None = None
    default: AnyString | None = None
    expression: str = ""


class Parameter(Model):
    """A named text. `value` wins over `value_from`; an argument wins over the input's own."""

    name: str = ""
    default: AnyString | None = None
    value: AnyString | None = None
    value_from: ValueFrom | None = None
    global_name: str = ""
    enum: Many[AnyString] | None = None
    description: AnyString | None = None

    def has_value(self) -> bool:
        """Whether the parameter can be resolved without an argument."""
        return self.value is not None or self.default is not None or self.value_from is not None


class Arguments(Model):
    """What a caller hands to a template or a workflow."""

    parameters: Many[Parameter] = ()
    artifacts: Many[Artifact] = ()


class Inputs(Model):
    """What a template declares to take."""

    parameters: Many[Parameter] = ()
    artifacts: Many[Artifact] = ()


class Outputs(Model):
    """What a template declares to give, and in a status what it gave.

    result: stdout without its last newline, at most 256 KiB. exit_code: decimal text.
    """

    parameters: Many[Parameter] = ()
    artifacts: Many[Artifact] = ()
    result: str | None = None
    exit_code: str | None = None
