"""The code of a TorchScript archive as syntax trees; parsed, never compiled and never run.

TorchScript prints a restricted Python, so `ast` reads it. A file that does not parse is shown as text only.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass, field
from typing import Any

from inspector.formats._torch_origin import Origin

LARGEST = 8 << 20
"""No larger file of code is parsed."""


@dataclass(eq=False, slots=True)
class Class:
    """A class of the archive.

    Attributes:
        fields: Names and types of its attributes in order (those of a NamedTuple are its elements).
        constants: Values of its `Final` attributes.
    """

    name: str
    bases: tuple[str, ...] = ()
    parameters: frozenset[str] = frozenset()
    buffers: frozenset[str] = frozenset()
    fields: dict[str, str] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    methods: dict[str, ast.FunctionDef] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Code:
    """Classes and functions by qualified name (`__torch__.torch.nn.functional.relu`), and where they come from."""

    classes: dict[str, Class] = field(default_factory=dict)
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    origins: dict[ast.FunctionDef, Origin] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def parse(texts: dict[str, str], records: dict[str, bytes]) -> Code:
    """All files of code by path within the archive's `code/` folder (`__torch__/torch/nn/functional.py`).

    Args:
        texts: The code.
        records: Debug records of the same files, where the archive has them.
    """
    code = Code()
    for path, text in texts.items():
        module = path.removesuffix(".py").replace("/", ".")
        tree = _parse(text)
        if tree is None:
            code.unread.append(path)
            continue
        origin = Origin(text, records[path]) if path in records else None
        for item in tree.body:
            if isinstance(item, ast.ClassDef):
                found = _class(f"{module}.{item.name}", item)
                code.classes[found.name] = found
                code.origins.update(dict.fromkeys(found.methods.values(), origin) if origin else {})
            elif isinstance(item, ast.FunctionDef):
                code.functions[f"{module}.{item.name}"] = item
                code.origins.update({item: origin} if origin else {})
    return code


def _parse(text: str) -> ast.Module | None:
    if len(text) > LARGEST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python would write otherwise
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _class(name: str, item: ast.ClassDef) -> Class:
    found = Class(name, tuple(dotted(base) for base in item.bases))
    for part in item.body:
        if isinstance(part, ast.FunctionDef):
            found.methods[part.name] = part
        elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            found.fields[part.target.id] = annotation(part.annotation)
            if part.value is not None:
                found.constants[part.target.id] = literal(part.value)
        elif isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name):
            _assigned(found, part.targets[0].id, literal(part.value))
        elif isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Subscript):
            key = literal(part.targets[0].slice)
            if isinstance(key, str):
                found.fields[key] = annotation(part.value)
    return found


def _assigned(found: Class, name: str, value: Any) -> None:
    names = frozenset(item for item in value if isinstance(item, str)) if isinstance(value, list) else frozenset()
    if name == "__parameters__":
        found.parameters = names
    elif name == "__buffers__":
        found.buffers = names


def literal(node: ast.expr) -> Any:
    """A constant expression's value; its source text where it is none."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return annotation(node)


def annotation(node: ast.expr | None) -> str:
    """A type as text."""
    if node is None:
        return ""
    try:
        return ast.unparse(node)[:500]
    except (RecursionError, ValueError):
        return ""


def dotted(node: ast.expr) -> str:
    """`a.b.c` as text; empty where it is anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    parts.append(node.id)
    return ".".join(reversed(parts))
