"""Every rule, by manifests that break it; what lint says is in golden/, to be read like a page of documentation."""

import re
from pathlib import Path

import pytest

from nbflow.commands.portability import portability
from nbflow.lint import lint_documents
from nbflow.lint.rules import RULES
from nbflow.spec.yaml import load_documents
from nbflow.store.home import Home
from nbflow.store.settings import Settings

HERE = Path(__file__).parent
MANIFESTS = sorted(path.stem for path in (HERE / "manifests").glob("*.yaml"))
NOT_OF_A_MANIFEST = {"NBF201", "NBF202"}  # those of --no-strict and of parameters


TARGET = portability("sandbox", Home(HERE / "no-home"), Settings())
ADVISED = {"advice", "portability"}


def documents(name):
    return load_documents((HERE / "manifests" / f"{name}.yaml").read_bytes(), f"{name}.yaml")


def findings_of(name):
    advised = {"advice": True, "target": TARGET} if name in ADVISED else {}
    return lint_documents(documents(name), **advised)


@pytest.mark.parametrize("name", MANIFESTS)
def test_findings(name, golden, monkeypatch):
    monkeypatch.delenv("KUBECONFIG", raising=False)
    findings = findings_of(name)
    golden(f"{name}.txt", "\n\n".join(finding.render() for finding in findings) + "\n")


def test_every_rule_is_broken_somewhere():
    broken = {finding.rule for name in MANIFESTS for finding in findings_of(name)}
    assert set(RULES) - NOT_OF_A_MANIFEST == broken


def test_every_code_in_the_source_is_a_rule():
    package = HERE.parents[1] / "nbflow"
    sources = [*(package / "lint").rglob("*.py"), *(package / "spec").glob("*.py")]
    used = {code for path in sources for code in re.findall(r"NBF\d{3}", path.read_text())}
    assert used == set(RULES)
