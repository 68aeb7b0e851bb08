"""Where things are in the live view: by what a person or a screen reader calls them."""

from __future__ import annotations

import re

DRAWN = "async (image) => { await image.decode(); return image.naturalWidth; }"
TRUTH = """async ([what, wanted]) => {
  const look = () => JSON.stringify(new Function('return ' + what)());
  for (let i = 0; i < 1200 && look() !== JSON.stringify(wanted); i++) await new Promise((r) => setTimeout(r, 50));
  return new Function('return ' + what)();
}"""


def view(page):
    return page.locator(".nbflow-view.nbflow-live")


def badge(page):
    return view(page).locator(".nbflow-badge")


def shape(page, name: str):
    """The shape of a node in the graph."""
    return (
        view(page)
        .locator(".nbflow-canvas [data-node]")
        .and_(page.get_by_role("button", name=re.compile(rf"^{re.escape(name)}, ")))
    )


def row(page, name: str):
    return view(page).get_by_role("treeitem", name=re.compile(rf"^{re.escape(name)}, "))


def rows(page):
    return view(page).get_by_role("treeitem")


def button(page, name: str):
    return view(page).get_by_role("button", name=name, exact=True)


def tab(page, name: str):
    return view(page).get_by_role("tab", name=name)


def lines(page):
    return view(page).locator(".nbflow-line")


def said(page):
    return view(page).locator(".nbflow-said span")


def becomes(page, expression: str, wanted) -> None:
    """Wait until an expression has this value in the page."""
    found = page.evaluate(TRUTH, [expression, wanted])
    assert found == wanted
