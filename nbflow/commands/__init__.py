"""The public verbs as functions: submit, get, list, watch, logs, stop, lint, graph."""
