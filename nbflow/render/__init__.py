"""Draw DOT: the SVG and PNG of a graph, by the machine's `dot` or by the fallback that pip installs."""

from nbflow.render.draw import available, png, svg

__all__ = ["available", "png", "svg"]
