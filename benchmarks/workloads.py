"""The same work, said to nbflow and to what it is compared with."""

from __future__ import annotations

import math
from collections.abc import Callable

HEAD = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  generateName: {name}-
spec:
  entrypoint: main
  templates:
"""

HELLO_DODO = """def task_hello():
    return {"actions": ["echo hello world"]}
"""


def fan_out(count: int, parallelism: int | None = None, pods: int | None = None) -> str:
    """`count` pods that run `true`, none waits for another. pods: so many, the rest is skipped."""
    limit = f"    parallelism: {parallelism}\n" if parallelism else ""
    when = f"        when: '{{{{item}}}} < {pods}'\n" if pods is not None else ""
    return (
        HEAD.format(name="fan-out")
        + f"""  - name: main
{limit}    steps:
    - - name: nothing
        template: nothing
        withSequence: {{count: "{count}"}}
{when}  - name: nothing
    container: {{image: "busybox:1.36", command: ["true"]}}
"""
    )


def fan_out_dodo(count: int) -> str:
    return f"""def task_nothing():
    for number in range({count}):
        yield {{"name": str(number), "actions": [["true"]]}}
"""


def chain(length: int) -> str:
    """Each step prints one more than the number it got from the step before."""
    steps = []
    for number in range(length):
        value = f"{{{{steps.s{number - 1}.outputs.result}}}}" if number else "0"
        steps.append(
            f"""    - - name: s{number}
        template: count
        arguments: {{parameters: [{{name: number, value: "{value}"}}]}}
"""
        )
    return (
        HEAD.format(name="chain")
        + "  - name: main\n    steps:\n"
        + "".join(steps)
        + """  - name: count
    inputs: {parameters: [{name: number}]}
    container:
      image: busybox:1.36
      command: [sh, -c]
      args: ["echo $(({{inputs.parameters.number}} + 1))"]
"""
    )


def chain_loop(length: int, sandbox: str) -> str:
    """The chain as a loop in `sh`; the command that starts a sandbox comes before each step."""
    return f"""n=0
i=0
while [ $i -lt {length} ]; do
    n=$({sandbox} sh -c "echo \\$(($n + 1))")
    i=$((i + 1))
done
[ "$n" = {length} ]
"""


def graph(count: int) -> str:
    """A DAG of `count` tasks, thirty in a row, each waiting for one or two of the row above."""
    tasks = []
    for number in range(count):
        above = sorted({max(0, number - 30), max(0, number - 31 + number % 3)}) if number >= 30 else []
        waits = f", dependencies: [{', '.join(f't{n}' for n in above)}]" if above else ""
        tasks.append(f"      - {{name: t{number}, template: nothing{waits}}}\n")
    return (
        HEAD.format(name="graph")
        + "  - name: main\n    dag:\n      tasks:\n"
        + "".join(tasks)
        + """  - name: nothing
    container: {image: "busybox:1.36", command: ["true"]}
"""
    )


def many_templates(count: int) -> str:
    """A manifest of about 1.25 MB: `count` templates, and a chain of steps that calls each once."""
    calls = "".join(
        f"""    - - name: s{number}
        template: t{number}
        arguments:
          parameters:
          - {{name: message, value: "number {number} of {{{{workflow.name}}}}"}}
          - {{name: seconds, value: "{number % 7}"}}
"""
        for number in range(count)
    )
    templates = "".join(
        f"""  - name: t{number}
    inputs:
      parameters:
      - name: message
      - name: seconds
        default: "1"
    metadata:
      labels:
        example.com/number: "{number}"
    container:
      image: busybox:1.36
      command: [sh, -c]
      args: ["echo {{{{inputs.parameters.message}}}}; sleep {{{{inputs.parameters.seconds}}}}"]
      env:
      - name: NUMBER
        value: "{number}"
      resources:
        requests: {{cpu: 100m, memory: 64Mi}}
"""
        for number in range(count)
    )
    return HEAD.format(name="many") + "  - name: main\n    steps:\n" + calls + templates


# --- many nodes of one kind, for growth.py: about `count` pods each ---------------------------------------------------

_LEAF = """  - name: leaf
    inputs: {parameters: [{name: x, value: "0"}]}
    container: {image: "busybox:1.36", command: [echo, "{{inputs.parameters.x}}"]}
"""


def loop(count: int, template: str = "", leaf: str = _LEAF) -> str:
    """A loop, and a step that takes all results. template: more of the template around; leaf: what each round calls."""
    return (
        HEAD.format(name="loop")
        + f"""  - name: main
{template}    steps:
    - - name: a
        template: leaf
        arguments: {{parameters: [{{name: x, value: "{{{{item}}}}"}}]}}
        withSequence: {{count: "{count}"}}
    - - name: b
        template: leaf
        arguments: {{parameters: [{{name: x, value: "{{{{steps.a.outputs.result}}}}"}}]}}
"""
        + leaf
    )


def loops(count: int) -> str:
    """A loop in a loop."""
    side = math.isqrt(count)
    return (
        HEAD.format(name="loops")
        + f"""  - name: main
    steps:
    - - {{name: a, template: inner, withSequence: {{count: "{side}"}}}}
  - name: inner
    steps:
    - - name: b
        template: leaf
        arguments: {{parameters: [{{name: x, value: "{{{{item}}}}"}}]}}
        withSequence: {{count: "{side}"}}
"""
        + _LEAF
    )


def task_chain(count: int) -> str:
    """Tasks in a row; each takes what the one before gave, and what the first gave."""
    tasks = ["      - {name: t0, template: leaf}\n"]
    for number in range(1, count):
        value = f"{{{{tasks.t{number - 1}.outputs.result}}}} {{{{tasks.t0.outputs.result}}}}"
        tasks.append(
            f"""      - name: t{number}
        template: leaf
        depends: t{number - 1}
        arguments: {{parameters: [{{name: x, value: "{value}"}}]}}
"""
        )
    return HEAD.format(name="chain") + "  - name: main\n    dag:\n      tasks:\n" + "".join(tasks) + _LEAF


def star(count: int) -> str:
    """A task that all others wait for, and one that waits for all others."""
    names = [f"t{number}" for number in range(count)]
    tasks = [f"      - {{name: {name}, template: leaf, depends: first}}\n" for name in names]
    last = f"      - {{name: last, template: leaf, dependencies: [{', '.join(names)}]}}\n"
    return (
        HEAD.format(name="star")
        + "  - name: main\n    dag:\n      tasks:\n      - {name: first, template: leaf}\n"
        + "".join(tasks)
        + last
        + _LEAF
    )


SHAPES: dict[str, Callable[[int], str]] = {
    "loop": loop,
    "loop, ten at a time": lambda count: loop(count, "    parallelism: 10\n"),
    "loop in a loop": loops,
    "loop of retries": lambda count: loop(
        count, leaf=_LEAF.replace("    container", "    retryStrategy: {limit: 2}\n    container")
    ),
    "loop with a mutex": lambda count: loop(
        count,
        leaf=_LEAF.replace("    container", "    synchronization: {mutexes: [{name: m}]}\n    container"),
    ),
    "chain of steps": chain,
    "chain of tasks": task_chain,
    "tasks in rows": graph,
    "star of tasks": star,
}
