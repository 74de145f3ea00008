"""Objects of a TorchScript archive that save themselves in their own way, put together as their code says.

Quantized convolutions save weights and numbers as a tuple, which their `__setstate__` takes apart and packs. It is
followed like the rest of the program: nothing of it is run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from inspector.formats._torch_build import Builder, TooLargeError
from inspector.formats._torch_code import Code
from inspector.formats._torch_graph import Interpreter
from inspector.formats._torch_packed import name_of
from inspector.formats._torch_tree import PackedRef, TensorRef, Tree
from inspector.formats._torch_values import RaisesError, UnreadableError


def restore(tree: Tree, code: Code) -> None:
    """Give the objects of a tree that have a state of their own the attributes that their code makes of it."""
    run = Interpreter(code, [], Builder("restoring"))  # one for all: what it may do is bounded
    names = _Names(tree)
    for instance in tree.instances:
        found = code.classes.get(instance.type) if instance.state is not None else None
        function = found.methods.get("__setstate__") if found else None
        if function is None:
            continue
        run.fields.clear()
        try:
            run.call(function, [instance, instance.state], {}, instance.path)
        except TooLargeError:
            break
        except (UnreadableError, RaisesError, RecursionError):
            continue
        finally:
            run.depth = 0
        for (owner, name), value in run.fields.items():
            if owner is instance:
                owner.values[name] = names.given(value, f"{owner.path}.{name}" if owner.path else name)
    tree.tensors = {names.new.get(name, name): tensor for name, tensor in tree.tensors.items()}


@dataclass(slots=True)
class _Names:
    """Tensors of a state under the names of the attributes that they become.

    Attributes:
        new: By the names that they had.
    """

    tree: Tree
    new: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def given(self, value: Any, path: str) -> Any:
        """A tensor, or what packs some, under the name of the attribute that holds it."""
        if isinstance(value, TensorRef):
            return self._renamed(value, path)
        if isinstance(value, PackedRef):
            value.parts = {part: self._renamed(ref, name_of(path, part)) for part, ref in value.parts.items()}
            self.tree.packed.append(value)
        return value

    def _renamed(self, ref: TensorRef, name: str) -> TensorRef:
        if ref.name in self.new:
            return TensorRef(self.new[ref.name], ref.tensor)
        if name in self.tree.tensors or name in self.taken or ref.name not in self.tree.tensors:
            return ref
        self.new[ref.name] = name
        self.taken.add(name)
        return TensorRef(name, ref.tensor)
