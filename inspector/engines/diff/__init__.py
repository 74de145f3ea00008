"""Nodes of two models paired, and what changed between them."""
