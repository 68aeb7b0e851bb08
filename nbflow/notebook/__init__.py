"""The magics, the live view and the results of a run."""
