"""For kernels of tests: `%%workflow` submits to a client whose diamond plays by itself."""

from __future__ import annotations

from nbflow.notebook import magics
from tests.notebook.fake_client import FakeClient
from tests.notebook.workflows import play

client = FakeClient(play(1.5))
magics.connect = lambda _target: client
