from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nbflow.clients.submitting import prepare_submit
from nbflow.store import Home
from nbflow.store.ledger import Ledger

NOW = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


@pytest.fixture
def ledger(home):
    with Ledger(home) as opened:
        yield opened


@pytest.fixture
def submit(ledger):
    """Stores a workflow and returns its key."""

    def do(name, **metadata):
        manifest = {"metadata": {"name": name, **metadata}, "spec": {"entrypoint": "main"}}
        row = prepare_submit(manifest, "sandbox", NOW)
        return ledger.submit(row, "2024-05-01T12:00:00Z")

    return do
