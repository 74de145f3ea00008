"""Composition root: main, window, commands, preferences."""
