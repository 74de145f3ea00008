"""Shapes of Keras layers: what Keras itself gives for every layer and operation, also where no later layer says it."""

from __future__ import annotations

import pytest
from built import Built, build

from inspector.formats import identify
from inspector.ir import Shape
from inspector.jobs.terminal import ask_document
from inspector.worker.tasks.open import OpenArgs

MODELS = ("spatial", "sequences", "operations", "wrapped", "nested", "open_sizes", "sequential")


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build("build_keras_shapes.py", tmp_path_factory.mktemp("keras_shapes"))


def agrees(ours: Shape | None, theirs: list[int | None]) -> bool:
    """Whether a shape is what Keras says, or knows a size that Keras leaves open."""
    if ours is None or len(ours) != len(theirs):
        return False
    return all(
        size == said or (said is None and isinstance(size, int | str)) for size, said in zip(ours, theirs, strict=True)
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


def test_operations_have_the_shapes_types_and_products_that_keras_gives(shapes: Built) -> None:
    facts, model = shapes.facts["mathematics"], shapes.read("mathematics.keras")
    assert model.main is not None
    for value, said, dtype in zip(model.main.outputs, facts["outputs"], facts["dtypes"], strict=True):
        assert agrees(value.shape, said), (value, said)
        assert value.dtype == dtype or value.name == "multi_hot", (
            value
        )  # of this Keras says one thing and gives another
    (overview,) = ask_document(shapes.folder / "mathematics.keras", [])
    convolved = (20 + 24) * 27 * 5 + 48 * 54 + 80 * 135 + 48 * (54 + 24)
    attended, distances = 2 * 4 * 5 * 5 * 8, 0
    matrices = 6 * 8 * 3 + 1 + 6 * 8 * 5 + 6 * 8 * 5 + 6 * 6 * 8 + 6 * 8 * 6 + 6 * 8 + 6 * 8 * 5 + 6 * 8 * 5 + 6 * 6 * 8
    assert overview.totals.macs == convolved + attended + distances + matrices


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_layers_that_run_others_have_their_products(shapes: Built, suffix: str) -> None:
    (overview,) = ask_document(shapes.folder / f"wrapped.{suffix}", [])
    lines, frames = (2 * 5 * places * taps * 4 * 4 * (3 + 4) for places, taps in ((7, 3), (7 * 6, 9)))
    steps = 5 * (7 * 6 * 9 * 3 * 4 + 4 * 5 + 5 * 2)
    stacked, both = 12 * (3 * 4 * (6 + 4) + 4 * 3 * (4 + 3)), 2 * 12 * (3 * 4 * (6 + 4) + 3 * 3 * (4 + 3))
    assert overview.totals.macs == 12 * 7 * 20 + lines + frames + steps + stacked + both
    assert overview.totals.complete


def test_shapes_that_are_typed_flow_through_the_layers(shapes: Built) -> None:
    """Keras' own shapes of a model with open sizes, for a picture of 33 × 21 and 7 steps; and its figures."""
    path = shapes.folder / "open_sizes.keras"
    image, steps = (value.name for value in shapes.read("open_sizes.keras").signatures[0].inputs)
    opening = OpenArgs(path=str(path), shapes={image: (2, 33, 21, 3), steps: (2, 7, 5)})
    (overview,) = ask_document(path, [], opening)
    assert overview.typed == (image, steps)
    assert [list(port.shape) for port in overview.signatures[0].outputs] == shapes.facts["open_sizes"]["typed"]
    assert overview.totals.complete
    (plain,) = ask_document(path, [])
    assert not plain.totals.complete
    assert overview.totals.macs > plain.totals.macs


@pytest.mark.parametrize("name", ["spatial", "sequences", "operations", "nested"])
def test_layers_know_from_their_settings_what_the_file_said(shapes: Built, name: str) -> None:
    """With a batch of 2, through settings alone; what is inside a wrapper too deeply keeps what was said."""
    source = shapes.source(f"{name}.keras")
    fmt = identify(source)
    model = fmt.read(source)
    assert fmt.reshape is not None
    told = fmt.reshape(model, {value.name: (2, *(value.shape or ())[1:]) for value in model.signatures[0].inputs})
    assert told.main is not None
    pairs = zip(told.main.outputs, shapes.facts[name]["outputs"], strict=True)
    for value, said in pairs:
        assert value.shape is None or len(value.shape) == len(said)
        assert all(b is None or a == b for a, b in zip(value.shape or (), said, strict=False)), (value, said)
    known = [value for value in told.main.outputs if value.shape and all(isinstance(size, int) for size in value.shape)]
    assert len(known) >= len(told.main.outputs) - 4


@pytest.mark.parametrize("suffix", ["keras", "h5", "tflite"])
def test_what_stands_beside_the_batch_is_counted_as_often_as_it_is_there(shapes: Built, suffix: str) -> None:
    """Files say only -1 where four windows an image and the batch are one dimension."""
    path = shapes.folder / f"windows.{suffix}"
    one, three = (ask_document(path, [], OpenArgs(path=str(path), dims=dims))[0] for dims in ({}, {"batch": 3}))
    assert one.totals.complete
    assert one.totals.macs == 8 * 8 * 16 * (16 + 48) + 12 * 16 * 48 * 3
    assert three.totals.macs == 3 * one.totals.macs
    named = [value.shape for value in shapes.read(path.name).main.values.values() if value.shape]
    assert ("4*batch", 16, 16) in named


@pytest.mark.parametrize("name", ["products.keras", "products.h5", "products", "products.tflite"])
def test_a_model_has_the_same_products_in_every_format(shapes: Built, name: str) -> None:
    (overview,) = ask_document(shapes.folder / name, [])
    projections, scores = 5 * 16 * 8 * (4 + 2 + 2 + 4), 5 * 5 * 4 * (8 + 8)
    added, dense, squares = 5 * 7 * 16, 5 * 16 * 6, 5 * 5 * 6
    grown = 3 * 4 * 5 * 2 * 2 * 2 * 2 * 4
    images = 2 * 12 * 4 * 6 * 6 + 12 * (12 + 4) * 2 * (3 + 3)  # two attentions over 3 × 4 places, to all and to rows
    images += 5 * 7 * 16  # and a product over the first axis of two
    assert overview.totals.macs == projections + scores + added + dense + squares + grown + images
    assert overview.totals.complete is not name.endswith("tflite")  # TensorFlow's own IsFinite stands in its softmax
    if name.endswith(("keras", "h5")):  # the wrapper stores the kernel of the layer inside once more, and a vector
        assert overview.totals.parameters == 1616 + 16 + 16 * 6 + 6 + 6 + 2 * 2 * 2 * 4 * 2 + 4 + 2 * (4 * 36 + 24)


@pytest.mark.parametrize("name", ["normed.keras", "normed.h5", "normed.weights.h5", "normed"])
def test_a_model_has_the_same_parameters_in_every_format(shapes: Built, name: str) -> None:
    (overview,) = ask_document(shapes.folder / name, [])
    assert overview.totals.parameters == shapes.facts["normed"] - 1  # Keras counts the samples a layer has seen, too


@pytest.mark.parametrize("name", ["kept.keras", "kept.h5", "kept"])
def test_gates_frozen_layers_and_kept_states_are_the_same_in_every_format(shapes: Built, name: str) -> None:
    """Keras exports a frozen layer's variables as such that could be trained, and lists what is trained."""
    (overview,) = ask_document(shapes.folder / name, [])
    gated = 5 * 6 * 8 * 5 + 2 * 2 * 5 * 5 * 4  # query, key, value, gate and output, and the attention itself
    shared = 5 * 6 * (24 * 3 + 8 + 8) + 2 * 4 * 5 * 5 * 6
    recurrent = 5 * (6 + 6) * 4 * 6
    assert overview.totals.macs == recurrent + gated + shared + 5 * 6 * (6 + 3)
    assert overview.totals.complete
    assert overview.totals.trainable == shapes.facts["kept"]
    states = 2 * 6 if name == "kept" else 0
    assert overview.totals.parameters == shapes.facts["kept"] + 6 * 6 + 6 + states
