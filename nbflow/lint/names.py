"""Names: there, well formed, and each once."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nbflow.lint.filling import Values, fill, known_parts
from nbflow.lint.objects import Json, text
from nbflow.lint.report import Report, Where

_FIELD = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]*\Z")
_PARAMETER = re.compile(r"[-a-zA-Z0-9_]+\Z")
_LONGEST = 128
FIELD_RULE = (
    "name must consist of alpha-numeric characters or '-', and must start with an alpha-numeric character"
)
PARAMETER_RULE = (
    "Parameter/Artifact name must consist of alpha-numeric characters, '_' or '-' e.g. my_param_1, MY-PARAM-1"
)


def field_name_fault(name: str) -> str:
    """What is wrong with the name of a template, step, task or container; "" if nothing is."""
    faults = [f"must be no more than {_LONGEST} characters"] if len(name) > _LONGEST else []
    if not _FIELD.match(name):
        faults.append(f"{FIELD_RULE} (e.g. My-name1-2, 123-NAME)")
    return ";".join(faults)


def parameter_name_fault(name: str) -> str:
    """What is wrong with the name of a parameter or artifact; "" if nothing is."""
    return "" if _PARAMETER.match(name) else PARAMETER_RULE


def check_names(
    report: Report,
    where: Where,
    things: Sequence[Json],
    said: str,
    *,
    parameters: bool = False,
    values: Values | None = None,
    may_repeat: bool = False,
) -> None:
    """The names in a list. said: how Argo's message calls the list; parameters: they are parameters or artifacts.

    values: what tags in the names are filled with, where Argo does that.
    """
    seen: set[str] = set()
    for index, thing in enumerate(things):
        name = text(thing, "name")
        if not name:
            report.error("NBF110", where.at(index), f"{said}[{index}].name is required", "add `name:`")
            continue
        filled = known_parts(fill(name, values), "x" if parameters else "_") if values else name
        fault = parameter_name_fault(filled) if parameters else field_name_fault(filled)
        if fault:
            fix = mended(name, parameters=parameters)
            report.error(
                "NBF110", where.at(index, "name"), f"{said}[{index}].name: '{name}' is invalid: {fault}", fix
            )
        elif name in seen and not may_repeat:
            problem = f"{said}[{index}].name '{name}' is not unique"
            report.error("NBF110", where.at(index, "name"), problem, "rename one of them")
        seen.add(name)


def mended(name: str, *, parameters: bool = False) -> str:
    """A fix: the name with what is not allowed taken out."""
    kept = re.sub(r"[^-a-zA-Z0-9_]+" if parameters else r"[^-a-zA-Z0-9]+", "-", name)
    return f"for example `{kept.strip('-')[:_LONGEST] or 'name-1'}`"
