"""Graphs made up for tests of folding, placing and painting."""

from __future__ import annotations

from inspector.engines.layout.fold import fold
from inspector.engines.layout.place import packed, place
from inspector.engines.layout.scene import Box, Folded, Link
from inspector.ir.model import Graph, Model, Module, Node, Place, Tensor, Value
from inspector.viewmodels.graph_scene import Scene


class Builder:
    """Nodes one after another; `op` gives the name of what the node makes."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.modules: dict[str, str] = {}
        self.tensors: dict[str, Tensor] = {}
        self.values: dict[str, Value] = {}

    def op(
        self, op: str, *inputs: str, module: str = "", weight: tuple[int, ...] = (), graphs: tuple[str, ...] = ()
    ) -> str:
        number = len(self.nodes)
        made = f"v{number}"
        if weight:
            name = f"{module}.weight{number}"
            self.tensors[name] = Tensor(name, "float32", weight, Place())
            inputs = (*inputs, name)
        self.nodes.append(Node(f"node{number}", op, tuple(inputs), (made,), module=module, graphs=graphs))
        self.values[made] = Value(made, "float32", (1, 8))
        return made

    def model(self, inputs: tuple[str, ...], outputs: tuple[str, ...], *others: Graph) -> Model:
        graph = Graph(
            "main",
            tuple(Value(name, "float32", (1, 8)) for name in inputs),
            tuple(Value(name, "float32", (1, 8)) for name in outputs),
            tuple(self.nodes),
            self.values,
        )
        modules = tuple(Module(path, kind) for path, kind in self.modules.items())
        return Model("onnx", graphs=(graph, *others), tensors=self.tensors, modules=modules)


def transformer(layers: int = 12) -> Model:
    """Embedding, equal layers with two skips each that share one mask, a head; everything inside a lone root."""
    build = Builder()
    build.modules |= {
        "": "Net",
        "net": "Net",
        "net.embed": "Embedding",
        "net.layers": "ModuleList",
        "net.head": "Linear",
    }
    mask = build.op("Cast", "mask", module="net")
    x = build.op("Gather", "ids", module="net.embed", weight=(100, 8))
    for k in range(layers):
        layer = f"net.layers.{k}"
        build.modules |= {
            layer: "Layer", f"{layer}.attention": "Attention", f"{layer}.mlp": "Mlp", f"{layer}.norm": "LayerNorm",
        }  # fmt: skip
        q = build.op("MatMul", x, module=f"{layer}.attention", weight=(8, 8))
        s = build.op("Softmax", build.op("Add", q, mask, module=f"{layer}.attention"), module=f"{layer}.attention")
        x = build.op("Add", x, s, module=layer)
        y = build.op("Gemm", x, module=f"{layer}.mlp", weight=(8, 32))
        y = build.op("Relu", y, module=f"{layer}.mlp")
        x = build.op("Add", x, build.op("Gemm", y, module=f"{layer}.mlp", weight=(32, 8)), module=layer)
        x = build.op("LayerNormalization", x, module=f"{layer}.norm", weight=(8,))
    return build.model(("ids", "mask"), (build.op("Gemm", x, module="net.head", weight=(8, 4)),))


def chain(count: int) -> Model:
    """Convolutions with skips, no names to go by."""
    build = Builder()
    x = skip = "x"
    for k in range(count):
        op = ("Conv", "BatchNormalization", "Relu", "Add")[k % 4]
        x = build.op(op, x, skip) if op == "Add" else build.op(op, x)
        skip = x if op == "Add" else skip
    return build.model(("x",), (x,))


def first_scene(model: Model) -> Scene:
    """The first view of a model's main graph, placed."""
    assert model.main is not None
    folded = fold(model, model.main)
    return Scene(folded, place(folded))


def field(count: int, across: int = 250) -> Scene:
    """Very many boxes in rows, each linked to the one below; placed by hand, so it costs nothing."""
    import numpy as np

    numbers = np.arange(count)
    rects = np.stack(
        [numbers % across * 150.0, numbers // across * 70.0, np.full(count, 110.0), np.full(count, 40.0)], axis=1
    )
    colours = ("linear", "convolution", "activation", "normalisation")
    boxes = tuple(
        Box(key=f"n:{k}", kind="node", title=f"Conv{k % 7}", text=f"name{k}", category=colours[k % 4])
        for k in range(count)
    )
    links = tuple(Link(k, k + across, f"v{k}", "1×8 f32") for k in range(count - across))
    routes = [
        np.array([(rects[a, 0] + 55, rects[a, 1] + 40), (rects[a, 0] + 55, rects[b, 1])])
        for a, b in ((link.source, link.target) for link in links)
    ]
    folded = Folded(graph="field", boxes=boxes, links=links, nodes=count)
    return Scene(folded, packed(rects, routes, "by hand", 0.0))
