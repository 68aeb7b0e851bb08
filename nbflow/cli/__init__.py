"""The verbs as click commands."""
