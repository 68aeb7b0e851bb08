"""The language of `when`: text to tokens, a plan of stages, a value."""
