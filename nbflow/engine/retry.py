"""Retries: a node that is tried again has one child per attempt, `name(0)`, `name(1)`, ..."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta

from nbflow.engine import calls, limits
from nbflow.engine.arguments import Prepared, replace_again
from nbflow.engine.durations import humanize, parse_duration
from nbflow.engine.failures import CallError
from nbflow.engine.names import pod_name
from nbflow.engine.run import Call, Run, Waiting
from nbflow.engine.scope import Variables
from nbflow.spec.model import IntOrString
from nbflow.spec.status import NodeStatus, Phase
from nbflow.spec.template import Backoff, RetryStrategy
from nbflow.templating.expressions import evaluate_bool
from nbflow.templating.failures import TemplateError

_POLICIES = {
    "Always": (Phase.FAILED, Phase.ERROR),
    "OnError": (Phase.ERROR,),
    "OnFailure": (Phase.FAILED,),
    "OnTransientError": (),
}
"""Policy -> the phases it tries again after. No error of a local run is a passing trouble of a cluster."""


def begin(run: Run, call: Call, prepared: Prepared, node: NodeStatus) -> None:
    """Start the first attempt, or take up the last one, before another call counts what runs."""
    run.first(Retry(run, call, prepared, node.id).begin)


class Retry:
    """What goes on below one Retry node. attempts: ids of their nodes; deadline: when the last one has to end."""

    def __init__(self, run: Run, call: Call, prepared: Prepared, node_id: str) -> None:
        self.run, self.call, self.prepared, self.node_id = run, call, prepared, node_id
        strategy = calls.retry_strategy(run, prepared.template)
        assert strategy is not None
        self.strategy: RetryStrategy = strategy
        self.attempts: list[str] = []
        self.deadline: datetime | None = None

    @property
    def node(self) -> NodeStatus:
        """The Retry node."""
        return self.run.tree.nodes[self.node_id]

    @property
    def last(self) -> NodeStatus:
        """The last attempt."""
        return self.run.tree.nodes[self.attempts[-1]]

    def begin(self) -> None:
        """Start the first attempt, or take up the last one."""
        while (attempt := self.run.tree.named(self._name(len(self.attempts)))) is not None:
            self.attempts.append(attempt.id)
            self.run.owners[attempt.id] = self
        if not self.attempts:
            self._start_attempt()
        elif self.last.fulfilled:
            self.run.notify(self.last.id)
        else:
            self._resume()

    def _name(self, number: int) -> str:
        return f"{self.node.name}({number})"

    def _call(self, number: int) -> Call:
        flag = {**self.call.flag, "retried": True}
        return replace(self.call, name=self._name(number), owner=self, parents=(self.node_id,), flag=flag)

    # --- attempts -------------------------------------------------------------------------------------------------

    def _start_attempt(self) -> None:
        waiting = Waiting(self._name(len(self.attempts)), self.call.boundary, self._start_attempt)
        if (
            self.node.phase is None
            or self.node.phase.finished
            or not limits.admit(self.run, waiting, new=False)
        ):
            return
        number = len(self.attempts)
        call = self._call(number)
        node_id = self.run.node_id(call.name)
        self.run.owners[node_id] = self
        try:
            ready = self._ready(call, number)
            self.attempts.append(node_id)
            kind = calls.node_type(ready.source)
            calls.start_prepared(self.run, call, ready, kind, deadline=self.deadline)
        except CallError as error:
            calls.fail(self.run, call, error.problem)
            self.attempts[number:] = [node_id]

    def _resume(self) -> None:
        number = len(self.attempts) - 1
        call = self._call(number)
        try:
            calls.begin(self.run, call, self._ready(call, number), self.last, again=True)
        except CallError as error:
            calls.fail(self.run, call, error.problem)

    def _ready(self, call: Call, number: int) -> Prepared:
        """The template with the variables of this attempt."""
        source = self.prepared.source
        own: Variables = {"retries": str(number)}
        if source.is_pod:
            own["pod.name"] = pod_name(self.run.name, call.name, source.template.name)
        before = self.run.tree.nodes[self.attempts[number - 1]] if number else None
        own |= last_retry(before, exit_code="0", duration="0")
        around = calls.surroundings(self.run, call, source, more=own)
        return replace_again(self.prepared, replace(around, own=own))

    # --- what becomes of them -------------------------------------------------------------------------------------

    def child_changed(self, node: NodeStatus) -> None:
        """See Context."""
        finished = self.node.phase is not None and self.node.phase.finished
        if finished or not self.attempts or node.id != self.attempts[-1]:
            return
        if limits.halts(self.run, self.call.boundary):
            return
        self._proceed()

    def child_errored(self, call: Call, message: str) -> None:  # noqa: ARG002
        """See Context: an attempt that cannot even be started counts as Error, if the policy tries those again."""
        if Phase.ERROR not in self._policy():
            self.run.first(lambda: self.call.owner.child_errored(self.call, message))
            if self.node.phase is not None and not self.node.phase.finished:
                self.run.mark(self.node, Phase.ERROR, message)

    def child_timed_out(self, call: Call, message: str) -> None:
        """See Context. What follows is decided by its phase."""

    def _policy(self) -> tuple[Phase, ...]:
        policy = self.strategy.retry_policy or ("Always" if self.strategy.expression else "OnFailure")
        if policy not in _POLICIES:
            raise CallError(f"{policy} is not a valid RetryPolicy")
        return _POLICIES[policy]

    def _proceed(self) -> None:
        """The last attempt changed, or the wait after it is over: end, wait or try again."""
        last = self.last
        if self.node.phase is None or self.node.phase.finished or last.phase is None:
            return
        if self.run.is_cut_off(self.node):
            return
        if not last.phase.finished:
            if last.daemoned:
                self.run.mark(replace(self.node, daemoned=True), last.phase)
                self.run.notify(self.node_id)
            return
        if not last.phase.bad:
            self.run.mark(replace(self.node, daemoned=False), Phase.SUCCEEDED, outputs=last.outputs)
            return
        try:
            verdict = self._verdict(last)
        except (CallError, TemplateError) as error:
            calls.fail(self.run, self.call, error.problem)
            return
        if verdict is not None:
            self.run.mark(replace(self.node, daemoned=False), last.phase, verdict, outputs=last.outputs)

    def _verdict(self, last: NodeStatus) -> str | None:
        """Why it is not tried again; None if it is, now or after a wait.

        Recursion that has no end is not: with two attempts at each depth there were more than can ever be made.
        """
        if last.id in self.run.endless:
            return last.message
        if self.run.shutdown:
            return f"Stopped with strategy '{self.run.shutdown}'"
        deadline = self.run.deadline
        if deadline is not None and self.run.now > deadline:
            return f"retry exceeded workflow deadline {deadline:%Y-%m-%d %H:%M:%S +0000 UTC}"
        if self.strategy.backoff is not None:
            verdict = self._wait(self.strategy.backoff, last)
            if verdict is not None:
                return verdict or None
        if last.phase not in self._policy():
            return last.message
        limit = whole_number(self.strategy.limit)
        if limit is not None and len(self.attempts) > limit:
            return "No more retries left"
        if self.strategy.expression:
            known = {"retries": str(len(self.attempts) - 1), **last_retry(last, exit_code="-1")}
            if not evaluate_bool(self.strategy.expression, known, self.run.clock(last.name)):
                return "retryStrategy.expression evaluated to false"
        self._start_attempt()
        return None

    def _wait(self, backoff: Backoff, last: NodeStatus) -> str | None:
        """Why there is no time for another attempt; "" if the next one has to wait; None if it need not."""
        until: datetime | None = None
        if backoff.max_duration:
            first = self.run.tree.nodes[self.attempts[0]]
            until = (first.started_at or self.run.now) + parse_duration(backoff.max_duration)
            if self.run.now > until:
                return "Max duration limit exceeded"
        if not backoff.duration:
            raise CallError("no base duration specified for retryStrategy")
        wait = backoff_time(backoff, len(self.attempts))
        ready_at = (last.finished_at or self.run.now) + wait
        if until is not None and ready_at > until:
            return "Backoff would exceed max duration limit"
        limit = whole_number(self.strategy.limit)
        if self.run.now < ready_at and limit is not None and len(self.attempts) <= limit:
            self.run.mark(self.node, Phase.RUNNING, f"Backoff for {humanize(wait)}")
            self.run.at(ready_at, self._proceed)
            return ""
        self.deadline = until
        self.run.mark(self.node, Phase.RUNNING, "")
        return None


def backoff_time(backoff: Backoff, attempts: int) -> timedelta:
    """How long to wait after so many attempts: duration * factor^(attempts-1), at most the cap. Raises CallError."""
    base = parse_duration(backoff.duration)
    factor = whole_number(backoff.factor)
    wait = base
    if factor is not None and factor > 0:
        seconds = base.total_seconds() * math.pow(factor, min(attempts - 1, 64))
        wait = timedelta(seconds=min(seconds, timedelta(days=365_000).total_seconds()))
    return min(wait, parse_duration(backoff.cap)) if backoff.cap else wait


def whole_number(value: IntOrString | None) -> int | None:
    """A number that may be written as text. Raises CallError."""
    if value is None:
        return None
    try:
        return int(value)
    except ValueError:
        raise CallError(f'strconv.ParseInt: parsing "{value}": invalid syntax') from None


def last_retry(node: NodeStatus | None, *, exit_code: str, duration: str = "0") -> Variables:
    """What an attempt, or the condition of the next one, knows of the last: all of it text."""
    if node is None:
        return {
            "lastRetry.exitCode": exit_code,
            "lastRetry.duration": duration,
            "lastRetry.status": "",
            "lastRetry.message": "",
        }
    code = (node.outputs or {}).get("exitCode")
    seconds = 0
    if node.started_at and node.finished_at:
        seconds = int(node.finished_at.timestamp()) - int(node.started_at.timestamp())
    return {
        "lastRetry.exitCode": exit_code if code is None else str(code),
        "lastRetry.duration": str(seconds),
        "lastRetry.status": node.phase.value if node.phase else "",
        "lastRetry.message": node.message,
    }
