"""`nbflow lint`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from nbflow.cli.session import Session, no_color, on_target, output
from nbflow.errors import Finding, Severity


@click.command("lint", short_help="validate files or directories of manifests")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--kinds",
    default="all",
    help="Which kinds will be linted. Can be: all|workflows|workflowtemplates|cronworkflows|clusterworkflowtemplates",
)
@click.option("--strict/--no-strict", default=True, help="perform strict workflow validation")
@click.option("--strict-warnings", is_flag=True, help="exit with 1 for warnings, too")
@click.option("--offline", is_flag=True, help="resolve references from the given files only")
@click.option(
    "--ignore", multiple=True, metavar="CODE", help="leave out warnings of this rule, for example NBF224"
)
@output("pretty", "simple", "json", "github")
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
    ignore: Sequence[str],
    output: str | None,
) -> int:
    """Find all that is wrong with manifests; `-` is standard input, a directory all manifests in it."""
    from nbflow.lint import NothingToLint, chosen_kinds

    wanted = sorted(chosen_kinds(kinds.split(",")))
    try:
        findings = _findings(session, files, wanted, offline=offline, strict=strict, ignored=ignore)
    except NothingToLint as nothing:
        session.console.say(str(nothing))
        return 1
    errors = _say(session, findings, output or "")
    return 1 if errors or (strict_warnings and findings) else 0


COMMANDS = {"lint": lint}


def report(session: Session, files: Sequence[str], kinds: Sequence[str], *, strict: bool, output: str) -> int:
    """Say what is wrong with the manifests of these kinds, and return the exit code."""
    findings = _findings(session, files, kinds, offline=False, strict=strict, ignored=())
    return 1 if _say(session, findings, output) else 0


def _say(session: Session, findings: Sequence[Finding], output: str) -> int:
    """Print the findings, for people on stderr and the verdict at the end; how many of them are errors."""
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    if output == "json":
        session.console.write(_json(findings))
        return errors
    if output == "github":
        for finding in findings:
            session.console.line(_annotation(finding))
        return errors
    simple = output == "simple"
    for finding in findings:
        session.console.say(_simple(finding) if simple else finding.render())
    sign = "" if simple else "✖ " if errors else "✔ "
    if errors:
        session.console.say(f"{sign}{errors} linting error{'s' * (errors != 1)} found!")
    else:
        session.console.line(f"{sign}no linting errors found!")
    return errors


def _findings(
    session: Session,
    files: Sequence[str],
    kinds: Sequence[str],
    *,
    offline: bool,
    strict: bool,
    ignored: Sequence[str],
) -> list[Finding]:
    from nbflow.commands.linting import Advice, lint_parsed
    from nbflow.commands.manifests import expand, load_all

    documents = load_all(expand(files), strict=strict)
    client = None if offline else session.client
    return lint_parsed(documents, client=client, kinds=kinds, advice=Advice(session.target, ignored))


def _simple(finding: Finding) -> str:
    place = f"{finding.position}: " if finding.position else ""
    return f"{place}{finding.problem}"


def _json(findings: Sequence[Finding]) -> str:
    """A list of objects, one for each finding; file, line and column are null where a manifest has no such place."""
    from nbflow.cli.console import to_json

    return to_json([_plain(finding) for finding in findings])


def _plain(finding: Finding) -> dict[str, object]:
    place = finding.position
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "message": finding.problem,
        "fix": finding.fix,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
    }


def _annotation(finding: Finding) -> str:
    """A workflow command, which GitHub Actions shows beside the lines of a pull request."""
    properties = {"title": finding.rule}
    if finding.position:
        place = finding.position
        properties = {"file": place.file, "line": str(place.line), "col": str(place.column), **properties}
    said = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in properties.items())
    message = f"{finding.problem}\n{finding.fix}" if finding.fix else finding.problem
    return f"::{finding.severity.value} {said}::{_escaped(message)}"


def _escaped(text: str, also: str = "") -> str:
    """Percent signs, ends of lines, and what ends a property, as these commands want them."""
    for char in "%\r\n" + also:
        text = text.replace(char, f"%{ord(char):02X}")
    return text
