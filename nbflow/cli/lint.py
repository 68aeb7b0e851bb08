"""`nbflow lint`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from nbflow.cli.session import Session, no_color, on_target, output
from nbflow.errors import Finding, NbflowError, Severity

_PLURALS = {
    "workflows": "Workflow",
    "workflowtemplates": "WorkflowTemplate",
    "clusterworkflowtemplates": "ClusterWorkflowTemplate",
    "cronworkflows": "CronWorkflow",
}


@click.command("lint", short_help="validate files or directories of manifests")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--kinds", default="all", help=f"Which kinds will be linted. Can be: all|{'|'.join(_PLURALS)}")
@click.option("--strict/--no-strict", default=True, help="perform strict workflow validation")
@click.option("--strict-warnings", is_flag=True, help="exit with 1 for warnings, too")
@click.option("--offline", is_flag=True, help="resolve references from the given files only")
@output("pretty", "simple")
@no_color
@on_target
@click.pass_obj
def lint(
    session: Session,
    files: Sequence[str],
    kinds: str,
    strict: bool,  # click's signature
    strict_warnings: bool,  # click's signature
    offline: bool,  # click's signature
    output: str | None,
) -> int:
    """Find all that is wrong with manifests; `-` is standard input, a directory all manifests in it."""
    findings = _findings(session, files, _kinds(kinds), offline=offline, strict=strict)
    errors = _say(session, findings, output or "")
    return 1 if errors or (strict_warnings and findings) else 0


COMMANDS = {"lint": lint}


def report(session: Session, files: Sequence[str], kinds: Sequence[str], *, strict: bool, output: str) -> int:
    """Say what is wrong with the manifests of these kinds, and return the exit code."""
    return 1 if _say(session, _findings(session, files, kinds, offline=False, strict=strict), output) else 0


def _say(session: Session, findings: Sequence[Finding], output: str) -> int:
    """Print the findings; how many of them are errors."""
    for finding in findings:
        session.console.say(finding.render() if output != "simple" else _simple(finding))
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    sign = "" if output == "simple" else "✖ " if errors else "✔ "
    if errors:
        session.console.say(f"{sign}{errors} linting error{'s' * (errors != 1)} found!")
    else:
        session.console.line(f"{sign}no linting errors found!")
    return errors


def _findings(
    session: Session, files: Sequence[str], kinds: Sequence[str], *, offline: bool, strict: bool
) -> list[Finding]:
    from nbflow.commands.linting import lint_parsed
    from nbflow.commands.manifests import expand, load_all

    documents = load_all(expand(files), strict=strict)
    return lint_parsed(documents, client=None if offline else session.client, kinds=kinds)


def _kinds(text: str) -> list[str]:
    words = text.lower().split(",")
    strange = next((word for word in words if word != "all" and word not in _PLURALS), None)
    if strange is not None:
        raise NbflowError(f"there is no kind {strange!r}", fix=f"one of all, {', '.join(_PLURALS)}")
    return list(_PLURALS.values()) if "all" in words else [_PLURALS[word] for word in words]


def _simple(finding: Finding) -> str:
    place = f"{finding.position}: " if finding.position else ""
    return f"{place}{finding.problem}"
