"""Progress that pods report themselves: docs/progress.md and workflow/progress/updater_test.go of Argo."""

import pytest

from nbflow.engine.decision import PodProgressed, Started
from nbflow.spec.pod import PodOutcome
from nbflow.spec.status import Phase
from tests.engine.simulate import START, Simulation, fail, succeed

TWO = """
entrypoint: main
templates:
- name: main
  dag:
    tasks: [{name: a, template: a}, {name: b, template: b}]
- name: a
  metadata: {annotations: {workflows.argoproj.io/progress: 0/100}}
  container: {image: alpine, command: [a]}
- name: b
  container: {image: alpine, command: [b]}
"""


def said(wf):
    return {node.display_name: node.progress for node in wf.stored.nodes if node.progress}, wf.progress


def test_an_annotation_says_where_it_begins_and_a_pod_how_far_it_got():
    wf = Simulation(TWO)
    wf.observe(Started())
    assert said(wf) == ({"a": "0/100", "b": "0/1"}, "0/101")
    wf.observe(PodProgressed(next(pod for pod in wf.pods if "-a-" in pod), "40/100"))
    assert said(wf) == ({"a": "40/100", "b": "0/1"}, "40/101")
    wf.crash()
    wf.go_on()
    assert said(wf) == ({"a": "100/100", "b": "1/1"}, "101/101")


@pytest.mark.parametrize(
    ("rule", "progress"),
    [(fail, "0/100"), (succeed, "100/100"), (lambda _: PodOutcome(Phase.FAILED, progress="7/9"), "7/9")],
)
def test_what_failed_keeps_the_last_that_it_said(rule, progress):
    wf = Simulation(TWO, lambda pod: rule(pod) if pod.template == "a" else succeed(pod)).run()
    assert wf.node("a").progress == progress


def test_news_of_a_pod_that_is_over_or_unknown_change_nothing():
    wf = Simulation(TWO).run()
    before = said(wf)
    for pod in (*wf.pods, "another"):
        wf.observe(PodProgressed(pod, "1/1000"))
    assert (said(wf), wf.now > START) == (before, True)
