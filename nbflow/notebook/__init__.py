"""The notebook: `%%workflow`, `%workflow`, the live view, and runs as Python objects.

Nothing heavy is imported before a magic is used: `%load_ext nbflow` is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nbflow.notebook.results import Run
    from nbflow.notebook.start import attach, run, runs

__all__ = ["Run", "attach", "register", "run", "runs"]

_HOMES = {"Run": "results", "attach": "start", "run": "start", "runs": "start"}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def register(shell: InteractiveShell) -> None:
    """Give `shell` the magic `%workflow` and `%%workflow`."""
    from IPython.core.magic import no_var_expand

    @no_var_expand
    def workflow(line: str, cell: str | None = None) -> object:
        """Run an Argo Workflows manifest.

        %%workflow [NAME] [flags of `nbflow submit`]
            The cell below is the manifest. NAME is the Python variable that gets the run.
            -p x={x} passes the Python variable x as parameter x, --params conf all that the dict conf holds,
            --artifact data=df a DataFrame, bytes or path as input artifact; --wait waits in the cell;
            --no-raise goes on after a failed workflow. Tab completes flags, fields, names and variables.

        %workflow VERB ...
            Any verb of the command line: %workflow list, %workflow logs @latest, %workflow --help.
            %workflow watch [NAME] shows the live view of any run; %workflow explain FIELD says what it means.
        """
        from nbflow.notebook import magics

        return magics.line_magic(shell, line) if cell is None else magics.cell_magic(shell, line, cell)

    shell.register_magic_function(workflow, "line_cell", "workflow")  # type: ignore[arg-type]
    _register_completion(shell)


def _register_completion(shell: InteractiveShell) -> None:
    """Complete in our cells, with the newest version of us where the extension is loaded again."""
    from IPython.core.completer import CompletionContext, SimpleMatcherResult, context_matcher

    @context_matcher()  # type: ignore[untyped-decorator]
    def nbflow_matcher(context: CompletionContext) -> SimpleMatcherResult:
        if "%workflow" not in context.full_text:
            return {"completions": []}
        from nbflow.notebook.completion import matcher

        return matcher.answer(shell, context)

    known = shell.Completer.custom_matchers
    known[:] = [one for one in known if getattr(one, "__name__", "") != nbflow_matcher.__name__]
    known.append(nbflow_matcher)
