"""Workflows that Argo of four ages ran: the live view shows them, and what the saved notebook keeps of it, too.

The files are constructed, each in the shape that this version of Argo writes.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.view import badge, row, rows, shape, view
from tests.kube.api import TestApi
from tests.kube.argo import WORKFLOWS

SHAPES = sorted((Path(__file__).parents[1] / "manifests" / "cluster").glob("*.json"))


@pytest.fixture
def cluster(tmp_path):
    with TestApi().start() as api:
        api.kubeconfig(tmp_path / "kubeconfig")
        yield api


@pytest.mark.parametrize("path", SHAPES, ids=lambda path: path.stem)
def test_a_workflow_that_argo_ran_is_shown(open_notebook, cluster, tmp_path, path):
    stored = json.loads(path.read_text())
    name = stored["metadata"]["name"]
    cluster.storage.create(WORKFLOWS, "default", stored)
    load = f"import os\nos.environ['KUBECONFIG'] = {str(tmp_path / 'kubeconfig')!r}\n%load_ext nbflow"
    notebook = open_notebook([load, f"%workflow watch {name} --on argo"])
    notebook.run(0)
    notebook.run(1)
    page = notebook.page
    expect(badge(page)).to_have_text("✖Failed")
    expect(view(page).locator(".nbflow-name")).to_have_text(name)
    expect(rows(page)).to_have_count(5)
    for task, phase in (("A", "Succeeded"), ("B", "Succeeded"), ("C", "Failed")):
        expect(shape(page, task)).to_have_attribute("data-phase", phase)
    row(page, "C").click()
    expect(view(page).locator(".nbflow-log-box")).to_contain_text("the pods are gone")
    kept = notebook.save().cells[1].outputs[0].data
    assert f"✖ {name}" in kept["text/plain"]
    assert "✖ C" in kept["text/plain"]
    assert "Failed" in kept["text/html"]
    assert name in kept["text/html"]
