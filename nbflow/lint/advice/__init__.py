"""What Argo lets pass and we advise against. Everything here is a warning, and can be silenced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbflow.lint.advice.containers import advise_containers, containers
from nbflow.lint.advice.portability import advise_portability
from nbflow.lint.advice.running import advise_running
from nbflow.lint.advice.scalars import advise_scalars
from nbflow.lint.advice.secrets import advise_secrets
from nbflow.lint.advice.shell import advise_shell
from nbflow.lint.advice.usage import advise_usage
from nbflow.lint.metadata import advise_names
from nbflow.lint.objects import Holder, Json, items

if TYPE_CHECKING:
    from nbflow.errors import NbflowError
    from nbflow.lint.report import Report
    from nbflow.spec.yaml import Document


@dataclass(frozen=True)
class Target:
    """Where workflows are going to run, as far as advice needs to know it.

    name: as in `--on`. container (is it a script's?), volume, template: why it will refuse one, None if it will not.
    plugins: names of the executor plugins that are registered there.
    """

    name: str
    container: Callable[[Json, bool], NbflowError | None]
    volume: Callable[[Json], NbflowError | None]
    template: Callable[[Json], NbflowError | None]
    plugins: frozenset[str] = frozenset()


def advise(report: Report, document: Document, holder: Holder, target: Target | None) -> None:
    """Look at a document of one of Argo's kinds; holder: of its spec."""
    templates = [holder.template_at(index) for index in range(len(items(holder.spec, "templates")))]
    advise_names(report, document)
    advise_usage(report, holder, templates)
    advise_running(report, templates)
    held = [list(containers(template)) for template in templates]
    advise_containers(report, held)
    if target is not None:
        advise_portability(report, holder, templates, held, target)
    advise_shell(report, holder, templates)
    advise_secrets(report, holder, templates, held)
    advise_scalars(report, document)
    if target is not None:
        from nbflow.lint.advice.support import advise_support

        advise_support(report, document, target)
