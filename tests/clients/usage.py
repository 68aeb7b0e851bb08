"""How much of a core it takes to follow a workflow."""

from __future__ import annotations

import json
import subprocess
import sys
import time

_FOLLOW = """
import json, resource, sys, time
from nbflow.clients.argo import ArgoClient
changed, start = 0, None
for update in ArgoClient().watch("w"):
    changed += len(update.nodes)
    if start is None:
        start = resource.getrusage(resource.RUSAGE_SELF)
        began = time.monotonic()
        print("ready", flush=True)
end = resource.getrusage(resource.RUSAGE_SELF)
used = end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime
print(json.dumps([used, time.monotonic() - began, changed]))
"""


def follow_in_a_process(change, finish, count):
    """(seconds of processor, seconds, nodes that changed) while `change` is called once a second, then `finish`."""
    process = subprocess.Popen([sys.executable, "-c", _FOLLOW], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    for number in range(count):
        time.sleep(1.0)
        change(number)
    time.sleep(1.0)
    finish()
    used, elapsed, changed = json.loads(process.communicate(timeout=60)[0])
    return used, elapsed, changed
