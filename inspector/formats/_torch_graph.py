"""A graph from TorchScript's source: an interpreter that knows modules and numbers, and writes down the rest.

Calls of sub-modules and functions are followed, so that the nodes are torch's own operators, each with the path of the
module that it belongs to. What is known before the model runs (attributes such as `training`, lists of paddings) is
worked out; conditions on it choose their branch. A branch that can only raise is a check and is left out. Conditions
and loops that depend on tensors become one node with the graphs of their branches.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from inspector.formats._torch_build import Builder, Sym, TooLargeError, type_of
from inspector.formats._torch_code import Code
from inspector.formats._torch_fold import UnknownError, fold
from inspector.formats._torch_kernels import packs, unpacked
from inspector.formats._torch_steps import EXPRESSIONS, STATEMENTS
from inspector.formats._torch_tree import Instance, Opaque, TensorRef
from inspector.formats._torch_values import Fields, Frame, RaisesError, Record, UnreadableError

STEPS = 1_000_000
DEPTH = 40

_SAME = frozenset({"prim::NumToTensor", "prim::unchecked_cast", "aten::alias", "aten::lift_fresh", "aten::detach_"})
_SILENT = frozenset({"aten::warn", "prim::Print", "prim::warn", "aten::manual_seed", "aten::set_grad_enabled"})


@dataclass(eq=False, slots=True)
class Interpreter:
    """Follows a program; `builder` has what it wrote down."""

    code: Code
    constants: list[Any]
    builder: Builder
    stored: dict[str, Sym] = field(default_factory=dict)
    instead: dict[Sym, Sym] = field(default_factory=dict)
    fields: Fields = field(default_factory=dict)
    steps: int = 0
    depth: int = 0
    frame: Frame = field(default_factory=lambda: Frame({}, ""))

    # Calls ------------------------------------------------------------------------------------------------------------

    def call(self, function: ast.FunctionDef, args: list[Any], named: dict[str, Any], module: str) -> Any:
        """Follow a function of the archive and give what it returns."""
        self.depth += 1
        if self.depth > DEPTH:
            raise UnreadableError("calls are nested too deeply")
        env = dict(zip((arg.arg for arg in function.args.args), args, strict=False))
        env.update(named)
        for name, default in defaults(function).items():
            if name not in env:
                env[name] = self.expression(default)
        before, self.frame = self.frame, Frame(env, module, self.code.origins.get(function), self.builder.source)
        try:
            self.block(function.body)
            return self.frame.value
        finally:
            self.frame = before
            self.depth -= 1

    def method(self, owner: Instance, name: str, args: list[Any], named: dict[str, Any]) -> Any:
        """Follow a method of a module."""
        found = self.code.classes.get(owner.type)
        function = found.methods.get(name) if found else None
        if function is None:
            return self.emit(f"call::{name}", args, named)
        return self.call(function, [owner, *args], named, owner.path)

    def emit(self, op: str, args: list[Any], named: dict[str, Any]) -> Any:
        """Write an operator down; one that works in place stands for its input from here on."""
        args, settings = unpacked(op, [self.latest(arg) for arg in args], self.reference)
        named = {**settings, **named}
        result = self.builder.emit(op, args, {k: self.latest(v) for k, v in named.items()}, self.frame.module)
        if op.endswith("_") and not op.endswith("__") and args and isinstance(args[0], Sym):
            self.instead[args[0]] = result
        return result

    def latest(self, value: Any) -> Any:
        """The value itself, or what an operator in place made of it."""
        if isinstance(value, Sym):
            while value in self.instead:
                value = self.instead[value]
            return value
        if isinstance(value, list):  # it stays the same list: others may append to it
            value[:] = [self.latest(part) for part in value]
        elif isinstance(value, tuple) and not isinstance(value, Record):
            return tuple(self.latest(part) for part in value)
        return value

    # Statements -------------------------------------------------------------------------------------------------------

    def block(self, body: list[ast.stmt]) -> None:
        """Follow statements until one returns."""
        for statement in body:
            self.steps += 1
            if self.steps > STEPS:
                raise TooLargeError
            if self.frame.returned:
                return
            action = STATEMENTS.get(type(statement))
            if action is None:
                raise UnreadableError(f"line {statement.lineno} is not followed")
            action(self, statement)

    def assign(self, target: ast.expr, value: Any) -> None:
        """Bind a name, several names, an attribute or an item."""
        if isinstance(target, ast.Name):
            self.frame.env[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            for part, item in zip(target.elts, self.parts(value, len(target.elts)), strict=True):
                self.assign(part, item)
        elif isinstance(target, ast.Attribute):
            owner = self.expression(target.value)
            if isinstance(owner, Instance):
                self.fields[owner, target.attr] = value
        elif isinstance(target, ast.Subscript):
            self.operator("aten::_set_item", [self.expression(target.value), self.expression(target.slice), value], {})

    def parts(self, value: Any, count: int) -> list[Any]:
        """A value taken apart."""
        if isinstance(value, list | tuple) and len(value) == count:
            return list(value)
        if isinstance(value, Sym):
            return list(self.builder.unpack(self.latest(value), count, self.frame.module))
        raise UnreadableError(f"a value has not the {count} parts that the code takes")

    # Expressions ------------------------------------------------------------------------------------------------------

    def expression(self, node: ast.expr) -> Any:
        """The value of an expression."""
        self.steps += 1
        if self.steps > STEPS:
            raise TooLargeError
        action = EXPRESSIONS.get(type(node))
        if action is None:
            raise UnreadableError(f"line {node.lineno} is not followed")
        return action(self, node)

    def operator(self, op: str, args: list[Any], named: dict[str, Any]) -> Any:
        """An operator: worked out where everything is known, written down otherwise."""
        space, _, name = op.partition("::")
        if name == "RaiseException":
            raise RaisesError
        if op in _SILENT:
            return None
        if op in _SAME and args:
            return args[0]
        if name in ("device", "dtype", "layout"):
            return type_of(self.latest(args[0])) if name == "dtype" and args else Opaque(name)
        if name in ("Int", "Float", "ScalarImplicit", "IntImplicit") and isinstance(args[0], Sym) and args[0].scalar:
            return args[0]
        if name.endswith(("_prepack", "_prepack_fp16")):
            found = packs(name, args)
            if found is not None:
                return found
        if space in ("aten", "prim") and not named:
            try:
                return fold(name, args)
            except UnknownError:
                pass
        return self.emit(op, args, named)

    def reference(self, tensor: TensorRef) -> Sym:
        """A stored tensor as a value."""
        return self.stored.setdefault(tensor.name, Sym(tensor.name, stored=True, dtype=tensor.tensor.dtype))

    def known(self, value: Any) -> Any:
        """An attribute of a module as a value of the program."""
        if isinstance(value, TensorRef):
            return self.reference(value)
        if isinstance(value, list | tuple):
            return type(value)(self.known(part) for part in value)
        return value


def defaults(function: ast.FunctionDef) -> dict[str, ast.expr]:
    """Arguments that have a default."""
    positional = function.args.args
    count = len(function.args.defaults)
    found = {
        arg.arg: default
        for arg, default in zip(positional[len(positional) - count :], function.args.defaults, strict=True)
    }
    for arg, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        if default is not None:
            found[arg.arg] = default
    return found
