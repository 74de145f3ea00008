"""Archives with models inside: `.task` and `.litertlm`'s elder kin, zip files whose members are whole TFLite models.

Each member keeps its graphs; where there are several, a graph of the archive's own has one node for each, which runs
the member's main graph.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from inspector.formats._format import Glimpse
from inspector.formats._source import Source
from inspector.formats._zip import INFLATED, Archive, archive
from inspector.ir import Graph, Model, Node, Note, Value

OTHERS = (".onnx", ".pt", ".pth", ".pt2", ".ckpt", ".safetensors", ".keras", ".h5", ".pb", ".gguf", ".pkl")
MODELS = 100


def holds_models(glimpse: Glimpse) -> bool:
    """Whether an archive has models of ours and no others."""
    named = [name for name in glimpse.members if _named(name)]
    return bool(named) and not any(name.lower().endswith(OTHERS) for name in glimpse.members)


def _named(name: str) -> bool:
    last = PurePosixPath(name).name
    return last.endswith((".tflite", ".lite")) or last.startswith("TF_LITE_")


def members(source: Source) -> Iterator[tuple[str, Any]]:
    """Name and bytes of each model; those of a stored member are not copied.

    Raises:
        FormatError: The archive is damaged, or a packed member is too large.
    """
    with archive(source) as zipped:
        names = [name for name in zipped.names if _named(name)][:MODELS]
        with source.open() as file:
            for name in names:
                yield from ((name, data) for data in _bytes(zipped, file, name))


def _bytes(zipped: Archive, file: BinaryIO, name: str) -> Iterator[Any]:
    start, size = zipped.start(name), zipped.size(name)
    if start < 0:
        yield zipped.read(name, INFLATED)
    elif not size or start + size > file.seek(0, 2):
        yield b""
    else:
        first = start // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
        yield memoryview(mmap.mmap(file.fileno(), start - first + size, access=mmap.ACCESS_READ, offset=first))[
            start - first :
        ]


def prefixes(names: list[str]) -> dict[str, str]:
    """What the names of each member's graphs begin with: its own name, whole where two share the last part."""
    short = [PurePosixPath(name).name.removesuffix(".tflite") for name in names]
    if len(names) < 2:
        return dict.fromkeys(names, "")
    unique = len(set(short)) == len(short)
    return {name: f"{stem if unique else name}/" for name, stem in zip(names, short, strict=True)}


def joined(models: dict[str, Model]) -> Model:
    """One model of all members."""
    if len(models) == 1:
        ((name, model),) = models.items()
        return replace(model, metadata={"member": name, **model.metadata})
    nodes: list[Node] = []
    inputs: list[Value] = []
    outputs: list[Value] = []
    for name, model in models.items():
        main = model.graphs[0]
        ends = (tuple(v.name for v in main.inputs), tuple(v.name for v in main.outputs))
        nodes.append(Node(PurePosixPath(name).name, "Model", *ends, {"member": name}, graphs=(main.name,)))
        inputs += main.inputs
        outputs += main.outputs
    values = {value.name: value for value in (*inputs, *outputs)}
    top = Graph("models", tuple(inputs), tuple(outputs), tuple(nodes), values)
    short = {name: PurePosixPath(name).name for name in models}
    text = f"The archive holds {len(models):,} models: {', '.join(short.values())}."
    return Model(
        format="tflite",
        producer=next(iter(models.values())).producer,
        graphs=(top, *(graph for model in models.values() for graph in model.graphs)),
        tensors={key: tensor for model in models.values() for key, tensor in model.tensors.items()},
        signatures=tuple(
            replace(each, name=f"{short[name]}: {each.name}") for name, m in models.items() for each in m.signatures
        ),
        metadata={f"{short[name]}: {key}": words for name, m in models.items() for key, words in m.metadata.items()},
        texts={f"{short[name]}: {key}": words for name, m in models.items() for key, words in m.texts.items()},
        notes=(Note("info", text[:500]), *(note for model in models.values() for note in model.notes)),
    )
