"""What all models of manifests share: frozen, camelCase outside, strict about types as Argo's decoder is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from nbflow.spec.scalars import any_text

KubeObject = dict[str, object]
"""A Kubernetes object that nbflow hands on untouched (affinity, tolerations, ...)."""

IntOrString = int | str


def any_string(value: object) -> object:
    """Argo's AnyString: a number or boolean where a text is wanted becomes its JSON text."""
    return any_text(value) if isinstance(value, int | float) else value


AnyString = Annotated[str, BeforeValidator(any_string)]

Item = TypeVar("Item")
Many = Annotated[tuple[Item, ...], Field(strict=False)]
"""A list in YAML, a tuple here; `()` is its default."""


class Model(BaseModel):
    """A frozen piece of a manifest.

    Unknown fields are kept (`model_extra`), so that nothing is lost between load and dump; lint
    reports them. A null counts as absent, as in Go's JSON decoder.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="allow",
        strict=True,
        alias_generator=to_camel,
        populate_by_name=True,
        defer_build=True,
        protected_namespaces=(),
    )

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, data: object) -> object:
        if isinstance(data, Mapping) and None in data.values():
            return {key: value for key, value in data.items() if value is not None}
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> Self:
        """Build from plain JSON data. Raises pydantic.ValidationError; `spec.load` turns it into findings."""
        return cls.model_validate(data)

    def to_dict(self) -> dict[str, object]:
        """Plain JSON data with the manifest's own names; what was not given is not written."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)
