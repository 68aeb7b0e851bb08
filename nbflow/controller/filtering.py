"""`python -m nbflow.controller.filtering`: one jq filter, in a process that can be stopped.

Takes {"data": ..., "filter": ...} on standard input and prints {"value": ...} or {"problem": ..., "fix": ...}.
"""

from __future__ import annotations

import json
import resource
import sys

from nbflow.errors import NbflowError
from nbflow.templating.jqfilter import jq_filter

MEMORY = 1024 * 1024 * 1024


def main() -> None:
    """Read, evaluate, print."""
    order = json.load(sys.stdin)
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        answer = {"value": jq_filter(order["data"], order["filter"])}
    except NbflowError as error:
        answer = {"problem": error.problem, "fix": error.fix}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
