"""The live view against a client that does what the test says, so that every moment can be looked at."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.fake import DIAMOND
from tests.browser.jupyter import Notebook

LOAD = "%load_ext nbflow\nfrom tests.browser import fake"
BOTH = pytest.mark.parametrize("kind", ["lab", "notebook"])


def view(notebook: Notebook):
    return notebook.page.locator(".nbflow-view.nbflow-live")


def shape(notebook: Notebook, name: str):
    """The shape of a node in the graph, by the name it shows."""
    label = notebook.page.locator("text").filter(has_text=re.compile(rf"^\S {name}$"))
    return view(notebook).locator("g.node").filter(has=label)


def row(notebook: Notebook, name: str):
    return view(notebook).get_by_role("treeitem", name=re.compile(rf"^{name}, "))


@pytest.fixture
def diamond(open_notebook):
    """Open a notebook whose second cell submits the diamond; further cells drive it."""

    def opened(*cells: str, kind: str = "lab") -> Notebook:
        notebook = open_notebook([LOAD, DIAMOND, *cells], kind)
        notebook.run(0)
        notebook.run(1)
        expect(view(notebook)).to_be_visible()
        return notebook

    return opened


@BOTH
def test_nodes_change_colour_and_the_log_streams(diamond, kind):
    notebook = diamond("fake.start()", "fake.say('A', 'hello from A')", "fake.end()", kind=kind)
    badge = view(notebook).locator(".nbflow-badge")
    expect(badge).to_have_text("◷Pending")
    for name in "ABCD":
        expect(shape(notebook, name)).to_have_attribute("data-phase", "Pending")
    notebook.run(2)
    expect(badge).to_have_text("●Running")
    expect(shape(notebook, "A")).to_have_attribute("data-phase", "Running")
    expect(shape(notebook, "B")).to_have_attribute("data-phase", "Pending")
    notebook.run(3)
    expect(view(notebook).locator(".nbflow-line")).to_have_text(["Ahello from A"])
    notebook.run(4)
    expect(badge).to_have_text("✔Succeeded")
    for name in "ABCD":
        expect(shape(notebook, name)).to_have_attribute("data-phase", "Succeeded")
        expect(shape(notebook, name)).to_contain_text(f"✔ {name}")
    expect(view(notebook).get_by_role("treeitem")).to_have_text(
        ["All nodes", "✔diamond5s", "✔A5s", "✔B5s", "✔C5s", "✔D5s"]
    )
    assert notebook.external() == []


@BOTH
def test_stop_is_asked_for_by_a_click(diamond, kind):
    notebook = diamond("fake.start()", "fake.stop_when_asked()", kind=kind)
    notebook.run(2)
    view(notebook).get_by_role("button", name="Stop").click()
    expect(view(notebook).locator(".nbflow-said")).to_have_text(
        "Stop was asked for: running pods end, then exit handlers run."
    )
    notebook.run(3)
    expect(view(notebook).locator(".nbflow-badge")).to_have_text("✖Failed")
    expect(view(notebook).locator(".nbflow-message")).to_have_text("Stopped with strategy 'Stop'")
    expect(view(notebook).get_by_role("button", name="Stop")).to_be_hidden()


@BOTH
def test_stop_answers_while_a_cell_blocks_the_kernel(diamond, kind):
    notebook = diamond("fake.start(); fake.stop_when_asked()", kind=kind)
    notebook.start(2)
    expect(shape(notebook, "A")).to_have_attribute("data-phase", "Running")
    view(notebook).get_by_role("button", name="Stop").click()
    expect(view(notebook).locator(".nbflow-badge")).to_have_text("✖Failed")


@BOTH
def test_a_selected_node_has_the_log_to_itself(diamond, kind):
    notebook = diamond(
        "fake.start(); fake.end(); fake.say('A', 'one'); fake.say('B', 'two', 'three')", kind=kind
    )
    notebook.run(2)
    lines = view(notebook).locator(".nbflow-line")
    expect(lines).to_have_text(["Aone", "Btwo", "Bthree"])
    row(notebook, "B").click()
    expect(view(notebook).locator(".nbflow-log-title")).to_have_text("Log of B")
    expect(lines).to_have_text(["two", "three"])
    row(notebook, "B").press("ArrowDown")
    row(notebook, "C").press("Enter")
    expect(view(notebook).locator(".nbflow-log")).to_have_attribute("data-empty", "no lines")
    shape(notebook, "A").click()
    expect(lines).to_have_text(["one"])
    row(notebook, "A").press("Escape")
    expect(lines).to_have_text(["Aone", "Btwo", "Bthree"])
    assert notebook.page.evaluate("jupyterapp.shell.currentWidget.content.widgets.length") == 3


def test_nothing_that_a_workflow_says_is_executed(diamond):
    hostile = "<img src=x onerror=window.hacked=1><script>window.hacked=1</script>"
    notebook = diamond("fake.start()", f"fake.evil({hostile!r})")
    notebook.run(2)
    notebook.run(3)
    expect(view(notebook).locator(".nbflow-message")).to_have_text(hostile)
    expect(view(notebook).locator(".nbflow-line").first).to_have_text(hostile + hostile)
    expect(view(notebook).locator(".nbflow-line").nth(1)).to_contain_text("plain red end")
    expect(view(notebook).locator(".nbflow-ansi-1")).to_have_text("red")
    assert notebook.page.evaluate("window.hacked") is None
    assert notebook.external() == []


def test_many_changes_arrive_without_a_gap_and_the_page_stays_bounded(diamond):
    notebook = diamond("fake.start()", "fake.many(400)", "fake.end()")
    notebook.run(2)
    notebook.run(3)
    expect(view(notebook).get_by_role("treeitem")).to_have_count(1 + 402)
    last = view(notebook).locator(".nbflow-line").last
    expect(last).to_contain_text("x(399:399) says 19")
    assert view(notebook).locator(".nbflow-line").count() <= 2000
    expect(view(notebook).locator(".nbflow-log-title")).to_contain_text("lines left out")
    notebook.run(4)
    expect(view(notebook).locator(".nbflow-badge")).to_have_text("✔Succeeded")


@BOTH
def test_a_reloaded_page_shows_what_was_reached_meanwhile(diamond, kind):
    notebook = diamond(
        "fake.start()", "fake.say('A', 'before')", "fake.say('A', 'after'); fake.end()", kind=kind
    )
    notebook.run(2)
    notebook.run(3)
    notebook.save()
    notebook.reload()
    expect(shape(notebook, "A")).to_have_attribute("data-phase", "Running")
    expect(view(notebook).locator(".nbflow-line")).to_have_text(["Abefore"])
    notebook.run(4)
    expect(view(notebook).locator(".nbflow-line")).to_have_text(["Abefore", "Aafter"])
    expect(view(notebook).locator(".nbflow-badge")).to_have_text("✔Succeeded")


@BOTH
def test_exactly_one_of_snapshot_and_live_view_is_seen(diamond, kind):
    notebook = diamond("fake.start(); fake.end()", kind=kind)
    snapshot = notebook.page.locator(".nbflow-snap")
    expect(snapshot).to_be_hidden()
    notebook.run(2)
    expect(view(notebook).locator(".nbflow-badge")).to_have_text("✔Succeeded")
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
    assert snapshot.locator("img").evaluate("image => image.complete && image.naturalWidth") > 50
    expect(notebook.page.get_by_text("Error displaying widget")).to_be_hidden()
    expect(notebook.page.get_by_text("Error creating widget")).to_be_hidden()


def test_a_view_whose_kernel_is_gone_says_so_by_itself(diamond):
    notebook = diamond("fake.start()")
    notebook.run(2)
    expect(shape(notebook, "A")).to_have_attribute("data-phase", "Running")
    notebook.restart_kernel()
    expect(view(notebook).locator(".nbflow-link")).to_have_text("snapshot, not live")
    expect(view(notebook).locator(".nbflow-badge")).to_have_text("●was Running")
    expect(view(notebook).locator(".nbflow-said")).to_have_text(
        "The kernel that showed this is gone; the workflow does not need it. `%workflow watch diamond` shows it again."
    )
    expect(view(notebook).get_by_role("button", name="Stop")).to_be_disabled()


def test_a_suspended_workflow_is_resumed_by_a_click(diamond):
    notebook = diamond("fake.suspend()", "fake.resume_when_asked()", "fake.end()")
    notebook.run(2)
    expect(view(notebook).locator(".nbflow-badge")).to_have_text("●Running (Suspended)")
    expect(row(notebook, "A")).to_have_text("ǁAwaits for Resume")
    resume = view(notebook).get_by_role("button", name="Resume")
    resume.click()
    notebook.run(3)
    expect(resume).to_be_hidden()
    expect(view(notebook).locator(".nbflow-badge")).to_have_text("●Running")
    notebook.run(4)
    expect(view(notebook).locator(".nbflow-badge")).to_have_text("✔Succeeded")


def test_a_failure_names_the_child(diamond):
    notebook = diamond(
        "fake.start(); one = fake.newest(); child = fake.workflows.ids(one, 'A')[0]",
        "one.change(message=f\"child '{child}' failed\"); fake.workflows.end(one, A=fake.workflows.P.FAILED)",
    )
    notebook.run(2)
    notebook.run(3)
    expect(view(notebook).locator(".nbflow-message")).to_have_text(
        re.compile(r"^child 'diamond-\d+' failed: A: Error \(exit code 3\)$")
    )


def test_lines_look_as_at_a_terminal(diamond):
    lines = [
        "\x1b[1;33mwarn\x1b[22m low\x1b[0m end", "\x1b[38;5;208mcube\x1b[39m \x1b[38;2;10;20;30mbytes\x1b[0m",
        "\x1b[44;4mnote\x1b[24m", "10%\r50%\r100%\r",
    ]  # fmt: skip
    notebook = diamond("fake.start()", f"fake.say('A', *{lines!r})")
    notebook.run(2)
    notebook.run(3)
    shown = view(notebook).locator(".nbflow-line")
    expect(shown).to_have_text(["Awarn low end", "Acube bytes", "Anote", "A100%"])
    styled = shown.locator("span:not(.nbflow-who)").evaluate_all(
        "all => all.map(one => [one.textContent, one.className, one.style.color])"
    )
    assert styled == [
        ["warn", "nbflow-ansi-3 nbflow-bold", ""], [" low", "nbflow-ansi-3", ""],
        ["cube", "", "rgb(255, 135, 0)"], ["bytes", "", "rgb(10, 20, 30)"], ["note", "nbflow-underline", ""],
    ]  # fmt: skip


def test_running_the_cell_again_shows_the_new_run(diamond):
    notebook = diamond("fake.start(); fake.end()", "fake.client.runs.clear()", "fake.start()")
    notebook.run(2)
    notebook.run(3)
    notebook.run(1)
    expect(view(notebook)).to_have_count(1)
    expect(view(notebook).locator(".nbflow-badge")).to_have_text("◷Pending")
    notebook.run(4)
    expect(view(notebook).locator(".nbflow-badge")).to_have_text("●Running")
