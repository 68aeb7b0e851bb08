"""Whether a tag that its text leaves open is closed by chance.

Argo looks for tags in the JSON text of a whole step or task, so that the braces at the end of an object may close
what a text began; then it sees a tag with a strange name and lets it pass.
"""

from __future__ import annotations

import json

from nbflow.lint.filling import Values, fill
from nbflow.lint.objects import Json

_ORDER = (
    "name",
    "template",
    "inline",
    "arguments",
    "templateRef",
    "dependencies",
    "withItems",
    "withParam",
    "withSequence",
    "when",
    "continueOn",
    "onExit",
    "hooks",
    "depends",
    # of arguments and parameters
    "parameters",
    "artifacts",
    "default",
    "value",
    "valueFrom",
    "globalName",
    "enum",
    "description",
)
"""In which Argo writes the fields; others come last."""


def is_closed(value: object, text: str, values: Values) -> bool:
    """Whether the JSON of `value` has }} behind the last {{ of `text`, which is one of its texts.

    values: what is filled in before Argo looks.
    """
    whole = json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"))
    begun = json.dumps(text, ensure_ascii=False)
    start = whole.find(begun)
    return start < 0 or "}}" in fill(whole[start + begun.rfind("{{") :], values)


def _ordered(value: object) -> object:
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    if not isinstance(value, dict):
        return value
    fields: Json = {"arguments": {}, **value} if "template" in value or "templateRef" in value else value
    names = sorted(fields, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    return {name: _ordered(fields[name]) for name in names}
