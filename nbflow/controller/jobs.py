"""Jobs and Pods that a resource template makes: a process of their own runs their pods, as a cluster would.

`python -m nbflow.controller.jobs KIND NAME UID` writes down in the object's status what becomes of it, until that is
over or the object is gone. As long as a step waits for the object it ends with that step, however that is ended; one
that nobody waits for goes on by itself.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from nbflow.controller.job_pods import ObjectEnded, ObjectPods, is_awaited
from nbflow.controller.pod_specs import Json, mapping, number
from nbflow.errors import NbflowError
from nbflow.runtimes.stragglers import MARK
from nbflow.spec.pod import PodOutcome
from nbflow.spec.status import Phase, format_time
from nbflow.store import Home, open_store


def start(home: Home, kind: str, item: Json, annotations: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Run the pods of an object that was just stored; returns at once."""
    metadata = mapping(item, "metadata")
    log = log_of(home, str(metadata["uid"]))
    log.parent.mkdir(mode=0o700, parents=True)
    env = {
        name: value for name, value in os.environ.items() if name not in {"HOME", "PWD", MARK}
    }  # the step's
    env["NBFLOW_ANNOTATIONS"] = json.dumps(dict(annotations))
    names = [kind, str(metadata["name"]), str(metadata["uid"])]
    program = [sys.executable, "-P", "-m", "nbflow.controller.jobs", *names]
    with open(log, "ab", opener=_private) as output:
        return subprocess.Popen(
            program,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=env,
            cwd="/",
            start_new_session=True,
        )


def log_of(home: Home, uid: str) -> Path:
    """What the pods of an object printed, each when it ended."""
    return home.workflow(uid) / "pods.log"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class Job:
    """Starts pods until enough of them succeeded, or too many failed."""

    def __init__(self, item: Json, pods: ObjectPods) -> None:
        spec = mapping(item, "spec")
        self._pods, self._template = pods, mapping(spec, "template")
        self._parallelism = number(spec, "parallelism", 1)
        completions = spec.get("completions")
        # Without completions, several pods work off a queue: one success says that it is empty.
        self._is_queue = completions is None and self._parallelism > 1
        self._wanted = completions if isinstance(completions, int) else max(1, self._parallelism)
        self._indexed = spec.get("completionMode") == "Indexed"
        self._limit, self._deadline = number(spec, "backoffLimit", 6), spec.get("activeDeadlineSeconds")
        self._started = datetime.now(UTC)
        self._left = list(range(self._wanted))
        self._indexes: dict[str, int] = {}
        self._succeeded = self._failed = 0

    def run(self) -> None:
        """Until it is over. Raises ObjectEnded."""
        while not self._is_complete() and not self._failure():
            self._start_pods()
            self._pods.tell(self._status())
            for name, outcome in self._pods.ended():
                self._count(name, outcome)
        reason = self._failure()
        self._pods.close()
        if self._is_complete():
            ended = format_time(datetime.now(UTC))
            conditions: list[Json] = [
                {"type": kind, "status": "True"} for kind in ("SuccessCriteriaMet", "Complete")
            ]
            self._pods.tell({**self._status(), "conditions": conditions, "completionTime": ended})
        else:
            failed = {"type": "Failed", "status": "True", "reason": reason}
            self._pods.tell({**self._status(), "conditions": [failed]})

    def _is_complete(self) -> bool:
        if self._is_queue:
            return self._succeeded > 0 and not self._pods.active
        return self._succeeded >= self._wanted

    def _failure(self) -> str:
        if self._failed > self._limit:
            return "BackoffLimitExceeded"
        limit = self._deadline
        late = isinstance(limit, int) and datetime.now(UTC) - self._started > timedelta(seconds=limit)
        return "DeadlineExceeded" if late else ""

    def _start_pods(self) -> None:
        while (
            self._left and self._pods.active < self._parallelism and not (self._is_queue and self._succeeded)
        ):
            index = self._left.pop(0)
            word = secrets.token_hex(3)[:5]
            name = f"{self._pods.name}-{index}-{word}" if self._indexed else f"{self._pods.name}-{word}"
            self._indexes[name] = index
            self._pods.start(
                name, self._template, {"JOB_COMPLETION_INDEX": str(index)} if self._indexed else {}
            )

    def _count(self, name: str, outcome: PodOutcome) -> None:
        if outcome.phase is Phase.SUCCEEDED:
            self._succeeded += 1
        else:
            self._failed += 1
            self._left.append(self._indexes[name])
            print(outcome.message, flush=True)  # noqa: T201 - the log of the step

    def _status(self) -> Json:
        counts = {"active": self._pods.active, "succeeded": self._succeeded, "failed": self._failed}
        return {
            "startTime": format_time(self._started),
            **{key: count for key, count in counts.items() if count},
        }


def run_pod(item: Json, pods: ObjectPods) -> None:
    """Until the Pod has ended. Raises ObjectEnded."""
    started: Json = {"startTime": format_time(datetime.now(UTC))}
    pods.start(pods.name, item)
    pods.tell({"phase": "Running", **started})
    ended: list[tuple[str, PodOutcome]] = []
    while not ended:
        ended = pods.ended()
    outcome = ended[0][1]
    phase = "Succeeded" if outcome.phase is Phase.SUCCEEDED else "Failed"
    message = {"message": outcome.message} if outcome.message else {}
    pods.tell({"phase": phase, **started, **message})


def main(argv: Sequence[str]) -> int:
    """Run one object to its end."""
    kind, name, uid = argv[1:]
    home = Home.default()
    annotations = cast("dict[str, str]", json.loads(os.environ.get("NBFLOW_ANNOTATIONS", "{}")))
    with open_store(home) as store:
        try:
            item = store.objects.get(kind, name)
            if item is not None:
                _run(ObjectPods(home, store, kind, dict(item), annotations), kind, dict(item))
        finally:
            if home.database.exists():
                while is_awaited(home, store.objects.get(kind, name)):  # until what was printed is read
                    time.sleep(0.1)
                shutil.rmtree(home.workflow(uid), ignore_errors=True)
    return 0


def _run(pods: ObjectPods, kind: str, item: Json) -> None:
    signal.signal(signal.SIGTERM, lambda *_: setattr(pods, "stopping", True))
    try:
        run_pod(item, pods) if kind == "Pod" else Job(item, pods).run()
    except ObjectEnded:
        pods.tell(_failed(kind, "the step that waited for it was ended"))
    except NbflowError as error:
        print(f"Error: {error}", flush=True)  # noqa: T201 - the log of the step
        pods.tell(_failed(kind, error.problem))
    finally:
        pods.close()


def _failed(kind: str, message: str) -> Json:
    if kind == "Pod":
        return {"phase": "Failed", "message": message}
    condition = {"type": "Failed", "status": "True", "reason": "NotStarted", "message": message}
    return {"failed": 1, "conditions": [condition]}


if __name__ == "__main__":
    sys.exit(main(sys.argv))
