"""A test API for tests: import what is needed into a conftest or a test file."""

from __future__ import annotations

import pytest

from tests.kube.api import TestApi
from tests.kube.argo import Controller


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A test API, and KUBECONFIG that names it."""
    api = TestApi().start()
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig(tmp_path / "kubeconfig")))
    yield api
    api.stop()


@pytest.fixture
def argo(cluster):
    """The test API with a played controller."""
    controller = Controller(cluster)
    controller.start()
    yield cluster
    controller.end()
