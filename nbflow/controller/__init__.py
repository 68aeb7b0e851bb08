"""The background process that joins engine, runtimes and store."""
