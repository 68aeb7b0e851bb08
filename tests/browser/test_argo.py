"""The quickstart's cell with `--on argo`, in a browser, against a test API and a played controller."""

from __future__ import annotations

import re
import threading

import pytest
from playwright.sync_api import expect

from tests.kube.api import TestApi
from tests.kube.argo import WORKFLOWS, Controller

CELL = """%%workflow run --on argo
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: hello}
spec:
  entrypoint: main
  templates:
  - name: main
    container: {image: busybox, command: [echo, hello world]}
"""


class Held(list):
    """Lines of which the second half comes when somebody lets go."""

    def __init__(self, lines):
        super().__init__(lines)
        self.go = threading.Event()

    def __iter__(self):
        for index, line in enumerate(super().__iter__()):
            if index == len(self) // 2:
                assert self.go.wait(120)
            yield line


@pytest.fixture
def cluster(tmp_path):
    api = TestApi().start()
    api.kubeconfig(tmp_path / "kubeconfig")
    yield api
    api.stop()


@pytest.mark.parametrize("kind", ["lab", "notebook"])
def test_a_cell_runs_in_a_cluster_live_to_its_end(open_notebook, cluster, tmp_path, kind):
    load = f"import os\nos.environ['KUBECONFIG'] = {str(tmp_path / 'kubeconfig')!r}\n%load_ext nbflow"
    notebook = open_notebook([load, CELL], kind)
    notebook.run(0)
    notebook.run(1)
    view = notebook.page.locator(".nbflow-view.nbflow-live")
    badge = view.locator(".nbflow-badge")
    expect(badge).to_have_text("◷Pending")
    held = Held([f"line {i}" for i in range(20)])
    controller = Controller(cluster, lines=held)
    controller.start()
    expect(badge).to_have_text("●Running")
    expect(view.locator(".nbflow-line").first).to_have_text(re.compile("line 0"))
    cluster.drop()
    held.go.set()
    expect(badge).to_have_text("✔Succeeded")
    expect(view.locator(".nbflow-line").last).to_have_text(re.compile("line 19"))
    expect(view.locator(".nbflow-log .nbflow-virtual")).to_have_css("height", f"{20 * 18}px")
    controller.end()
    assert cluster.storage.get(WORKFLOWS, "default", "hello")["status"]["phase"] == "Succeeded"
