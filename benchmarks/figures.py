"""A table of single figures, written into README.md: what the live view and a cluster's client cost."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from pathlib import Path

README = Path(__file__).parent / "README.md"


def tell(name: str, description: str, rows: Iterable[tuple[str, str, str]]) -> None:
    """Carry out the command line of such a script. name: of the table's place. rows: what, figure and mark."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--print", action="store_true", help="print the table and leave README.md alone")
    options = parser.parse_args()
    lines = ["| what | measured | mark |", "|---|---|---|"]
    for row in rows:
        lines.append(f"| {' | '.join(row)} |")
        print(lines[-1], file=sys.stderr, flush=True)
    text = "\n".join(lines) + "\n"
    if options.print:
        print(text)
        return
    place = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
    README.write_text(place.sub(lambda _: text, README.read_text()))
