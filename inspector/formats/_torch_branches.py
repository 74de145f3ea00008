"""Conditions and loops of TorchScript: chosen or unrolled where they are known, else one node with graphs inside."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from inspector.formats._torch_build import Body, Draft, Sym
from inspector.formats._torch_fold import truth
from inspector.formats._torch_tree import Instance
from inspector.formats._torch_values import Function, Method, Outcome, RaisesError, UnreadableError

if TYPE_CHECKING:
    from inspector.formats._torch_graph import Interpreter

UNROLL = 64
"""Loops of no more rounds than this are written out."""

MUTATORS = frozenset({"append", "_set_item", "extend", "insert", "pop"})


def follow_if(run: Interpreter, node: ast.If) -> None:
    """Take the branch that is known; else both, as one node."""
    condition = run.expression(node.test)
    known = truth(condition)
    if known is not None:
        run.block(node.body if known else node.orelse)
        return
    name = run.builder.unique("if")
    branches = [_branch(run, body, f"{name}/{word}") for body, word in ((node.body, "then"), (node.orelse, "else"))]
    alive = [branch for branch in branches if not branch.raised]
    if not alive:
        raise RaisesError
    if len(alive) == 1:  # the other one can only raise: this is a check
        run.builder.body.drafts.extend(alive[0].body.drafts)
        run.frame.env, run.instead, run.fields = alive[0].env, alive[0].instead, alive[0].fields
        run.frame.returned, run.frame.value = alive[0].returned, alive[0].value
        return
    _merge(run, condition, name, branches[0], branches[1])


def _branch(run: Interpreter, body: list[ast.stmt], name: str) -> Outcome:
    """Follow a branch apart; lists are copied, so that what it does to them stays its own."""
    env, instead, fields, outer = run.frame.env, run.instead, run.fields, run.builder.body
    run.frame.env = {key: list(value) if isinstance(value, list) else value for key, value in env.items()}
    run.instead, run.fields = dict(instead), dict(fields)
    run.builder.body = inner = Body(name)
    raised = False
    try:
        run.block(body)
    except RaisesError:
        raised = True
    finally:
        frame = run.frame
        found = Outcome(inner, frame.env, run.instead, run.fields, raised, frame.returned, frame.value)
        run.frame.env, run.instead, run.fields, run.builder.body = env, instead, fields, outer
        run.frame.returned, run.frame.value = False, None
    return found


def _merge(run: Interpreter, condition: Any, name: str, yes: Outcome, no: Outcome) -> None:
    """One node whose outputs are what the branches leave different."""
    draft = Draft(name, "prim::If", [], [], {}, run.frame.module, bodies=[yes.body, no.body])
    if isinstance(condition, Sym):
        draft.inputs.append(condition)
    else:
        draft.attributes["condition"] = condition
    shared = [key for key in yes.env if key in no.env]  # in the order of the code, so that names are the same each time
    env = {key: _either(run, draft, yes.env[key], no.env[key]) for key in shared}
    for owner, name in dict.fromkeys([*yes.fields, *no.fields]):
        sides = [side.fields.get((owner, name), run.known(owner.values.get(name))) for side in (yes, no)]
        run.fields[owner, name] = _either(run, draft, sides[0], sides[1])
    if yes.returned != no.returned:
        raise UnreadableError("one branch returns and the other does not")
    if yes.returned:
        run.frame.returned, run.frame.value = True, _either(run, draft, yes.value, no.value)
    run.frame.env = env
    run.builder.add(draft)


def _either(run: Interpreter, draft: Draft, yes: Any, no: Any) -> Any:
    """A value that is one or the other."""
    if yes is no or (type(yes) is type(no) and not isinstance(yes, Sym | list | tuple) and yes == no):
        return yes
    if isinstance(yes, str) and isinstance(no, str) and yes and no:
        return yes  # one message or another
    if type(yes) is type(no) and type(yes) in (list, tuple) and len(yes) == len(no):
        return type(yes)(_either(run, draft, a, b) for a, b in zip(yes, no, strict=True))
    if any(isinstance(value, Instance | Method | Function) for value in (yes, no)):
        return yes
    outer = run.builder.body
    ends = []
    for value, body in ((yes, draft.bodies[0]), (no, draft.bodies[1])):
        run.builder.body = body
        ends.append(run.builder.named(value, run.frame.module))
        body.outputs.append(ends[-1])
    run.builder.body = outer
    scalar = all(end.scalar or isinstance(value, int | float) for end, value in zip(ends, (yes, no), strict=True))
    result = Sym(f"{draft.name}:{len(draft.outputs)}", scalar=scalar)
    draft.outputs.append(result)
    return result


def follow_for(run: Interpreter, node: ast.For) -> None:
    """Write out a short loop; else one node."""
    if not (isinstance(node.iter, ast.Call) and isinstance(node.iter.func, ast.Name) and node.iter.func.id == "range"):
        raise UnreadableError(f"line {node.lineno} is not followed")
    bounds = [run.expression(arg) for arg in node.iter.args]
    if all(isinstance(bound, int) for bound in bounds) and 0 < len(bounds) <= 3 and 0 not in bounds[2:]:
        rounds = range(*bounds)
        if len(rounds) <= UNROLL:
            for at in rounds:
                run.assign(node.target, at)
                run.block(node.body)
            return
    _loop(run, node.body, bounds, node.target, None)


def follow_while(run: Interpreter, node: ast.While) -> None:
    """Write out a short loop; else one node."""
    for _ in range(UNROLL):
        known = truth(run.expression(node.test))
        if known is None:
            break
        if not known:
            return
        run.block(node.body)
    _loop(run, node.body, [], None, node.test)


def _loop(
    run: Interpreter, body: list[ast.stmt], bounds: list[Any], index: ast.expr | None, test: ast.expr | None
) -> None:
    env, module = run.frame.env, run.frame.module
    name = run.builder.unique("loop")
    carried = [key for key in _changed(body) if key in env and not isinstance(env[key], Instance | Method | Function)]
    starts = [run.builder.named(run.latest(env[key]), module) for key in carried]
    inside = [
        Sym(f"{name}/{key}", scalar=start.scalar or isinstance(env[key], int | float))
        for key, start in zip(carried, starts, strict=True)
    ]
    before = dict(env)
    run.frame.env = {**env, **dict(zip(carried, inside, strict=True))}
    counter = Sym(f"{name}/index", scalar=True)
    if index is not None:
        run.assign(index, counter)
    end = _branch(run, body, f"{name}/body")
    if end.raised or end.returned:
        raise UnreadableError("a loop ends by an exception or a return")
    outer, run.builder.body = run.builder.body, end.body
    run.frame.env = end.env
    ends = [run.expression(test)] if test is not None else []
    end.body.outputs = [run.builder.named(value, module) for value in [*ends, *(end.env[key] for key in carried)]]
    run.builder.body = outer
    end.body.inputs = [*([counter] if index is not None else []), *inside]
    results = [Sym(f"{name}:{at}", scalar=part.scalar) for at, part in enumerate(inside)]
    limits = {"range": tuple(bounds)} if bounds else {}
    inputs: list[Sym | None] = [*(bound for bound in bounds if isinstance(bound, Sym)), *starts]
    run.builder.add(Draft(name, "prim::Loop", inputs, results, limits, module, bodies=[end.body]))
    run.frame.env = {**before, **dict(zip(carried, results, strict=True))}


def _changed(body: list[ast.stmt]) -> list[str]:
    """Names that a loop binds, or whose lists it changes."""
    found: dict[str, None] = {}
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.setdefault(node.id)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Name):
                    found.setdefault(first.id)
    return list(found)
