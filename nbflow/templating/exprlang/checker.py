"""Stub."""
from __future__ import annotations
from collections.abc import Mapping
from nbflow.templating.exprlang import syntax as tree
from nbflow.templating.exprlang.source import error_at
from nbflow.templating.golang.values import go_type
Shape = str

def shape_of(value: object) -> Shape:
    return go_type(value)

def check(root: tree.Node, source: str, shapes: Mapping[str, Shape]) -> None:
    local = {n.name for n in tree.walk(root) if isinstance(n, tree.Let)}
    for n in tree.walk(root):
        if isinstance(n, tree.Identifier) and n.name not in shapes and n.name not in local and n.name != "$env":
            raise error_at(source, n.at, f"unknown name {n.name}")
