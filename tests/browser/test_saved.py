"""A notebook that was saved, and is opened where its kernel never was."""

from __future__ import annotations

import re

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser.fake import DIAMOND
from tests.browser.jupyter import Notebook
from tests.browser.test_hostile import exported
from tests.browser.test_live_view import LOAD
from tests.browser.view import DRAWN, badge, view


@pytest.fixture
def stored(open_notebook):
    """Run a diamond that fails and save the notebook: `stored(kind)` gives the notebook, and what is in its file."""

    def run(kind: str) -> tuple[Notebook, nbformat.NotebookNode]:
        script = "fake.start(); fake.say('C', 'ValueError: no data')"
        notebook = open_notebook([LOAD, DIAMOND, script, "fake.workflows.fails(fake.newest())"], kind)
        for index in range(4):
            notebook.run(index)
        expect(badge(notebook.page)).to_have_text("✖Failed")
        snapshot = notebook.page.locator(".nbflow-snap")
        expect(snapshot).to_contain_text("✖ Failed diamond")
        return notebook, notebook.save()

    return run


def told(place) -> None:
    """The whole story, without a kernel or a script."""
    expect(place.locator("tbody tr")).to_have_count(5)
    expect(place.locator("tbody tr").nth(3)).to_have_text(
        re.compile(r"C\s*✖ Failed\s*5s\s*Error \(exit code 3\)")
    )
    expect(place.locator("details[open] pre").first).to_contain_text("ValueError: no data")
    assert place.locator("img").evaluate(DRAWN) > 50


@pytest.mark.parametrize("kind", ["lab", "lab-saving", "notebook"])
def test_it_tells_the_story_to_somebody_who_does_not_trust_it(stored, open_notebook, kind):
    notebook, saved = stored(kind)
    assert bool(saved.metadata.get("widgets")) is (kind == "lab-saving")
    saved.metadata["sent"] = "by somebody"  # another file: nobody signed it
    for cell in saved.cells:
        cell.metadata.pop("trusted", None)
    nbformat.write(saved, notebook.server.folder / "root" / "sent.ipynb")
    notebook.shut_down()
    notebook.name = "sent.ipynb"
    notebook.open()
    told(notebook.page.locator(".jp-OutputArea-output").filter(has=notebook.page.locator("table")).first)
    expect(view(notebook.page)).to_have_count(0)
    expect(notebook.page.get_by_text("Error displaying widget")).to_be_hidden()


def test_with_saved_state_the_widget_leaves_the_place_to_the_snapshot(stored):
    notebook, saved = stored("lab-saving")
    assert saved.metadata["widgets"]
    notebook.restart_kernel()
    notebook.reload()
    snapshot = notebook.page.locator(".nbflow-snap")
    expect(snapshot).to_be_visible()
    told(snapshot)
    expect(view(notebook.page)).to_have_count(0)


@pytest.mark.parametrize("sanitize", [False, True])
def test_exported_as_html_it_tells_the_story(browser, stored, tmp_path, sanitize):
    _, saved = stored("lab")
    path = tmp_path / "page.html"
    path.write_text(exported(saved, sanitize=sanitize))
    page = browser.new_page()
    page.goto(path.as_uri())
    if sanitize:
        row = page.locator("tr").filter(has_text="exit code 3")
        expect(row).to_have_text(re.compile(r"C\s*✖ Failed\s*5s\s*Error \(exit code 3\)"))
        expect(page.locator("pre").filter(has_text=re.compile("^ValueError: no data$"))).to_have_count(1)
        expect(page.get_by_text(".jp-OutputArea-child")).to_have_count(0)
    else:
        told(page.locator(".nbflow-snap"))
    page.close()
