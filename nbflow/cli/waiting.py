"""Wait for workflows, and say how they ended."""

from __future__ import annotations

from collections.abc import Sequence

import click

from nbflow.cli.advising import Advising
from nbflow.cli.console import Console
from nbflow.cli.process import INTERRUPTED
from nbflow.cli.session import Session
from nbflow.commands import reading
from nbflow.spec.status import WorkflowObject

SHOWN_FAILURES = 5


def wait_for(session: Session, names: Sequence[str], *, quiet: bool = False) -> list[WorkflowObject]:
    """The finished workflows, each announced unless `quiet`. An interrupt ends the waiting, not the workflows."""
    finished = []
    for number, name in enumerate(names):
        try:
            workflow = reading.wait(session.client, name, Advising(session.console))
        except KeyboardInterrupt:
            say_detached(session.console, names[number:])
            raise click.exceptions.Exit(INTERRUPTED) from None
        finished.append(workflow)
        if not quiet:
            at = workflow.status.finished_at
            when = f" at {at.astimezone().strftime('%Y-%m-%d %H:%M:%S %z')}" if at else ""
            phase = workflow.status.phase.value if workflow.status.phase else "Unknown"
            session.console.line(f"{workflow.name} {phase}{when}")
            session.console.flush()
    return finished


def say_detached(console: Console, names: Sequence[str]) -> None:
    """What an interrupt did, and how to come back."""
    for name in names:
        console.say(f"\nno longer watching {name}: it goes on")
        console.say(f"  come back: nbflow watch {name}\n  end it:    nbflow stop {name}")


def say_failures(console: Console, workflows: Sequence[WorkflowObject], *, advise: bool = True) -> None:
    """A few words on stderr about each workflow that did not succeed. advise: also what to do, where that is known."""
    for workflow in workflows:
        if reading.succeeded(workflow):
            continue
        from nbflow.views.causes import causes, failed_pods
        from nbflow.views.tables import ended
        from nbflow.views.text import Style

        console.say(ended(workflow, Style(utf8=console.style.utf8)))
        bad = failed_pods(workflow) or causes(workflow)
        for node in bad[:SHOWN_FAILURES]:
            console.say(f"  {node.display_name}: {node.message or node.phase}")
        if len(bad) > SHOWN_FAILURES:
            console.say(f"  and {len(bad) - SHOWN_FAILURES} more")
        if advise and any(node.message for node in bad):
            from nbflow.commands.advice import advice

            for text in advice(workflow):
                console.say(text)
        console.say(f"  look: nbflow get {workflow.name}; nbflow logs {workflow.name}")


def exit_code(workflows: Sequence[WorkflowObject]) -> int:
    """0 if all succeeded, else 1."""
    return 0 if all(reading.succeeded(workflow) for workflow in workflows) else 1
