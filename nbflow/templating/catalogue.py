"""The variables that templates may name, each declared once: name, meaning, where it is valid.

Lint, completion and the documentation read this; the engine fills in the values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final


class Where(StrEnum):
    """A place in which a variable has a value."""

    WORKFLOW = "anywhere in a workflow"
    EXIT_HANDLER = "in the exit handler"
    TEMPLATE = "in a template that declares it"
    POD = "in templates that run a pod"
    STEPS = "in a steps template, for earlier steps"
    DAG = "in a DAG template, for ancestors"
    LOOP = "in a step or task with withItems, withParam or withSequence"
    RETRY = "in a template with a retryStrategy"
    METRIC = "in a metric of a template"
    CRON = "in the conditions of a CronWorkflow"


@dataclass(frozen=True)
class Variable:
    """A variable. name: parts in angle brackets stand for any name. since: of Argo Workflows, "" for always."""

    name: str
    meaning: str
    where: tuple[Where, ...]
    since: str = ""

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts = re.split(r"(<\w+>)", self.name)
        return re.compile("".join(r"[-\w.]+" if p.startswith("<") else re.escape(p) for p in parts))

    def covers(self, name: str) -> bool:
        """Whether `name` is one of the variables that this declares."""
        return self._pattern.fullmatch(name) is not None


def _node(prefix: str, where: Where) -> Iterator[Variable]:
    places = (where, Where.EXIT_HANDLER)
    node = f"{prefix}.<name>"
    yield Variable(f"{node}.id", "ID of the node", places)
    yield Variable(f"{node}.status", "phase of the node", places)
    yield Variable(f"{node}.startedAt", "when it started, RFC 3339", places)
    yield Variable(f"{node}.finishedAt", "when it finished, RFC 3339", places)
    yield Variable(f"{node}.ip", "IP of the pod of a daemon", places)
    yield Variable(f"{node}.hostNodeName", "machine on which the pod runs", places)
    yield Variable(f"{node}.exitCode", "exit code of the main container", places)
    yield Variable(f"{node}.outputs.result", "what it wrote to stdout; of a loop, a JSON list", places)
    yield Variable(
        f"{node}.outputs.parameters", "of a loop, a JSON list of the parameters of each round", places
    )
    yield Variable(
        f"{node}.outputs.parameters.<parameter>", "an output parameter; of a loop, a JSON list", places
    )
    yield Variable(f"{node}.outputs.artifacts.<artifact>", "an output artifact", places)


_ALL: Final = (Where.WORKFLOW,)

VARIABLES: Final[tuple[Variable, ...]] = (
    Variable("workflow.name", "name of the workflow", _ALL),
    Variable("workflow.namespace", "namespace of the workflow", _ALL),
    Variable("workflow.mainEntrypoint", "entrypoint of the workflow", _ALL),
    Variable("workflow.serviceAccountName", "service account of the workflow", _ALL),
    Variable("workflow.uid", "UID of the workflow", _ALL),
    Variable("workflow.parameters.<parameter>", "a parameter of the workflow", _ALL),
    Variable("workflow.parameters", "all parameters as a JSON list", _ALL),
    Variable("workflow.parameters.json", "all parameters as a JSON list", _ALL, "3.2"),
    Variable("workflow.outputs.parameters.<parameter>", "an output with that globalName", _ALL),
    Variable("workflow.outputs.artifacts.<artifact>", "an output artifact with that globalName", _ALL),
    Variable("workflow.annotations.<annotation>", "an annotation of the workflow", _ALL),
    Variable(
        "workflow.annotations", "all annotations as a JSON object (better: workflow.annotations.json)", _ALL
    ),
    Variable("workflow.annotations.json", "all annotations as a JSON object", _ALL, "3.2"),
    Variable("workflow.labels.<label>", "a label of the workflow", _ALL),
    Variable("workflow.labels", "all labels as a JSON object (better: workflow.labels.json)", _ALL),
    Variable("workflow.labels.json", "all labels as a JSON object", _ALL, "3.2"),
    Variable("workflow.creationTimestamp", "when the workflow was created, RFC 3339", _ALL),
    Variable(
        "workflow.creationTimestamp.<format>",
        "the same by a letter of strftime, s (seconds) or RFC3339",
        _ALL,
    ),
    Variable("workflow.priority", "priority of the workflow, if it has one", _ALL),
    Variable("workflow.duration", "how long the workflow has run, in seconds", _ALL),
    Variable("workflow.scheduledTime", "when a CronWorkflow should have started it", _ALL),
    Variable("workflow.status", "phase of the workflow", _ALL),
    Variable("workflow.failures", "the failed nodes as a JSON list", (Where.EXIT_HANDLER,)),
    Variable("inputs.parameters.<parameter>", "an input parameter of the template", (Where.TEMPLATE,)),
    Variable("inputs.parameters", "all input parameters as a JSON list", (Where.TEMPLATE,)),
    Variable("inputs.artifacts.<artifact>", "an input artifact of the template", (Where.TEMPLATE,)),
    Variable("inputs.artifacts.<artifact>.path", "where an input artifact is in the pod", (Where.POD,)),
    Variable("outputs.artifacts.<artifact>.path", "where an output artifact is read from", (Where.POD,)),
    Variable("outputs.parameters.<parameter>.path", "where an output parameter is read from", (Where.POD,)),
    Variable("pod.name", "name of the pod", (Where.POD,)),
    Variable("node.name", "full name of the node", (Where.TEMPLATE,)),
    Variable("steps.name", "name of the step", (Where.STEPS,)),
    Variable("tasks.name", "name of the task", (Where.DAG,)),
    *_node("steps", Where.STEPS),
    *_node("tasks", Where.DAG),
    Variable("item", "the item of this round: a text, or JSON", (Where.LOOP,)),
    Variable("item.<key>", "one entry of an item that is a map", (Where.LOOP,)),
    Variable("retries", "number of this attempt, from 0", (Where.RETRY,)),
    Variable("lastRetry.exitCode", "exit code of the attempt before, -1 if unknown", (Where.RETRY,)),
    Variable("lastRetry.status", "phase of the attempt before", (Where.RETRY,)),
    Variable("lastRetry.duration", "how long the attempt before took, in seconds", (Where.RETRY,)),
    Variable("lastRetry.message", "message of the attempt before", (Where.RETRY,), "3.5"),
    Variable("duration", "how long the node took, in seconds", (Where.METRIC,)),
    Variable("status", "phase of the node", (Where.METRIC,)),
    Variable("exitCode", "exit code of the node", (Where.METRIC,)),
    Variable("resourcesDuration.<resource>", "resources the node used, in seconds", (Where.METRIC,)),
    Variable("outputs.result", "result of the node", (Where.METRIC,)),
    Variable("outputs.parameters.<parameter>", "an output parameter of the node", (Where.METRIC,)),
    Variable("cronworkflow.name", "name of the CronWorkflow", (Where.CRON,), "3.6"),
    Variable("cronworkflow.namespace", "namespace of the CronWorkflow", (Where.CRON,), "3.6"),
    Variable("cronworkflow.labels.<label>", "a label of the CronWorkflow", (Where.CRON,), "3.6"),
    Variable("cronworkflow.labels.json", "all its labels as a JSON object", (Where.CRON,), "3.6"),
    Variable(
        "cronworkflow.annotations.<annotation>", "an annotation of the CronWorkflow", (Where.CRON,), "3.6"
    ),
    Variable("cronworkflow.annotations.json", "all its annotations as a JSON object", (Where.CRON,), "3.6"),
    Variable("cronworkflow.lastScheduledTime", "when it last started a workflow", (Where.CRON,), "3.6"),
    Variable("cronworkflow.failed", "how many of its workflows failed", (Where.CRON,), "3.6"),
    Variable("cronworkflow.succeeded", "how many of its workflows succeeded", (Where.CRON,), "3.6"),
)

LINTED_PREFIXES: Final = ("item.", "steps.", "inputs.", "outputs.", "pod.", "workflow.", "tasks.")
"""Lint checks tags that begin so; all others pass, as they may be filled in by someone else."""

_ALWAYS_KNOWN: Final = (
    "outputs.", "workflow.creationTimestamp", "workflow.duration", "workflow.scheduledTime", "tasks.name", "steps.name",
)  # fmt: skip


def is_linted(name: str) -> bool:
    """Whether lint has to know the variable. False for what Argo lets pass anywhere (`outputs.*`, ...)."""
    return name.startswith(LINTED_PREFIXES) and not name.startswith(_ALWAYS_KNOWN)


def find_variable(name: str) -> Variable | None:
    """The declaration of a variable; the plainest one if several cover it."""
    found = [variable for variable in VARIABLES if variable.covers(name)]
    return min(found, key=lambda variable: variable.name.count("<"), default=None)
