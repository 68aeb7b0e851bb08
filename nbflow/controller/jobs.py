"""Jobs and Pods that a resource template makes: run as pods of the workflow's target."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

from nbflow.errors import NbflowError
from nbflow.runtimes import open_runtime
from nbflow.runtimes.executor import Executor
from nbflow.runtimes.runtime import Objects
from nbflow.spec.pod import ContainerSpec, Pod, PodOutcome
from nbflow.spec.status import Phase, format_time
from nbflow.store.home import Home

Json = dict[str, object]
_WAIT = timedelta(seconds=1)


@dataclass(slots=True)
class PodRunner:
    """Runs pods, in one thread each. uid: whose files they are, for a while. stopping: all of them shall end."""

    home: Home
    objects: Objects
    workflow: str
    uid: str
    annotations: Mapping[str, str]
    stopping: threading.Event = field(default_factory=threading.Event)
    _said: threading.Lock = field(default_factory=threading.Lock)

    def run(self, name: str, spec: Mapping[str, object]) -> PodOutcome:
        """A pod of that specification, until it ended; what it printed is printed. Raises NbflowError."""
        runtime = open_runtime(self.annotations.get("nbflow.dev/target", "sandbox"), self.home, self.objects)
        executor = Executor(runtime, self.home, self.objects)
        pod = self._pod(name, spec)
        try:
            executor.start(pod)
            while (status := runtime.pod_status(pod.uid, name)) is None or not status.finished:
                runtime.finished_pods(_WAIT)
                if self.stopping.is_set():
                    raise NbflowError("the step was ended")
            outcome = executor.finish(pod, status)
            log_file = self.home.log(pod.uid, name, "main")
            with self._said, contextlib.suppress(OSError), log_file.open("rb") as log:
                shutil.copyfileobj(log, sys.stdout.buffer)
                sys.stdout.buffer.flush()
            return outcome
        finally:
            runtime.delete_pod(name, grace=timedelta(0))
            while (left := runtime.pod_status(pod.uid, name)) is not None and not left.finished:
                runtime.finished_pods(_WAIT)
            runtime.forget_pod(name, keep_root=False)
            shutil.rmtree(self.home.pod(self.uid, name), ignore_errors=True)

    def _pod(self, name: str, spec: Mapping[str, object]) -> Pod:
        containers = _list(spec, "containers")
        if len(containers) != 1 or _list(spec, "initContainers"):
            raise NbflowError("a Pod or Job with more than one container is not run on this target yet")
        main = containers[0]
        volumes = _list(spec, "volumes")
        deadline = spec.get("activeDeadlineSeconds")
        return Pod(
            name=name,
            workflow=self.workflow,
            uid=self.uid,
            node_id=name,
            template=name,
            containers=(
                ContainerSpec(
                    name="main",
                    image=str(main.get("image", "")),
                    command=_texts(main, "command"),
                    args=_texts(main, "args"),
                    env=tuple(_list(main, "env")),
                    env_from=tuple(_list(main, "envFrom")),
                    working_dir=str(main.get("workingDir") or ""),
                    volume_mounts=tuple(_list(main, "volumeMounts")),
                ),
            ),
            volumes=tuple(volumes),
            deadline=timedelta(seconds=deadline) if isinstance(deadline, int) else None,
            annotations=self.annotations,
        )


def _list(owner: Mapping[str, object], name: str) -> list[Json]:
    value = owner.get(name)
    return [cast("Json", item) for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(owner: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = owner.get(name)
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _number(owner: Mapping[str, object], name: str, default: int) -> int:
    value = owner.get(name)
    return value if isinstance(value, int) else default


def run_job(item: Json, runner: PodRunner) -> Iterator[Json]:
    """The status of a Job as it changes, until enough of its pods succeeded or too many failed."""
    spec = cast("Json", item["spec"]) if isinstance(item.get("spec"), dict) else {}
    template = spec.get("template")
    pod = cast("Json", template).get("spec") if isinstance(template, dict) else None
    if not isinstance(pod, dict):
        raise NbflowError("spec.template.spec of the Job is required")
    name = str(cast("Json", item["metadata"])["name"])
    started = format_time(datetime.now(UTC))
    wanted, limit = _number(spec, "completions", 1), _number(spec, "backoffLimit", 6)
    parallelism = max(1, _number(spec, "parallelism", 1))
    succeeded = failed = 0
    with _pool(parallelism, runner) as run:
        running: set[Future[PodOutcome]] = set()
        while succeeded < wanted and failed <= limit:
            while len(running) < min(parallelism, wanted - succeeded):
                running.add(run(f"{name}-{secrets.token_hex(3)[:5]}", cast("Json", pod)))
            yield _job_status(started, len(running), succeeded, failed)
            over, running = wait(running, return_when=FIRST_COMPLETED)
            for future in over:
                outcome = future.result()
                if outcome.phase is Phase.SUCCEEDED:
                    succeeded += 1
                else:
                    failed += 1
                    print(outcome.message, file=sys.stderr, flush=True)  # noqa: T201 - the log of the step
    done = succeeded >= wanted
    condition = {"type": "Complete" if done else "Failed", "status": "True"}
    if not done:
        condition["reason"] = "BackoffLimitExceeded"
    ended: Json = {"completionTime": format_time(datetime.now(UTC))} if done else {}
    yield {**_job_status(started, 0, succeeded, failed), "conditions": [condition], **ended}


@contextlib.contextmanager
def _pool(size: int, runner: PodRunner) -> Iterator[Callable[[str, Json], Future[PodOutcome]]]:
    """Runs pods side by side; at the end those that still run are ended."""
    with ThreadPoolExecutor(size) as pool:
        try:
            yield lambda name, spec: pool.submit(runner.run, name, spec)
        finally:
            runner.stopping.set()


def _job_status(started: str, active: int, succeeded: int, failed: int) -> Json:
    counts = {"active": active, "succeeded": succeeded, "failed": failed}
    return {"startTime": started, **{key: count for key, count in counts.items() if count}}


def run_pod(item: Json, runner: PodRunner) -> Iterator[Json]:
    """The status of a Pod as it changes."""
    spec = item.get("spec")
    started = format_time(datetime.now(UTC))
    yield {"phase": "Running", "startTime": started}
    outcome = runner.run(
        str(cast("Json", item["metadata"])["name"]), cast("Json", spec) if isinstance(spec, dict) else {}
    )
    phase = "Succeeded" if outcome.phase is Phase.SUCCEEDED else "Failed"
    message = {"message": outcome.message} if outcome.message else {}
    yield {"phase": phase, "startTime": started, **message}
