"""Results in a real page: what a step left cannot act on it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

SETUP = r"""
%load_ext nbflow
import io
from pathlib import Path
from nbflow.notebook.artifacts import Artifact, Artifacts
from nbflow.notebook.results import Run
from tests.browser import fake
from tests.notebook import workflows
from tests.notebook.fake_client import FakeClient, node
from tests.notebook.workflows import diamond, end

EVIL = '<img src=x onerror="window.top.owned=1"><script>window.top.owned=2</script>'
PAGE = f'<h1>A page</h1>{EVIL}<img src="https://example.com/pixel.png"><script>parent.owned=3</script>'
DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40" onload="window.top.owned=4">'
    '<circle r="9"/><script>window.top.owned=5</script></svg>'
)

def artifact(name, content):
    return Artifact({"name": name, "path": f"/tmp/{name}"}, lambda target: target.write_text(content))
"""
CELLS = [
    SETUP,
    'artifact("page.html", PAGE).show()',
    'artifact("page.html", PAGE).show(scripts=True)',
    'artifact("drawing.svg", DRAWING).show()',
    'artifact("table.csv", "a,b\\n" + EVIL + ",2\\n").show()',
    'artifact("data.json", \'{"x": "\' + EVIL.replace(\'"\', "") + \'"}\')',
    "Artifacts({EVIL: artifact(EVIL, EVIL)}, EVIL)",
    """client = FakeClient()
one, two = (client.add(diamond(name)) for name in ("diamond", "other"))
for each in (one, two): end(each)
bad = node("diamond.x", workflows.P.FAILED, boundary="diamond", message=EVIL)
from dataclasses import replace
one.change(replace(bad, display_name=EVIL, outputs={"parameters": [{"name": EVIL, "value": EVIL}]}))
run = Run(client, "diamond")
run["*"]""",
    "run.tree()",
    "run.graph()",
    "run.timeline()",
    'run.diff("other")',
    'run["diamond.x"]',
    'run["diamond.x"].outputs',
]


@pytest.mark.parametrize("kind", ["lab", "notebook"])
def test_nothing_that_a_run_left_acts_on_the_page(open_notebook, shots, kind):
    notebook = open_notebook(CELLS, kind)
    page = notebook.page
    refused: set[str] = (
        set()
    )  # what the frame's policy stopped; Chromium tells of some of these requests nevertheless
    page.on("requestfailed", lambda request: request.failure == "csp" and refused.add(request.url))
    for index in range(len(CELLS)):
        notebook.run(index)
        assert "traceback" not in str(notebook.outputs(index)), notebook.text(index)
    frames = page.locator("iframe[srcdoc]")
    expect(frames).to_have_count(2)
    expect(frames.first).to_have_attribute("sandbox", "")
    expect(frames.first.content_frame.locator("h1")).to_have_text("A page")
    expect(
        page.locator(".jp-OutputArea svg, .jp-OutputArea img[src^='data:image/svg']").first
    ).to_be_attached()
    page.screenshot(path=shots / f"results-{kind}.png")
    assert page.evaluate("() => window.owned") is None
    assert page.locator(".jp-OutputArea img[onerror], .jp-OutputArea script").count() == 0
    for _ in range(1200):
        if set(notebook.external()) <= refused:
            break
        page.wait_for_timeout(50)  # until the page has told what became of them
    assert set(notebook.external()) <= refused
