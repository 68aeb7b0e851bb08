"""The controller's process: `python -m nbflow.controller`.

Started by clients, detached: it holds the home's lock, listens for the bell, and ends by itself when idle.
"""

from __future__ import annotations

import gc
import os
import sys

# What a shell had open (a lock, a pipe) is not ours to hold for as long as we live, nor for a pod to see.
os.closerange(3, os.sysconf("SC_OPEN_MAX"))
# Looking for plugins of pydantic among all packages that are installed costs as much as pydantic itself.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
gc.disable()  # until all is imported

from nbflow.controller.process import main  # noqa: E402 - see above

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
