"""`python -I -S __main__.py`: supervise one pod, which descriptor 4 describes as JSON (plan.py)."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from nbflow.supervisor.pod import main

main()
