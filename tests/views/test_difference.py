from dataclasses import replace

from nbflow.views.difference import Change, difference, difference_text


def two(builder):
    """A run, and another one in which much is different."""
    spec = {
        "arguments": {"parameters": [{"name": "lr", "value": "0.1"}, {"name": "old", "value": "1"}]},
        "templates": [{"name": "train", "container": {"image": "a", "args": ["x"]}}, {"name": "same"}],
    }
    first = builder(spec)
    first.add("wf", "DAG", outputs={"parameters": [{"name": "score", "value": "1"}]})
    first.add("wf.train", boundary="wf", outputs={"result": "1"})
    first.add("wf.gone", boundary="wf")
    other = {
        "arguments": {"parameters": [{"name": "lr", "value": "0.2"}]},
        "templates": [{"name": "train", "container": {"image": "b", "args": ["x"]}}, {"name": "same"}],
    }
    second = builder(other)
    second.add("wf", "DAG", "Failed", outputs={"parameters": [{"name": "score", "value": "2"}]})
    second.add("wf.train", "Pod", "Failed", boundary="wf", outputs={"result": "2"})
    node = second.nodes["wf-1"]
    second.nodes["wf-1"] = replace(node, finished_at=node.started_at.replace(minute=2))
    later = second.build("Failed")
    return first.build("Succeeded"), replace(later, metadata={**later.metadata, "name": "wf"})


def test_all_that_differs_is_found(builder):
    found = difference(*two(builder))
    assert found.changes[:2] == (
        Change("parameter", "lr", "0.1", "0.2"),
        Change("parameter", "old", "1", None),
    )
    assert [
        (c.name, c.before.count('"image": "a"'), c.after.count('"image": "b"')) for c in found.of("template")
    ] == [("train", 1, 1)]
    assert found.changes[3:] == (
        Change("phase", "(workflow)", "Succeeded", "Failed"),
        Change("phase", "train", "Succeeded", "Failed"),
        Change("duration", "train", "3s", "2m0s"),
        Change("node", "gone", "Succeeded", None),
        Change("output", "score", "1", "2"),
        Change("output", "train.result", "1", "2"),
    )


def test_it_reads_as_a_table_and_the_lines_of_templates(builder):
    assert difference_text(difference(*two(builder))).splitlines() == [
        "WHAT       NAME          wf         wf",
        "parameter  lr            0.1        0.2",
        "parameter  old           1          -",
        "phase      (workflow)    Succeeded  Failed",
        "phase      train         Succeeded  Failed",
        "duration   train         3s         2m0s",
        "node       gone          Succeeded  -",
        "output     score         1          2",
        "output     train.result  1          2",
        "",
        "template train",
        '         "x"',
        "       ],",
        '  -    "image": "a"',
        '  +    "image": "b"',
        "     },",
        '     "name": "train"',
    ]


def test_runs_that_are_alike(builder):
    first, _ = two(builder)
    assert difference(first, first).changes == ()
    assert difference_text(difference(first, first)) == "wf and wf are alike\n"
