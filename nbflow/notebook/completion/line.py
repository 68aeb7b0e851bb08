"""The first line of a cell, and line magics: verbs, their flags, and the values of flags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType

import click

from nbflow.commands.connecting import TARGETS
from nbflow.notebook.completion.candidates import MOST, Candidate, Completion, Stored, template_about
from nbflow.notebook.completion.manifest import Manifest, items, mapping, name_of
from nbflow.notebook.completion.outline import read
from nbflow.notebook.flags import CELL_FLAGS

_VARIABLE = re.compile(r"\{([A-Za-z_]\w*)?$")
_ON_FILES = ("submit", "lint", "create", "graph")
_VARIABLES_SHOWN = 50
_TARGETS = {
    "sandbox": "processes in namespaces of their own, here",
    "host": "plain processes, here",
    "podman": "containers, here",
    "docker": "containers, here",
    "kubernetes": "pods on a cluster, without Argo",
    "argo": "a cluster that runs Argo",
}


def complete_cell_line(line: str, body: str, names: Mapping[str, object]) -> Completion:
    """The line of a `%%workflow` cell up to the cursor, without the magic's name. body: the manifest below it."""
    if (found := _python(line, names)) is not None:
        return found
    from nbflow.cli.submit import submit

    words, fragment = _split(line)
    flag = _open_flag(submit, words)
    if flag is not None:
        return _fitting(_values_in_cell(flag, body, names, fragment), fragment)
    return _fitting(
        [*_flags(submit), *(Candidate(f"{name} ", about) for name, about in CELL_FLAGS)], fragment
    )


def complete_magic(line: str, names: Mapping[str, object], workflows: Stored) -> Completion:
    """A `%workflow` line up to the cursor, without the magic's name."""
    if (found := _python(line, names)) is not None:
        return found
    from nbflow.cli.app import VERBS, group

    words, fragment = _split(line)
    if not words:
        verbs = [Candidate(f"{verb} ", told) for part in VERBS.values() for verb, (_, told) in part.items()]
        return _fitting(verbs, fragment)
    context = click.Context(group)
    command = group.get_command(context, words[0])
    if isinstance(command, click.Group):
        if len(words) == 1:
            inner = (command.get_command(context, name) for name in command.list_commands(context))
            return _fitting((Candidate(f"{c.name} ", c.get_short_help_str(80)) for c in inner if c), fragment)
        command = command.get_command(context, words[1])
    if command is None:
        return Completion("", ())
    return _fitting(_of_command(command, words, fragment, names, workflows), fragment)


def _of_command(
    command: click.Command, words: list[str], fragment: str, names: Mapping[str, object], workflows: Stored
) -> Iterator[Candidate]:
    flag = _open_flag(command, words[1:])
    if flag is not None:
        yield from _values(flag)
    elif fragment.startswith("-"):
        yield from _flags(command)
    elif words[0] == "explain":
        yield from _explained()
    elif words[0] not in _ON_FILES and any(isinstance(p, click.Argument) for p in command.params):
        yield Candidate("@latest ", "the newest workflow")
        yield from (Candidate(f"{name} ", "workflow") for name in workflows("Workflow"))
        yield from _runs(names)


def _runs(names: Mapping[str, object]) -> Iterator[Candidate]:
    from nbflow.notebook.results import Run

    for name, value in names.items():
        if isinstance(value, Run) and not name.startswith("_"):
            yield Candidate(f"{{{name}}} ", f"workflow {value.name}")


def _explained() -> Iterator[Candidate]:
    from nbflow.commands.explaining import known_names

    yield from (Candidate(name, told) for name, told in known_names())


def _split(line: str) -> tuple[list[str], str]:
    """The whole words, and the one that is being written."""
    before, blank, fragment = line.rpartition(" ")
    return before.split() if blank else [], fragment


def _open_flag(command: click.Command, words: list[str]) -> click.Option | None:
    """The flag whose value is being written."""
    if not words or not words[-1].startswith("-"):
        return None
    options = (p for p in command.params if isinstance(p, click.Option))
    found = next((option for option in options if words[-1] in option.opts), None)
    if found is None and any(words[-1] == name for name, _ in CELL_FLAGS):
        return click.Option([words[-1]])
    return found if found is not None and not found.is_flag else None


def _flags(command: click.Command) -> Iterator[Candidate]:
    for option in command.params:
        if not isinstance(option, click.Option) or option.hidden:
            continue
        names = [name for name in (*option.opts, *option.secondary_opts) if name.startswith("--")]
        yield from (Candidate(f"{name} ", option.help or "") for name in names)


def _values(option: click.Option) -> Iterator[Candidate]:
    if isinstance(option.type, click.Choice):
        yield from (Candidate(f"{choice} ", "one of its values") for choice in option.type.choices)
    elif "--on" in option.opts:
        yield from (Candidate(f"{target} ", told) for target, told in _TARGETS.items() if target in TARGETS)


def _values_in_cell(
    option: click.Option, body: str, names: Mapping[str, object], fragment: str
) -> Iterator[Candidate]:
    """Values that the manifest in the cell or Python's variables give."""
    yield from _values(option)
    if not {"--params", "--artifact", "--parameter", "--entrypoint"} & set(option.opts):
        return
    outline = read(body, len(body))
    manifests = [Manifest(one, outline.documents) for one in outline.documents]
    manifest = next((one for one in manifests if one.kind == "Workflow"), manifests[0])
    arguments = mapping(manifest.spec.get("arguments"))
    if "--entrypoint" in option.opts:
        yield from (Candidate(f"{name_of(one)} ", template_about(one)) for one in manifest.templates)
    elif "--params" in option.opts:
        yield from (Candidate(f"{name} ", "dict") for name, value in names.items() if _is_dict(name, value))
    elif fragment.partition("=")[1]:
        name = fragment.partition("=")[0]
        one = next((one for one in items(arguments.get("parameters")) if name_of(one) == name), None)
        yield from (
            Candidate(f"{name}={value} ", "one of its values") for value in items(mapping(one).get("enum"))
        )
    else:
        side = "artifacts" if "--artifact" in option.opts else "parameters"
        for one in items(arguments.get(side)):
            value = mapping(one).get("value")
            yield Candidate(f"{name_of(one)}=", f"{value} in the manifest" if value is not None else "")


def _is_dict(name: str, value: object) -> bool:
    return isinstance(value, Mapping) and not name.startswith("_") and name not in ("In", "Out")


def _python(line: str, names: Mapping[str, object]) -> Completion | None:
    """The name of a Python variable in braces; None outside of them."""
    found = _VARIABLE.search(line)
    if found is None:
        return None
    fragment = found.group(1) or ""
    shown = [
        Candidate(name, type(value).__name__)
        for name, value in names.items()
        if not name.startswith("_") and not isinstance(value, ModuleType) and not callable(value)
    ]
    return _fitting(shown[:_VARIABLES_SHOWN], fragment)


def _fitting(found: Iterable[Candidate], fragment: str) -> Completion:
    unique = [one for one in dict.fromkeys(found) if one.text.lower().startswith(fragment.lower())]
    return Completion(fragment, unique[:MOST])
