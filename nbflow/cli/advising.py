"""Say on stderr what holds a workflow up while somebody waits: nothing else would be seen until it is mended."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from nbflow.errors import NbflowError
from nbflow.spec.status import Phase

if TYPE_CHECKING:
    from nbflow.cli.console import Console
    from nbflow.cli.session import Session
    from nbflow.clients.client import WorkflowUpdate
    from nbflow.commands.advice import Adviser


class Advising:
    """Takes in each update of a watch, and says each trouble once."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._adviser: Adviser | None = None

    def __call__(self, update: WorkflowUpdate) -> None:
        status = update.workflow.status
        nodes = [*status.nodes.values(), *update.nodes]
        waiting = any(node.phase is Phase.PENDING and node.message for node in nodes)
        if not waiting and (status.phase is not None or not status.message):
            return
        from nbflow.commands.advice import Adviser
        from nbflow.views.text import clean

        self._adviser = self._adviser or Adviser()
        for text in self._adviser.news(update.workflow, nodes):
            self._console.say("\n".join(map(clean, text.split("\n"))))


@contextmanager
def advising(session: Session, name: str) -> Iterator[None]:
    """Beside what is done meanwhile, such as following logs that do not come. On this machine no pod is held up."""
    if session.client.target != "argo":
        yield
        return
    updates = session.client.watch(name)
    take = Advising(session.console)

    def read() -> None:
        with suppress(NbflowError):  # who follows the logs is told, too
            for update in updates:
                take(update)

    threading.Thread(target=read, name=f"advice {name}", daemon=True).start()
    try:
        yield
    finally:
        close = getattr(updates, "close", None)
        if close is not None:
            close()
