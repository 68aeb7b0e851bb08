"""A corpus of hostile texts through every view, live and saved: nothing runs, nothing is fetched, nothing breaks."""

from __future__ import annotations

import re
from dataclasses import replace

import nbformat
import pytest
from playwright.sync_api import expect

from nbflow.notebook.listing import Listing, saved
from nbflow.notebook.snapshot import snapshot
from nbflow.spec.status import NodeType, Phase
from tests.browser.hostile import STRINGS
from tests.browser.stage import Stage
from tests.browser.view import badge, button, rows, tab, view
from tests.notebook.fake_client import node, node_id
from tests.notebook.workflows import diamond

OURS = """() => [...document.querySelectorAll('#cell :is(script, iframe, img, object, embed, base, link, meta, style,'
  + ' form:not(.nbflow-form), a[href])')].map((one) => one.outerHTML)"""
HANDLERS = """() => [...document.querySelectorAll('*')].flatMap((one) => [...one.attributes]
  .filter((a) => /^on/i.test(a.name) || /^\\s*javascript:/i.test(a.value) && a.name === 'href').map((a) => a.name))"""


@pytest.fixture
def fake(client):
    """A workflow in which every text is a stranger's."""
    tasks = [
        {"name": text, "template": text, "arguments": {"parameters": [{"name": text, "value": text}]}}
        for text in STRINGS
    ]
    templates = [
        {"name": text, "container": {"image": text, "command": [text], "args": [text]}} for text in STRINGS
    ]
    workflow = diamond()
    spec = {
        "entrypoint": "main",
        "arguments": {"parameters": [{"name": text, "value": text} for text in STRINGS]},
        "templates": [{"name": "main", "dag": {"tasks": tasks}}, *templates],
    }
    return client.add(replace(workflow, spec=spec))


def fill(fake, client) -> None:
    """Nodes whose names, messages, inputs and outputs are hostile, one of which waits, and lines of theirs."""
    nodes = [node("diamond", Phase.RUNNING, type=NodeType.DAG, template="main", message=STRINGS[0])]
    for index, text in enumerate(STRINGS):
        values = {
            "parameters": [{"name": text, "value": text}],
            "artifacts": [{"name": text, "path": text, "s3": {"key": text}}],
            "result": text,
            "exitCode": text,
        }
        one = node(
            f"diamond.{index}", list(Phase)[index % 7], boundary="diamond", template=text, message=text,
            inputs=values, outputs=values, extra={"hostNodeName": text, "resourcesDuration": {text: 1}},
        )  # fmt: skip
        nodes.append(replace(one, display_name=text))
        client.artifacts[node_id(f"diamond.{index}"), text] = text.encode(errors="replace")
    enum = {
        "parameters": [
            {"name": text, "enum": STRINGS, "value": text, "description": text} for text in STRINGS[:5]
        ]
    }
    supplied = {"parameters": [{"name": text, "valueFrom": {"supplied": {}}} for text in STRINGS[:8]]}
    waits = node(
        "diamond.waits", Phase.RUNNING, type=NodeType.SUSPEND, boundary="diamond", message=STRINGS[1]
    )
    nodes.append(replace(waits, display_name=STRINGS[2], inputs=enum, outputs=supplied))
    fake.change(*nodes, phase=Phase.RUNNING, message=STRINGS[0], progress=STRINGS[1])
    for index in range(len(STRINGS)):
        fake.say(f"diamond.{index}", *STRINGS)


def unharmed(page) -> None:
    assert page.evaluate("window.hacked") is None
    assert page.evaluate(OURS) == []
    assert page.evaluate(HANDLERS) == []


def test_the_live_view_shows_them_as_texts(bare, fake, client):
    page, _ = bare(fake.workflow)
    fill(fake, client)
    expect(badge(page)).to_have_text("ǁRunning (Suspended)")
    expect(view(page).locator(".nbflow-message span")).to_have_text(STRINGS[0])
    expect(rows(page)).not_to_have_count(0)
    expect(view(page).locator(".nbflow-canvas [data-node]").first).to_be_attached()
    expect(view(page).get_by_role("form").locator("option")).to_have_count(5 * len(STRINGS))
    becomes_lines = view(page).locator(".nbflow-log .nbflow-virtual")
    expect(becomes_lines).not_to_have_css("height", "0px")
    unharmed(page)
    tab(page, "Timeline").click()
    expect(view(page).get_by_role("listitem").first).to_be_visible()
    tab(page, "Details").click()
    tree = view(page).get_by_role("tree", name="nodes")
    detail = view(page).locator(".nbflow-detail")
    tree.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    for index in range(len(STRINGS)):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(detail).to_contain_text(f"diamond.{index}")
        expect(detail.locator("h4").filter(has_text="Inputs")).to_be_visible()
        unharmed(page)
    search = view(page).get_by_role("searchbox", name="search the log")
    tab(page, "Log").click()
    for text in STRINGS[:16]:
        search.fill(text.replace("\n", " "))
    unharmed(page)


def test_artifacts_with_such_names_and_contents_do_nothing(bare, fake, client):
    page, _ = bare(fake.workflow)
    fill(fake, client)
    tab(page, "Details").click()
    expect(rows(page)).not_to_have_count(1)
    tree = view(page).get_by_role("tree", name="nodes")
    tree.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    for index in range(6):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(view(page).locator(".nbflow-detail")).to_contain_text(f"diamond.{index}")
        expect(button(page, "Open")).to_have_count(2)
        button(page, "Open").last.click()
        expect(view(page).locator(".nbflow-preview")).not_to_have_text("reading …")
        tree.focus()
    assert page.evaluate("window.hacked") is None
    frames = page.evaluate(
        "[...document.querySelectorAll('iframe')].map((one) => one.getAttribute('sandbox'))"
    )
    assert set(frames) <= {""}


def test_the_table_of_workflows_shows_them_as_texts(bare, client, fake):
    fake.change(phase=Phase.FAILED, message=STRINGS[1], progress=STRINGS[3])
    stage = Stage(shows="list")
    listing = Listing(client, client.list, stage.say)
    stage.traits["opening"], stage.take = listing.opening(client.list()), listing.take
    page, _ = bare(stage=stage)
    expect(page.locator(".nbflow-runs tbody tr")).to_have_count(1)
    expect(page.locator(".nbflow-runs td").nth(5)).to_have_text(STRINGS[1])
    unharmed(page)


def test_the_saved_notebook_shows_them_as_texts(browser, tmp_path, fake, client):
    fill(fake, client)
    page = browser.new_page()
    requests, dialogs = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    for bundle in (snapshot(client, fake.workflow, pair="x"), saved(client.list(), text="", pair="y")):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
        notebook.cells[0].outputs = [nbformat.v4.new_output("display_data", bundle)]
        for sanitize in (False, True):
            path = tmp_path / "page.html"
            path.write_text(exported(notebook, sanitize=sanitize))
            page.goto(path.as_uri())
            page.wait_for_function("() => document.querySelectorAll('table').length")
            assert page.evaluate("window.hacked") is None
            assert page.evaluate(HANDLERS) == []
    assert dialogs == []
    assert [url for url in requests if "example.invalid" in url] == []
    page.close()


def exported(notebook, *, sanitize: bool) -> str:
    """As nbconvert exports it; sanitize: without scripts and styles, as sites show strangers' notebooks."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(sanitize_html=sanitize, require_js_url="", mathjax_url="", mermaid_js_url="")
    return re.sub(r"<script[^>]*src=[^>]*></script>", "", exporter.from_notebook_node(notebook)[0])
