"""The same engine in a terminal."""
