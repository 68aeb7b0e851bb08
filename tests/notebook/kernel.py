"""A real kernel without a browser, asked as a front end would ask it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

from tests.notebook.homes import REPOSITORY


@dataclass
class Answer:
    """What a cell gave back. outputs: by their order; updates of a display take its place."""

    status: str = ""
    outputs: list[dict[str, object]] = field(default_factory=list)
    traceback: str = ""

    @property
    def text(self) -> str:
        return "".join(str(output.get("text", "")) for output in self.outputs)

    @property
    def kinds(self) -> list[set[str]]:
        return [set(output["data"]) for output in self.outputs if "data" in output]


class Kernel:
    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager, self.client = manager, client

    def run(self, code: str, *, person: bool = False, cell: str = "") -> Answer:
        """Run a cell. person: as a notebook with somebody in front of it, who can be asked for input. cell: its id."""
        if not cell:
            return self.collect(self.client.execute(code, allow_stdin=person))
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": person,
        }
        request = self.client.session.msg("execute_request", content, metadata={"cellId": cell})
        self.client.shell_channel.send(request)
        return self.collect(request["header"]["msg_id"])

    def collect(self, message: str) -> Answer:
        answer = Answer()
        shown: dict[str, dict[str, object]] = {}
        while True:
            told = self.client.get_iopub_msg(timeout=60)
            if told["parent_header"].get("msg_id") != message:
                continue
            kind, content = told["msg_type"], told["content"]
            if kind == "status" and content["execution_state"] == "idle":
                break
            if kind == "error":
                answer.traceback = "\n".join(content["traceback"])
            elif kind == "update_display_data":
                shown.get(content["transient"]["display_id"], {}).update(data=content["data"])
            elif kind in ("stream", "display_data", "execute_result"):
                answer.outputs.append(content)
                if name := content.get("transient", {}).get("display_id"):
                    shown[name] = content
        reply = self.client.get_shell_msg(timeout=60)
        while reply["parent_header"].get("msg_id") != message:
            reply = self.client.get_shell_msg(timeout=60)
        answer.status = reply["content"]["status"]
        return answer


@contextmanager
def kernel(**environment: str) -> Iterator[Kernel]:
    manager = KernelManager(kernel_name="python3")
    env = {name: value for name, value in os.environ.items() if name != "JPY_SESSION_NAME"}
    manager.start_kernel(env={**env, "PYTHONPATH": str(REPOSITORY), **environment})
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
