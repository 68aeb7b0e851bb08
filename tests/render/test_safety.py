"""What an SVG may hold, and what is taken out of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbflow import render
from nbflow.errors import NbflowError
from nbflow.render.safety import SVG, XLINK, safe_svg

OPEN = f'<svg xmlns="{SVG}" xmlns:xlink="{XLINK}">'


@pytest.mark.parametrize(
    "inside",
    [
        '<g id="a" class="node"><title>a</title><text fill="#123456">&lt;script&gt; onload=1</text></g>',
        '<a xlink:href="#node1" xlink:title="x"><path d="M0,0"/></a>',
        '<a xlink:href="https://argoproj.github.io"><path d="M0,0"/></a>',
        '<defs><linearGradient id="l"/></defs><rect fill="url(#l)" style="stop-color:red;"/>',
        '<text>url(http://x) is text</text><text transform="rotate(90)">é</text>',
    ],
)
def test_shapes_and_text_stay_byte_for_byte(inside):
    assert (
        safe_svg(f'<?xml version="1.0"?>\n<!DOCTYPE svg>\n{OPEN}{inside}</svg>\n') == f"{OPEN}{inside}</svg>"
    )


@pytest.mark.parametrize(
    ("inside", "left"),
    [
        ("<script>alert(1)</script><g />", "<g />"),
        ('<g><foreignObject><p xmlns="http://www.w3.org/1999/xhtml" /></foreignObject></g>', "<g />"),
        ('<image href="file:///etc/passwd" />', ""),
        ('<style>@import "http://evil"</style>', ""),
        ('<g onload="alert(1)" ONCLICK="x" id="a" />', '<g id="a" />'),
        ('<a href="javascript:alert(1)" />', "<a />"),
        ('<a xlink:href=" JavaScript:alert(1)" />', "<a />"),
        ('<a href="data:text/html,x" />', "<a />"),
        ('<rect fill="url(http://evil)" />', "<rect />"),
        ('<rect style="fill: URL( http://evil)" />', "<rect />"),
    ],
)
def test_scripts_and_fetches_are_taken_out(inside, left):
    expected = f'<svg xmlns="{SVG}">{left}</svg>' if left else f'<svg xmlns="{SVG}" />'
    assert safe_svg(f"{OPEN}{inside}</svg>") == expected


@pytest.mark.parametrize("drawn", ["", "no svg", "<svg", '<svg><text font-family="a<b"/></svg>'])
def test_what_is_no_svg_is_refused(drawn):
    with pytest.raises(NbflowError, match=r"^the drawing is not well-formed SVG: "):
        safe_svg(drawn)


def test_entities_cannot_be_declared():
    with pytest.raises(NbflowError, match="undefined entity"):
        safe_svg('<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg><text>&x;</text></svg>')


def test_a_font_that_smuggles_in_a_handler_is_cleaned():
    if not render.available():
        pytest.skip("nothing here draws graphs")
    drawn = render.svg('digraph { stylesheet="http://evil/x.css"; a [fontname="x\\" onload=\\"alert(1)"] }')
    assert "onload" not in drawn
    assert "evil" not in drawn


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=30))
def test_any_text_survives(text):
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    drawn = f"{OPEN}<text>{escaped}</text></svg>"
    assert safe_svg(drawn) == drawn
