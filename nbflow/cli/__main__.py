"""`python -m nbflow.cli`."""

from nbflow.cli import main

main()
