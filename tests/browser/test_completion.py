"""Completion as somebody who types sees it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

CELL = """%%workflow run
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: a-}
spec:
  entrypoint: main
  templates:
  - name: main
    inputs: {parameters: [{name: text, value: hi}]}
    container:
      image: busybox
      command: [echo, "X"]
"""
ITEMS = ".jp-Completer .jp-Completer-item"


def type_at(notebook, after: str, text: str) -> None:
    """Put the cursor behind a text of the second cell, and type."""
    page = notebook.page
    page.evaluate(
        """([after]) => {
          const nb = jupyterapp.shell.currentWidget.content;
          nb.activeCellIndex = 1; nb.mode = 'edit';
          const editor = nb.activeCell.editor;
          const at = editor.model.sharedModel.getSource().indexOf(after) + after.length;
          editor.setCursorPosition(editor.getPositionAt(at));
          editor.focus();
        }""",
        [after],
    )
    page.keyboard.type(text)


@pytest.mark.parametrize("kind", ["lab", "notebook"])
def test_fields_and_variables_are_offered_while_typing(open_notebook, shots, kind):
    notebook = open_notebook(["%load_ext nbflow", CELL], kind)
    page = notebook.page
    notebook.run(0)
    type_at(notebook, "  templates:", "\n  acti")
    page.keyboard.press("Tab")
    expect(page.locator(ITEMS)).to_have_text(re.compile("activeDeadlineSeconds: .*end.the.workflow.after"))
    page.keyboard.press("Enter")
    source = "() => jupyterapp.shell.currentWidget.content.activeCell.model.sharedModel.getSource()"
    page.wait_for_function(f"({source})().includes('  activeDeadlineSeconds: ')")
    type_at(notebook, '[echo, "', "{{")
    page.keyboard.type("workflow.")
    page.keyboard.press("Tab")
    found = page.locator(ITEMS).filter(has_text="workflow.namespace")
    expect(found).to_be_visible()
    expect(found).to_have_text(re.compile("namespace.of.the.workflow"))
    page.screenshot(path=shots / f"completion-{kind}.png")
    page.keyboard.type("names")
    expect(page.locator(ITEMS)).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_function(f"({source})().includes('{{{{workflow.namespace')")
