"""Seconds of one piece of work in this process, after it was done once: python benchmarks/language.py WORK [PATH]."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import yaml

from nbflow.lint import lint_documents
from nbflow.spec.yaml import load_documents
from nbflow.templating.expressions import Clock, compile_expression
from nbflow.templating.scope import Scope
from nbflow.templating.tags import substitute

ROUNDS = 100_000
SCOPE: Scope = {"inputs.parameters.name": "world", "inputs.parameters.count": "3"}
CLOCK = Clock(datetime(2026, 1, 1, tzinfo=UTC), 1)


def texts(path: str) -> list[tuple[str, str]]:
    """The manifests in a folder, or one."""
    found = sorted(Path(path).rglob("*.yaml")) if Path(path).is_dir() else [Path(path)]
    return [(str(file), file.read_text()) for file in found]


def load(path: str) -> Callable[[], object]:
    given = texts(path)
    return lambda: [list(yaml.load_all(text, yaml.CSafeLoader)) for _, text in given]


def lint(path: str) -> Callable[[], object]:
    given = texts(path)
    return lambda: lint_documents(
        [document for source, text in given for document in load_documents(text, source)], advice=True
    )


def tag() -> None:
    for _ in range(ROUNDS):
        substitute("hello {{inputs.parameters.name}}", SCOPE, allow_unresolved=False, clock=CLOCK)


def expression() -> None:
    compiled = compile_expression("asInt(inputs.parameters.count) + 1")
    for _ in range(ROUNDS):
        compiled.evaluate(SCOPE, CLOCK)


def operations() -> None:
    """Four dozen operations of Python: calls of a function that looks a text up."""
    known = {str(number): number for number in range(48)}
    keys = list(known)

    def look_up(key: str) -> int | None:
        return known.get(key)

    for _ in range(ROUNDS):
        for key in keys:
            look_up(key)


def main() -> None:
    name, *path = sys.argv[1:]
    work = (
        {"load": load, "lint": lint}[name](*path)
        if path
        else {"tag": tag, "expression": expression, "operations": operations}[name]
    )
    work()
    if name == "load" and not Path(path[0]).is_dir():
        gc.disable()  # what it costs to read one large file, and nothing else
    start = time.perf_counter()
    work()
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
