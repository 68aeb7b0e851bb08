"""Pods that wait for room: which one is next, and whether there is room for it.

Workflows of a higher priority first, those of one priority in turn. A pod that asks for memory or cores waits until
so much of the machine is free; one that asks for more than there is takes the whole machine. Whoever is next keeps
smaller ones behind it waiting, or it would wait for ever.
"""

from __future__ import annotations

import os
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from nbflow.engine.usage import asked
from nbflow.runtimes.agent import only_waits
from nbflow.spec.pod import Pod

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Demand:
    """What a pod takes while it runs. slots: 0 for what takes none; cpu: in cores; memory: in bytes."""

    slots: int = 1
    cpu: float = 0.0
    memory: float = 0.0

    @classmethod
    def of(cls, pod: Pod) -> Demand:
        """Daemons take no slot, nor does what waits for other workflows."""
        cpu, memory = asked(pod, "cpu"), asked(pod, "memory")
        return cls(0 if pod.daemon or only_waits(pod) else 1, float(cpu), float(memory))


@dataclass(slots=True)
class Room:
    """What is free of a machine. slots: how many pods may run at once."""

    slots: int
    cpu: float
    memory: float
    whole_cpu: float = 0.0
    whole_memory: float = 0.0

    def __post_init__(self) -> None:
        self.whole_cpu, self.whole_memory = self.cpu, self.memory

    @classmethod
    def of_machine(cls, slots: int) -> Room:
        """All of this machine."""
        return cls(
            slots,
            float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1),
            float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")),
        )

    def fits(self, demand: Demand) -> bool:
        """Whether there is room now."""
        return (
            (not demand.slots or self.slots > 0)
            and min(demand.cpu, self.whole_cpu) <= self.cpu
            and min(demand.memory, self.whole_memory) <= self.memory
        )

    def take(self, demand: Demand, sign: int = 1) -> None:
        """Take room for a pod; with sign -1 give it back."""
        self.slots -= sign * demand.slots
        self.cpu -= sign * min(demand.cpu, self.whole_cpu)
        self.memory -= sign * min(demand.memory, self.whole_memory)


class Queue(Generic[Item]):
    """What waits, by priority and workflow."""

    def __init__(self) -> None:
        self._levels: dict[int, OrderedDict[int, deque[Item]]] = {}

    def __bool__(self) -> bool:
        return bool(self._levels)

    def add(self, item: Item, workflow: int, priority: int) -> None:
        """Behind all others of its workflow."""
        self._levels.setdefault(priority, OrderedDict()).setdefault(workflow, deque()).append(item)

    def first(self) -> Item:
        """Who is next."""
        level = self._levels[max(self._levels)]
        return next(iter(level.values()))[0]

    def take(self) -> Item:
        """Who is next, taken out; the next one is of another workflow."""
        priority = max(self._levels)
        level = self._levels[priority]
        workflow, waiting = level.popitem(last=False)
        item = waiting.popleft()
        if waiting:
            level[workflow] = waiting
        elif not level:
            del self._levels[priority]
        return item

    def drop(self, item: Item, workflow: int, priority: int) -> None:
        """Take one out, if it is there."""
        level = self._levels.get(priority, OrderedDict())
        waiting = level.get(workflow)
        if waiting is None or item not in waiting:
            return
        waiting.remove(item)
        if not waiting:
            del level[workflow]
        if not level:
            del self._levels[priority]
