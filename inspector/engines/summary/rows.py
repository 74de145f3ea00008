"""What the layer table shows, as data that crosses to the window.

None of these can be part of a cycle, so the garbage collector need not walk over a hundred thousand of them.
"""

from __future__ import annotations

import msgspec

from inspector.engines.summary.flops import intensity

Shape = tuple[int | str | None, ...] | None


class Port(msgspec.Struct, frozen=True, gc=False):
    """An input or output of the model or of a layer."""

    name: str
    dtype: str
    shape: Shape = None


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One layer.

    Attributes:
        index: Position in execution order; identifies the row within one model and grouping.
        name: Module path or node name.
        type: Class of the module or operator type.
        category: Key of the colour: linear, convolution, normalisation, activation, pooling, attention, recurrent,
            elementwise, shape, constant, control, other.
        module: Dotted path of the module that the layer belongs to, or is.
        graph: Name of the graph it stands in.
        nodes: Names of the nodes merged into this row, up to 2,000.
        inputs: Values that enter, without weights.
        outputs: Values that leave.
        weights: Names of the tensors it owns or shares, up to 2,000; no shape constants.
        weight_shapes: Their shapes, of the first 8.
        dtype: Of its weights where it has any, else of its first output.
        parameters: Elements of its weights and buffers, each distinct tensor counted at the first row that uses it.
        trainable: Those of them that training changes.
        parameter_bytes: Bytes of them as stored.
        macs: Multiply-adds of one call of the model; None where shapes are not known.
        flops: Floating-point operations of one call of the model (`flops` says what is one); None like `macs`.
        activation_bytes: Bytes of all that its nodes compute from data, merged nodes each, in a function for each call;
            None where shapes are not known.
        moved_bytes: Bytes that its nodes read and write in one call of the model, merged nodes each, weights too.
        live_bytes: Most bytes that values need while one of its nodes runs (`running`), weights apart; None where it
            has no nodes.
        runs: How often it runs in one call of the model; more than once in a loop of fixed length, whose figures it has
            all of. 0 in a branch of a condition that another one outdoes: its figures are those of one run, and sums
            leave it out.
        source: `file:line` of the author's program.
        shares: Names of the tensors it uses that are counted at a row before it, up to 20: tied, or called again.
        level: How deep it lies in a table grouped by module.
        layers: How many rows a row that stands for a module sums up; 0 for one that stands for itself.
    """

    index: int
    name: str
    type: str
    category: str = "other"
    module: str = ""
    graph: str = ""
    nodes: tuple[str, ...] = ()
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    weights: tuple[str, ...] = ()
    weight_shapes: tuple[tuple[int, ...], ...] = ()
    dtype: str = ""
    parameters: int = 0
    trainable: int = 0
    parameter_bytes: int = 0
    macs: int | None = None
    activation_bytes: int | None = None
    source: str = ""
    flops: int | None = None
    moved_bytes: int | None = None
    live_bytes: int | None = None
    runs: int = 1
    shares: tuple[str, ...] = ()
    level: int = 0
    layers: int = 0

    @property
    def intensity(self) -> float | None:
        """FLOPs per byte moved."""
        return intensity(self.flops, self.moved_bytes)


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over a model, without what runs 0 times. Figures are of what is known; `complete` says whether that is all.

    `peak_bytes` is the most live memory of any row.
    """

    layers: int = 0
    nodes: int = 0
    parameters: int = 0
    trainable: int = 0
    macs: int = 0
    parameter_bytes: int = 0
    activation_bytes: int = 0
    complete: bool = True
    flops: int = 0
    moved_bytes: int = 0
    peak_bytes: int = 0

    @property
    def intensity(self) -> float | None:
        """FLOPs per byte moved."""
        return intensity(self.flops, self.moved_bytes)


class ModuleRow(msgspec.Struct, frozen=True, gc=False):
    """One module of the tree, parents before children; sums include its children."""

    path: str
    type: str
    parameters: int
    macs: int | None
    layers: int
    flops: int | None = None


class Signature(msgspec.Struct, frozen=True):
    """One way to call the model."""

    name: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


class Remark(msgspec.Struct, frozen=True):
    """Something the user should know about the file; level is info, warning or danger, `details` are lines."""

    level: str
    text: str
    hint: str = ""
    details: tuple[str, ...] = ()


FOLLOWS = Remark(
    "info", "Shapes, multiply-adds, modules and all rows of so large a model follow in a moment; these are the first."
)
"""What is said of a model that was opened quickly."""


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a model a moment after opening it.

    Attributes:
        dims: Named or unknown dimensions of the inputs in order of appearance, which the user may fix.
        texts: Names of texts that can be asked for.
        beside: Names of the files beside the model that hold its weights, relative to its folder.
        follows: Whether shapes, figures, modules and most rows are still to come (task `follow`).
        typed: Names of inputs with open sizes that have no name: their shapes may be typed whole, and shapes follow.
    """

    file: str
    size: int
    format: str
    title: str
    producer: str = ""
    signatures: tuple[Signature, ...] = ()
    totals: Totals = Totals()
    metadata: dict[str, str] = {}
    dims: tuple[str, ...] = ()
    modules: tuple[ModuleRow, ...] = ()
    texts: tuple[str, ...] = ()
    notes: tuple[Remark, ...] = ()
    seconds: float = 0.0
    beside: tuple[str, ...] = ()
    follows: bool = False
    typed: tuple[str, ...] = ()
