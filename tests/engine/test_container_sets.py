"""The nodes of containers: flags, ends, and what becomes of them when their pod is ended."""

from simulate import Simulation, succeed

from nbflow.engine.decision import Started, UserAsked
from nbflow.spec.status import Phase

SET = """
- name: set
  containerSet:
    containers:
    - {name: main, image: i}
    - {name: b, image: i, dependencies: [main]}
    - {name: c, image: i, dependencies: [main]}
"""


def test_containers_have_the_flags_of_their_pod():
    """workflow/controller/container_set_template.go: initializeNode(..., opts.nodeFlag)."""
    strategy = "  retryStrategy: {limit: 1}\n"
    wf = Simulation(f"entrypoint: set\nonExit: set\ntemplates:{SET}{strategy}").run()
    attempt = {"nodeFlag": {"retried": True}}
    hooked = {"nodeFlag": {"hooked": True, "retried": True}}
    assert [node.extra for name, node in wf.nodes.items() if name.startswith("wf(0)")] == [attempt] * 4
    assert [node.extra for name, node in wf.nodes.items() if ".onExit(0)" in name] == [hooked] * 4


def test_a_pod_that_is_ended_ends_all_of_its_containers():
    """workflow/controller/exec_control.go, handleExecutionControlError: NestedChildrenStatus."""
    wf = Simulation(f"entrypoint: set\ntemplates:{SET}")
    wf.observe(Started())
    wf.step()
    wf.observe(UserAsked("stop"))
    message = "workflow shutdown with strategy:  Stop"
    assert {name: (node.phase, node.message) for name, node in wf.nodes.items()} == dict.fromkeys(
        ["wf", "wf.main", "wf.b", "wf.c"], (Phase.FAILED, message)
    )


def test_hooks_of_a_container_set_are_among_its_ends():
    """workflow/controller/operator.go, getOutboundNodes: all children of the pod, one by one."""
    wf = Simulation(
        "entrypoint: main\ntemplates:\n"
        "- name: main\n  steps:\n  - - {name: a, template: set, hooks: {exit: {template: bye}}}\n"
        "  - - {name: z, template: bye}\n"
        f"- {{name: bye, container: {{image: i}}}}{SET}",
        succeed,
    ).run()
    parents = {parent for parent, child in wf.edges() if child == "wf[1]"}
    assert parents == {"wf[0].a.b", "wf[0].a.c", "wf[0].a.onExit"}
