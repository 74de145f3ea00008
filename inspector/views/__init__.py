"""Widgets: each takes one view-model, emits intentions, decides nothing."""
