"""JSON that may be large: a workflow of 5,000 nodes has 100,000 parts."""

from __future__ import annotations

import gc
import json


def decoded(data: bytes | str) -> object:
    """The data. Raises ValueError.

    Garbage is not collected meanwhile: that would go through all objects of the program dozens of times, in a kernel
    for longer than the decoding takes, and what is decoded has no garbage.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return json.loads(data)
    finally:
        if collecting:
            gc.enable()
