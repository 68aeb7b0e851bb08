"""Write docs/compatibility.md: every field of Argo's language, and what it does on each target.

python scripts/compatibility.py
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from nbflow.lint.support import TARGETS, Effect, Verdict, inner_type, verdicts
from nbflow.spec.fields import BASES, table

PAGE = Path(__file__).resolve().parent.parent / "docs" / "compatibility.md"
ROOTS = ("Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow", "WorkflowEventBinding")
STATUS = frozenset(
    {("Workflow", "status"), ("CronWorkflow", "status"), ("V1PersistentVolumeClaim", "status")}
)
"""Fields that Argo or Kubernetes write, not people."""

HEAD = """# What works where

<!-- Written by scripts/compatibility.py from nbflow/lint/support.json; do not edit. -->

Every field of Argo Workflows v4.1, and what it does on each target (`--on`):

- **works**: as in Argo.
- **ignored**: it has no effect there. `nbflow submit` says so, `nbflow lint` says why (NBF229).
- **refused**: nothing is started. `nbflow submit` says which field and why, `nbflow lint` warns (NBF225).

`argo` is Argo itself: the manifest goes there as it is. [Argo's own examples](examples.md) shows how they end here.

"""
MARKS = {Effect.WORKS: "works", Effect.IGNORED: "ignored", Effect.REFUSED: "refused"}


def reachable() -> dict[str, list[tuple[str, str]]]:
    """Type -> the fields that hold it, from the kinds of manifests downwards."""
    found: dict[str, list[tuple[str, str]]] = {name: [] for name in ROOTS}
    todo = list(ROOTS)
    while todo:
        name = todo.pop(0)
        for field, kind in table()[name].items():
            inner = inner_type(kind)
            if inner not in table() or (name, field) in STATUS:
                continue
            if inner not in found:
                found[inner] = []
                todo.append(inner)
            found[inner].append((name, field))
    return found


def fields_of(name: str) -> list[str]:
    """The fields of a type, without those that it takes over from another one."""
    inherited = set(table()[BASES[name]]) if name in BASES else set()
    return [field for field in table()[name] if field not in inherited and (name, field) not in STATUS]


def page() -> str:
    """The whole page."""
    holders = reachable()
    below = {name: set(_below(name, holders)) for name in holders if name not in verdicts("sandbox")}
    own = [name for name in holders if name in verdicts("sandbox")]
    parts = [HEAD, _summary(own, below), "\n"]
    for title, kubernetes in (("Argo's fields", False), ("Fields of Kubernetes", True)):
        parts.append(f"## {title}\n\n")
        parts += [
            _section(name) for name in sorted(own) if _is_kubernetes(name) == kubernetes and fields_of(name)
        ]
    parts.append("## Below fields that are ignored or refused\n\n")
    parts.append("Their fields share the fate of the field that holds them.\n\n")
    parts.append("| type | fields | sandbox, host | argo |\n|---|---|---|---|\n")
    for name in sorted(below):
        effects = " or ".join(sorted(effect.value for effect in below[name]))
        fields = ", ".join(f"`{field}`" for field in fields_of(name)) or "none"
        parts.append(f"| {_shown(name)} | {fields} | {effects} | works |\n")
    return "".join(parts)


def _below(
    name: str, holders: dict[str, list[tuple[str, str]]], seen: frozenset[str] = frozenset()
) -> Iterator[Effect]:
    """The effects of the fields that hold a type."""
    for holder, field in holders[name]:
        known = verdicts("sandbox").get(holder)
        if known is not None:
            yield known[field].effect
        elif holder not in seen:
            yield from _below(holder, holders, seen | {name})


def _summary(own: list[str], below: dict[str, set[Effect]]) -> str:
    """How many of each."""
    counts = Counter(verdicts("sandbox")[name][field].effect for name in own for field in fields_of(name))
    for name, effects in below.items():
        counts[max(effects, key=list(Effect).index)] += len(fields_of(name))
    total = sum(counts.values())
    said = ", ".join(f"{counts[effect]} {MARKS[effect]}" for effect in Effect)
    return f"Of {total} fields, in the sandbox: {said}.\n"


def _section(name: str) -> str:
    lines = [f"### {_shown(name)}\n", "| field | " + " | ".join(TARGETS) + " | why |", "|---" * 5 + "|"]
    for field in fields_of(name):
        effects = [_verdict(name, field, target) for target in TARGETS]
        why = "; ".join(dict.fromkeys(v.why for v in effects if v.why))
        lines.append(f"| `{field}` | " + " | ".join(MARKS[v.effect] for v in effects) + f" | {why} |")
    return "\n".join(lines) + "\n\n"


def _verdict(name: str, field: str, target: str) -> Verdict:
    return Verdict() if target == "argo" else verdicts(target)[name][field]


def _is_kubernetes(name: str) -> bool:
    return name.startswith(("V1", "CoreV1"))


def _shown(name: str) -> str:
    return name.removeprefix("Core").removeprefix("V1")


def main() -> int:
    """Write it."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
