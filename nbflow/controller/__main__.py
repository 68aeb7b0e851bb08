"""The controller's process: `python -m nbflow.controller`.

Started by clients, detached: it holds the home's lock, listens for the bell, and ends by itself when idle.
"""

from __future__ import annotations

import sys

from nbflow.controller.process import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
