"""Argo's own examples by the command line, where the folder that holds them is at hand: scripts/run_examples.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT.parent / "shared" / "argo-examples"
PAGE = ROOT / "docs" / "examples.md"
MOST_LEFT_OUT = 6
"""Of those that Argo's own tests run."""

pytestmark = [
    pytest.mark.walkthrough,
    pytest.mark.skipif(not EXAMPLES.is_dir(), reason="../shared/argo-examples is not here"),
]


def rows(page: str) -> dict[str, tuple[str, str]]:
    """Example -> how it ends, and a remark, as the page has them; without what a program lacks to run."""
    lines = (line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| "))
    found = {name: (ends, "".join(remark).rstrip(" |")) for name, ends, *remark in lines}
    return {name: row for name, row in found.items() if not row[1].startswith("this machine has no")}


def test_all_end_as_they_should_and_as_the_page_says(tmp_path: Path) -> None:
    written = tmp_path / "examples.md"
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "run_examples.py", "--write", written],
        capture_output=True,
        text=True,
        timeout=3000,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found, expected = rows(written.read_text()), rows(PAGE.read_text())
    assert {name: found[name] for name in found.keys() & expected.keys()} == {
        name: expected[name] for name in found.keys() & expected.keys()
    }
    tested = rows(written.read_text().partition("## Not tested")[0])
    assert sum(ends == "left out" for ends, _ in tested.values()) <= MOST_LEFT_OUT
