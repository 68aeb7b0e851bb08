"""Every notebook of the tutorial runs, and ends as the copy in the repository shows it.

NBFLOW_UPDATE_NOTEBOOKS=1 stores the outputs of this run; they are part of the tutorial, so look at the diff.
"""

from __future__ import annotations

import os
import re

import nbformat
import pytest
from nbclient import NotebookClient

from tests.notebook.homes import REPOSITORY, environment, own_home

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
UPDATE = os.environ.get("NBFLOW_UPDATE_NOTEBOOKS") == "1"
# What differs from run to run: generated names, pods' names made of them, durations, bars of a timeline.
CHANGING = re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{5}\b|-\d{6,10}\b|\b\d+[smh]\b")


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_the_notebook_runs_and_ends_as_it_shows(path, tmp_path):
    stored = nbformat.read(path, as_version=4)
    fresh = nbformat.from_dict(stored)
    with own_home(tmp_path / "home") as home:
        client = NotebookClient(
            fresh, timeout=120, record_timing=False, store_widget_state=False, coalesce_streams=True
        )
        client.execute(env=environment(home), cwd=str(tmp_path))
    if UPDATE:
        nbformat.write(fresh, path)
    assert [told(cell) for cell in fresh.cells] == [told(cell) for cell in stored.cells]
    shown = " ".join(str(cell.get("outputs", "")) for cell in fresh.cells)
    assert str(home) not in shown
    assert str(REPOSITORY) not in shown


def told(cell):
    """What a cell shows, without what changes from run to run."""
    return [(output.output_type, masked(output)) for output in cell.get("outputs", [])]


def masked(output):
    if output.output_type == "stream":
        return " ".join(CHANGING.sub("*", output.text).split())
    if output.output_type == "error":
        return [CHANGING.sub("*", line) for line in output.traceback]
    assert not any(kind.startswith("application/vnd.jupyter.widget") for kind in output.data)
    lines = CHANGING.sub("*", output.data["text/plain"]).replace("━", "").splitlines()
    words = (" ".join(line.strip(" ├└│─┬").split()) for line in lines)
    return sorted(line for line in words if not line.startswith("duration "))  # of a diff: a busy machine


def test_there_are_notebooks():
    assert [path.stem for path in NOTEBOOKS] == [
        "00-quickstart",
        "01-parameters-and-artifacts",
        "02-when-things-fail",
        "03-python-results",
        "04-to-a-cluster",
    ]
