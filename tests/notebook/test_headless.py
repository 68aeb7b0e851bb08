"""Notebooks with workflows in them, run by programs: papermill and nbclient."""

from __future__ import annotations

import nbformat
import pytest

from tests.notebook.homes import REPOSITORY, own_home

papermill = pytest.importorskip("papermill")
pytestmark = [
    pytest.mark.slow,
    # papermill 2.7 and its dependencies are not ours to mend.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

CELL = """%%workflow run -p code={code} FLAGS
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: job-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: code, value: "1"}]}
  templates:
  - name: main
    container:
      image: busybox
      command: [sh, -c, "echo the code is {{workflow.parameters.code}}; exit {{workflow.parameters.code}}"]
"""


@pytest.fixture
def execute(tmp_path, monkeypatch):
    """Run a notebook with papermill: `execute(code, flags)` gives the outputs of each cell."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    with own_home(tmp_path / "home") as home:
        monkeypatch.setenv("NBFLOW_HOME", str(home))

        def run(code: int, flags: str = ""):
            cells = [
                "code = 1",
                "%load_ext nbflow",
                CELL.replace(" FLAGS", f" {flags}".rstrip()),
                "print(run.phase, run.logs)",
            ]
            notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
            notebook.cells[0].metadata["tags"] = ["parameters"]
            notebook.metadata["kernelspec"] = {
                "name": "python3",
                "display_name": "Python 3",
                "language": "python",
            }
            nbformat.write(notebook, tmp_path / "in.ipynb")
            papermill.execute_notebook(
                str(tmp_path / "in.ipynb"),
                str(tmp_path / "out.ipynb"),
                parameters={"code": code},
                progress_bar=False,
            )
            return nbformat.read(tmp_path / "out.ipynb", 4)

        yield run


def test_parameters_of_papermill_reach_the_workflow_and_the_notebook_waits(execute, tmp_path):
    notebook = execute(0)
    assert notebook.cells[-1].outputs[0].text == "Succeeded the code is 0\n"
    (shown,) = notebook.cells[-2].outputs
    assert set(shown.data) == {"text/plain", "text/html"}
    assert "✔" in shown.data["text/plain"]


def test_a_failed_workflow_fails_the_notebook(execute, tmp_path):
    with pytest.raises(papermill.exceptions.PapermillExecutionError) as caught:
        execute(3)
    assert caught.value.ename == "WorkflowFailedError"
    assert "ended in phase Failed: main: Error (exit code 3)" in str(caught.value)
    stored = nbformat.read(tmp_path / "out.ipynb", 4)
    assert "✖" in str(stored.cells)


def test_no_raise_opts_out(execute):
    notebook = execute(3, "--no-raise")
    assert notebook.cells[-1].outputs[0].text == "Failed the code is 3\n"
