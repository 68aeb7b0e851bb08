"""The live table of workflows, on a bare page."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from nbflow.notebook import listing as module
from nbflow.notebook.listing import Listing
from nbflow.spec.status import Phase
from tests.browser.stage import Stage
from tests.browser.view import shape
from tests.notebook.workflows import at_once, diamond, end, start


@pytest.fixture
def listed(bare, client, monkeypatch):
    """Three workflows, listed: `listed()` opens the page."""
    monkeypatch.setattr(module, "EVERY", 0.1)
    runs = {}
    for index, name in enumerate(("alpha", "beta", "gamma")):
        workflow = diamond(name)
        made = {**workflow.metadata, "creationTimestamp": f"2024-05-01T12:00:0{index}Z"}
        runs[name] = client.add(replace(workflow, metadata=made))
    stage = Stage(shows="list")
    listing = Listing(client, client.list, stage.say)
    stage.traits["opening"] = listing.opening(client.list())
    stage.take = listing.take
    page, _ = bare(stage=stage)
    return page, runs, stage


def cells(page, column: int):
    return page.locator(f".nbflow-runs tbody td:nth-child({column})")


def test_the_table_lives(listed, client):
    page, runs, _ = listed
    expect(cells(page, 1)).to_have_text(["gamma", "beta", "alpha"])
    expect(cells(page, 2)).to_have_text(["◷ Pending"] * 3)
    start(runs["beta"])
    expect(cells(page, 2)).to_have_text(["◷ Pending", "● Running", "◷ Pending"])
    expect(cells(page, 5).nth(1)).to_have_text("0/1")
    end(runs["beta"], C=Phase.FAILED)
    expect(cells(page, 2).nth(1)).to_have_text("✖ Failed")
    client.delete("alpha")
    expect(cells(page, 1)).to_have_text(["gamma", "beta"])
    client.add(diamond("delta"))
    expect(cells(page, 1)).to_have_count(3)


def test_it_is_sorted_by_any_column_and_searched(listed):
    page, runs, _ = listed
    at_once(runs["beta"])
    expect(cells(page, 2).nth(1)).to_have_text("✔ Succeeded")
    head = page.get_by_role("button", name="Status")
    head.click()
    expect(cells(page, 1)).to_have_text(["alpha", "gamma", "beta"])
    expect(page.get_by_role("columnheader", name="Status")).to_have_attribute("aria-sort", "ascending")
    head.click()
    expect(cells(page, 1).first).to_have_text("beta")
    expect(page.get_by_role("columnheader", name="Status")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("searchbox", name="search workflows").fill("ALP")
    expect(cells(page, 1)).to_have_text(["alpha"])
    expect(page.get_by_text("1 of 3")).to_be_visible()


def test_a_row_opens_the_live_view_of_its_run(listed):
    page, runs, _ = listed
    opened = page.locator(".nbflow-opened .nbflow-view.nbflow-live")
    page.get_by_role("button", name="beta", exact=True).click()
    expect(opened.locator(".nbflow-name")).to_have_text("beta")
    start(runs["beta"])
    expect(shape(page, "A")).to_have_attribute("data-phase", "Running")
    opened.get_by_role("button", name="Suspend").click()
    expect(opened.locator(".nbflow-said")).to_contain_text("Suspended: no more nodes start")
    assert [request.verb for request in runs["beta"].asked] == ["suspend"]
    page.get_by_role("button", name="beta", exact=True).click()
    expect(opened).to_have_count(0)


def test_what_nobody_sees_is_not_looked_at(listed, client, monkeypatch):
    page, _, stage = listed
    monkeypatch.setattr(module, "SEEN", 0.2)
    looks = []
    see = client.list
    stage.take.__self__._look = lambda: looks.append(1) or see()
    page.clock.install()
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
    stage.take({"do": "look"})
    while stage.take.__self__._looking:
        page.wait_for_timeout(20)
    seen = len(looks)
    page.clock.run_for(60_000)
    assert len(looks) == seen


@pytest.mark.parametrize(
    ("chosen", "told"), [(False, "There is no workflow yet: a cell"), (True, "^no workflow matches$")]
)
def test_without_workflows_it_says_how_to_run_one_unless_some_were_asked_for(bare, client, chosen, told):
    stage = Stage(shows="list")
    listing = Listing(client, client.list, stage.say, chosen=chosen)
    stage.traits["opening"], stage.take = listing.opening([]), listing.take
    page, _ = bare(stage=stage)
    expect(page.locator(".nbflow-none")).to_have_text(re.compile(told))
