"""The live view in JupyterLab and Notebook 7, against a client that does what the test says: what takes a front end."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.fake import DIAMOND
from tests.browser.jupyter import Notebook
from tests.browser.view import DRAWN, badge, button, lines, row, rows, said, shape, view

LOAD = "%load_ext nbflow\nfrom tests.browser import fake"
BOTH = pytest.mark.parametrize("kind", ["lab", "notebook"])


@pytest.fixture
def diamond(open_notebook):
    """Open a notebook whose second cell submits the diamond; further cells drive it."""

    def opened(*cells: str, kind: str = "lab") -> Notebook:
        notebook = open_notebook([LOAD, DIAMOND, *cells], kind)
        notebook.run(0)
        notebook.run(1)
        expect(view(notebook.page)).to_be_visible()
        return notebook

    return opened


def stop(page) -> None:
    """Click on Stop, and say that it is meant."""
    button(page, "Stop").click()
    view(page).get_by_role("group", name="please confirm").get_by_role("button", name="Stop").click()


@BOTH
def test_a_run_lives_in_its_cell(diamond, kind):
    notebook = diamond("fake.start()", "fake.say('A', 'hello from A')", "fake.end()", kind=kind)
    page = notebook.page
    expect(badge(page)).to_have_text("◷Pending")
    notebook.run(2)
    expect(badge(page)).to_have_text("●Running")
    expect(shape(page, "A")).to_have_attribute("data-phase", "Running")
    notebook.run(3)
    expect(lines(page)).to_have_text(["Ahello from A"])
    notebook.run(4)
    expect(badge(page)).to_have_text("✔Succeeded")
    expect(shape(page, "D").locator("text").first).to_have_text("✔ D")
    expect(rows(page)).to_have_text(["All nodes", "▾✔diamond5s", "✔A5s", "✔B5s", "✔C5s", "✔D5s"])
    assert notebook.external() == []


@BOTH
def test_stop_answers_while_a_cell_blocks_the_kernel(diamond, kind):
    notebook = diamond("fake.start(); fake.stop_when_asked()", kind=kind)
    notebook.start(2)
    expect(shape(notebook.page, "A")).to_have_attribute("data-phase", "Running")
    stop(notebook.page)
    expect(badge(notebook.page)).to_have_text("✖Failed")
    expect(view(notebook.page).locator(".nbflow-message span")).to_have_text("Stopped with strategy 'Stop'")
    expect(button(notebook.page, "Stop")).to_be_hidden()


@BOTH
def test_keys_reach_the_view_and_not_the_notebook(diamond, kind):
    notebook = diamond(
        "fake.start(); fake.end(); fake.say('A', 'one'); fake.say('B', 'two', 'three')", kind=kind
    )
    page = notebook.page
    notebook.run(2)
    expect(lines(page)).to_have_text(["Aone", "Btwo", "Bthree"])
    row(page, "B").click()
    expect(lines(page)).to_have_text(["two", "three"])
    for key in ("ArrowUp", "Enter"):
        page.keyboard.press(key)
    expect(row(page, "A")).to_have_attribute("aria-selected", "true")
    expect(lines(page)).to_have_text(["one"])
    shape(page, "A").focus()
    for key in ("ArrowDown", "Enter", "d", "d", "b", "x"):
        page.keyboard.press(key)
    expect(row(page, "B")).to_have_attribute("aria-selected", "true")
    view(page).get_by_role("searchbox", name="search nodes").click()
    page.keyboard.type("ddxb")
    expect(view(page).get_by_role("searchbox", name="search nodes")).to_have_value("ddxb")
    assert page.evaluate("jupyterapp.shell.currentWidget.content.widgets.length") == 3


@BOTH
def test_a_reloaded_page_shows_what_was_reached_meanwhile(diamond, kind):
    notebook = diamond(
        "fake.start()", "fake.say('A', 'before')", "fake.say('A', 'after'); fake.end()", kind=kind
    )
    page = notebook.page
    notebook.run(2)
    notebook.run(3)
    notebook.save()
    notebook.reload()
    expect(shape(page, "A")).to_have_attribute("data-phase", "Running")
    expect(lines(page)).to_have_text(["Abefore"])
    notebook.run(4)
    expect(lines(page)).to_have_text(["Abefore", "Aafter"])
    expect(badge(page)).to_have_text("✔Succeeded")


@BOTH
def test_exactly_one_of_snapshot_and_live_view_is_seen(diamond, kind):
    notebook = diamond("fake.start(); fake.end()", kind=kind)
    page = notebook.page
    snapshot = page.locator(".nbflow-snap")
    expect(snapshot).to_be_hidden()
    notebook.run(2)
    expect(badge(page)).to_have_text("✔Succeeded")
    expect(snapshot).to_be_hidden()
    expect(snapshot).to_contain_text("✔ Succeeded diamond")
    notebook.save()
    notebook.restart_kernel()
    notebook.reload()
    expect(snapshot).to_be_visible()
    expect(snapshot.locator("img")).to_have_attribute(
        "alt",
        "Graph of workflow diamond: diamond Succeeded, A Succeeded, B Succeeded, C Succeeded, D Succeeded",
    )
    assert snapshot.locator("img").evaluate(DRAWN) > 50
    expect(page.get_by_text("Error displaying widget")).to_be_hidden()
    expect(page.get_by_text("Error creating widget")).to_be_hidden()


def test_a_view_whose_kernel_is_gone_says_so_by_itself(diamond):
    notebook = diamond("fake.start()")
    page = notebook.page
    notebook.run(2)
    expect(shape(page, "A")).to_have_attribute("data-phase", "Running")
    notebook.restart_kernel()
    expect(view(page).locator(".nbflow-link")).to_contain_text("snapshot, not live · as of ")
    expect(badge(page)).to_have_text("●was Running")
    expect(said(page)).to_have_text(
        "The kernel that showed this is gone; the workflow does not need it. `%workflow watch diamond` shows it again."
    )
    expect(button(page, "Stop")).to_be_disabled()


def test_a_suspended_workflow_is_resumed_by_a_click(diamond):
    notebook = diamond("fake.suspend()", "fake.resume_when_asked()", "fake.end()")
    page = notebook.page
    notebook.run(2)
    expect(badge(page)).to_have_text("ǁRunning (Suspended)")
    form = view(page).get_by_role("form", name="A waits for you")
    form.get_by_role("button", name="Resume").click()
    notebook.run(3)
    expect(form).to_be_hidden()
    expect(badge(page)).to_have_text("●Running")
    notebook.run(4)
    expect(badge(page)).to_have_text("✔Succeeded")


def test_running_the_cell_again_shows_the_new_run(diamond):
    notebook = diamond("fake.start(); fake.end()", "fake.client.runs.clear()", "fake.start()")
    notebook.run(2)
    notebook.run(3)
    notebook.run(1)
    expect(view(notebook.page)).to_have_count(1)
    expect(badge(notebook.page)).to_have_text("◷Pending")
    notebook.run(4)
    expect(badge(notebook.page)).to_have_text("●Running")
