"""The flags that a cell has beside those of `submit`: they name Python values."""

from __future__ import annotations

CELL_FLAGS = (
    ("--params", "a dict of parameters, by the name of its Python variable"),
    ("--artifact", "NAME=VARIABLE: a DataFrame, bytes, text or path as an input artifact"),
    ("--no-raise", "a failed workflow does not fail its cell"),
)
