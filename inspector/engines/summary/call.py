"""One operation of a model as its figures are worked out from: names, attributes, and shapes in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

from inspector.ir import Attribute

Numbers = tuple[int, ...]


@dataclass(slots=True)
class Call:
    """One operation with its shapes in numbers.

    Attributes:
        name: Canonical name.
        op: In the format's own words.
        inputs: Shapes in the operator's order; None where unknown or omitted.
        stored: Whether each input is, or is made of, stored tensors alone.
        owned: Names and shapes of the tensors a layer owns (Keras).
        channels_last: Whether the format's convolutions have their channels last unless an attribute says otherwise.
        parts: Shapes of the stored tensors that its inputs are made of.
    """

    name: str
    op: str
    inputs: tuple[Numbers | None, ...] = ()
    outputs: tuple[Numbers | None, ...] = ()
    stored: tuple[bool, ...] = ()
    owned: tuple[tuple[str, Numbers], ...] = ()
    attributes: dict[str, Attribute] = field(default_factory=dict)
    domain: str = ""
    channels_last: bool = False
    parts: tuple[Numbers, ...] = ()

    def input(self, index: int) -> Numbers | None:
        """The shape of an input; None where it is not known or not there."""
        return self.inputs[index] if index < len(self.inputs) else None

    @property
    def output(self) -> Numbers | None:
        """The shape of the first output."""
        return self.outputs[0] if self.outputs else None

    def kernels(self, rank: int) -> list[Numbers]:
        """Shapes of the owned tensors of at least this rank that are no biases."""
        return [shape for name, shape in self.owned if len(shape) >= rank and "bias" not in name.rpartition("/")[2]]

    def flag(self, *names: str) -> bool:
        """Whether one of these attributes is set."""
        return any(bool(self.attributes.get(name)) for name in names)

    def number(self, *names: str) -> int:
        """The first of these attributes that is a positive number; 0 when none is."""
        for name in names:
            value = self.attributes.get(name)
            if isinstance(value, int) and value > 0:
                return value
        return 0
