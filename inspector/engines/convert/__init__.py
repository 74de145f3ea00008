"""The conversion graph: formats are its nodes, converters its edges, and a planner finds the chain.

`edges()` is asked of `inspector.engines.convert.edge`: here its name would be that of the folder of edges, and the one
imported last would win.
"""

from inspector.engines.convert.edge import Edge, Options, Step
from inspector.engines.convert.plan import NoRoute, Route, plan, reachable

__all__ = ["Edge", "NoRoute", "Options", "Route", "Step", "plan", "reachable"]
