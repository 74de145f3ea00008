"""Shapes of Keras layers: what Keras itself gives for every layer and operation, also where no later layer says it."""

from __future__ import annotations

import pytest
from built import Built, build

from inspector.ir import Shape

MODELS = ("spatial", "sequences", "operations", "nested", "open_sizes", "sequential")


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build("build_keras_shapes.py", tmp_path_factory.mktemp("keras_shapes"))


def agrees(ours: Shape | None, theirs: list[int | None]) -> bool:
    """Whether a shape is what Keras says, or knows a size that Keras leaves open."""
    if ours is None or len(ours) != len(theirs):
        return False
    return all(
        size == said or (said is None and isinstance(size, int)) for size, said in zip(ours, theirs, strict=True)
    )


@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize("name", MODELS)
def test_every_layer_has_the_shape_that_keras_gives(shapes: Built, name: str, suffix: str) -> None:
    facts, main = shapes.facts[name], shapes.read(f"{name}.{suffix}").main
    assert main is not None
    assert len(main.outputs) == len(facts["outputs"])
    for value, said in zip(main.outputs, facts["outputs"], strict=True):
        unknown = value.name == "last"  # a layer of somebody's own, which nothing takes
        assert value.shape is None if unknown else agrees(value.shape, said), (value, said)
    nodes = {node.name: node for node in main.nodes}
    for layer, said in facts["layers"].items():
        found = [main.values.get(output) for output in nodes[layer].outputs] if layer in nodes else []
        for value, shape in zip(found, said, strict=False):
            assert value is not None
            assert layer == "last" or agrees(value.shape, shape), (layer, value.shape, shape)
