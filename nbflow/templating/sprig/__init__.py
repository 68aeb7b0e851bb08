"""sprig: the functions under `sprig.` in expressions, by name."""

from __future__ import annotations

from typing import Final

from nbflow.templating.exprlang.methods import register
from nbflow.templating.sprig import chance, collections, dates, encodings, numbers, texts, versions

register(versions.Version, versions.METHODS)

FUNCTIONS: Final[dict[str, object]] = {
    **texts.FUNCTIONS,
    **numbers.FUNCTIONS,
    **collections.FUNCTIONS,
    **dates.FUNCTIONS,
    **encodings.FUNCTIONS,
    **chance.FUNCTIONS,
    **versions.FUNCTIONS,
}
