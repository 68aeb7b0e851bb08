"""The program of a data template: lists artifacts and transforms the list, as `argoexec data` does it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from nbflow.agent.report import FAILED, Secrets, artifacts, read_order, secret, write_report
from nbflow.artifacts import driver_for, place_of
from nbflow.artifacts.attempts import attempt
from nbflow.errors import NbflowError
from nbflow.templating.expressions import Clock, compile_expression
from nbflow.templating.golang.jsontext import marshal

_LISTED = ("s3", "gcs", "azure", "oss", "plugin")
_NOT_LISTED = (
    "ListObjects is currently not supported for this artifact type, but it will be in a future version"
)


def carry_out(data: Mapping[str, object], repository: Path, secrets: Callable[[str], Secrets | None]) -> str:
    """The result as JSON. Raises NbflowError in Argo's words."""
    try:
        found: object = list(_paths(data, repository, secrets))
    except NbflowError as error:
        raise NbflowError(f"unable to process data source: {error.problem}", fix=error.fix) from None
    clock = Clock(datetime.now(UTC), 0)
    for number, step in enumerate(cast("list[Mapping[str, object]]", data.get("transformation") or [])):
        if expression := str(step.get("expression") or ""):
            try:
                found = compile_expression(expression).run_in({"data": found}, clock)
            except NbflowError as error:
                problem = f"unable to process data transformation: error processing data step {number}: {error.problem}"
                raise NbflowError(problem) from None
    return marshal(found)


def _paths(
    data: Mapping[str, object], repository: Path, secrets: Callable[[str], Secrets | None]
) -> Sequence[str]:
    source = data.get("source")
    artifact = source.get("artifactPaths") if isinstance(source, Mapping) else None
    if not isinstance(artifact, Mapping):
        raise NbflowError("no valid source is used for data template")
    try:
        place = place_of(artifact)
        if place and place not in _LISTED:
            raise NbflowError(_NOT_LISTED)
        driver = driver_for(artifact, repository, secrets)
        return attempt(lambda: driver.list(artifact))
    except NbflowError as error:
        raise NbflowError(f"unable to source artifact paths: {error.problem}", fix=error.fix) from None


def main(argv: Sequence[str]) -> int:
    """Carry out an order; what became of it goes into the report."""
    order = read_order(argv)
    try:
        result = carry_out(cast("Mapping[str, object]", order["data"]), artifacts(), secret)
    except NbflowError as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201 - the log of the step
        write_report(order, {"message": error.problem})
        return FAILED
    print(result)  # noqa: T201
    write_report(order, {"outputs": {"result": result}})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
