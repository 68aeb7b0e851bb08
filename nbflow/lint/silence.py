"""`# nbflow: ignore[NBF224]`: warnings that the author of a manifest does not want to hear again.

The comment stands on the line of the finding, or on lines of its own right above; without brackets it silences all
warnings there. Errors are Argo's verdict, and no comment changes it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from nbflow.errors import Finding, Severity

_COMMENT = re.compile(r"(?:^|\s)#\s*nbflow:\s*ignore(?:\[([^\]]*)\])?(?![\w\[-])")
_OWN_LINE = re.compile(r"\s*#")


def unsilenced(
    findings: Iterable[Finding], texts: Mapping[str, str], ignored: Collection[str] = ()
) -> list[Finding]:
    """The findings without those that comments or settings silence.

    texts: source -> its text. ignored: codes, or beginnings of codes ("NBF2").
    """
    lines: dict[str, list[str]] = {}
    kept = []
    for finding in findings:
        if finding.severity is Severity.WARNING:
            if any(finding.rule.startswith(code) for code in ignored if code):
                continue
            place = finding.position
            if place is not None and "nbflow:" in texts.get(place.file, ""):
                if place.file not in lines:
                    lines[place.file] = texts[place.file].split("\n")
                if _is_silent(finding.rule, lines[place.file], place.line - 1):
                    continue
        kept.append(finding)
    return kept


def _is_silent(rule: str, lines: list[str], index: int) -> bool:
    """Whether a comment on this line, or on the lines of comments above it, names the rule."""
    if index < len(lines) and _names(lines[index], rule):
        return True
    index -= 1
    while 0 <= index < len(lines) and _OWN_LINE.match(lines[index]):
        if _names(lines[index], rule):
            return True
        index -= 1
    return False


def _names(line: str, rule: str) -> bool:
    for match in _COMMENT.finditer(line):
        if match[1] is None or rule in (code.strip() for code in match[1].split(",")):
            return True
    return False
