"""Argo's own tests: what they say about manifests, we say too."""

import json
from pathlib import Path

import pytest

from nbflow.errors import NbflowError, Severity
from nbflow.lint import lint_texts

SHARED = Path(__file__).parents[3] / "shared"
CORPUS = SHARED / "conformance" / "lint"
EXAMPLES = SHARED / "argo-examples"
NO_WORKFLOW = ("testvolume.yaml", "simple-parameters-configmap.yaml")

needs_corpus = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the conformance corpus is not beside the repository"
)
needs_examples = pytest.mark.skipif(
    not EXAMPLES.is_dir(), reason="Argo's examples are not beside the repository"
)


def verdict(case):
    """Whether the files of a case are accepted, and what was said."""
    names = [case["file"], *(need.split(":", 1)[1] for need in case.get("needs", ()) if ":" in need)]
    options = dict(option.removeprefix("--").split("=") for option in case.get("cli_args", ()))
    kinds = options["kinds"].split(",") if "kinds" in options else None
    try:
        findings = lint_texts(
            [(name, (CORPUS / name).read_bytes()) for name in names],
            kinds=kinds,
            strict=options.get("strict") != "false",
        )
    except NbflowError as error:
        return False, error.problem
    return not any(f.severity is Severity.ERROR for f in findings), "\n".join(f.render() for f in findings)


@needs_corpus
def test_every_verdict_and_message_is_argos():
    wrong = []
    for case in json.loads((CORPUS / "index.json").read_text()):
        accepted, said = verdict(case)
        messages = case.get("messages") or [case["message"]] if case["message"] else []
        if accepted != (case["expect"] == "valid") or (not accepted and not all(m in said for m in messages)):
            wrong.append((case["file"], case["expect"], said))
    assert wrong == []


@needs_examples
def test_argos_examples_have_no_errors():
    files = sorted(path for path in EXAMPLES.rglob("*.yaml") if path.name not in NO_WORKFLOW)
    findings = lint_texts([(str(path.relative_to(EXAMPLES)), path.read_bytes()) for path in files])
    assert [f.render() for f in findings if f.severity is Severity.ERROR] == []


@needs_examples
@pytest.mark.parametrize("name", NO_WORKFLOW)
def test_what_is_no_workflow_is_nothing_to_lint(name):
    with pytest.raises(NbflowError, match="found nothing to lint in the specified paths, failing"):
        lint_texts([(name, next(EXAMPLES.rglob(name)).read_bytes())])


@needs_examples
@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.yaml")), ids=lambda path: path.name)
def test_models_lose_nothing_of_argos_examples(path):
    from nbflow.spec.workflow import CronWorkflow, Workflow, WorkflowTemplate
    from nbflow.spec.yaml import load_documents

    models = {"CronWorkflow": CronWorkflow, "Workflow": Workflow}
    for document in load_documents(path.read_bytes(), path.name):
        model = models.get(
            document.kind, WorkflowTemplate if document.kind.endswith("WorkflowTemplate") else None
        )
        if model is not None:
            assert model.from_dict(document.data).to_dict() == document.data
