"""The module tree of the author's program, from what exporters leave of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from inspector.ir import Attribute, Module

FRAME = re.compile(r'File "([^"\n]{1,4096})", line (\d{1,9})')
KEPT = 50
"""A path of fewer scopes than this is worked out from that of its parent, which is remembered."""
FRAMEWORK = re.compile(r"^torch/|^<|(?:site|dist)-packages[/\\]torch[/\\]")


@lru_cache(maxsize=4096)
def author_line(trace: str) -> str:
    """The innermost line of a stack trace that is not the framework's own, as `file:line`, or nothing."""
    own = [found for found in FRAME.finditer(trace) if not FRAMEWORK.search(found[1])]
    return f"{own[-1][1]}:{own[-1][2]}" if own else ""


def child(parent: str, name: str) -> str:
    """Path of a child: exporters write either its own name (`conv1`) or its whole path (`layer1.0`)."""
    if not parent or name == parent or name.startswith(f"{parent}."):
        return name
    last = parent.rpartition(".")[2]
    if name.startswith(f"{last}."):
        return f"{parent}.{name[len(last) + 1 :]}"
    return f"{parent}.{name}"


def from_scopes(name: str) -> str:
    """Module path in a node name such as `/encoder/layer.0/attention/MatMul`; empty where it has none."""
    # TensorFlow joins the names of operations that it fused: `a/b;c/d`.
    return _joined(name.partition(";")[0].strip("/").rpartition("/")[0])


@lru_cache(maxsize=100_000)
def _joined(scopes: str) -> str:
    outer, _, scope = scopes.rpartition("/")
    if outer.count("/") < KEPT:
        path = _joined(outer) if outer else ""
        return child(path, _scope(path, scope)) if scope else path
    path = ""
    for scope in scopes.split("/"):
        path = child(path, _scope(path, scope)) if scope else path
    return path


def _scope(parent: str, scope: str) -> str:
    # In `/encoder/layer.0/layer.0.attention` a scope repeats the last two steps of its parent.
    if "." not in scope:
        return scope
    steps = parent.split(".")
    for size in (3, 2):
        tail = ".".join(steps[-size:])
        if len(steps) >= size and scope.startswith(f"{tail}."):
            return f"{parent}.{scope[len(tail) + 1 :]}"
    return scope


def tree(classes: Mapping[str, str]) -> tuple[Module, ...]:
    """Modules from classes by path, with the parents that are missing, parents before children.

    Classes are full names (`torch.nn.modules.linear.Linear`), of which the last part is shown.
    """
    known: dict[str, str] = {"": classes.get("", "")}
    children: dict[str, list[str]] = {}
    for path, kind in classes.items():
        if path not in known:
            parent = path.rpartition(".")[0]
            missing = [(path, parent)] if parent in known else reversed(_missing(path, known))
            for here, around in missing:
                known[here] = ""
                children.setdefault(around, []).append(here)
        if kind and not known[path]:
            known[path] = kind
    order, waiting = [], [""]
    while waiting:
        path = waiting.pop()
        order.append(path)
        if path in children:
            waiting += reversed(children[path])
    none: dict[str, Attribute] = {}
    return tuple([_module(path, known[path], none) for path in order]) if len(order) > 1 or known[""] else ()


def _missing(path: str, known: Mapping[str, str]) -> list[tuple[str, str]]:
    """The path and those above it that are not known, each with its parent, innermost first."""
    found = []
    while path not in known:
        parent = path.rpartition(".")[0]
        found.append((path, parent))
        path = parent
    return found


def _module(path: str, kind: str, none: dict[str, Attribute]) -> Module:
    return Module(path, kind.rpartition(".")[2], {"class": kind}) if "." in kind else Module(path, kind, none)
