"""The live view of a run: one anywidget, told by a `Feed`, drawn by the scripts in `page`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import anywidget
import traitlets

from nbflow.errors import NbflowError
from nbflow.notebook import page
from nbflow.notebook.feed import Feed, Message

if TYPE_CHECKING:
    from nbflow.notebook.results import Run

_STOPPING = "Stop was asked for: running pods end, then exit handlers run."
_PLAIN = "(live view: run this cell to interact)"


class RunWidget(anywidget.AnyWidget):
    """Header, graph, nodes, log and Stop button of one run.

    opening: the first message; it lets the page draw before the kernel answers (a busy kernel may not).
    """

    _esm = page.module()
    _css = page.style()
    opening = traitlets.Dict().tag(sync=True)
    snapshot_id = traitlets.Unicode().tag(sync=True)

    def __init__(self, run: Run, feed: Feed, opening: Message, snapshot_id: str) -> None:
        self._run, self._feed = run, feed
        super().__init__(opening=opening, snapshot_id=snapshot_id)
        self.on_msg(self._from_page)
        _answer_in_subshell(self)

    def tell(self, message: Message) -> None:
        """Send a message to all pages that show this view. What is over needs no opening any more."""
        self.send(message)
        if message.get("ended"):
            self.opening = {}

    def _from_page(self, _: object, content: object, __: object) -> None:
        """The page asks. Called in the main thread or in that of a subshell, so nothing here may wait."""
        request = content if isinstance(content, dict) else {}
        match request.get("do"):
            case "hello":
                self.send({"pong": True})
                self._feed.hello()
            case "ping":
                self.send({"pong": True})
            case "select":
                self._feed.select(str(request.get("node", "")))
            case "stop":
                self._ask(lambda: self._run.stop("Stopped in the notebook"), _STOPPING)
            case "resume":
                self._ask(self._run.resume, "")

    def _ask(self, action: Callable[[], object], said: str) -> None:
        """Do in the background what takes its time. said: what the page shows when it is done."""

        def ask() -> None:
            try:
                action()
            except NbflowError as error:
                self.send({"said": str(error), "wrong": True})
            else:
                self.send({"said": said})

        threading.Thread(target=ask, name="nbflow ask", daemon=True).start()

    def _repr_mimebundle_(
        self, **kwargs: dict[str, object]
    ) -> tuple[dict[str, object], dict[str, object]] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        return {**data, "text/plain": _PLAIN}, metadata


def _answer_in_subshell(widget: RunWidget) -> None:
    """Let clicks arrive while a cell runs, on kernels that send messages where the last ones came from.

    Ours come from a background thread, which counts as the main shell. The name is private: without it a
    click waits for the cell.
    """
    comm = widget.comm
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _data, default: default  # noqa: SLF001
