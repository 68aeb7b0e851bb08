from datetime import timedelta
from itertools import pairwise

import pytest
from simulate import START, Simulation, fail, outputs, succeed

from nbflow.engine.durations import humanize, parse_duration
from nbflow.engine.failures import CallError
from nbflow.engine.retry import backoff_time
from nbflow.spec.pod import PodOutcome
from nbflow.spec.status import NodeType, Phase
from nbflow.spec.template import Backoff


def error(pod):
    return PodOutcome(Phase.ERROR, "lost")


def until(attempts, otherwise=fail):
    """Fail so many times, then succeed."""
    count = iter(range(100))
    return lambda pod: otherwise(pod) if next(count) < attempts else outputs(o="done")


def run(
    strategy,
    rule=fail,
    template="container: {image: i, args: ['{{retries}} {{lastRetry.exitCode}} {{lastRetry.status}}']}",
):
    return Simulation(
        f"entrypoint: main\ntemplates:\n- name: main\n  retryStrategy: {{{strategy}}}\n  {template}\n", rule
    ).run()


def test_attempts_are_children_of_a_retry_node():
    wf = run("limit: 2", until(1))
    root, first, second = (wf.nodes[name] for name in ("wf", "wf(0)", "wf(1)"))
    assert [node.type for node in (root, first, second)] == [NodeType.RETRY, NodeType.POD, NodeType.POD]
    assert [node.phase for node in (root, first, second)] == [Phase.SUCCEEDED, Phase.FAILED, Phase.SUCCEEDED]
    assert wf.edges() == {("wf", "wf(0)"), ("wf", "wf(1)")}
    assert first.extra == {"nodeFlag": {"retried": True}}
    assert root.outputs == second.outputs
    assert [pod.main.args for pod in wf.pods.values()] == [("0 0 ",), ("1 1 Failed",)]
    assert (wf.phase, wf.progress) == (Phase.SUCCEEDED, "1/2")


@pytest.mark.parametrize(
    ("strategy", "rule", "attempts", "message"),
    [
        ("limit: 0", fail, 1, "No more retries left"),
        ("limit: '2'", fail, 3, "No more retries left"),
        ("limit: 2, retryPolicy: OnError", fail, 1, "main: Error (exit code 1)"),
        ("limit: 2, retryPolicy: OnError", error, 3, "No more retries left"),
        ("limit: 2", error, 1, "lost"),
        ("limit: 2, retryPolicy: Always", error, 3, "No more retries left"),
        ("limit: 2, expression: 'true'", error, 3, "No more retries left"),
        (
            "limit: 9, expression: 'asInt(retries) < 1'",
            fail,
            2,
            "retryStrategy.expression evaluated to false",
        ),
        (
            "limit: 9, expression: \"lastRetry.status == 'Error'\"",
            fail,
            1,
            "retryStrategy.expression evaluated to false",
        ),
        (
            "limit: 9, expression: \"lastRetry.exitCode == '1'\", retryPolicy: OnError",
            fail,
            1,
            "main: Error (exit code 1)",
        ),
        ("limit: 9, retryPolicy: OnTransientError", error, 1, "lost"),
    ],
)
def test_when_it_is_tried_again(strategy, rule, attempts, message):
    wf = run(strategy, rule)
    assert (len(wf.pods), wf.nodes["wf"].message, wf.message) == (attempts, message, message)
    assert wf.phase is wf.nodes[f"wf({attempts - 1})"].phase


def test_a_limit_that_is_no_number_is_an_error():
    wf = run("limit: many")
    assert (wf.phase, wf.nodes["wf"].phase) == (Phase.ERROR, Phase.ERROR)
    assert 'parsing "many"' in wf.message


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("1 == true", "invalid operation: == (mismatched types int and bool)"),
        ("asInt('x') > 1", "unable to evaluate expression 'asInt('x') > 1': invalid operation: int(x)"),
    ],
)
def test_a_condition_that_is_none(expression, problem):
    """util/expr/argoexpr/eval.go: what cannot be compiled is told as it is."""
    wf = run(f'limit: 2, expression: "{expression}"')
    assert (wf.phase, wf.nodes["wf"].message.startswith(problem)) == (Phase.ERROR, True), wf.message


def test_the_next_attempt_waits_longer_each_time():
    wf = run("limit: 3, backoff: {duration: '10', factor: 2, cap: 30s}")
    starts = [(wf.nodes[f"wf({i})"].started_at - START).total_seconds() for i in range(4)]
    waits = [round(later - earlier - 1) for earlier, later in pairwise(starts)]
    assert waits == [10, 20, 30]
    messages = [d.changed[-1].message for d in wf.decisions if d.wake_at]
    assert messages == ["Backoff for 10 seconds", "Backoff for 20 seconds", "Backoff for 30 seconds"]


def test_no_wait_that_would_be_in_vain():
    wf = run("limit: 5, backoff: {duration: '10', maxDuration: '15'}")
    assert (len(wf.pods), wf.message) == (2, "Backoff would exceed max duration limit")
    assert [pod.deadline and round(pod.deadline.total_seconds()) for pod in wf.pods.values()] == [None, 4]


def test_a_steps_template_starts_again_at_its_first_step():
    template = """steps: [[{name: a, template: p}], [{name: b, template: q}]]
- {name: p, container: {image: i}}
- {name: q, container: {image: i, args: ["{{retries}}"]}}"""
    wf = run("limit: 1", lambda pod: fail(pod) if pod.template == "q" else succeed(pod), template)
    assert wf.phases == {
        "wf": "Failed",
        "(0)": "Failed", "(0)[0]": "Succeeded", "(0)[0].a": "Succeeded", "(0)[1]": "Failed", "(0)[1].b": "Failed",
        "(1)": "Failed", "(1)[0]": "Succeeded", "(1)[0].a": "Succeeded", "(1)[1]": "Failed", "(1)[1].b": "Failed",
    }  # fmt: skip
    assert wf.message == "No more retries left"


def test_the_workflows_strategy_holds_for_every_template():
    wf = Simulation(
        """
entrypoint: main
retryStrategy: {limit: 1}
templates:
- {name: main, dag: {tasks: [{name: A, template: p}, {name: B, template: p, depends: A}]}}
- {name: p, container: {image: i}}
"""
    ).run()
    assert wf.phases == dict.fromkeys(["wf", "(0)", "(0).A", "(0).A(0)", "(0).B", "(0).B(0)"], "Succeeded")
    assert ("wf(0).A(0)", "wf(0).B") in wf.edges()


@pytest.mark.parametrize(
    ("text", "seconds"), [("5", 5), ("5s", 5), ("1h1m1s", 3661), ("500ms", 0.5), ("1.5m", 90), ("0", 0)]
)
def test_durations(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5 s", "s", "1d", "5x"])
def test_what_is_no_duration(text):
    with pytest.raises(CallError, match="unable to parse"):
        parse_duration(text)


def test_humanized_durations():
    times = [1, 59, 61, 3600, 90061]
    assert [humanize(timedelta(seconds=s)) for s in times] == [
        "1 second", "59 seconds", "1 minute 1 seconds", "1 hour 0 minutes", "1 day 1 hours",
    ]  # fmt: skip


def test_a_huge_backoff_is_capped():
    assert backoff_time(Backoff(duration="1h", factor=10, cap="2h"), 500) == timedelta(hours=2)
