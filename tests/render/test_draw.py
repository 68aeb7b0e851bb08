"""Both programs draw the same graph; neither opens a file; what goes wrong is said in a sentence."""

import re
import shutil
import sys
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from nbflow import render
from nbflow.errors import NbflowError
from nbflow.render import draw
from nbflow.render.safety import SVG

DIAMOND = """digraph "diamond" {
  node [shape=box, style="rounded,filled", fillcolor="#eeeeff", fontname="Helvetica"];
  a [id="node-a", class="pod succeeded", label="A"];
  subgraph cluster_loop { label="loop"; b [label="B(0:é)"]; c [label=<<b>C</b>>]; }
  d [label="D \\"quoted\\" <tag> & more"];
  a -> b; a -> c; b -> d; c -> d;
}
"""


@pytest.fixture(params=draw.PROGRAMS)
def program(request, monkeypatch):
    """Only this program is known."""
    monkeypatch.setattr(draw, "PROGRAMS", (request.param,))
    if not draw.available():
        pytest.skip(f"{request.param} is not installed")
    return request.param


@pytest.fixture
def programs_in(tmp_path, monkeypatch):
    """Only programs from this folder are found."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(draw.sysconfig, "get_path", lambda _: str(tmp_path / "none"))
    return tmp_path


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def names(svg: str, kind: str) -> list[str]:
    groups = [g for g in ET.fromstring(svg).iter(f"{{{SVG}}}g") if kind in g.get("class", "").split()]
    return sorted(g.find(f"{{{SVG}}}title").text for g in groups)


def test_both_programs_draw_the_same_graph(program):
    svg = render.svg(DIAMOND)
    assert svg.startswith("<svg ")
    assert svg.endswith("</svg>")
    assert names(svg, "node") == ["a", "b", "c", "d"]
    assert names(svg, "edge") == ["a->b", "a->c", "b->d", "c->d"]
    assert names(svg, "cluster") == ["cluster_loop"]
    texts = [text.text for text in ET.fromstring(svg).iter(f"{{{SVG}}}text")]
    assert sorted(texts) == ["A", "B(0:é)", "C", 'D "quoted" <tag> & more', "loop"]
    assert re.search(r'<g id="node(-|&#45;)a" class="node pod succeeded">', svg)


def test_both_programs_draw_png(program):
    assert render.png(DIAMOND)[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_thousand_nodes_are_drawn(program):
    edges = "".join(f"n{i // 30} -> n{i};" for i in range(1, 1000))
    assert len(names(render.svg(f"digraph {{ {edges} }}"), "node")) == 1000


def test_no_program_opens_a_file(program, tmp_path):
    picture = tmp_path / "x.svg"
    picture.write_text(f'<svg xmlns="{SVG}" width="9" height="9"/>')
    assert str(picture) not in render.svg(f'digraph {{ a [image="{picture}"]; b [shapefile="{picture}"] }}')


def test_the_switch_that_allows_files_is_not_handed_on(monkeypatch):
    monkeypatch.setenv("GV_FILE_PATH", "/")
    assert draw._environment()["SERVER_NAME"] == "nbflow"
    assert "GV_FILE_PATH" not in draw._environment()


def test_broken_dot_is_refused_by_name(program):
    with pytest.raises(NbflowError) as refused:
        render.svg("digraph { a -> ")
    assert refused.value.problem == f"{program} could not draw the graph: <stdin>: syntax error in line 1"


def test_dot_comes_before_the_fallback():
    if not shutil.which("dot"):
        pytest.skip("dot is not installed")
    assert render.available() == shutil.which("dot")


def test_the_fallback_beside_python_draws_without_dot(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    beside = Path(sys.executable).parent / "graphviz-pure"
    if not beside.exists():
        pytest.skip("graphviz-pure is not installed")
    assert Path(render.available()).samefile(beside)
    assert names(render.svg("digraph { a -> b }"), "node") == ["a", "b"]


def test_a_broken_dot_leaves_it_to_the_fallback(programs_in):
    script(programs_in / "dot", "echo 'Error: no layout engine' >&2; exit 1")
    script(programs_in / "graphviz-pure", f"echo '<svg xmlns=\"{SVG}\"></svg>'")
    assert render.svg("graph {}") == f'<svg xmlns="{SVG}"></svg>'


def test_nothing_that_draws_says_what_to_install(programs_in):
    assert render.available() == ""
    with pytest.raises(NbflowError) as refused:
        render.svg("graph {}")
    assert str(refused.value) == (
        "no program that draws graphs was found\n"
        "  fix: install graphviz (Debian: apt-get install graphviz), or pip install graphviz-pure"
    )


def test_a_program_that_does_not_start_is_named(programs_in):
    (programs_in / "dot").write_bytes(b"\x7fELF broken")
    (programs_in / "dot").chmod(0o755)
    with pytest.raises(NbflowError, match=r"^dot does not start: .*Exec format error"):
        render.svg("graph {}")


def test_a_layout_without_end_is_ended(programs_in):
    script(programs_in / "dot", "exec /bin/sleep 60")
    with pytest.raises(NbflowError) as refused:
        render.svg("graph {}", timeout=timedelta(seconds=0.2))
    assert refused.value.problem == "dot needed more than 0.2 s to lay out the graph"
    assert refused.value.fix == "look at a part of the workflow, or at its tree with `nbflow get`"
