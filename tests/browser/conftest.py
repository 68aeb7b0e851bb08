from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

import pytest

from tests.browser.jupyter import Notebook, Server
from tests.browser.stage import Stage
from tests.notebook.fake_client import FakeClient

CHROMIUM = shutil.which(os.environ.get("NBFLOW_CHROMIUM") or "chromium") or ""
ANSWERED = "() => !document.querySelector('.nbflow-link')?.textContent"
PATIENCE = 60_000
"""Milliseconds until something that a test waits for counts as missing: a busy machine takes its time."""
ARGUMENTS = [
    "--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def pytest_collection_modifyitems(items):
    for item in items:
        if "/tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on PATH"))


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        yield playwright.chromium


@pytest.fixture(scope="session")
def browser(chromium, tmp_path_factory):
    """For front ends: all their pages share a profile, and so what the browser has compiled of JupyterLab."""
    context = chromium.launch_persistent_context(
        tmp_path_factory.mktemp("browser"),
        executable_path=CHROMIUM,
        headless=True,
        args=ARGUMENTS,
        viewport={"width": 1280, "height": 1000},
    )
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture(scope="session")
def profiles(chromium):
    """For bare pages: each gets a profile of its own, since a clock that a test sets is that of its whole profile."""
    started = chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGUMENTS)
    yield started
    started.close()


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    """kind -> a running server, started when first asked for."""
    running: dict[str, Server] = {}

    def get(kind: str) -> Server:
        if kind not in running:
            folder = tmp_path_factory.mktemp(kind)
            name, _, how = kind.partition("-")
            running[kind] = Server(name, folder, dark=how == "dark", saving=how == "saving").start()
        return running[kind]

    yield get
    for server in running.values():
        server.stop()


@pytest.fixture
def open_notebook(browser, servers):
    """Open cells as a notebook: `open_notebook(cells, kind)`."""
    opened: list[Notebook] = []

    def open_cells(cells: list[str], kind: str = "lab", name: str = "") -> Notebook:
        server = servers(kind)
        name = name or f"{uuid.uuid4().hex}.ipynb"
        server.write(name, cells)
        notebook = Notebook(browser.new_page(), server, name)
        opened.append(notebook)
        return notebook.open()

    yield open_cells
    for notebook in opened:
        notebook.close()


@pytest.fixture
def client():
    return FakeClient()


@pytest.fixture
def bare(profiles, client):
    """The live view of a workflow of `client` on a page of its own: `bare(workflow)` gives page and stage."""
    opened: list[tuple[Stage, object]] = []

    def show(workflow=None, *, dark: bool = False, size=(1100, 800), stage: Stage | None = None):
        stage = stage or Stage(dark=dark)
        if workflow is not None:
            stage.show(client, workflow.name)
        theme = "dark" if dark else "light"
        profile = profiles.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=theme)
        profile.set_default_timeout(PATIENCE)
        page = profile.new_page()
        page.wrongs = []
        page.on("pageerror", lambda error: page.wrongs.append(str(error)))
        page.on("dialog", lambda dialog: page.wrongs.append(f"dialog {dialog.message}"))
        page.requests = []
        page.on("request", lambda request: page.requests.append(request.url))
        opened.append((stage.start(), page))
        page.goto(stage.url)
        page.wait_for_function("() => Boolean(window.unmount)")
        page.wait_for_function(ANSWERED)
        return page, stage

    yield show
    for stage, page in opened:
        page.context.close()
        stage.stop()
        own = ("data:", "blob:", stage.url, "about:")
        assert [url for url in page.requests if not url.startswith(own)] == []
        assert page.wrongs == []


@pytest.fixture(scope="session")
def shots(tmp_path_factory):
    """Where pictures go: NBFLOW_SCREENSHOTS, for somebody who wants to look at them."""
    named = os.environ.get("NBFLOW_SCREENSHOTS")
    return Path(named) if named else tmp_path_factory.mktemp("shots")
