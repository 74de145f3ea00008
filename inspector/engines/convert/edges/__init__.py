"""ONE FILE AN EDGE: a module here with a constant `EDGE = Edge(...)` is a converter; no list is edited.

The module is named `<source>_to_<target>`. Frameworks are imported inside functions that only a worker calls.
"""
