"""Tags: where {{ }} are in a text, and the text with values in their place.

Argo substitutes in the JSON text of a template; here it is done string by string, with the same
result. A simple tag names a variable of the scope; `{{=` begins an expression.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from nbflow.templating.exprlang.frame import Clock
from nbflow.templating.failures import (
    AbsentOptional,
    ExpressionError,
    TemplateError,
    TemplateSyntaxError,
    UnresolvedTag,
)
from nbflow.templating.golang.jsontext import marshal
from nbflow.templating.golang.text import quote
from nbflow.templating.golang.values import Fault
from nbflow.templating.items import item_text
from nbflow.templating.scope import BLANKS, LATE, Absent, Scope, Value, has_placeholder

_OPEN: Final = "{{"
_CLOSE: Final = "}}"
_NOT_JSON: Final = re.compile("[\x00-\x07\x0b\x0e-\x1f\x7f\ud800-\udfff]")
"""What Go's quoting writes in a way that JSON does not know."""


_SURROGATES: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Tag:
    """text: what stands between the braces, blanks kept; name: stripped. start, end: offsets, braces included."""

    text: str
    name: str
    kind: Literal["simple", "expression"]
    start: int
    end: int


@lru_cache(maxsize=8192)
def tags(text: str) -> tuple[Tag, ...]:
    """The tags of `text`; each ends at the first }} after its {{. Raises TemplateSyntaxError if one has no end."""
    found: list[Tag] = []
    start = text.find(_OPEN)
    while start >= 0:
        end = text.find(_CLOSE, start + 2)
        if end < 0:
            raise TemplateSyntaxError(
                f'Cannot find end tag="{_CLOSE}" in the template={quote(text)}'
                f" starting from {quote(text[start + 2 :])}",
                offset=start,
                fix="close the tag with }}",
            )
        inner = text[start + 2 : end]
        is_expression = inner.startswith("=")
        name = inner[1:] if is_expression else inner
        found.append(
            Tag(inner, name.strip(BLANKS), "expression" if is_expression else "simple", start, end + 2)
        )
        start = text.find(_OPEN, end + 2)
    return tuple(found)


def pure_reference(text: str) -> str | None:
    """The variable that `text` names, if it is one simple tag and nothing else."""
    if not text.startswith(_OPEN) or not text.endswith(_CLOSE) or len(text) < 4:
        return None
    inner = text[2:-2]
    if _OPEN in inner or _CLOSE in inner or inner.startswith("="):
        return None
    return inner.strip()


def substitute(
    text: str, scope: Scope, *, allow_unresolved: bool, clock: Clock, strict_prefixes: Sequence[str] = ()
) -> str:
    """`text` with the values of its tags; one level of nesting, from the inside.

    allow_unresolved: leave tags of unknown variables as they are. strict_prefixes: except those that
    begin with one of these (`steps`, `tasks`). Raises UnresolvedTag, AbsentOptional, ExpressionError,
    TemplateSyntaxError.
    """
    if _OPEN not in text:
        return text
    return _Substitution(scope, not allow_unresolved, tuple(strict_prefixes), clock).text(text, "")


def substitute_tree(
    value: Value, scope: Scope, *, allow_unresolved: bool, clock: Clock, strict_prefixes: Sequence[str] = ()
) -> Value:
    """The same for all strings and keys of a JSON value."""
    return _Substitution(scope, not allow_unresolved, tuple(strict_prefixes), clock).tree(value, "")


def lookup(scope: Scope, name: str) -> Value | Absent:
    """The value of a variable, None if there is none; `item.x` may also be found inside of `item`."""
    value = scope.get(name)
    if value is None and name.startswith("item.") and name not in scope:
        value = scope.get("item")
        for part in name.split(".")[1:]:
            value = value.get(part) if isinstance(value, dict) else None
    return value


def resolve_reference(text: str, scope: Scope, clock: Clock) -> Value | Absent:
    """What `valueFrom.parameter` or `from` refers to: one tag, or a name without braces. Raises TemplateError."""
    name = text.removeprefix(_OPEN).removesuffix(_CLOSE).strip()
    if not name.startswith("="):
        if name not in scope:
            raise UnresolvedTag(f"Unable to resolve: {quote(name)}", name=name)
        return scope[name]
    from nbflow.templating.expressions import compile_expression  # most templates have no expression

    try:
        expression = compile_expression(name[1:])
        expression.check(scope)
    except ExpressionError:
        raise ExpressionError(f"Unable to compile: {quote(name[1:])}") from None
    try:
        result = expression.evaluate(scope, clock)
    except ExpressionError:
        raise ExpressionError(f"Invalid expression: {quote(name[1:])}") from None
    if result is None:
        raise ExpressionError(f"Unable to resolve: {quote(name)}")
    return result


@dataclass(frozen=True, slots=True)
class _Substitution:
    """One scope put into texts.

    strict: every tag has to resolve; prefixes: otherwise those that begin with one of these have to.
    """

    scope: Scope
    strict: bool
    prefixes: tuple[str, ...]
    clock: Clock

    def tree(self, value: Value, place: str) -> Value:
        """place: where in the whole value, so that random functions differ from string to string."""
        if isinstance(value, str):
            return self.text(value, place) if _OPEN in value else value
        if isinstance(value, dict):
            return {self.text(key, place): self.tree(below, f"{place}/{key}") for key, below in value.items()}
        if isinstance(value, list):
            return [self.tree(below, f"{place}/{index}") for index, below in enumerate(value)]
        return value

    def text(self, text: str, place: str) -> str:
        if _OPEN not in text:
            return text
        pieces: list[str] = []
        position = 0
        for tag in tags(text):
            pieces.append(text[position : tag.start])
            pieces.append(self.simple(tag) if tag.kind == "simple" else self.expression(tag, place))
            position = tag.end
        pieces.append(text[position:])
        return "".join(pieces)

    def demands(self, name: str) -> bool:
        return self.strict or any(name == p or name.startswith(f"{p}.") for p in self.prefixes)

    def simple(self, tag: Tag) -> str:
        value = lookup(self.scope, tag.name)
        if value is None:
            return self.nested(tag)
        if isinstance(value, Absent):
            raise AbsentOptional(
                f"unable to substitute {{{{{tag.text}}}}}: output is an absent optional"
                " (skipped/omitted node with no default)",
                fix="give the output a valueFrom.default, or the input that takes it a default",
            )
        return _fits(item_text(value))

    def nested(self, tag: Tag) -> str:
        """A tag that is not known as a whole: what its innermost part names takes the place of that part."""
        opening = tag.text.rfind(_OPEN)
        if opening > 0:
            inner = tag.text[opening + 2 :]
            value = lookup(self.scope, inner)
            if isinstance(value, Absent):
                raise AbsentOptional(
                    f'unable to substitute nested tag {{{{{tag.text}}}}}: "{inner}" is an absent optional'
                )
            if value is not None:
                return _OPEN + tag.text[:opening] + _fits(item_text(value))
        later = not self.strict and ".outputs.artifacts." in tag.name
        if self.demands(tag.name) and not later:
            raise UnresolvedTag(f"failed to resolve {{{{{tag.text}}}}}", name=tag.name)
        return f"{_OPEN}{tag.text}{_CLOSE}"

    def expression(self, tag: Tag, place: str) -> str:
        from nbflow.templating.expressions import compile_expression  # most templates have no expression

        source, unchanged = tag.text[1:], f"{_OPEN}{tag.text}{_CLOSE}"
        try:
            expression = compile_expression(source)
        except ExpressionError as error:
            if has_placeholder(self.scope):
                return unchanged
            raise _failed(error) from None
        env = expression.environment(self.scope)
        missing = expression.missing_in(env)
        for name in missing:
            if self.demands(name):
                raise UnresolvedTag(f"failed to evaluate expression: {name} is missing", name=name)
        tolerant = bool(missing) or not (self.strict or self.prefixes)
        if tolerant and not LATE.isdisjoint(missing):
            return unchanged
        try:
            return _spelled(source, expression.run_in(env, self.clock, f"{place}@{tag.start}"))
        except ExpressionError as error:
            if tolerant or has_placeholder(self.scope):
                return unchanged
            raise _failed(error) from None


def _fits(value: str) -> str:
    """`value`, unless Argo could not write it into the template."""
    if _NOT_JSON.search(value) or (not value.isascii() and any(map(_is_odd, value))):
        raise TemplateError(
            "cannot finish template replacement because the result was invalid JSON",
            fix="keep control characters out of parameters and results (as an artifact they do no harm)",
        )
    return value


def _is_odd(char: str) -> bool:
    return char > "\uffff" and not char.isprintable()


def _failed(error: ExpressionError) -> ExpressionError:
    return ExpressionError(f"failed to evaluate expression: {error.problem}")


def _spelled(source: str, result: object) -> str:
    """A result in the text: strings as they are, all else as JSON."""
    if result is None:
        raise ExpressionError(quote(source))
    if isinstance(result, str):
        return result if result.isascii() else _SURROGATES.sub("\ufffd", result)
    try:
        text = marshal(result)
    except Fault as fault:
        raise ExpressionError(str(fault)) from None
    return text[1:-1] if len(text) > 1 and text[0] == '"' else text
