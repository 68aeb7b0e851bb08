"""Argo's controller, played: it takes the workflows of a test API through a script of steps, pods and logs included."""

from __future__ import annotations

import copy
import threading
import time

from tests.kube.storage import Refused, moment

WORKFLOWS, PODS = ("argoproj.io/v1alpha1", "workflows"), ("v1", "pods")
DONE = {"Succeeded", "Failed", "Error"}


def fnv(text):
    value = 0x811C9DC5
    for byte in text.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def node_id(workflow, name):
    return workflow if name == workflow else f"{workflow}-{fnv(name)}"


def pod_name(workflow, name, template):
    return workflow if name == workflow else f"{workflow}-{template}-{fnv(name)}"


def node(workflow, name, type_="Pod", phase="Running", *, template="", children=(), boundary="", **extra):
    found = {
        "id": node_id(workflow, name),
        "name": name,
        "displayName": name.rsplit(".", 1)[-1],
        "type": type_,
        "templateName": template or name.rsplit(".", 1)[-1],
        "templateScope": f"local/{workflow}",
        "phase": phase,
        "startedAt": moment(),
        "finishedAt": moment() if phase not in {"Running", "Pending"} else None,
        "progress": "1/1" if phase == "Succeeded" else "0/1",
        **extra,
    }
    if children:
        found["children"] = [node_id(workflow, child) for child in children]
    if boundary:
        found["boundaryID"] = node_id(workflow, boundary)
    return found


def pod(workflow, name, template, uid, phase="Running", container="main"):
    return {
        "metadata": {
            "name": pod_name(workflow, name, template),
            "labels": {"workflows.argoproj.io/workflow": workflow},
            "ownerReferences": [{"kind": "Workflow", "name": workflow, "uid": uid}],
        },
        "spec": {"containers": [{"name": container}, {"name": "wait"}]},
        "status": {"phase": phase, "startTime": moment()},
    }


def update(api, name, change, namespace="default"):
    """Read, change, write, as often as it takes."""
    while True:
        found = api.storage.get(WORKFLOWS, namespace, name)
        changed = copy.deepcopy(found)
        change(changed)
        try:
            return api.storage.replace(WORKFLOWS, namespace, name, changed)
        except Refused as refused:
            if refused.code != 409:
                raise


def set_status(api, name, phase, nodes, namespace="default", **extra):
    """Write a status as the controller does, labels included."""

    def change(workflow):
        labels = workflow["metadata"].setdefault("labels", {})
        labels["workflows.argoproj.io/phase"] = phase
        if phase in DONE:
            labels["workflows.argoproj.io/completed"] = "true"
        old = workflow.get("status", {})
        workflow["status"] = {
            "phase": phase,
            "startedAt": old.get("startedAt") or moment(),
            "finishedAt": moment() if phase in DONE else None,
            "progress": "1/1" if phase == "Succeeded" else "0/1",
            "nodes": {one["id"]: one for one in nodes},
            **extra,
        }

    return update(api, name, change, namespace)


def waits(workflow):
    """Whether it waits for somebody's answer."""
    nodes = workflow.get("status", {}).get("nodes", {}).values()
    asking = any(one["type"] == "Suspend" and one["phase"] == "Running" for one in nodes)
    return asking and not workflow["spec"].get("shutdown")


class Controller(threading.Thread):
    """Runs each new workflow: one pod with the entrypoint's name, which writes `lines` and ends in `phase`.

    A suspended workflow waits, and so does one with a node that asks; one that is shut down fails.
    """

    def __init__(self, api, *, lines=("hello world",), phase="Succeeded", pause=0.02):
        super().__init__(daemon=True)
        self.api, self.lines, self.phase, self.pause = api, lines, phase, pause
        self.ended = threading.Event()

    def run(self):
        seen = 0
        while not self.ended.is_set():
            with self.api.storage.news:
                self.api.storage.news.wait_for(lambda seen=seen: self.api.storage.version > seen, 0.1)
                found, seen = self.api.storage.list(WORKFLOWS, None)
            for workflow in found:
                spec, phase = workflow["spec"], workflow.get("status", {}).get("phase", "")
                if phase in DONE or spec.get("suspend") or waits(workflow):
                    continue
                try:
                    self.take(workflow)
                except Refused:
                    continue  # deleted meanwhile

    def take(self, workflow):
        name, namespace = workflow["metadata"]["name"], workflow["metadata"]["namespace"]
        template = workflow["spec"].get("entrypoint", "main")
        one = lambda phase, **extra: node(name, name, phase=phase, template=template, **extra)  # noqa: E731
        if workflow["spec"].get("shutdown"):
            ended = one("Failed", message="workflow shutdown with strategy: " + workflow["spec"]["shutdown"])
            set_status(self.api, name, "Failed", [ended], namespace, message=ended["message"])
            return
        set_status(self.api, name, "Running", [one("Pending")], namespace)
        running = pod(name, name, template, workflow["metadata"]["uid"])
        self.api.storage.create(PODS, namespace, running)
        set_status(self.api, name, "Running", [one("Running")], namespace)
        for line in self.lines:
            self.api.log(name, line)
            time.sleep(self.pause)
        self.api.end_log(name)
        ended = self.api.storage.get(PODS, namespace, name)
        self.api.storage.replace(
            PODS, namespace, name, {**ended, "status": {**ended["status"], "phase": "Succeeded"}}
        )
        outputs = {"result": "\n".join(self.lines), "exitCode": "0"}
        set_status(self.api, name, self.phase, [one(self.phase, outputs=outputs)], namespace)

    def end(self):
        self.ended.set()
        self.join()
