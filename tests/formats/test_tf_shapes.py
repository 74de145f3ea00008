"""Shapes of TensorFlow graphs: those of TensorFlow itself, before the graph runs and while it runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from built import Built, build

from inspector.engines.summary.summary import Summary
from inspector.errors import FormatError, InspectorError
from inspector.formats import Source, identify
from inspector.formats._tf_shapes_words import position
from inspector.ir import Graph, Shape
from inspector.jobs.terminal import ask_document
from inspector.worker.tasks.open import OpenArgs

MODELS = ("cnn", "mobilenet", "bert", "recurrent", "wide", "images", "moves", "factors", "loops", "first_loops")
DATA = {
    "moves": ("Where", "boolean_mask", "Unique"),
    "loops": ("while_1", "cond_1"),
    "factors": ("dense_to_sparse", "embedding_", "Cast"),
}
"""Values whose shapes depend on what is fed, so that nothing but running tells them."""

Shapes = dict[str, list[int | None] | None]


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build("build_tf_shapes.py", tmp_path_factory.mktemp("tf_shapes"))


def pairs(graph: Graph, told: Shapes) -> list[tuple[str, Shape | None, list[int | None] | None]]:
    """What we and TensorFlow say of each value that both know by name."""
    found = []
    for node in graph.nodes:
        for name in node.outputs:
            key = f"{node.name}:{position(node, name)}"
            value = graph.values.get(name)
            if key in told:
                found.append((key, value.shape if value else None, told[key]))
    return found


def apart(ours: Shape | None, theirs: list[int | None] | None) -> str:
    """How a shape of ours is not what TensorFlow says: "wrong", "less", or nothing."""
    if theirs is None:
        return ""
    if ours is None:
        return "less"
    if len(ours) != len(theirs):
        return "wrong"
    known = [(a, b) for a, b in zip(ours, theirs, strict=True) if b is not None]
    if any(isinstance(a, int) and a != b for a, b in known):
        return "wrong"
    return "less" if any(not isinstance(a, int) for a, _ in known) else ""


def differences(graph: Graph, told: Shapes) -> list[str]:
    return [f"{word}: {key} {a} {b}" for key, a, b in pairs(graph, told) if (word := apart(a, b))]


@pytest.mark.parametrize("name", MODELS)
def test_every_shape_that_tensorflow_knows_is_known(shapes: Built, name: str) -> None:
    facts = shapes.facts[name]
    model = shapes.read(f"{name}.pb")
    main, *inner = model.graphs
    assert differences(main, facts["static"]) == []
    assert [line for graph in inner for line in differences(graph, facts["inner"][graph.name])] == []
    outputs = [(f"{node.name}:{position(node, name)}", name) for node in main.nodes for name in node.outputs]
    assert {key: main.values[name].dtype for key, name in outputs} == {key: facts["dtypes"][key] for key, _ in outputs}
    checked = pairs(main, facts["static"])
    assert len(checked) > {"loops": 10, "first_loops": 30, "wide": 15}.get(name, 45)


@pytest.mark.parametrize("name", MODELS)
def test_shapes_typed_by_the_user_give_those_of_a_run(shapes: Built, name: str) -> None:
    facts = shapes.facts[name]
    source = shapes.source(f"{name}.pb")
    fmt = identify(source)
    assert fmt.reshape is not None
    model = fmt.reshape(fmt.read(source), {key: tuple(shape) for key, shape in facts["feeds"].items()})
    assert model.main is not None
    found = differences(model.main, facts["ran"])
    assert not [line for line in found if line.startswith("wrong")]
    assert not [line for line in found if not line.split(": ")[1].startswith(DATA.get(name, ("nothing",)))]


@pytest.mark.parametrize("name", ["cnn", "bert", "recurrent", "loops", "factors"])
def test_functions_of_a_saved_model(shapes: Built, name: str) -> None:
    """Their `_output_shapes` were taken out of the file."""
    functions = shapes.facts[name]["functions"]
    count = 0
    for graph in shapes.read(f"{name}_saved").graphs:
        names = {node.name for node in graph.nodes}
        most = max(functions.values(), key=lambda told: len(names & {value.split(":")[0] for value in told}))
        told = functions.get(graph.name, most)
        assert differences(graph, told) == []
        count += len(pairs(graph, told))
    assert count > 10


def test_a_model_of_the_browser_has_the_same_shapes(shapes: Built) -> None:
    main = shapes.read("cnn_js/model.json").main
    assert main is not None
    assert differences(main, shapes.facts["cnn"]["static"]) == []


@pytest.mark.parametrize("name", ["cnn", "bert", "wide"])
def test_a_lite_model_follows_typed_shapes_as_its_interpreter_does(shapes: Built, name: str) -> None:
    facts, source = shapes.facts[name], shapes.source(f"{name}.tflite")
    fmt = identify(source)
    assert fmt.reshape is not None
    model = fmt.reshape(fmt.read(source), {key: tuple(shape) for key, shape in facts["feeds"].items()})
    assert model.main is not None
    outputs = [output for node in model.main.nodes for output in node.outputs]
    assert {output: list(model.main.values[output].shape or ()) for output in outputs} == {
        output: facts["lite"][output] for output in outputs
    }
    assert [node.op for node in model.main.nodes] == [node.op for node in fmt.read(source).main.nodes]  # type: ignore[union-attr]


def test_products_of_the_batch_are_named_and_figures_follow(shapes: Built) -> None:
    source = shapes.source("bert.pb")
    fmt = identify(source)
    model = fmt.read(source)
    assert model.main is not None
    assert fmt.reshape is not None
    found = {size for value in model.main.values.values() for size in value.shape or ()}
    assert "7*batch" in found
    four = Summary(model, {"batch": 4}).totals
    assert four.complete
    assert four.macs == 4 * Summary(model).totals.macs
    typed = fmt.reshape(model, {"tokens": (4, 7), "mask": (4, 7)})
    assert Summary(typed).totals.macs == four.macs


def test_shapes_that_the_file_does_not_allow_are_refused(shapes: Built) -> None:
    source = shapes.source("cnn.pb")
    fmt = identify(source)
    model = fmt.read(source)
    assert fmt.reshape is not None
    with pytest.raises(FormatError, match="The input 'image' cannot have this shape"):
        fmt.reshape(model, {"image": (1, 33, 29, 4)})
    open_sizes = fmt.read(shapes.source("recurrent.pb"))
    assert fmt.reshape(open_sizes, {"steps": ("n", 9, 6)}).signatures[0].outputs[0].shape == ("n", 3)


def graph(tmp_path: Path, text: str) -> Graph:
    path = tmp_path / "x.pbtxt"
    path.write_text(text)
    source = Source(path)
    main = identify(source).read(source).main
    assert main is not None
    return main


def test_hostile_graphs_end_and_know_nothing_wrong(tmp_path: Path) -> None:
    dtype = 'attr { key: "T" value { type: DT_INT64 } } attr { key: "dtype" value { type: DT_INT64 } }'
    number = 'attr { key: "value" value { tensor { dtype: DT_INT64 tensor_shape { } int64_val: 3000000000 } } }'
    lines = [f'node {{ name: "c" op: "Const" {dtype} {number} }}', f'node {{ name: "p" op: "Placeholder" {dtype} }}']
    lines += [f'node {{ name: "m0" op: "Mul" input: "c" input: "c" {dtype} }}']
    lines += [f'node {{ name: "m{n}" op: "Mul" input: "m{n - 1}" input: "m{n - 1}" {dtype} }}' for n in range(1, 200)]
    lines += [
        f'node {{ name: "f" op: "Fill" input: "s" input: "m199" {dtype} }}',
        f'node {{ name: "s" op: "Pack" input: "c" input: "c" input: "c" {dtype} }}',
        f'node {{ name: "r" op: "Reshape" input: "f" input: "s" {dtype} }}',
        f'node {{ name: "o" op: "Transpose" input: "r" input: "m3" {dtype} }}',
        f'node {{ name: "a" op: "Merge" input: "b" input: "p" {dtype} }}',
        f'node {{ name: "b" op: "NextIteration" input: "a" {dtype} }}',
        f'node {{ name: "d" op: "Merge" input: "d" {dtype} }}',
        f'node {{ name: "e" op: "AddN" input: "d" input: "a" input: "o" {dtype} }}',
    ]
    main = graph(tmp_path, "\n".join(lines))
    assert main.values["f"].shape == (3_000_000_000,) * 3
    assert main.values["m1"].shape == ()
    assert main.outputs[0].name == "e"


@pytest.mark.parametrize("deep", [90, 300])
def test_functions_inside_functions_that_call_twice(tmp_path: Path, deep: int) -> None:
    """Each function calls the next one twice: 2ⁿ calls, none of which is made again for what is known."""
    arg = 'input_arg { name: "x" type: DT_FLOAT } output_arg { name: "y" type: DT_FLOAT }'
    kinds = (
        'attr { key: "Tin" value { list { type: DT_FLOAT } } } attr { key: "Tout" value { list { type: DT_FLOAT } } }'
    )

    def body(n: int) -> str:
        call = f'attr {{ key: "f" value {{ func {{ name: "f{n + 1}" }} }} }} {kinds}'
        first = f'node_def {{ name: "a" op: "PartitionedCall" input: "x" {call} }}'
        second = f'node_def {{ name: "b" op: "PartitionedCall" input: "a:output:0" {call} }}'
        last = 'node_def { name: "b" op: "Relu" input: "x" attr { key: "T" value { type: DT_FLOAT } } }'
        end = "b:activations:0" if n == deep else "b:output:0"
        inside = last if n == deep else first + second
        return f'function {{ signature {{ name: "f{n}" {arg} }} {inside} ret {{ key: "y" value: "{end}" }} }}'

    shape = 'attr { key: "shape" value { shape { dim { size: 5 } dim { size: -1 } } } }'
    call = 'attr { key: "f" value { func { name: "f0" } } }'
    text = [
        f'node {{ name: "p" op: "Placeholder" attr {{ key: "dtype" value {{ type: DT_FLOAT }} }} {shape} }}',
        f'node {{ name: "o" op: "PartitionedCall" input: "p" {call} {kinds} }}',
        "library {", *(body(n) for n in range(deep + 1)), "}",
    ]  # fmt: skip
    main = graph(tmp_path, "\n".join(text))
    assert main.outputs[0].shape == ((5, None) if deep < 100 else None)


def test_figures_of_a_frozen_graph_for_typed_shapes_in_a_real_worker(shapes: Built) -> None:
    path = shapes.folder / "recurrent.pb"
    (plain,) = ask_document(path, [])
    (typed,) = ask_document(path, [], OpenArgs(path=str(path), shapes={"steps": (3, 7, 6)}))
    assert plain.typed == typed.typed == ("steps",)
    assert typed.signatures[0].outputs[0].shape == (3, 3)
    assert typed.totals.macs > plain.totals.macs > 0
    with pytest.raises(InspectorError, match="The input 'steps' cannot have this shape"):
        ask_document(path, [], OpenArgs(path=str(path), shapes={"steps": (3, 7, 5)}))


def test_multiply_adds_are_those_of_the_keras_model(shapes: Built) -> None:
    """Attention with a mask, dense layers over a product of the batch, and depthwise ones."""
    for name in ("bert", "mobilenet"):
        frozen, keras = Summary(shapes.read(f"{name}.pb")).totals, Summary(shapes.read(f"{name}.keras")).totals
        assert frozen.complete
        assert keras.complete
        assert frozen.macs == keras.macs > 0


def test_figures_of_a_recurrence_in_a_loop_of_tensorflow_lite(shapes: Built) -> None:
    """The file fixes how often the loop runs, and what a list is cut into adds up in every run."""
    (lite,) = ask_document(shapes.folder / "steps.tflite", [])
    (keras,) = ask_document(shapes.folder / "steps.keras", [])
    assert lite.totals.complete
    begins, zeros = 7 * 5 + 5 + 4, 2 * 3 * 4 + 2  # what the loops begin with, and biases that have no effect
    assert lite.totals.parameters == keras.totals.parameters + begins - zeros
    assert lite.totals.macs == keras.totals.macs == 7 * (4 * 5 * (6 + 5) + 3 * 4 * (5 + 4)) + 4 * 2


@pytest.mark.parametrize("name", ["counted.pb", "counted_saved", "counted.tflite"])
def test_loops_run_as_often_as_the_file_fixes(shapes: Built, name: str) -> None:
    (overview,) = ask_document(shapes.folder / name, [])
    assert overview.totals.complete
    assert overview.totals.macs == (2 * 3 + 5 + 7) * 3 * 6 * 6 + 4 * 6 * 3 * 6


def test_operators_of_tensorflow_in_a_lite_model_are_known_by_their_own_settings(shapes: Built) -> None:
    (overview,) = ask_document(shapes.folder / "foreign.tflite", [])
    main = shapes.read("foreign.tflite").main
    assert main is not None
    foreign = {node.op: node for node in main.nodes if node.domain == "flex"}
    assert foreign["FlexEinsum"].attributes["equation"] == "biic->bic"
    assert main.values[foreign["FlexEinsum"].outputs[0]].shape == (2, 5, 3)
    assert main.values[foreign["FlexLookupTableFindV2"].outputs[0]].shape == (None, 4)  # the file says no rank
    assert overview.totals.macs == 2 * 3 * 3 * 25
