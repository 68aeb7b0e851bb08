"""Node trees at random, in the shapes that Argo gives them: DAGs, steps, loops, attempts, exit handlers."""

from __future__ import annotations

import random


class Trees:
    """nodes: of one tree, each with the names of its children. Names are relative to the workflow's."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.nodes: list[dict] = []
        root = self.add("", self.random.choice(["DAG", "Steps"]), None, "Failed")
        (self.dag if root["type"] == "DAG" else self.steps)("", root, 0)
        if self.random.random() < 0.4:
            self.add(".onExit", "Pod", None, nodeFlag={"hooked": True})

    def add(self, name, type_, boundary, phase="", **extra):
        phase = phase or self.random.choice(["Succeeded", "Succeeded", "Failed", "Error"])
        made = {
            "name": name,
            "type": type_,
            "phase": phase,
            "children": [],
            "boundary": boundary,
            "extra": extra,
        }
        self.nodes.append(made)
        return made

    def one(self, name, boundary, depth):
        """A step or task of any kind; the nodes that what follows hangs on."""
        kinds = ["Pod", "Pod", "Retry", "DAG", "Steps", "TaskGroup", "Suspend", "Skipped"]
        kind = self.random.choice(kinds if depth < 3 else ["Pod", "Retry", "Skipped"])
        phase = {"Suspend": "Succeeded", "Skipped": "Skipped"}.get(kind, "")
        made = self.add(name, kind, boundary, phase)
        if kind == "Retry":
            last = self.random.randint(0, 2)
            for i in range(last + 1):
                ended = made["phase"] if i == last else "Failed"
                self.add(f"{name}({i})", "Pod", boundary, ended, nodeFlag={"retried": True})
                made["children"].append(f"{name}({i})")
        elif kind == "TaskGroup":
            ends = []
            for i in range(self.random.randint(1, 3)):
                made["children"].append(f"{name}({i})")
                ends += self.one(f"{name}({i})", boundary, 3)
            return ends
        elif kind == "DAG":
            self.dag(name, made, depth)
        elif kind == "Steps":
            self.steps(name, made, depth)
        return [made]

    def dag(self, name, made, depth):
        before: list[dict] = []
        for letter in "abcd"[: self.random.randint(1, 4)]:
            some = self.random.sample(before, min(len(before), self.random.randint(1, 2)))
            for parent in some if some and self.random.random() < 0.7 else [made]:
                parent["children"].append(f"{name}.{letter}")
            before += self.one(f"{name}.{letter}", name, depth + 1)

    def steps(self, name, made, depth):
        ends = [made]
        for i in range(self.random.randint(1, 3)):
            group = self.add(f"{name}[{i}]", "StepGroup", name)
            for parent in ends:
                parent["children"].append(group["name"])
            ends = []
            for letter in "xyz"[: self.random.randint(1, 3)]:
                group["children"].append(f"{name}[{i}].{letter}")
                ends += self.one(f"{name}[{i}].{letter}", name, depth + 1)
