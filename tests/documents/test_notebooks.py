"""Notebooks from manifests and back."""

from __future__ import annotations

import nbformat
import pytest

from nbflow.documents.notebooks import (
    Part,
    manifest_text,
    manifests_of,
    notebook_of,
    read_notebook,
    write_notebook,
)
from nbflow.errors import NbflowError

WORKFLOW = """\
# Say hello.
# Twice.
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: hello-}
spec:
  entrypoint: main
  templates:
  - {name: main, container: {image: busybox, command: [echo, "{{workflow.name}}"]}}
"""
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"


def sources(notebook):
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def test_a_manifest_becomes_a_cell_and_its_first_comment_prose():
    body = WORKFLOW.partition("Twice.\n")[2].strip()
    made = notebook_of([Part("hello-world", WORKFLOW)])
    nbformat.validate(made)
    assert sources(made) == [
        ("markdown", "# hello-world"),
        ("code", "%load_ext nbflow"),
        ("markdown", "Say hello.\nTwice."),
        ("code", f"%%workflow hello_world\n{body}"),
        ("code", "hello_world.tree()"),
    ]


def test_several_have_variables_of_their_own_and_what_runs_nothing_is_created():
    made = notebook_of(
        [Part("a b", WORKFLOW), Part("a-b", WORKFLOW), Part("class", WORKFLOW), Part("secret", SECRET)]
    )
    firsts = [text.partition("\n")[0] for kind, text in sources(made) if kind == "code"]
    assert firsts == [
        "%load_ext nbflow", "%%workflow a_b", "a_b.tree()", "%%workflow a_b_2", "a_b_2.tree()",
        "%%workflow run_class", "run_class.tree()", "%%writefile secret.yaml", "%workflow create -f secret.yaml",
    ]  # fmt: skip


def test_there_and_back():
    again = read_notebook(write_notebook(notebook_of([Part("hello", WORKFLOW)])).encode(), "x.ipynb")
    (part,) = manifests_of(again)
    assert (part.name, part.text) == ("hello", WORKFLOW.partition("Twice.\n")[2])
    assert manifest_text([part, part]).count("---\n# hello\n") == 1


def test_cells_without_a_variable_and_other_cells():
    cells = ["print(1)", "\n%%workflow --wait -p x=1\nkind: Workflow", "%workflow list"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    assert manifests_of(notebook) == [Part("cell-2", "kind: Workflow\n")]


def test_what_is_no_notebook_or_has_no_manifest_says_so():
    with pytest.raises(NbflowError, match="this is no notebook"):
        read_notebook(b"not json", "x.ipynb")
    with pytest.raises(NbflowError, match="has no `%%workflow` cell"):
        manifests_of(nbformat.v4.new_notebook())
