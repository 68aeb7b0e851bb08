"""Mutexes and semaphores: who holds them, and who waits in which order.

One table serves all workflows of a controller. It is data, not a thread's lock: to wait means to be in a queue.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a queue: the higher priority first, then the older workflow, then who came first."""

    negative_priority: int
    created: str
    number: int
    holder: str


@dataclass(slots=True)
class Lock:
    """One mutex (limit 1) or semaphore. Holders are written `namespace/workflow/node id`.

    queue: who waits, in order; places: the same by holder.
    """

    limit: int
    holders: dict[str, None] = field(default_factory=dict)
    queue: list[Place] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)

    @property
    def free(self) -> int:
        """How many more may hold it; negative if the limit was lowered."""
        return self.limit - len(self.holders)

    def lets(self, holder: str) -> bool:
        """Whether `holder` may have it now: it is free, and nobody of another workflow stands in front."""
        if holder in self.holders:
            return True
        return self.free > 0 and (not self.queue or _workflow(self.queue[0].holder) == _workflow(holder))

    def wait(self, place: Place) -> None:
        """Stand in the queue."""
        insort(self.queue, place)
        self.places[place.holder] = place

    def leave(self, holder: str) -> bool:
        """Wait no longer; whether it did."""
        place = self.places.pop(holder, None)
        if place is None:
            return False
        del self.queue[bisect_left(self.queue, place)]
        return True


class LockTable:
    """All locks by name. woken: holders whose turn may have come; whoever owns them takes them out."""

    def __init__(self) -> None:
        self.woken: dict[str, None] = {}
        self._locks: dict[str, Lock] = {}
        self._count = 0

    def acquire(self, limits: Mapping[str, int], holder: str, *, priority: int = 0, created: str = "") -> str:
        """Take all of these locks (name -> limit) at once, or wait for them all; the name of one that is not free.

        "" if they are held now.
        """
        locks = {name: self._lock(name, limit) for name, limit in limits.items()}
        refused = next((name for name, lock in locks.items() if not lock.lets(holder)), "")
        for lock in locks.values():
            if refused:
                self._wait(lock, holder, priority, created)
            else:
                lock.leave(holder)
                lock.holders[holder] = None
        if refused:
            self._wake_next(locks, holder)
        return refused

    def hold(self, name: str, holder: str) -> None:
        """Note that an earlier controller gave a lock to `holder`, whatever its limit is."""
        self._lock(name, None).holders[holder] = None

    def release(self, holder: str) -> None:
        """Give back all that `holder` has, and leave all queues; who stands in front is woken."""
        self.woken.pop(holder, None)
        for lock in self._locks.values():
            if lock.leave(holder) or holder in lock.holders:
                lock.holders.pop(holder, None)
                for place in lock.queue[: max(lock.free, 0)]:
                    self.woken[place.holder] = None

    def status(self, name: str) -> str:
        """Argo's message for those who wait."""
        lock = self._locks[name]
        return f"Waiting for {name} lock. Lock status: {lock.free}/{lock.limit}"

    def held_by(self, workflow: str) -> dict[str, list[str]]:
        """Lock -> holders of one workflow (`namespace/name`)."""
        mine = {
            name: [holder for holder in lock.holders if _workflow(holder) == workflow]
            for name, lock in self._locks.items()
        }
        return {name: holders for name, holders in mine.items() if holders}

    def awaited_by(self, workflow: str) -> dict[str, list[str]]:
        """Lock -> who holds it, of those for which something of one workflow waits."""
        awaited = (
            (name, lock)
            for name, lock in self._locks.items()
            if any(_workflow(place.holder) == workflow for place in lock.queue)
        )
        return {name: list(lock.holders) for name, lock in awaited}

    def take_woken(self, workflow: str) -> list[str]:
        """The holders of one workflow whose turn may have come; they are not told again."""
        found = [holder for holder in self.woken if _workflow(holder) == workflow]
        for holder in found:
            del self.woken[holder]
        return found

    def _lock(self, name: str, limit: int | None) -> Lock:
        lock = self._locks.setdefault(name, Lock(limit or 1))
        if limit is not None:
            lock.limit = limit
        return lock

    def _wait(self, lock: Lock, holder: str, priority: int, created: str) -> None:
        if holder not in lock.holders and holder not in lock.places:
            self._count += 1
            lock.wait(Place(-priority, created, self._count, holder))

    def _wake_next(self, locks: Mapping[str, Lock], holder: str) -> None:
        """A lock that `holder` cannot use for want of another one is for the next of its workflow."""
        for lock in locks.values():
            place = lock.places.get(holder)
            if lock.free <= 0 or place is None:
                continue
            following = bisect_left(lock.queue, place) + 1
            if following < len(lock.queue):
                after = lock.queue[following].holder
                if _workflow(after) == _workflow(holder):
                    self.woken[after] = None


def _workflow(holder: str) -> str:
    """`namespace/name` of a holder."""
    return "/".join(holder.split("/")[:2])
