"""One SQLite file that holds all that a home knows."""
