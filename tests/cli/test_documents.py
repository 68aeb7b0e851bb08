"""`nbflow notebook`, `report` and `explain` on the command line."""

from __future__ import annotations

import io
from pathlib import Path

import nbformat
import pytest

from nbflow import cli
from nbflow.errors import NbflowError
from tests.notebook.fake_client import FakeClient
from tests.notebook.workflows import diamond, end

MANIFEST = "kind: Workflow\nspec: {entrypoint: main}\n"


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """Run a command line in an empty folder: `shell(words)` gives what it wrote."""
    monkeypatch.chdir(tmp_path)
    client = FakeClient()
    end(client.add(diamond()))

    def run(*words: str) -> tuple[str, str]:
        out, err = io.StringIO(), io.StringIO()
        assert cli.run(words, out=out, err=err, client=client) == 0
        return out.getvalue(), err.getvalue()

    return run


def test_a_notebook_of_a_manifest_and_its_manifest(shell):
    Path("hello.yaml").write_text(MANIFEST)
    assert shell("notebook", "hello.yaml") == ("", "written: hello.ipynb\n")
    nbformat.validate(nbformat.read("hello.ipynb", 4))
    assert shell("notebook", "hello.ipynb") == (f"# hello\n{MANIFEST}", "")
    with pytest.raises(NbflowError, match="this file is there already"):
        shell("notebook", "hello.yaml")
    shell("notebook", "--force", "hello.yaml")
    assert shell("notebook", "hello.yaml", "--file", "-")[0].startswith("{")


def test_a_report_is_a_file(shell):
    assert shell("report", "diamond") == ("", "written: diamond.html\n")
    assert Path("diamond.html").read_text().startswith("<!doctype html>")
    assert shell("report", "diamond", "--file", "-")[0].startswith("<!doctype html>")


def test_explain(shell):
    assert shell("explain", "backoff.duration", "workflow.name")[0] == (
        "FIELD     workflow.spec.retryStrategy.backoff.duration  (text)\n"
        "          the first wait, such as 30s or 1m\n"
        "\n"
        "VARIABLE  {{workflow.name}}\n"
        "          name of the workflow\n"
        "          known anywhere in a workflow\n"
    )


def test_explain_without_a_name_says_what_there_is(shell):
    lines = shell("explain")[0].splitlines()
    assert lines[:2] == ["KINDS", "  workflow                 something to run, once"]
    assert "    workflow.failures  the failed nodes as a JSON list" in lines
    assert lines[-1].split("     ")[-1] == "nbflow explain Template"
