"""The scripts of the live view as one module."""

from __future__ import annotations

import re
from pathlib import Path

from nbflow.notebook import page

FOLDER = Path(page.__file__).parent


def lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line]


def test_every_file_is_in_the_module_once_and_after_what_it_imports():
    joined = lines(page.module())
    for path in FOLDER.glob("*.js"):
        own = [line.removeprefix("export ") for line in lines(path.read_text()) if "import {" not in line]
        assert joined.count(own[0]) == 1, path.name
        imported = re.findall(r'^import .* from "\./(\w+)\.js"', path.read_text(), re.MULTILINE)
        for other in imported:
            assert joined.index(lines((FOLDER / f"{other}.js").read_text())[0]) < joined.index(own[0])


def test_only_the_way_in_is_exported_and_no_name_is_taken_twice():
    module = page.module()
    assert re.findall(r"^(?:import|export)\b.*", module, re.MULTILINE) == ["export default {"]
    names = re.findall(r"^(?:class|function|const|let) (\w+)", module, re.MULTILINE)
    assert sorted(names) == sorted(set(names))


def test_every_style_is_there():
    for path in FOLDER.glob("*.css"):
        assert path.read_text() in page.style(), path.name
