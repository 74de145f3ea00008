"""Folding a graph by module path, placing its boxes in layers, routing its edges."""
