"""Write the pages of docs/reference: the variables, from the catalogue, and the rules of lint.

python scripts/reference_pages.py
"""

from __future__ import annotations

import sys
from pathlib import Path

from nbflow.lint.rules import FIXES, RULES
from nbflow.templating.catalogue import VARIABLES, Variable

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "reference"
EXAMPLES = ROOT / "tests" / "lint" / "golden"

NOTE = "<!-- Written by scripts/reference_pages.py. Change what it reads, and run it again. -->\n"
HOW = "A tag `{{name}}` stands for the value of a variable. Parts in angle brackets stand for any name.\n"


def variables() -> str:
    """The page of variables, a table for each place in which they have a value."""
    places: dict[str, list[Variable]] = {}
    for variable in VARIABLES:
        places.setdefault(" or ".join(variable.where), []).append(variable)
    parts = [f"# Variables\n\n{NOTE}\n{HOW}"]
    for place, found in places.items():
        rows = "".join(f"| `{v.name}` | {_cell(v.meaning)} | {v.since} |\n" for v in found)
        parts.append(
            f"## {place[0].upper()}{place[1:]}\n\n| variable | meaning | since Argo |\n|---|---|---|\n{rows}"
        )
    return "\n".join(parts)


def rules() -> dict[str, str]:
    """A page for each rule, and one that lists them: file name -> text."""
    pages = {f"{code}.md": _rule(code) for code in RULES}
    lists = "".join(
        f"\n## {title}\n\n| code | what holds if it is kept |\n|---|---|\n"
        + "".join(f"| [{c}]({c}.md) | {_cell(m)} |\n" for c, m in RULES.items() if c.startswith(prefix))
        for prefix, title in (
            ("NBF1", "Errors: what Argo refuses"),
            ("NBF2", "Warnings: what we advise against"),
        )
    )
    return {"README.md": f"# Rules of lint\n\n{NOTE}{lists}\n{SILENCE}", **pages}


SILENCE = """## Silence

Warnings never change an exit code, unless `--strict-warnings` is given. A comment silences them on its line, or on the
line below if it stands alone: `# nbflow: ignore[NBF224]`, several codes with commas, all warnings without brackets.
`nbflow lint --ignore NBF224` leaves out a rule once, `ignored = ["NBF224"]` in `settings.toml` of NBFLOW_HOME (or
`NBFLOW_IGNORED=NBF224,NBF228`) always.
"""


def _rule(code: str) -> str:
    is_error = code.startswith("NBF1")
    severity = (
        "Error: Argo refuses it."
        if is_error
        else "Warning: Argo lets it pass; it never changes an exit code."
    )
    fix = f"\nFix: {FIXES[code]}.\n" if code in FIXES else ""
    example = _example(code)
    shown = f"\n## Example\n\n```text\n{example}\n```\n" if example else ""
    meaning = RULES[code]
    return f"# {code}: {meaning}\n\n{NOTE}\n{severity}\n{fix}{shown}"


def _example(code: str) -> str:
    """What lint says about a manifest that breaks the rule: the shortest one of the tests."""
    found = [
        finding.strip()
        for path in sorted(EXAMPLES.glob("*.txt"))
        for finding in path.read_text(encoding="utf-8").split("\n\n")
        if f"[{code}]" in finding
    ]
    return min(found, key=len, default="")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def pages() -> dict[Path, str]:
    """All pages."""
    found = {PAGES / "rules" / name: text for name, text in rules().items()}
    return {PAGES / "variables.md": variables(), **found}


def main() -> int:
    """Write them, and remove those of rules that are no more."""
    written = pages()
    (PAGES / "rules").mkdir(parents=True, exist_ok=True)
    for path in (PAGES / "rules").glob("*.md"):
        if path not in written:
            path.unlink()
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")
    print(f"{len(written)} pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
