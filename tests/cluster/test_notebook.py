"""A notebook's cells, run in a cluster."""

from __future__ import annotations

import os

import yaml

from tests.cluster.conftest import sh, workflow
from tests.notebook.kernel import kernel


def test_cells_verbs_and_results(client, account, namespace, tmp_path):
    make = sh("make", "echo hello world; printf 42 > /tmp/answer")
    make["outputs"] = {"parameters": [{"name": "answer", "valueFrom": {"path": "/tmp/answer"}}]}
    passed = {"parameters": [{"name": "answer", "value": "{{steps.make.outputs.parameters.answer}}"}]}
    steps = [
        [{"name": "make", "template": "make"}],
        [{"name": "use", "template": "use", "arguments": passed}],
    ]
    use = sh("use", "echo got {{inputs.parameters.answer}}", inputs={"parameters": [{"name": "answer"}]})
    manifest = yaml.safe_dump(workflow({"name": "main", "steps": steps}, make, use))
    on = f"--on argo -n {namespace}"
    with kernel(KUBECONFIG=account, NBFLOW_HOME=str(tmp_path / "home"), PATH=os.environ["PATH"]) as cells:
        assert cells.run("%load_ext nbflow").traceback == ""
        answer = cells.run(f"%%workflow run {on} --wait\n{manifest}")
        assert (answer.status, answer.traceback) == ("ok", "")
        assert "✔ make" in answer.outputs[0]["data"]["text/plain"]
        assert "<img" in answer.outputs[0]["data"]["text/html"]
        assert cells.run("print(run.phase)").text.strip().endswith("Succeeded")
        assert cells.run("print(run['make'].logs)").text == "hello world\n"
        assert cells.run("print(run['make'].outputs['answer'], run['use'].logs)").text == "42 got 42\n"
        name = cells.run("print(run.name)").text.strip()
        assert name in cells.run(f"%workflow list {on}").text
        assert cells.run(f"%workflow logs {name} {on}").text.splitlines()[-1].endswith(": got 42")
        assert "Status:              Succeeded" in cells.run(f"%workflow get {name} {on}").text
        again = cells.run(f"%workflow resubmit {name} {on} --wait -o name").text.split()[0]
        assert again != name
        for one in (name, again):
            assert cells.run(f"%workflow delete {one} {on}").text == f"Workflow '{one}' deleted\n"
    assert not (tmp_path / "home").exists()
