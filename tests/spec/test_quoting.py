"""A word that must be quoted is shown as it was written."""

import pytest

from nbflow.spec.yaml import load_documents


@pytest.mark.parametrize(
    ("written", "fix"),
    [
        ("y", 'quote it: "y"'),
        ("Off", 'quote it: "Off"'),
        ("0755", 'quote it: "0755"'),
        ("1e3", 'quote it: "1e3"'),
        ("!!bool yes", 'quote it: "true"'),
    ],
)
def test_the_word_as_written(written, fix):
    text = f"kind: Workflow\nmetadata: {{name: {written}}}\nspec: {{}}\n"
    (document,) = load_documents(f"---\n{text}", "w.yaml")
    assert [finding.fix for finding in document.findings] == [fix]
