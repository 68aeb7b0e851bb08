"""DOT to SVG and PNG."""
