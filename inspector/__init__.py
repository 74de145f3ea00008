"""Inspector: open a neural-network file, see what it is, convert it, prove it, measure it."""

__version__ = "0.1.0"
