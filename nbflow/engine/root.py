"""The workflow itself: its entrypoint, its hooks, its exit handler, its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nbflow.engine import calls, daemons
from nbflow.engine.failures import CallError
from nbflow.engine.hooks import EXIT, HOOKED, with_arguments
from nbflow.engine.names import hook_name, on_exit_name
from nbflow.engine.run import Call, Reference, Run
from nbflow.engine.scope import data_json
from nbflow.spec.arguments import Arguments
from nbflow.spec.status import NodeStatus, Phase, format_time
from nbflow.spec.template import LifecycleHook, TemplateRef
from nbflow.templating.expressions import evaluate_bool
from nbflow.templating.failures import TemplateError
from nbflow.templating.golang.text import quote

_PHASES = {Phase.SKIPPED: Phase.SUCCEEDED, Phase.OMITTED: Phase.SUCCEEDED}


class Root:
    """The context of the entrypoint, of workflow hooks and of the exit handler.

    ended: the phase and message of the workflow once it is over.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.ended: tuple[Phase, str] | None = None
        self._exit_started = False

    def begin(self) -> None:
        """Start the entrypoint, or take it up again."""
        calls.start(
            self.run, self._call(self.run.name, self.run.spec.entrypoint, None, self.run.spec.arguments)
        )

    def _call(
        self,
        name: str,
        template: str,
        template_ref: TemplateRef | None,
        arguments: Arguments,
        *,
        on_exit: bool = False,
        flag: Mapping[str, bool] | None = None,
    ) -> Call:
        return Call(
            name=name,
            reference=Reference(template, template_ref),
            scope=self.run.templates.scope,
            arguments=arguments,
            owner=self,
            kind="steps",
            on_exit=on_exit,
            flag=flag or {},
        )

    def child_changed(self, node: NodeStatus) -> None:
        """See Context. What follows is decided in `advance`, after all else."""

    def child_errored(self, call: Call, message: str) -> None:
        """See Context."""
        if call.name == self.run.name:
            self._end(Phase.ERROR, f"error in entry template execution: {message}")
        elif call.on_exit:
            self._end(Phase.ERROR, f"error in exit template execution : {message}")

    def child_timed_out(self, call: Call, message: str) -> None:
        """See Context."""
        self.child_errored(call, message)

    def advance(self) -> None:
        """Start hooks and the exit handler when their time has come; end the workflow after them."""
        node = self.run.tree.named(self.run.name)
        if self.ended is not None or node is None or node.phase is None:
            return
        phase = _PHASES.get(node.phase, node.phase)
        self.run.variables["workflow.status"] = phase.value
        try:
            if not self._hooks_done() or not node.fulfilled or not self._exit_done():
                return
        except CallError as error:
            self._end(Phase.ERROR, error.problem)
            return
        self._finish(node, phase)

    def _hooks_done(self) -> bool:
        done = True
        for name, hook in self.run.spec.hooks.items():
            if name != EXIT:
                done = self._hook_done(name, hook) and done
        return done

    def _hook_done(self, name: str, hook: LifecycleHook) -> bool:
        full_name = hook_name(self.run.name, name)
        node = self.run.tree.named(full_name)
        if not hook.expression:
            raise CallError(f"Expression required for hook {full_name}")
        if self.run.node_id(full_name) in self.run.owners:
            return node is not None and node.fulfilled
        if node is None and not self._holds(hook.expression):
            return True
        call = self._call(full_name, hook.template, hook.template_ref, hook.arguments, flag=HOOKED)
        calls.start(self.run, replace(call, parents=(self.run.name,)))
        return False

    def _holds(self, expression: str) -> bool:
        self.run.variables["workflow.failures"] = self._failures()
        try:
            return evaluate_bool(expression, self.run.variables, self.run.clock(self.run.name))
        except TemplateError as error:
            raise CallError(error.problem) from None

    def _exit_done(self) -> bool:
        hook = self._exit_hook()
        full_name = on_exit_name(self.run.name)
        node = self.run.tree.named(full_name)
        if hook is None or (node is None and not self.run.executes(on_exit=True)):
            return True
        if self.run.node_id(full_name) not in self.run.owners:
            self.run.variables["workflow.failures"] = self._failures()
            call = self._call(
                full_name, hook.template, hook.template_ref, hook.arguments, on_exit=True, flag=HOOKED
            )
            calls.start(self.run, call)
            return False
        return node is not None and node.fulfilled

    def _exit_hook(self) -> LifecycleHook | None:
        spec = self.run.spec
        if spec.on_exit:
            return LifecycleHook(template=spec.on_exit, arguments=spec.arguments)
        return with_arguments(spec.hooks.get(EXIT), spec.arguments)

    def _failures(self) -> str:
        """What failed, as JSON in Go's quotes, so that it survives the substitution into JSON."""
        tree = self.run.tree
        failures = [
            {
                "displayName": node.display_name,
                "message": node.message,
                "templateName": tree.template_of(node),
                "phase": node.phase.value if node.phase else "",
                "podName": tree.pod_of(node),
                "finishedAt": format_time(node.finished_at) if node.finished_at else None,
            }
            for node in (tree.nodes[name] for name in tree.bad)
        ]
        return quote(data_json(failures) if failures else "null")

    def _finish(self, node: NodeStatus, phase: Phase) -> None:
        exit_node = self.run.tree.named(on_exit_name(self.run.name))
        if (
            phase is Phase.SUCCEEDED
            and exit_node is not None
            and exit_node.phase is not None
            and exit_node.phase.bad
        ):
            self._end(exit_node.phase, exit_node.message)
        elif phase.bad and self.run.shutdown:
            self._end(phase, f"Stopped with strategy '{self.run.shutdown}'")
        elif phase.finished:
            self._end(phase, "" if phase is Phase.SUCCEEDED else node.message)
        else:  # a daemon that is up: it ends before the workflow can
            daemons.end(self.run, "")

    def _end(self, phase: Phase, message: str) -> None:
        if self.ended is None:
            self.ended = phase, message
