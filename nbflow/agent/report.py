"""What a program of the agent is told, and how it says what became of it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from nbflow.spec.agent import REPORT

if TYPE_CHECKING:
    from nbflow.store.home import Home

FAILED = 64
"""The exit code of Argo's executor when it gives up."""

Order = Mapping[str, object]
Secrets = Mapping[str, bytes]


def read_order(argv: Sequence[str]) -> Order:
    """The order that the command line names."""
    text = Path(argv[1]).read_text(encoding="utf-8", errors="surrogateescape")
    return cast("Order", json.loads(text))


def write_report(order: Order, report: Mapping[str, object]) -> None:
    """Leave it where the controller looks, whole or not at all."""
    place = _home().pod(str(order["uid"]), str(order["pod"])) / REPORT
    fresh = place.with_suffix(".new")
    fresh.write_text(json.dumps(report), encoding="utf-8")
    fresh.replace(place)


def secret(name: str) -> Secrets | None:
    """Key -> value of a Secret of the home, None if there is none."""
    from nbflow.store import open_store

    with open_store(_home()) as store:
        return store.objects.secret(name)


def artifacts() -> Path:
    """Where the home keeps artifacts."""
    return _home().artifacts


def _home() -> Home:
    from nbflow.store.home import Home

    return Home(Path(os.environ["NBFLOW_HOME"]))
