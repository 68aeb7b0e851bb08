"""Where the bytes of artifacts live, and how they are packed."""
