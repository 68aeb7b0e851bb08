"""What the place where workflows run remarks, under the cell that asked it for something."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from nbflow.clients.client import Client
from nbflow.commands.connecting import notices_of
from nbflow.errors import NbflowError


@contextmanager
def telling(client: Client) -> Iterator[None]:
    """Show what was remarked until the end, also where what was asked for is refused."""
    try:
        yield
    finally:
        with suppress(NbflowError):
            for notice in notices_of(client):
                print(notice, file=sys.stderr)  # noqa: T201  # the cell is where the person looks
