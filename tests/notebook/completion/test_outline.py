"""What is read of a manifest that is being written."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import yaml

from nbflow.notebook.completion.candidates import complete
from nbflow.notebook.completion.outline import read

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))

TEXT = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: a-}
spec:
  templates:
  # a comment
  - name: main
    steps:
    - - name: one
        template: echo
        arguments:
          parameters: [{name: x, value: "{{inputs.parameters.y}}"}]
    -
      - name: two
  - name: echo
    inputs:
      parameters: [
        {name: x},
        {name: y}
      ]
    script:
      image: python   # the newest
      source: |
        def f():
          return {1: 2}
      args: ["a",
             'b: c']
"""
DATA = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"generateName": "a-"},
    "spec": {
        "templates": [
            {
                "name": "main",
                "steps": [
                    [
                        {
                            "name": "one",
                            "template": "echo",
                            "arguments": {"parameters": [{"name": "x", "value": "{{inputs.parameters.y}}"}]},
                        }
                    ],
                    [{"name": "two"}],
                ],
            },
            {
                "name": "echo",
                "inputs": {"parameters": [{"name": "x"}, {"name": "y"}]},
                "script": {
                    "image": "python",
                    "source": "        def f():\n          return {1: 2}",
                    "args": ["a", "b: c"],
                },
            },
        ]
    },
}


def at(before: str, line: str):
    """The place of ▮ in a line that stands instead of another."""
    text = TEXT.replace(before, line, 1)
    assert text != TEXT
    cursor = text.index("▮")
    found = read(text.replace("▮", ""), cursor)
    return found.place.path, found.place.before, found.place.key, found.place.value, found.tag


def test_a_whole_manifest_is_read_as_it_is():
    outline = read(TEXT, 0)
    assert outline.current == DATA


STEP = ("spec", "templates", 0, "steps", 0, 0)
ECHO = ("spec", "templates", 1)


@pytest.mark.parametrize(
    ("before", "line", "place"),
    [
        ("kind: Workflow", "ki▮", ((), "ki", True, False, None)),
        ("kind: Workflow", "kind: W▮", (("kind",), "W", False, True, None)),
        ("{generateName: a-}", "{gen▮}", (("metadata",), "gen", True, False, None)),
        ("{generateName: a-}", "{generateName: a-, ▮", (("metadata",), "", True, False, None)),
        ("  # a comment", "  ▮", (("spec",), "", True, False, None)),
        ("  # a comment", "  - na▮", (("spec", "templates", 0), "na", True, True, None)),
        ("        template: echo", "        template: ▮", ((*STEP, "template"), "", False, True, None)),
        ("        template: echo", "        template: 'ec▮'", ((*STEP, "template"), "ec", False, True, None)),
        ("        template: echo", "        te▮", (STEP, "te", True, False, None)),
        ("        template: echo", "        te▮: echo", (STEP, "te", True, False, None)),
        ("        template: echo", "        hooks:\n          ▮", ((*STEP, "hooks"), "", True, False, None)),
        ("{name: x, value", "{na▮, value", ((*STEP, "arguments", "parameters", 0), "na", True, False, None)),
        (
            "{{inputs.parameters.y}}",
            "{{inputs.▮",
            ((*STEP, "arguments", "parameters", 0, "value"), "", False, True, "inputs."),
        ),
        (
            "{{inputs.parameters.y}}",
            "a {{x}} {{=inputs.▮}} b",
            ((*STEP, "arguments", "parameters", 0, "value"), "a {{x}} ", False, True, "=inputs."),
        ),
        (
            "          return {1: 2}",
            "          return {{▮",
            ((*ECHO, "script", "source"), "return ", False, True, ""),
        ),
        ("          return {1: 2}", "          ▮", ((*ECHO, "script", "source"), "", False, True, None)),
        ("             'b: c']", "             ▮", ((*ECHO, "script", "args", 1), "", False, True, None)),
        ("      image: python   # the newest", "      ima▮", ((*ECHO, "script"), "ima", True, False, None)),
    ],
)
def test_the_place_of_the_cursor(before, line, place):
    assert at(before, line) == place


def test_the_document_with_the_cursor_is_the_current_one():
    outline = read("kind: A\n---\nkind: B\n---\nkind: C\n", 18)
    assert outline.documents == [{"kind": "A"}, {"kind": "B"}, {"kind": "C"}]
    assert outline.current == {"kind": "B"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_read_as_yaml_reads_them(path):
    text = path.read_text()
    documents = [one for one in read(text, len(text)).documents if one]
    assert [names(one) for one in documents] == [names(one) for one in yaml.safe_load_all(text) if one]


def names(value):
    """The shape of data: its keys and the lengths of its lists."""
    if isinstance(value, dict):
        return {str(key): names(item) for key, item in value.items()}
    return [names(item) for item in value] if isinstance(value, list) else None


def test_no_half_of_any_manifest_is_too_much():
    """Cut anywhere, with anything in place of the rest: there is an answer, and none of them an error."""
    chance = random.Random(7)
    texts = [path.read_text() for path in EXAMPLES] + [TEXT]
    rests = ["", "}}", "\n", '"', "\n    - {", "\t", "{{", "\n---\n", "]", ": |\n", "\x00\udfff", "\n- - -"]
    for _ in range(600):
        text = chance.choice(texts)
        cursor = chance.randrange(len(text) + 1)
        rest = chance.choice([text[cursor:], *rests])
        found = complete(text[:cursor] + rest, cursor)
        assert text[:cursor].endswith(found.fragment)
