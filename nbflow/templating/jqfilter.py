"""jq filters: `valueFrom.jqFilter` of the outputs of a resource template.

The filter runs in jq's own library. It gets at no file, module or environment variable, but it runs as long as it
runs: who must not wait for ever evaluates it where it can be stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nbflow.errors import NbflowError
from nbflow.templating.failures import ExpressionError
from nbflow.templating.golang.jsontext import marshal

if TYPE_CHECKING:
    from collections.abc import Iterator

_PRELUDE: Final = (
    'def env: {}; def input_filename: null; def get_search_list: []; def modulemeta: error("no modules"); '
    "def debug: .; def debug(message): .; def stderr: .; {} as $ENV |"
)
"""Hides what looks at or writes to something besides the data."""
MAX_OUTPUT: Final = 16 * 1024 * 1024
"""Characters; a filter that writes more is at fault."""


def jq_filter(data: object, source: str) -> str:
    """What the filter makes of a JSON value: texts as they are, all else as JSON, each on a line of its own.

    Raises ExpressionError if the filter does not parse or fails, NbflowError if jq is not installed.
    """
    lines: list[str] = []
    size = 0
    for result in _results(data, source):
        lines.append(result if isinstance(result, str) else marshal(result))
        size += len(lines[-1]) + 1
        if size > MAX_OUTPUT:
            raise ExpressionError("the jq filter writes more than 16 MB", fix="choose less with the filter")
    return "\n".join(lines).strip()


def require_jq() -> None:
    """Raises NbflowError if jq is not installed."""
    try:
        import jq  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise NbflowError(
            "jqFilter needs jq, which is not installed", fix="pip install 'nbflow[jq]'"
        ) from error


def _results(data: object, source: str) -> Iterator[object]:
    require_jq()
    import jq

    try:
        yield from jq.compile(f"{_PRELUDE}\n{source}").input_value(data)
    except ValueError as error:
        problem = (
            str(error).removeprefix("jq: ").removeprefix("error: ").splitlines()[0] if str(error) else ""
        )
        fix = "see https://jqlang.org/manual; try it with `jq`"
        raise ExpressionError(f"jq filter {source!r}: {problem or 'failed'}", fix=fix) from None
