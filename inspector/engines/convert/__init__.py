"""The conversion graph: formats are its nodes, converters its edges, and a planner finds the chain."""

from inspector.engines.convert.edge import Edge, Options, Step, edges
from inspector.engines.convert.plan import NoRoute, Route, plan, reachable

__all__ = ["Edge", "NoRoute", "Options", "Route", "Step", "edges", "plan", "reachable"]
