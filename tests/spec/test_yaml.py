"""Documents: data as Argo's decoder sees it, with places, and a clear word about what is no YAML."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbflow.spec.yaml import load_documents

WORKFLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  generateName: hello-
spec:
  entrypoint: main
  templates:
  - name: main
    container:
      image: busybox
      args: ["{{inputs.parameters.x}}"]
"""


def load(text, **options):
    return load_documents(text, "a.yaml", **options)


def rendered(text, **options):
    return [finding.render() for document in load(text, **options) for finding in document.findings]


def only(text):
    (document,) = load(text)
    assert document.findings == []
    return document.data


def test_documents_of_a_file_with_their_kind_and_name():
    text = "# a comment\n---\nkind: Secret\nmetadata: {name: s, namespace: team}\n---\n\n--- # more\nkind: Workflow\n"
    assert [(d.kind, d.name, d.namespace, d.source) for d in load(text) if d.data] == [
        ("Secret", "s", "team", "a.yaml"),
        ("Workflow", "", "", "a.yaml"),
    ]


def test_positions_of_keys_and_values():
    (document,) = load("# first\n---\n" + WORKFLOW)
    places = [
        document.position(("spec", "entrypoint")),
        document.position(("spec", "entrypoint"), key=True),
        document.position(("spec", "templates", 0, "container")),
        document.position(("spec", "templates", 0, "container", "args", 0), needle="inputs"),
        document.position(("spec", "templates", 0, "container", "nothing", "below")),
        document.position(("nowhere",)),
    ]
    assert [str(place) for place in places] == [
        "a.yaml:8:15",
        "a.yaml:8:3",
        "a.yaml:11:5",
        "a.yaml:13:17",
        "a.yaml:11:5",
        "a.yaml:3:1",
    ]


def test_columns_count_characters_and_crlf_lines_count_once():
    (document,) = load('a: "é🙂"\r\nb: {c: 1}\r\n')
    assert str(document.position(("b", "c"))) == "a.yaml:2:8"
    assert document.file.line(1) == 'a: "é🙂"'


def test_anchors_merges_and_keys_that_are_no_texts():
    data = only(
        "base: &b {x: 1, y: [2]}\nall:\n  <<: *b\n  z: 3\nlist: [*b]\ntwo: {<<: [{p: 1}, {q: 3}]}\n"
        "5: five\non: 1\n"
    )
    assert data == {
        "base": {"x": 1, "true": [2]},
        "all": {"x": 1, "true": [2], "z": 3},
        "list": [{"x": 1, "true": [2]}],
        "two": {"p": 1, "q": 3},
        "5": "five",
        "true": 1,
    }
    (loose,) = load_documents("two: {<<: [{p: 1}, {p: 2, q: 3}]}\n", "a.yaml", strict=False)
    assert loose.data == {"two": {"p": 1, "q": 3}}
    data["list"][0]["x"] = 9
    assert data["base"]["x"] == 1


def test_tags_of_yaml():
    assert only('a: !!str 5\nb: !!int "7"\nd: !!binary aGk=\n') == {"a": "5", "b": 7, "d": "hi"}


def test_json_is_read_as_json():
    assert only('{"kind": "X", "a": [1, 2.0, 1e3, "\\ud83d\\ude42", null], "t":\t{}}') == {
        "kind": "X",
        "a": [1, 2, 1000, "🙂", None],
        "t": {},
    }


def test_a_repeated_key_is_told_and_the_later_one_counts():
    (document,) = load("kind: X\na: 1\na: 2\n")
    assert document.data["a"] == 2
    assert [finding.render() for finding in document.findings] == [
        'a.yaml:3:1: error: key "a" already set in map [NBF101]\n    3 | a: 2\n      | ^\n  fix: keep one of them'
    ]
    assert document.malformed
    (loose,) = load_documents("kind: X\na: 1\na: 2\n", "a.yaml", strict=False)
    assert [(finding.rule, finding.severity.value) for finding in loose.findings] == [("NBF201", "warning")]
    assert not loose.malformed


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (
            "a: {{x}}\n",
            (
                "a.yaml:1:4: error: invalid map key: an unquoted {{ begins a YAML mapping [NBF101]\n    1 | a: {{x}}\n"
                '      |    ^\n  fix: quote the value: "{{...}}"'
            ),
        ),
        (
            "a: {{x}} and more\n",
            (
                "a.yaml:1:4: error: invalid map key: an unquoted {{ begins a YAML mapping [NBF101]\n"
                '    1 | a: {{x}} and more\n      |    ^\n  fix: quote the value: "{{...}}"'
            ),
        ),
        (
            "a: [{{x}, y]\n",
            (
                "a.yaml:1:5: error: invalid map key: an unquoted {{ begins a YAML mapping [NBF101]\n    1 | a: "
                "[{{x}, y]\n"
                '      |     ^\n  fix: quote the value: "{{...}}"'
            ),
        ),
        (
            "a:\n\t- b\n",
            (
                "a.yaml:2:1: error: the YAML is malformed: found character that cannot start any token while "
                "scanning for "
                "the next token [NBF101]\n    2 | \t- b\n      | ^\n  fix: indent with blanks: YAML does not allow tabs"
            ),
        ),
        (
            "a:\n  b: 1\n c: 2\n",
            (
                "a.yaml:3:2: error: the YAML is malformed: did not find expected key while parsing a block "
                "mapping that "
                "begins 2 lines before [NBF101]\n    3 |  c: 2\n      |  ^\n"
                "  fix: check the indentation: this line has 1 blank, the one before 2"
            ),
        ),
        (
            "a: 1\nb\nc: 2\n",
            (
                "a.yaml:2:1: error: the YAML is malformed: could not find expected ':' while scanning a simple key "
                "that begins 1 line before [NBF101]\n    2 | b\n      | ^\n  fix: a field is written `name: "
                "value`, with a colon and a blank"
            ),
        ),
        (
            "a: b: c\n",
            (
                "a.yaml:1:5: error: the YAML is malformed: mapping values are not allowed in this context [NBF101]\n"
                "    1 | a: b: c\n      |     ^\n  fix: quote the value: it holds a colon and a blank"
            ),
        ),
        (
            "s: * * * * *\n",
            (
                "a.yaml:1:5: error: the YAML is malformed: did not find expected alphabetic or numeric character while "
                "scanning an alias [NBF101]\n    1 | s: * * * * *\n      |     ^\n"
                "  fix: quote a value that begins with * or &"
            ),
        ),
        (
            "a: @x\n",
            (
                "a.yaml:1:4: error: the YAML is malformed: found character that cannot start any token while "
                "scanning for "
                "the next token [NBF101]\n    1 | a: @x\n      |    ^\n  fix: quote the value: no plain text "
                "begins with `@`"
            ),
        ),
        (
            "a: *b\n",
            (
                "a.yaml:1:4: error: unknown anchor 'b' referenced [NBF101]\n    1 | a: *b\n      |    ^\n"
                "  fix: define it before: `&b`"
            ),
        ),
        (
            "a: &b [*b]\n",
            "a.yaml:1:8: error: anchor 'b' value contains itself [NBF101]\n    1 | a: &b [*b]\n      |        ^",
        ),
        (
            "a: .nan\n",
            (
                "a.yaml:1:4: error: unsupported value: .nan [NBF101]\n    1 | a: .nan\n      |    ^\n"
                "  fix: a manifest has finite numbers only; quote it"
            ),
        ),
        (
            "a: x\0y\n",
            (
                "a.yaml:1:5: error: the control character U+0000 is not allowed in YAML [NBF101]\n    1 | a: x\0y\n"
                "      |     ^\n  fix: remove it"
            ),
        ),
        (
            "- a\n",
            (
                "a.yaml:1:1: error: a manifest is a mapping with apiVersion and kind [NBF101]\n    1 | - a\n      | ^\n"
                "  fix: begin with `apiVersion:`"
            ),
        ),
        (
            "~: 1\n",
            (
                "a.yaml:1:1: error: unsupported map key: null [NBF101]\n    1 | ~: 1\n      | ^\n"
                "  fix: a key is a text; quote it"
            ),
        ),
    ],
)
def test_malformed_yaml_is_explained(text, finding):
    assert rendered(text) == [finding]


def test_one_malformed_document_leaves_the_others_alone():
    documents = load("kind: A\n---\na: [\n---\nkind: B\n")
    assert [(d.kind, len(d.findings)) for d in documents] == [("A", 0), ("", 1), ("B", 0)]
    assert documents[1].findings[0].position.line == 3


def test_the_kind_of_a_malformed_document_is_still_known():
    assert [d.kind for d in load("kind: Workflow\nspec: [\n")] == ["Workflow"]


@pytest.mark.parametrize("text", ["", "\n\n", "---\n---\n", "\ufeff"])
def test_nothing_is_no_error(text):
    assert load(text) == []


def test_a_byte_order_mark_is_no_text():
    assert only("\ufeffkind: X\n") == {"kind": "X"}


def test_bytes_that_are_no_utf8():
    (document,) = load(b"a: ok\nb: \xff\n")
    assert [finding.render() for finding in document.findings] == [
        (
            "a.yaml:2:4: error: the text is not UTF-8: byte 0xff at 9 [NBF101]\n    2 | b: \ufffd\n      |    ^\n"
            "  fix: save the file as UTF-8"
        )
    ]


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (BOMB, "document contains excessive aliasing"),
        ("[" * 100_000, "nested too deeply: more than 150 levels"),
        ("{a: " * 100_000, "nested too deeply: more than 150 levels"),
        ("- " * 50_000, "nested too deeply: more than 150 levels"),
        ("? " * 50_000, "nested too deeply: more than 150 levels"),
        ("kind: X\na: " + "x" * 10_000_000, "the document is too large: 10 MB, at most 8 MB are read"),
        ('{"a":' * 100_000, "nested too deeply: more than 150 levels"),
    ],
)
def test_what_would_eat_the_machine_is_refused_at_once(text, problem):
    begin = time.process_time()
    findings = [finding for document in load(text) for finding in document.findings]
    assert [finding.problem for finding in findings] == [problem]
    assert time.process_time() - begin < 2


def test_with_data_keeps_the_places():
    (document,) = load(WORKFLOW)
    changed = document.with_data({**document.data, "kind": "Other"})
    assert (changed.kind, str(changed.position(("spec",)))) == ("Other", "a.yaml:5:1")
    assert document.kind == "Workflow"


@given(st.text(alphabet="abk:-[]{}&*!|>'\"%@`#\\ \n\t,?~<=.0123\r\ufeffé", max_size=200))
def test_no_text_makes_the_loader_crash(text):
    for document in load(text):
        for finding in document.findings:
            assert finding.render()


@given(st.binary(max_size=60))
def test_no_bytes_make_the_loader_crash(data):
    for document in load(data):
        assert all(finding.position is not None for finding in document.findings)


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=20,
)


@given(st.dictionaries(texts, json_values, min_size=1, max_size=4))
def test_what_yaml_writes_is_read_back(data):
    import yaml

    text = yaml.safe_dump(data, allow_unicode=True, default_style='"')
    (document,) = load(text)
    assert document.findings == []
    assert document.data == data


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_text_in_utf_16(encoding):
    text = "\ufeffkind: Workflow\nmetadata: {name: größe}\n"
    (document,) = load_documents(text.encode(encoding), "a")
    assert (document.name, document.findings) == ("größe", [])


@pytest.mark.parametrize("value", ["2147483648", "-2147483649", "99999999999999999999"])
def test_integers_have_a_range(value):
    (document,) = load_documents(f"kind: Workflow\nspec: {{priority: {value}}}\n", "a")
    assert [(f.problem, f.fix) for f in document.findings] == [
        ("spec.priority is out of range", "write a number from -2147483648 to 2147483647")
    ]
    (document,) = load_documents("kind: Workflow\nspec: {parallelism: 2147483648}\n", "a")
    assert document.findings == []
