"""Argo's controller, stood in for by nbflow's own engine: workflows of a test API really run, as plain processes here.

Each goes to a client of this machine under its own name; what becomes of it there is written back as the controller
would write it: status, labels, pods, their logs, and artifacts in a bucket. What users change of a Workflow (shutdown,
suspend, deletion) is passed on.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time

from nbflow.clients.client import LogOptions, Request
from nbflow.commands.reading import merge
from nbflow.errors import ConflictError, NbflowError, NotFoundError
from nbflow.spec.status import NodeType, artifacts_by_name
from nbflow.views.podnames import pod_name
from tests.kube.argo import DONE, PODS, WORKFLOWS, update
from tests.kube.storage import Refused

OBJECTS = (("v1", "secrets"), ("v1", "configmaps"))
KINDS = {"secrets": "Secret", "configmaps": "ConfigMap"}
VERBS = {"Stop": "stop", "Terminate": "terminate"}


class EngineController(threading.Thread):
    """local: the client that runs them. bucket, repository: boto3's client, and what the status says of its place."""

    def __init__(self, api, local, bucket=None, repository=None):
        super().__init__(daemon=True)
        self.api, self.local, self.bucket, self.repository = api, local, bucket, repository
        self.ended = threading.Event()
        self.runs: dict[str, Mirror] = {}

    def run(self):
        seen = 0
        while not self.ended.is_set():
            with self.api.storage.news:
                self.api.storage.news.wait_for(lambda seen=seen: self.api.storage.version > seen, 0.2)
                found, seen = self.api.storage.list(WORKFLOWS, "default")
            known = {workflow["metadata"]["uid"] for workflow in found}
            for uid, mirror in self.runs.items():
                if uid not in known:
                    mirror.tell(None)
            for workflow in found:
                uid = workflow["metadata"]["uid"]
                if uid not in self.runs:
                    self.runs[uid] = Mirror(self, workflow, list(self.runs.values()))
                self.runs[uid].tell(workflow)

    def end(self):
        self.ended.set()
        self.join()
        for mirror in self.runs.values():
            mirror.tell(None)
        for mirror in self.runs.values():
            mirror.thread.join(30)


class Mirror:
    """One workflow. before: those that had the name before are gone first."""

    def __init__(self, controller, workflow, before):
        self.api, self.local, self.owner = controller.api, controller.local, controller
        self.name, self.uid = workflow["metadata"]["name"], workflow["metadata"]["uid"]
        self.before = [one.thread for one in before if one.name == self.name]
        self.news = queue.Queue()
        self.told: dict[str, object] = {}
        self.gone = False
        self.logged = threading.Event()
        self.thread = threading.Thread(target=self.follow, args=(workflow,), daemon=True)
        self.thread.start()

    def tell(self, workflow):
        """What the API has now, None if it has it no more."""
        if workflow is None and not self.gone:
            self.gone = True
            self.news.put(None)
        elif workflow is not None:
            asked = {key: workflow["spec"].get(key) for key in ("shutdown", "suspend")}
            if asked != self.told:
                self.told = asked
                self.news.put(asked)

    def follow(self, workflow):
        for thread in self.before:
            thread.join()
        self.copy_objects()
        for key in [key for key in self.api.logs if key[0].startswith(self.name)]:
            del self.api.logs[key]  # of the one that had the name before
        metadata = {key: workflow["metadata"].get(key) for key in ("name", "labels", "annotations")}
        manifest = {**workflow, "metadata": {k: v for k, v in metadata.items() if v}}
        self.local.submit({k: v for k, v in manifest.items() if k != "status"})
        threads = [threading.Thread(target=one, daemon=True) for one in (self.mirror, self.logs)]
        for thread in threads:
            thread.start()
        while (asked := self.news.get()) is not None:
            self.pass_on(asked)
        self.local.delete(self.name)
        for thread in threads:
            thread.join()

    def copy_objects(self):
        for kind in OBJECTS:
            for one in self.api.storage.list(kind, "default")[0]:
                self.local.create({**one, "kind": KINDS[kind[1]], "apiVersion": "v1"})

    def pass_on(self, asked):
        verb = VERBS.get(asked["shutdown"]) or ("suspend" if asked["suspend"] else "resume")
        if verb == "resume" and not self.local.get(self.name).spec.get("suspend"):
            return
        with contextlib.suppress(ConflictError):  # it ended meanwhile
            self.local.ask(self.name, Request(verb))

    def mirror(self):
        nodes = {}
        try:
            for change in self.local.watch(self.name):
                workflow = merge(nodes, change)
                if workflow.status.phase in DONE:
                    self.over(workflow)
                self.write(workflow)
        except (NotFoundError, Refused):
            return

    def over(self, workflow):
        """All logs and artifacts are where they belong before anybody learns that it is over."""
        self.pods(workflow)
        self.logged.wait(30)
        for node in workflow.status.nodes.values():
            for name, artifact in artifacts_by_name(node.outputs).items():
                data = self.local.artifact(self.name, node.id, name)
                self.owner.bucket.put_object(
                    Bucket=self.owner.repository["s3"]["bucket"], Key=artifact["s3"]["key"], Body=data
                )

    def write(self, workflow):
        self.pods(workflow)
        status = workflow.status.to_dict()
        if self.owner.repository:
            status["artifactRepositoryRef"] = {"default": True, "artifactRepository": self.owner.repository}

        def change(found):
            if found["metadata"]["uid"] != self.uid:
                raise NotFoundError("it is another one")
            labels = found["metadata"].setdefault("labels", {})
            labels["workflows.argoproj.io/phase"] = status.get("phase", "Pending")
            if status.get("phase") in DONE:
                labels["workflows.argoproj.io/completed"] = "true"
            found["status"] = status

        update(self.api, self.name, change)

    def pods(self, workflow):
        """A Pod for each node that has one, in the node's phase."""
        for node in workflow.status.nodes.values():
            if node.type is not NodeType.POD or node.phase is None:
                continue
            name, phase = pod_name(workflow, node), {"Error": "Failed"}.get(node.phase, str(node.phase))
            owner = {"kind": "Workflow", "name": self.name, "uid": self.uid}
            labels = {"workflows.argoproj.io/workflow": self.name}
            pod = {
                "metadata": {"name": name, "labels": labels, "ownerReferences": [owner]},
                "spec": {"containers": [{"name": "main"}, {"name": "wait"}]},
                "status": {
                    "phase": phase,
                    "startTime": node.started_at.isoformat() if node.started_at else None,
                },
            }
            try:
                old = self.api.storage.get(PODS, "default", name)
            except Refused:
                self.api.storage.create(PODS, "default", pod)
                continue
            if old["status"]["phase"] != phase:
                self.api.storage.replace(PODS, "default", name, {**old, "status": pod["status"]})

    def logs(self):
        pods = set()
        try:
            for line in self.local.logs(self.name, LogOptions(follow=True)):
                pods.add(line.pod)
                self.api.log(line.pod, line.text, at=line.at.timestamp() if line.at else time.time())
        except NbflowError:
            pass
        for pod in self.api.storage.list(PODS, "default")[0]:
            if pod["metadata"]["labels"].get("workflows.argoproj.io/workflow") == self.name:
                pods.add(pod["metadata"]["name"])
        for pod in pods:
            self.api.end_log(pod)
        self.logged.set()
