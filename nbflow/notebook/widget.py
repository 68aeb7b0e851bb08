"""The live view of a run: one anywidget, told by a `Feed`, answered by a `Desk`, drawn by the scripts in `page`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import anywidget
import traitlets

from nbflow.notebook import page

if TYPE_CHECKING:
    from nbflow.notebook.feed import Message

_PLAIN = "(live view: run this cell to interact)"
Take = Callable[[Mapping[str, object]], None]
"""Gets what a page asks for. Called in the main thread or in that of a subshell, so it may not wait."""


class LiveWidget(anywidget.AnyWidget):
    """What is shown lives in the page; this is its end of the line.

    shows: which view, "run" or "list". opening: the first message; it lets the page draw before the kernel answers (a
    busy kernel may not). take: gets what the page asks for.
    """

    _esm = page.module()
    _css = page.style()
    shows = traitlets.Unicode("run").tag(sync=True)
    opening = traitlets.Dict().tag(sync=True)
    snapshot_id = traitlets.Unicode().tag(sync=True)

    def __init__(self, take: Take, shows: str, opening: Mapping[str, object], snapshot_id: str) -> None:
        self._take = take
        super().__init__(shows=shows, opening=dict(opening), snapshot_id=snapshot_id)
        self.on_msg(self._from_page)
        _answer_in_subshell(self)

    def tell(self, message: Message) -> None:
        """Send a message to all pages that show this view. What is over needs no opening any more."""
        self.send(message)
        if message.get("ended"):
            self.opening = {}

    def reply(self, content: Mapping[str, object], buffers: list[bytes] | None = None) -> None:
        """Send an answer."""
        self.send(dict(content), buffers)

    def _from_page(self, _: object, content: object, __: object) -> None:
        if isinstance(content, dict):
            self._take(content)

    def _repr_mimebundle_(
        self, **kwargs: dict[str, object]
    ) -> tuple[dict[str, object], dict[str, object]] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        return {**data, "text/plain": _PLAIN}, metadata


def _answer_in_subshell(widget: LiveWidget) -> None:
    """Let clicks arrive while a cell runs, on kernels that send messages where the last ones came from.

    Ours come from a background thread, which counts as the main shell. The name is private: without it a
    click waits for the cell.
    """
    comm = widget.comm
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _data, default: default  # noqa: SLF001
