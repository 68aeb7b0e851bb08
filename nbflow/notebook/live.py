"""One place of a notebook where a run is on display: what tells it (`Feed`) and what answers it (`Desk`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nbflow.clients.client import Client
from nbflow.errors import NbflowError
from nbflow.notebook.desk import Desk, Reply
from nbflow.notebook.feed import Feed, Message
from nbflow.notebook.follow import Follower
from nbflow.spec.status import WorkflowObject


class Live:
    """Shows one workflow after the other; most show one for ever.

    tell: gives a message of the feed to the page. reply: gives an answer of the desk to it. keep: takes a snapshot.
    """

    def __init__(
        self,
        client: Client,
        tell: Callable[[Message], None],
        reply: Reply,
        keep: Callable[[WorkflowObject], None],
    ) -> None:
        self._client, self._tell, self._reply, self._keep = client, tell, reply, keep

    def opening(self, workflow: WorkflowObject, follower: Follower) -> Message:
        """The first message about a workflow; `start` is to follow."""
        self._workflow = workflow
        feed = Feed(self._client, follower, lambda message: self._pass(feed, message), self._keep)
        self._feed = feed
        self._desk = Desk(self._client, workflow.name, self._reply, lambda: feed.workflow, feed.start)
        return feed.opening(workflow)

    def start(self) -> None:
        """From now on send what changes."""
        self._feed.start(self._workflow)

    def finish(self, seconds: float) -> None:
        """Wait until the page was told of the end."""
        self._feed.done.wait(seconds)

    def take(self, request: Mapping[str, object]) -> None:
        """What the page asks. Called in the main thread or in that of a subshell, so nothing here waits."""
        match request.get("do"):
            case "hello":
                self._reply({"pong": True})
                self._feed.hello()
            case "ping":
                self._reply({"pong": True, "seq": self._feed.sequence})
            case "select":
                self._feed.select(str(request.get("node", "")))
            case "fold":
                self._feed.fold(str(request.get("path", "")), str(request.get("fold", "")))
            case "watch":
                self._watch(str(request.get("name", "")))
            case _:
                self._desk.take(request)

    def _watch(self, name: str) -> None:
        """Show another workflow from now on."""
        try:
            workflow = self._client.get(name)
        except NbflowError as error:
            self._reply({"said": str(error), "wrong": True})
            return
        self.opening(workflow, Follower(self._client, name))
        self.start()
        self._feed.hello()

    def _pass(self, feed: Feed, message: Message) -> None:
        """A feed whose workflow is no longer shown goes on unheard."""
        if feed is self._feed:
            self._tell(message)
