"""What a node costs in a small and in a large workflow, and write the table into README.md.

python benchmarks/growth.py [--only SHAPE] [--sizes 100,1000] [--print]

CPU time of this process, by finished node, pods left out: they end as soon as they start. `engine`: events and
decisions alone. `controller`: loop, kubelet and a store on the disk besides. `watch`: what a client reads that
follows the run. `calls`: how many functions the controller calls, which no other work on the machine changes. Sizes
take turns and the best round counts.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import re
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import workloads
import yaml
from run import README, machine
from toy import House, outcome_of

from nbflow.controller import garbage
from nbflow.engine.decision import CreatePod, Event, PodFinished, PodStarted, Started, StaticWorld
from nbflow.engine.reconcile import Reconciler
from nbflow.spec.workflow import Workflow

TABLE = re.compile(r"(?<=<!-- growth -->\n).*?(?=<!-- /growth -->)", re.DOTALL)
START = datetime(2024, 5, 17, tzinfo=UTC)
MARK = 1.2
ROUNDS = 5
Manifest = dict[str, object]


def engine(manifest: Manifest) -> tuple[float, int]:
    """Seconds and nodes of a run in memory."""
    metadata = {"name": "wf", "namespace": "default", "uid": "u", "creationTimestamp": "2024-05-17T10:00:00Z"}
    reconciler = Reconciler(Workflow.from_dict({**manifest, "metadata": metadata}), None, seed=7)
    nodes: set[str] = set()
    events: deque[Event] = deque([Started()])
    now = START
    start = time.process_time()
    while events:
        now += timedelta(milliseconds=1)
        decision = reconciler.observe(events.popleft(), now, StaticWorld())
        nodes.update(node.id for node in decision.changed)
        for action in decision.actions:
            if isinstance(action, CreatePod):
                events.append(PodStarted(action.pod.name, now))
                events.append(PodFinished(action.pod.name, outcome_of(action.pod)))
    seconds = time.process_time() - start
    assert reconciler.finished
    return seconds, len(nodes)


def controller(manifest: Manifest) -> tuple[float, int]:
    """The same with a loop and a store."""
    with tempfile.TemporaryDirectory(prefix="nbflow-bench-") as folder, House(Path(folder)) as house:
        return house.run(manifest)


def watch(manifest: Manifest) -> tuple[float, int]:
    """What a client spends that reads every change as it is committed."""
    with tempfile.TemporaryDirectory(prefix="nbflow-bench-") as folder, House(Path(folder)) as house:
        return house.watch(manifest)


def calls(manifest: Manifest) -> tuple[float, int]:
    """Calls of functions in a controller, in millions: the same on every machine, however busy."""
    with tempfile.TemporaryDirectory(prefix="nbflow-bench-") as folder, House(Path(folder)) as house:
        profile = cProfile.Profile()
        profile.enable()
        _, nodes = house.run(manifest)
        profile.disable()
    return sum(entry.callcount for entry in profile.getstats()) / 1e6, nodes


LEVELS: dict[str, Callable[[Manifest], tuple[float, int]]] = {
    "engine": engine,
    "controller": controller,
    "watch": watch,
    "calls": calls,
}


def rows(shapes: list[str], sizes: list[int]) -> Iterator[str]:
    for shape in shapes:
        manifests = [yaml.load(workloads.SHAPES[shape](size), yaml.CSafeLoader) for size in sizes]
        for level, work in LEVELS.items():
            best = [float("inf")] * len(sizes)
            for turn in range(ROUNDS):
                for index, manifest in enumerate(manifests):
                    if sizes[index] * turn < sizes[-1]:
                        gc.collect()
                        seconds, nodes = work(manifest)
                        best[index] = min(best[index], seconds / nodes * 1e6)
            growth = best[-1] / best[0]
            verdict = "met" if growth <= MARK else "**missed**"
            unit = "" if level == "calls" else " µs"
            cells = " | ".join(f"{each:.0f}{unit}" for each in best)
            yield f"| {shape} | {level} | {cells} | {growth:.2f}x | {MARK:g}x {verdict} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", choices=sorted(workloads.SHAPES))
    parser.add_argument("--sizes", default="100,1000,10000")
    parser.add_argument("--print", action="store_true", help="print the table and leave README.md alone")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    controller(yaml.load(workloads.loop(20), yaml.CSafeLoader))
    garbage.spare()  # as the controller does
    head = f"| shape | part | {' | '.join(f'{size:,} pods' for size in sizes)} | growth | mark |"
    text = [machine(), "", head, "|" + "---|" * (len(sizes) + 4)]
    for row in rows(options.only or list(workloads.SHAPES), sizes):
        print(row, flush=True)
        text.append(row)
    if not options.print:
        table = "\n".join(text) + "\n"
        README.write_text(TABLE.sub(lambda _: table, README.read_text()))


if __name__ == "__main__":
    main()
