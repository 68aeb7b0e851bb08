"""The reference pages say what the catalogue and the rules say."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_pages_are_up_to_date():
    pages = runpy.run_path(str(ROOT / "scripts" / "reference_pages.py"))["pages"]()
    stale = [path.name for path, text in pages.items() if not path.exists() or path.read_text() != text]
    assert stale == [], "run scripts/reference_pages.py"
    found = set((ROOT / "docs" / "reference").rglob("*.md"))
    assert found == set(pages)
