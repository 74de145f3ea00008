"""The model as plain frozen data; knows no file format and no framework."""

from inspector.ir.model import (
    BITS,
    Attribute,
    Dim,
    Graph,
    Model,
    Module,
    Node,
    Note,
    Place,
    Role,
    Shape,
    Signature,
    Tensor,
    Value,
)

__all__ = [
    "BITS",
    "Attribute",
    "Dim",
    "Graph",
    "Model",
    "Module",
    "Node",
    "Note",
    "Place",
    "Role",
    "Shape",
    "Signature",
    "Tensor",
    "Value",
]
