"""Tags in texts, and texts with what is known already in place of their tags.

Everything here takes time in the length of the text, whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from nbflow.templating.scope import BLANKS

Values = Mapping[str, str | None]
"""Name -> its text, None if it has one that is not known yet."""

UNKNOWN = "\ufffc"
"""Begins and ends what stands for a value that is not known yet; the name of the variable is between."""

LONGEST = 1_000_000
"""Of a filled text; values are left in their tags beyond it."""

MOST_EXPRESSIONS = 100
"""Different ones in a text that are evaluated."""

_EXPRESSION = re.compile(r"\{\{[\t\f\r ]*=.+?\}\}")
_UNKNOWN_VALUE = re.compile(f"{UNKNOWN}([^{UNKNOWN}]*){UNKNOWN}")


def tags(text: str) -> Iterator[tuple[int, int]]:
    """Where tags begin and end, braces included; each ends at the first }} after its {{. One without an end is none."""
    start = text.find("{{")
    while start >= 0:
        end = text.find("}}", start + 2)
        if end < 0:
            return
        yield start, end + 2
        start = text.find("{{", end + 2)


def open_end(text: str) -> str:
    """What follows a {{ that has no end, with it; "" if all have one."""
    start = text.find("{{", max((end for _, end in tags(text)), default=0))
    return text[start:] if start >= 0 else ""


def fill(text: str, values: Values) -> str:
    """`text` with known values in place of their tags, from the inside; UNKNOWN marks those that come later."""
    for _ in range(2):
        if "{{" not in text:
            break
        text = _filled_once(text, values)
    return text


def _filled_once(text: str, values: Values) -> str:
    pieces: list[str] = []
    position = length = 0
    known: dict[str, str] = {}
    for start, end in tags(text):
        value = tag = text[start:end]
        if length < LONGEST and (tag in known or tag[2] != "=" or len(known) < MOST_EXPRESSIONS):
            value = known[tag] = known.get(tag) or _value(tag[2:-2], values)
        pieces += [text[position:start], value]
        length += len(value)
        position = end
    return "".join(pieces) + text[position:]


def _value(inner: str, values: Values) -> str:
    """What stands for a tag; of tags in tags, the innermost one is filled."""
    if inner.startswith("="):
        return _evaluated("{{" + inner + "}}", values)
    before, brace, name = inner.rpartition("{{")
    key = name if brace else name.strip(BLANKS)
    if key not in values:
        return "{{" + inner + "}}"
    value = values[key]
    return ("{{" + before if brace else "") + (f"{UNKNOWN}{key}{UNKNOWN}" if value is None else value)


def _evaluated(tag: str, values: Values) -> str:
    """The value of an expression, for which Argo makes up what is not known; the tag if it has none (yet)."""
    from datetime import UTC, datetime  # most manifests have no expression where lint has to know its value

    from nbflow.templating.expressions import Clock
    from nbflow.templating.failures import TemplateError
    from nbflow.templating.scope import PLACEHOLDER_PREFIX
    from nbflow.templating.tags import substitute

    names = dict(enumerate(values))
    scope = {
        name: f"{PLACEHOLDER_PREFIX}{number}" if values[name] is None else values[name]
        for number, name in names.items()
    }
    try:
        value = substitute(
            tag, scope, allow_unresolved=True, clock=Clock(datetime(2000, 1, 1, tzinfo=UTC), 0)
        )
    except TemplateError:
        return tag
    made_up = re.compile(f"{PLACEHOLDER_PREFIX}([0-9]+)")
    return made_up.sub(lambda found: f"{UNKNOWN}{names[int(found[1])]}{UNKNOWN}", value)


def known_parts(text: str, instead: str) -> str:
    """A filled text with `instead` for each value that is not known."""
    return _UNKNOWN_VALUE.sub(lambda _: instead, text)


def without_expressions(text: str) -> str:
    """A text with a letter in place of each expression; one ends on the line on which it begins."""
    lines = text.split("\n") if "{{" in text else [text]
    return "\n".join([_without_expressions(line) for line in lines])


def _without_expressions(line: str) -> str:
    end = line.rfind("}}") + 2
    return _EXPRESSION.sub("x", line[:end]) + line[end:] if end >= 2 else line


def shown(text: str) -> str:
    """A filled text for people: the tags are back where values are not known."""
    return _UNKNOWN_VALUE.sub(r"{{\1}}", text)


def is_reference(text: str) -> bool:
    """Whether a text holds a tag without blanks, as Argo asks it of globalName and target."""
    return re.search(r"\{\{[-a-zA-Z0-9]+(\.[-a-zA-Z0-9_]+)*\}\}", text) is not None
