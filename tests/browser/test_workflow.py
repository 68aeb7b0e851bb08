"""Real workflows in a real browser: manifest, controller, sandbox, and the live view of it all."""

from __future__ import annotations

import re

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser.gate import Gate
from tests.browser.test_live_view import stop
from tests.browser.view import badge, lines, row, shape, view
from tests.notebook.homes import REPOSITORY

DIAMOND = """%%workflow run -p word={word} -p gate={gate}
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  generateName: diamond-
spec:
  entrypoint: main
  arguments:
    parameters: [{name: word, value: nothing}, {name: gate, value: nowhere}]
  templates:
  - name: main
    dag:
      tasks:
      - {name: A, template: talk, arguments: {parameters: [{name: me, value: A}]}}
      - {name: B, template: talk, arguments: {parameters: [{name: me, value: B}]}, dependencies: [A]}
      - {name: C, template: talk, arguments: {parameters: [{name: me, value: C}]}, dependencies: [A]}
      - {name: D, template: talk, arguments: {parameters: [{name: me, value: D}]}, dependencies: [B, C]}
  - name: talk
    inputs:
      parameters: [{name: me}]
    script:
      image: python:3
      command: [python, -u]
      source: |
        import urllib.request
        print("{{workflow.parameters.word}} from {{pod.name}}")
        urllib.request.urlopen("{{workflow.parameters.gate}}/{{inputs.parameters.me}}").read()
        print("<b>bye</b>")
"""
LONG = """%%workflow long
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  generateName: long-
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: wait, template: wait}
  - name: wait
    container: {image: busybox, command: [sh, -c], args: ["echo started; sleep 600"]}
"""
# Keeps every phase that each shape of the graph was ever seen in.
RECORD = """() => {
  window.seen = {};
  const look = () => {
    for (const shape of document.querySelectorAll('.nbflow-view g.node[data-node]')) {
      const name = shape.querySelector('text').textContent.slice(2);
      const phases = (window.seen[name] ??= []);
      if (phases.at(-1) !== shape.dataset.phase) phases.push(shape.dataset.phase);
    }
    requestAnimationFrame(look);
  };
  look();
}"""
LIVED = ["Pending", "Running", "Succeeded"]


@pytest.fixture
def gate():
    opened = Gate()
    yield opened
    opened.close()


@pytest.mark.parametrize("kind", ["lab", "notebook"])
def test_a_dag_lives_before_the_eyes(open_notebook, gate, kind):
    values = f"word, gate = 'hello you', {gate.url!r}"
    notebook = open_notebook(["%load_ext nbflow", values, DIAMOND, 'print(run["A"].logs); run.phase'], kind)
    notebook.page.evaluate(RECORD)
    for index in range(3):
        notebook.run(index)
    expect(badge(notebook.page)).to_have_text("●Running")
    line = lines(notebook.page).first
    expect(line).to_have_text(re.compile(r"^Ahello you from diamond-\w+-talk-\d+$"))
    for opened, running in (("A", "BC"), ("BC", "D"), ("D", "")):
        gate.open(*opened)
        for name in running:
            expect(shape(notebook.page, name)).to_have_attribute("data-phase", "Running")
    expect(badge(notebook.page)).to_have_text("✔Succeeded")
    expect(view(notebook.page).get_by_role("progressbar")).to_have_attribute("aria-valuenow", "4")
    seen = notebook.page.evaluate("window.seen")
    assert seen.pop("A")[-2:] == LIVED[-2:]  # its pod may run before the page draws for the first time
    assert seen == dict.fromkeys("BCD", LIVED)
    shape(notebook.page, "D").click()
    expect(lines(notebook.page).last).to_have_text("<b>bye</b>")
    notebook.run(3)
    assert "hello you from" in notebook.text(3)
    assert "'Succeeded'" in notebook.text(3)
    assert notebook.external() == []


@pytest.mark.parametrize("kind", ["lab", "notebook"])
def test_stop_stops_a_long_run(open_notebook, kind):
    notebook = open_notebook(["%load_ext nbflow", LONG, "long.phase, long.message"], kind)
    notebook.run(0)
    notebook.run(1)
    expect(lines(notebook.page)).to_have_text(["waitstarted"])
    stop(notebook.page)
    expect(badge(notebook.page)).to_have_text("✖Failed")
    expect(view(notebook.page).locator(".nbflow-message span")).to_contain_text("Stop")
    expect(row(notebook.page, "wait")).to_have_attribute("data-phase", "Failed")
    notebook.run(2)
    assert notebook.text(2) == """('Failed', "Stopped with strategy 'Stop'")"""


@pytest.mark.parametrize(("kind", "name"), [("lab", "quickstart"), ("lab-dark", "quickstart-dark")])
def test_the_quickstart_looks_well(open_notebook, shots, kind, name):
    stored = nbformat.read(REPOSITORY / "notebooks" / "00-quickstart.ipynb", as_version=4)
    stored.cells = [cell for cell in stored.cells if cell.cell_type == "code"]
    notebook = open_notebook([cell.source for cell in stored.cells], kind, "quickstart.ipynb")
    notebook.page.evaluate("jupyterapp.commands.execute('application:toggle-left-area')")
    ids = [cell.id for cell in stored.cells]
    for index, cell in enumerate(ids[: ids.index("python") + 1]):
        notebook.run(index)
        assert not [o for o in notebook.outputs(index) if o["output_type"] == "error"], cell
    expect(view(notebook.page).nth(1).locator(".nbflow-badge")).to_have_text("✔Succeeded")
    assert notebook.text(ids.index("outputs")) == "'100.14 ± 15.29'"
    view(notebook.page).nth(1).evaluate("view => view.scrollIntoView({block: 'center'})")
    notebook.page.screenshot(path=shots / f"{name}.png")
    notebook.run(ids.index("wrong"))
    assert "did you mean `command`?" in notebook.text(ids.index("wrong"))
    notebook.page.locator(".jp-OutputArea-output").last.scroll_into_view_if_needed()
    notebook.page.screenshot(path=shots / f"{name}-refused.png")
    assert notebook.external() == []
