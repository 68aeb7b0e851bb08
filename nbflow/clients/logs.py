"""Log files of pods: read from any place, follow, cut into lines."""

from __future__ import annotations

import os
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from nbflow.clients.client import LogLine, LogOptions
from nbflow.clients.selectors import parse_pattern
from nbflow.clients.starting import Starter
from nbflow.clients.waiting import Pacer
from nbflow.errors import NotFoundError
from nbflow.store import Store
from nbflow.store.rows import PodRow, Snapshot

_BLOCK = 1 << 18
_LONGEST_LINE = 1 << 20
_LONGEST_PAUSE = 0.05
_OVER = ("captured", "kept", "gone")


@dataclass(slots=True)
class LogFile:
    """One container's log. at: offset of the next byte to read. rest: a line whose end did not come yet.

    begin: offset of the line given last.
    """

    store: Store
    uid: str
    pod: str
    container: str
    at: int = 0
    rest: bytes = b""
    opened: bool = field(default=False)
    begin: int = 0

    def lines(self, *, last: bool) -> Iterator[str]:
        """The lines that came since the last call; `last`: the file is complete, an unfinished line counts too."""
        for block in self._blocks():
            following = self.at - len(block) - len(self.rest)
            *whole, self.rest = (self.rest + block).split(b"\n")
            for line in whole:
                self.begin = following
                following += len(line) + 1
                yield from _pieces(line)
            self.begin = following
            while len(self.rest) > _LONGEST_LINE:
                yield self.rest[:_LONGEST_LINE].decode(errors="replace")
                self.rest = self.rest[_LONGEST_LINE:]
        if last and self.rest:
            self.begin = self.at - len(self.rest)
            yield from _pieces(self.rest)
            self.rest = b""

    def _blocks(self) -> Iterator[bytes]:
        path = self.store.home.log(self.uid, self.pod, self.container)
        try:
            if path.stat().st_size <= self.at:
                return
            file = path.open("rb", buffering=0)
        except OSError:
            return
        with file:
            file.seek(self.at)
            while block := file.read(_BLOCK):
                self.at += len(block)
                yield block

    def skip(self, options: LogOptions) -> None:
        """Go to the first line that the options want."""
        cutoff = _cutoff(options)
        path = self.store.home.log(self.uid, self.pod, self.container)
        try:
            size, changed = path.stat().st_size, path.stat().st_mtime
            if cutoff is not None:
                self.at = size if changed < cutoff else _offset_at(self, cutoff)
            if options.tail is not None:
                self.at = max(self.at, _tail_offset(path, size, options.tail))
        except OSError:
            return


def _pieces(line: bytes) -> Iterator[str]:
    if len(line) <= _LONGEST_LINE:
        yield line.decode(errors="replace")
        return
    for start in range(0, len(line), _LONGEST_LINE):
        yield line[start : start + _LONGEST_LINE].decode(errors="replace")


def _cutoff(options: LogOptions) -> float | None:
    if options.since is not None:
        return time.time() - options.since.total_seconds()
    return options.since_time.timestamp() if options.since_time is not None else None


def _offset_at(log: LogFile, cutoff: float) -> int:
    """How long the log was at a time, by the marks the controller left; 0 where there are none."""
    return max((size for at, size in _marks(log) if at <= cutoff), default=0)


def _marks(log: LogFile) -> list[tuple[float, int]]:
    """When the log had which length, in order."""
    try:
        text = log.store.home.log_marks(log.uid, log.pod, log.container).read_text(encoding="ascii")
    except OSError:
        return []
    marks = [line.split() for line in text.splitlines()]
    return [(float(mark[0]), int(mark[1])) for mark in marks if len(mark) == 2]


class Times:
    """When each line of a log was written, as far as marks tell: those between two marks have the time of the first.

    start: of the pod, for what came before the first mark.
    """

    def __init__(self, log: LogFile, start: datetime | None) -> None:
        marks = _marks(log)
        self._offsets = [size for _, size in marks]
        self._times = [start, *(datetime.fromtimestamp(at, UTC) for at, _ in marks)]

    def of(self, offset: int) -> datetime | None:
        """The time of the line that begins there."""
        return self._times[bisect_right(self._offsets, offset)]


def _tail_offset(path: os.PathLike[str], size: int, lines: int) -> int:
    """Where the last `lines` lines begin: read backwards, block by block."""
    if lines <= 0:
        return size
    wanted = lines
    with open(path, "rb") as file:  # noqa: PTH123 - a PathLike
        end = size
        while end > 0:
            start = max(0, end - _BLOCK)
            file.seek(start)
            block = file.read(end - start)
            stop = len(block) - 1 if end == size and block.endswith(b"\n") else len(block)
            while (found := block.rfind(b"\n", 0, stop)) >= 0:
                wanted -= 1
                if wanted == 0:
                    return start + found + 1
                stop = found
            end = start
    return 0


class LogReader:
    """The logs of one workflow, as options choose them."""

    def __init__(self, store: Store, snapshot: Snapshot, options: LogOptions) -> None:
        self._store = store
        self._snapshot = snapshot
        self._options = options
        self._pattern = parse_pattern(options.grep)
        self._files: dict[str, list[LogFile]] = {}
        self._nodes: dict[str, str] = {}

    def read(self) -> Iterator[LogLine]:
        """What is there now, pod by pod."""
        pods = self._pods()
        self._refuse_unknown(pods)
        for pod in pods:
            for file in self._files_of(pod):
                yield from self._lines(file, last=True)
        self._refuse_unknown_container(pods)

    def follow(self, pacer: Pacer) -> Iterator[LogLine]:
        """What is there now and what comes, until no chosen pod can write any more."""
        while True:
            over = self._store.is_finished(self._snapshot.key)
            pods = self._pods()  # after `over` was read: no pod can appear any more if it was true
            for pod in pods:
                for file in self._files_of(pod):
                    yield from self._lines(file, last=pod.state in _OVER)
            ended = all(pod.state in _OVER for pod in pods)
            if ended and (over or (pods and self._options.pods)):
                self._refuse_unknown(pods)
                self._refuse_unknown_container(pods)
                return
            pacer.pause()

    def _pods(self) -> list[PodRow]:
        pods = self._store.pods(self._snapshot.key)
        wanted = self._options.pods
        return [pod for pod in pods if not wanted or pod.name in wanted or pod.node in wanted]

    def _refuse_unknown(self, pods: Sequence[PodRow]) -> None:
        known = {name for pod in pods for name in (pod.name, pod.node)}
        for name in self._options.pods:
            if name not in known:
                raise NotFoundError(f'pod "{name}" not found', where=f"workflow {self._snapshot.name}")

    def _refuse_unknown_container(self, pods: Sequence[PodRow]) -> None:
        """No log has that name, and there are others."""
        chosen = self._options.container
        known = {name for pod in pods for name in self._written(pod)}
        if chosen and chosen != "main" and known and chosen not in known:
            raise NotFoundError(
                f'container "{chosen}" not found',
                where=f"workflow {self._snapshot.name}",
                fix=f"containers with a log: {', '.join(sorted(known))}",
            )

    def _files_of(self, pod: PodRow) -> list[LogFile]:
        if pod.name not in self._files or not self._options.container:
            known = {file.container for file in self._files.get(pod.name, ())}
            new = [
                LogFile(self._store, self._snapshot.uid, pod.name, container)
                for container in self._containers(pod)
                if container not in known
            ]
            self._nodes[pod.name] = pod.node
            for file in new:
                file.skip(self._options)
            self._files.setdefault(pod.name, []).extend(new)
        return self._files[pod.name]

    def _containers(self, pod: PodRow) -> list[str]:
        if self._options.container:
            return [self._options.container]
        return self._written(pod)

    def _written(self, pod: PodRow) -> list[str]:
        folder = self._store.home.pod(self._snapshot.uid, pod.name)
        return sorted(path.name.removesuffix(".log") for path in folder.glob("*.log"))

    def _lines(self, file: LogFile, *, last: bool) -> Iterator[LogLine]:
        fresh = datetime.now(UTC) if file.opened and self._options.follow else None
        file.opened = True
        times: Times | None = None
        for text in file.lines(last=last):
            if self._pattern is None or self._pattern.search(text):
                if fresh is None and times is None:
                    times = Times(file, self._start_of(file.pod))
                yield LogLine(file.pod, file.container, text, times.of(file.begin) if times else fresh)

    def _start_of(self, pod: str) -> datetime | None:
        node = self._store.node(self._snapshot.key, self._nodes[pod])
        return node.started_at if node else None


def logs(store: Store, starter: Starter, name: str, options: LogOptions) -> Iterator[LogLine]:
    """The log lines that the options choose. Closes the store at the end."""
    with store:
        reader = LogReader(store, store.find(name), options)
        if options.follow:
            pacer = Pacer(store, starter, _LONGEST_PAUSE)
            pacer.revive()
            yield from reader.follow(pacer)
        else:
            yield from reader.read()
