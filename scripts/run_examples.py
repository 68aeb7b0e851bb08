"""Run Argo's own example workflows by the command line, as their comments say, and tell how each of them ended.

    python scripts/run_examples.py [FOLDER] [--tested] [--only NAME ...] [--write docs/examples.md]

FOLDER holds the manifests of `examples/` in argoproj/argo-workflows; ../shared/argo-examples if it is not given.
Copies of them are run, in which servers on loopback take the place of those of the world (scripts/examples.yaml).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import yaml
from example_servers import Servers, running

HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "shared" / "argo-examples"
NO_TEST = "workflows.argoproj.io/no-test"
CREATED = {"ConfigMap", "WorkflowTemplate", "ClusterWorkflowTemplate", "PersistentVolumeClaim"}
STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
AT_ONCE = 4
LONGEST = 300.0
Json = dict[str, object]


@dataclass(frozen=True)
class Case:
    """What scripts/examples.yaml says of an example."""

    ends: tuple[str, ...] = ("Succeeded",)
    why: str = ""
    once: str = ""
    do: tuple[tuple[str, ...], ...] = ()
    programs: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Example:
    """A file with workflows. label: why Argo's own tests leave it out, "" if they do not."""

    name: str
    label: str
    case: Case = field(default_factory=Case)
    left_out: str = ""


@dataclass(frozen=True)
class Result:
    """How an example ended: its phases, or why it did not run. good: as it is expected to."""

    example: Example
    ended: str
    good: bool
    remark: str = ""
    seconds: float = 0.0

    def line(self) -> str:
        """For people who wait."""
        mark = "ok  " if self.good else "BAD "
        return f"{mark} {self.example.name}: {self.ended} ({self.seconds:.0f} s) {self.remark}".rstrip()


class Shell:
    """The command line, on a home."""

    def __init__(self, home: Path, servers: Servers) -> None:
        own = {
            "NBFLOW_HOME": str(home),
            "PYTHONPATH": str(HERE.parent),
            "STORAGE_EMULATOR_HOST": servers.google,
        }
        self._env = {**os.environ, **own}

    def run(self, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """One command."""
        command = [sys.executable, "-c", "from nbflow.cli import main; main()", *words]
        return subprocess.run(
            command, env=self._env, input=text, capture_output=True, text=True, timeout=LONGEST, check=False
        )

    def create(self, item: Json) -> None:
        """Create an object. Raises SystemExit if that is refused."""
        done = self.run("create", "-f", "-", text=yaml.safe_dump(item))
        if done.returncode:
            sys.exit(f"{cast('Json', item['metadata'])['name']} could not be created: {done.stderr}")

    def get(self, name: str) -> Json:
        """A workflow as it is now."""
        return cast("Json", json.loads(self.run("get", name, "-o", "json").stdout))


def read_examples(folder: Path) -> list[Example]:
    """All files of the folder that hold workflows, with what is known about them."""
    known = yaml.safe_load((HERE / "examples.yaml").read_text())
    found = []
    for path in sorted(folder.rglob("*.yaml")):
        workflows = [document for document in documents(path) if document.get("kind") == "Workflow"]
        if not workflows:
            continue
        name = path.relative_to(folder).as_posix()
        case = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in (known["examples"].get(name) or {}).items()
        }
        labels = cast("dict[str, str]", cast("Json", workflows[0]["metadata"]).get("labels") or {})
        found.append(Example(name, labels.get(NO_TEST, ""), Case(**case), known["leftOut"].get(name, "")))
    return found


def documents(path: Path) -> Iterator[Json]:
    """The objects in a file."""
    yield from (item for item in yaml.safe_load_all(path.read_text()) if item)


def prepare(source: Path, target: Path, servers: Servers) -> Json:
    """Copy the manifests with addresses on loopback; what is known about them, likewise."""
    known = (HERE / "examples.yaml").read_text()
    certificate, key = self_signed()
    account = {"type": "service_account", "client_email": "me@x", "private_key": key, "project_id": "p"}
    account["token_uri"] = f"{servers.google}/token"
    texts = {"certificate": certificate, "key": key, "account": json.dumps(account)}
    quoted = {name: json.dumps(text)[1:-1] for name, text in texts.items()}
    for name, value in {"web": servers.web, "s3": servers.s3, "azure": servers.azure, **quoted}.items():
        known = known.replace(f"{{{name}}}", value)
    data = cast("Json", yaml.safe_load(known))
    shutil.copytree(source, target)
    for path in target.rglob("*.yaml"):
        text = path.read_text()
        for old, new in cast("list[list[str]]", data["replace"]):
            indent = "\n" + " " * 10
            text = text.replace(old, new if ", insecure" not in new else new.replace(", ", indent))
        path.write_text(text)
    return data


def self_signed() -> tuple[str, str]:
    """A certificate and its key, as PEM."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("cert", "key")]
        words = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=me -out {files[0]} -keyout {files[1]}"
        subprocess.run(words.split(), check=True, capture_output=True)
        return files[0].read_text(), files[1].read_text()


def create_all(shell: Shell, folder: Path, data: Json) -> None:
    """What the examples name: the objects of their folder, and those that their comments tell of."""
    for kind, field_name, group in (("Secret", "stringData", "secrets"), ("ConfigMap", "data", "configMaps")):
        for name, values in cast("dict[str, dict[str, str]]", data[group]).items():
            shell.create({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, field_name: values})
    for path in sorted(folder.rglob("*.yaml")):
        items = list(documents(path))
        if items and {item.get("kind") for item in items} <= CREATED:
            for item in items:
                shell.create(item)


def run_example(shell: Shell, folder: Path, example: Example) -> Result:
    """Run it to its end."""
    missing = [program for program in example.case.programs if not shutil.which(program, path=STANDARD_PATH)]
    missing += [module for module in example.case.modules if not is_installed(module)]
    if example.left_out or missing:
        remark = example.left_out or f"this machine has no {' and no '.join(missing)}"
        return Result(example, "left out", bool(example.left_out or example.label), remark)
    started = time.monotonic()
    try:
        workflows = watched(shell, folder / example.name, example.case)
    except RefusedError as error:
        return Result(example, "refused", False, str(error))
    except (subprocess.TimeoutExpired, TimeoutError):
        return Result(example, "does not end", False, seconds=time.monotonic() - started)
    statuses = [cast("Json", workflow["status"]) for workflow in workflows]
    phases = [str(status.get("phase")) for status in statuses]
    good = all(phase in example.case.ends for phase in phases)
    remark = example.case.why if good else "; ".join(map(faults, statuses))
    return Result(example, ", ".join(dict.fromkeys(phases)), good, remark, time.monotonic() - started)


def is_installed(module: str) -> bool:
    """Whether a client is there that an extra brings along."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def faults(status: Json) -> str:
    """Why a workflow ended badly: its message, and those of its pods."""
    nodes = cast("dict[str, Json]", status.get("nodes") or {}).values()
    bad = [
        n
        for n in nodes
        if n.get("phase") in {"Failed", "Error"} and n["type"] not in {"Steps", "StepGroup", "DAG"}
    ]
    said = [f"{n['displayName']}: {n.get('message', '')}" for n in bad]
    return "; ".join([str(status.get("message", "")), *said])


def watched(shell: Shell, path: Path, case: Case) -> list[Json]:
    """The workflows of a file after their end. Raises RefusedError, TimeoutError."""
    words = ("-o", "name") if case.do else ("--wait", "-o", "json")
    done = shell.run("submit", *words, *case.words, str(path))
    if done.returncode > 1 or not done.stdout:
        raise RefusedError(done.stderr.strip())
    if not case.do:
        found = cast("Json", json.loads(done.stdout))
        return cast("list[Json]", found.get("items") or [found])
    [name] = done.stdout.split()
    accompany(shell, name, case)
    shell.run("wait", name)
    return [shell.get(name)]


class RefusedError(Exception):
    """A manifest that was not taken."""


def accompany(shell: Shell, name: str, case: Case) -> None:
    """Do what a person is to do once the workflow waits. Raises TimeoutError."""
    end = time.monotonic() + LONGEST
    while not is_there(shell.get(name), case.once):
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.3)
    for words in case.do:
        shell.run(*(word.replace("{name}", name) for word in words))


def is_there(workflow: Json, once: str) -> bool:
    """Whether it has come to where somebody has to do something."""
    status = cast("Json", workflow.get("status") or {})
    if once != "suspended":
        return status.get("phase") == once
    nodes = cast("dict[str, Json]", status.get("nodes") or {})
    return any(node["type"] == "Suspend" and node.get("phase") == "Running" for node in nodes.values())


def run_all(folder: Path, examples: Sequence[Example]) -> Iterator[Result]:
    """Run them, a few at a time, in a home of their own."""
    with tempfile.TemporaryDirectory(prefix="nbflow-examples-", ignore_cleanup_errors=True) as temporary:
        place = Path(temporary)
        (place / "git").mkdir()
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # moto tells of each request
        with running(place / "git") as servers:
            data = prepare(folder, place / "examples", servers)
            shell = Shell(place / "home", servers)
            try:
                create_all(shell, place / "examples", data)
                with ThreadPoolExecutor(AT_ONCE) as pool:
                    yield from pool.map(lambda one: run_example(shell, place / "examples", one), examples)
            finally:
                shell.run("controller", "stop")


HEAD = """# Argo's examples

<!-- Written by scripts/run_examples.py --write; do not edit. -->

How the workflows of `examples/` in argoproj/argo-workflows v4.1 end on this machine, run in the sandbox by
`scripts/run_examples.py` with servers on loopback in place of those of the world. "Tested" are those that Argo's own
tests run; the others have a label `no-test` that says why they do not. See also [what works where](compatibility.md).

"""


def page(results: Sequence[Result]) -> str:
    """The results as Markdown."""
    lines = [HEAD + summary(results), ""]
    for title, chosen in (
        ("Tested by Argo", [r for r in results if not r.example.label]),
        ("Not tested by Argo", [r for r in results if r.example.label]),
    ):
        lines += [f"## {title}", "", "| example | ends | remark |", "|---|---|---|"]
        lines += [f"| {r.example.name} | {said(r)} | {r.remark} |" for r in chosen]
        lines.append("")
    return "\n".join(lines)


def said(result: Result) -> str:
    """How it ends, the same in each run."""
    ends = result.example.case.ends
    return " or ".join(ends) if result.good and len(ends) > 1 else result.ended


def summary(results: Sequence[Result]) -> str:
    """One line about both groups."""
    parts = []
    for title, wanted in (("tested by Argo", True), ("not tested by Argo", False)):
        chosen = [r for r in results if (not r.example.label) == wanted]
        out = sum(r.ended == "left out" for r in chosen)
        good = sum(r.good and r.ended != "left out" for r in chosen)
        parts.append(f"{title}: {good} of {len(chosen)} end as they should, {out} are left out")
    said = "; ".join(parts)
    return f"{said[0].upper()}{said[1:]}."


def main(argv: Sequence[str] | None = None) -> int:
    """0 if all ended as they should."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=EXAMPLES)
    parser.add_argument("--tested", action="store_true", help="only those that Argo's own tests run")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the results as Markdown")
    given = parser.parse_args(argv)
    if not given.folder.is_dir():
        parser.error(f"there is no folder {given.folder}")
    examples = [
        example
        for example in read_examples(given.folder)
        if not (given.tested and example.label) and (not given.only or example.name in given.only)
    ]
    results = []
    for result in run_all(given.folder, examples):
        print(result.line(), flush=True)
        results.append(result)
    print(summary(results))
    if given.write:
        given.write.write_text(page(results))
    return 0 if all(result.good for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
