"""Why a workflow failed, in its last lines."""

from dataclasses import replace

from nbflow.spec.status import NodeType, Phase


def test_a_failure_without_a_failed_pod_names_its_cause(nbflow, hello, client):
    client.phase = Phase.FAILED
    finish = client.finish

    def too_deep(made):
        done = finish(made)
        (top,) = done.status.nodes.values()
        deep = replace(
            top, id="x", display_name="x", type=NodeType.SKIPPED, message="Maximum recursion depth"
        )
        nodes = {top.id: replace(top, type=NodeType.STEPS, children=("x",)), "x": deep}
        client.workflows[made.name] = replace(done, status=replace(done.status, nodes=nodes))
        return client.workflows[made.name]

    client.finish = too_deep
    assert nbflow("submit", "--wait", hello).err == (
        "✖ hello-0 Failed after 3s: Error (exit code 1)\n"
        "  x: Maximum recursion depth\n"
        "  look: nbflow get hello-0; nbflow logs hello-0\n"
    )
    assert "Cause:               x: Maximum recursion depth\n" in nbflow("get", "hello-0").out
