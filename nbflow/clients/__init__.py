"""The one API of notebook, command line and Python: submit, watch, logs, ask."""
