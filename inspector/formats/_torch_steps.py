"""How each kind of statement and expression of TorchScript is followed; two tables, by kind of syntax."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from inspector.formats._torch_branches import follow_for, follow_if, follow_while
from inspector.formats._torch_build import Sym
from inspector.formats._torch_code import annotation, dotted
from inspector.formats._torch_fold import truth
from inspector.formats._torch_origin import OWN
from inspector.formats._torch_tree import Instance, Opaque
from inspector.formats._torch_values import Function, Method, RaisesError, Record, UnreadableError

if TYPE_CHECKING:
    from inspector.formats._torch_graph import Interpreter


def _return(run: Interpreter, node: ast.Return) -> None:
    run.frame.value = run.expression(node.value) if node.value else None
    run.frame.returned = True


def _assign(run: Interpreter, node: ast.Assign) -> None:
    value = run.expression(node.value)
    for target in node.targets:
        run.assign(target, value)


def _annotated(run: Interpreter, node: ast.AnnAssign) -> None:
    if node.value is not None:
        run.assign(node.target, run.expression(node.value))


def _raise(run: Interpreter, node: ast.Raise) -> None:
    raise RaisesError


def _name(run: Interpreter, node: ast.Name) -> Any:
    if node.id in run.frame.env:
        return run.latest(run.frame.env[node.id])
    if node.id in ("inf", "nan"):
        return float(node.id)
    return Function(node.id)


def _attribute(run: Interpreter, node: ast.Attribute) -> Any:
    path = dotted(node)
    head = path.partition(".")[0]
    if head in ("torch", "ops", "__torch__") and head not in run.frame.env:
        return Function(path)
    if head == "CONSTANTS":
        return _constant(run, node.attr)
    return member(run, run.expression(node.value), node.attr)


def _constant(run: Interpreter, name: str) -> Any:
    at = int(name[1:]) if name[1:].isdecimal() and len(name) < 9 else -1
    if not 0 <= at < len(run.constants):
        raise UnreadableError(f"the constant {name[:20]} is not in the file")
    return run.known(run.constants[at])


def member(run: Interpreter, owner: Any, name: str) -> Any:
    """An attribute of a module, of a NamedTuple or of an object that we do not look into."""
    if isinstance(owner, Record) and name in owner.names:
        return owner[owner.names.index(name)]
    if isinstance(owner, Instance):
        if (owner, name) in run.fields:
            return run.fields[owner, name]
        if name in owner.values:
            return run.known(owner.values[name])
        found = run.code.classes.get(owner.type)
        if found and name in found.constants:
            return found.constants[name]
        return Method(owner, name)
    if isinstance(owner, Sym):
        return run.emit(f"prim::{name}", [owner], {})
    return Opaque(f"{owner.text if isinstance(owner, Opaque) else ''}.{name}"[:200])


def _call(run: Interpreter, node: ast.Call) -> Any:
    special = _SPECIAL.get(node.func.id) if isinstance(node.func, ast.Name) else None
    if special is not None and cast("ast.Name", node.func).id not in run.frame.env:
        return special(run, node.args)
    function = run.expression(node.func)
    args = [run.expression(arg) for arg in node.args]
    named = {word.arg: run.expression(word.value) for word in node.keywords if word.arg}
    run.builder.source = _written(run, node)
    if isinstance(function, Method):
        return run.method(function.owner, function.name, args, named)
    if isinstance(function, Instance):
        return run.method(function, "forward", args, named)
    if isinstance(function, Function):
        return _call_name(run, function.name, args, named)
    raise UnreadableError("something is called that is no function")


def _written(run: Interpreter, node: ast.Call) -> str:
    """Where the author wrote a call; inside torch's own functions, where they were called from."""
    origin, called = run.frame.origin, run.frame.called
    found = origin.at(node.lineno, node.col_offset) if origin else ""
    return called if called and (not found or OWN.search(found)) else found


def _call_name(run: Interpreter, name: str, args: list[Any], named: dict[str, Any]) -> Any:
    if name == FAST:
        return False
    if name in run.code.functions:
        return run.call(run.code.functions[name], args, named, run.frame.module)
    if name in run.code.classes:
        return _construct(run, name, args)
    if name.startswith("ops."):
        space, _, op = name.removeprefix("ops.").partition(".")
        return run.operator(f"{space}::{op}", args, named)
    if name.startswith("torch."):
        return run.operator(f"aten::{name.removeprefix('torch.')}", args, named)
    return run.operator(f"prim::{name.removeprefix('__torch__.')}", args, named)


def _construct(run: Interpreter, name: str, args: list[Any]) -> Any:
    found = run.code.classes[name]
    if any(base.endswith("NamedTuple") for base in found.bases):
        made = Record(args)
        made.names = tuple(found.fields)
        return made
    made_object = Instance("", name, dict(found.constants))
    if "__init__" in found.methods:
        run.method(made_object, "__init__", args, {})
    return made_object


def _subscript(run: Interpreter, node: ast.Subscript) -> Any:
    owner, at = run.expression(node.value), run.expression(node.slice)
    return run.operator("aten::__getitem__", [owner, at], {})


def _dict(run: Interpreter, node: ast.Dict) -> Any:
    keys = [run.expression(key) for key in node.keys if key is not None]
    if len(keys) != len(node.values) or not all(isinstance(key, str | int | float | bool) for key in keys):
        raise UnreadableError("a dictionary has keys that are not known before the model runs")
    return dict(zip(keys, map(run.expression, node.values), strict=True))


def _unary(run: Interpreter, node: ast.UnaryOp) -> Any:
    value = run.expression(node.operand)
    return run.operator("aten::__not__" if isinstance(node.op, ast.Not) else "aten::neg", [value], {})


def _binary(run: Interpreter, node: ast.BinOp) -> Any:
    op = _BINARY.get(type(node.op))
    if op is None:
        raise UnreadableError(f"line {node.lineno} is not followed")
    return run.operator(op, [run.expression(node.left), run.expression(node.right)], {})


def _compare(run: Interpreter, node: ast.Compare) -> Any:
    op = _COMPARE.get(type(node.ops[0]))
    if op is None or len(node.ops) != 1:
        raise UnreadableError(f"line {node.lineno} is not followed")
    return run.operator(op, [run.expression(node.left), run.expression(node.comparators[0])], {})


def _bool(run: Interpreter, node: ast.BoolOp) -> Any:
    op = "aten::__and__" if isinstance(node.op, ast.And) else "aten::__or__"
    result = run.expression(node.values[0])
    for part in node.values[1:]:
        result = run.operator(op, [result, run.expression(part)], {})
    return result


def _choice(run: Interpreter, node: ast.IfExp) -> Any:
    known = truth(run.expression(node.test))
    if known is None:
        raise UnreadableError(f"line {node.lineno} is not followed")
    return run.expression(node.body if known else node.orelse)


def _getattr(run: Interpreter, args: list[ast.expr]) -> Any:
    owner, name = (run.expression(arg) for arg in args[:2])
    return member(run, owner, str(name))


def _second(run: Interpreter, args: list[ast.expr]) -> Any:
    return run.expression(args[1])  # annotate(T, x), unchecked_cast(T, x)


def _builtin(op: str) -> Callable[[Interpreter, list[ast.expr]], Any]:
    return lambda run, args: run.operator(op, [run.expression(arg) for arg in args], {})


_SPECIAL: dict[str, Callable[[Interpreter, list[ast.expr]], Any]] = {
    "getattr": _getattr,
    "annotate": _second,
    "unchecked_cast": _second,
    "uninitialized": lambda run, args: Opaque("uninitialized"),
    "isinstance": lambda run, args: Opaque(f"isinstance {annotation(args[-1])}"),
    "int": _builtin("aten::Int"),
    "float": _builtin("aten::Float"),
    "bool": _builtin("aten::Bool"),
    "str": _builtin("aten::format"),
    "len": _builtin("aten::len"),
    "print": lambda run, args: None,
}
_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "aten::add", ast.Sub: "aten::sub", ast.Mult: "aten::mul", ast.Div: "aten::div", ast.Mod: "aten::remainder",
    ast.FloorDiv: "aten::floordiv", ast.Pow: "aten::pow", ast.MatMult: "aten::matmul", ast.BitAnd: "aten::__and__",
    ast.BitOr: "aten::__or__",
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "aten::eq", ast.NotEq: "aten::ne", ast.Lt: "aten::lt", ast.LtE: "aten::le", ast.Gt: "aten::gt",
    ast.GtE: "aten::ge", ast.Is: "aten::__is__", ast.IsNot: "aten::__isnot__",
}  # fmt: skip
FAST = "__torch__.torch.backends.mha.get_fastpath_enabled"
"""Torch may run a whole transformer layer as one operator; we show the layers that the author wrote."""
EXPRESSIONS: dict[type[ast.expr], Callable[[Interpreter, Any], Any]] = {
    ast.Constant: lambda run, node: node.value,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.Subscript: _subscript,
    ast.Tuple: lambda run, node: tuple(map(run.expression, node.elts)),
    ast.List: lambda run, node: list(map(run.expression, node.elts)),
    ast.Dict: _dict,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.Compare: _compare,
    ast.BoolOp: _bool,
    ast.IfExp: _choice,
    ast.JoinedStr: lambda run, node: Opaque("text"),
}
STATEMENTS: dict[type[ast.stmt], Callable[[Interpreter, Any], None]] = {
    ast.Return: _return,
    ast.Assign: _assign,
    ast.Expr: lambda run, node: run.expression(node.value) and None,
    ast.Pass: lambda run, node: None,
    ast.Assert: lambda run, node: None,
    ast.Delete: lambda run, node: None,
    ast.AnnAssign: _annotated,
    ast.If: follow_if,
    ast.For: follow_for,
    ast.While: follow_while,
    ast.With: lambda run, node: run.block(node.body),
    ast.Raise: _raise,
}
