"""Colouring a graph by a figure: what boxes carry, how modules add up, and what the picture says of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphs import transformer
from PySide6.QtGui import QColor, QImage

from inspector.cli.main import main
from inspector.engines.layout.colour import Colouring, coloured
from inspector.engines.layout.fold import fold
from inspector.engines.layout.grouping import hierarchy
from inspector.engines.layout.place import place
from inspector.engines.layout.scene import Folded
from inspector.errors import InspectorError
from inspector.viewmodels.graph_scene import Scene
from inspector.views.graph_colours import in_text, position, tint
from inspector.views.graph_export import export
from inspector.views.graph_style import Style
from inspector.worker.tasks import _task
from inspector.worker.tasks.fold import FoldArgs
from inspector.worker.tasks.fold import run as fold_task
from inspector.worker.tasks.open import OpenArgs
from inspector.worker.tasks.open import run as open_task

MODEL = transformer()
assert MODEL.main is not None
TREE = hierarchy(MODEL, MODEL.main)
ONES = {f"n:{node.name}": 1.0 for node in MODEL.main.nodes}


def view(colouring: Colouring, *open: str) -> Folded:
    assert MODEL.main is not None
    return coloured(fold(MODEL, MODEL.main, open, known=TREE), TREE, colouring)


@pytest.mark.parametrize("open", [(), ("m:net.layers",), ("m:net.layers", "m:net.layers#0", "m:net.layers.3")])
def test_modules_sum_what_is_in_them(open: tuple[str, ...]) -> None:
    folded = view(Colouring("parameters", ONES), *open)
    assert folded.colour == "parameters"
    shown = [box for box in folded.boxes if box.kind in ("node", "module", "repeat")]
    assert all(box.measure == box.nodes for box in shown)  # one for each node
    assert sum(box.measure or 0 for box in shown if not box.open) == folded.nodes
    assert {box.measure for box in folded.boxes if box.kind in ("input", "output", "stub")} == {None}


def test_what_is_not_known_is_left_out_of_sums_and_has_no_number() -> None:
    first = "n:node0"
    folded = view(Colouring("macs", ONES | {first: None}))
    boxes = {box.key: box for box in folded.boxes}
    assert boxes[first].measure is None
    nothing = view(Colouring("macs", dict.fromkeys(ONES)))
    assert {box.measure for box in nothing.boxes} == {None}


def test_a_module_has_the_dtype_that_most_of_it_has() -> None:
    words = {key: ("float16", 5.0) if k % 3 else ("float32", 1.0) for k, key in enumerate(ONES)}
    folded = view(Colouring("dtype", words=words))
    tones = {box.key: box.tone for box in folded.boxes}
    assert tones["m:net.layers"] == "float16"
    assert tones["n:node0"] == "float32"
    assert tones["i:ids"] == ""


def opened(path: Path) -> _task.Context:
    context = _task.Context()
    open_task(OpenArgs(str(path)), context)
    return context


@pytest.mark.parametrize(
    ("key", "total"), [("parameters", 669_706), ("macs", 668_672), ("memory", 4 * (669_706 + 784 + 4 * 512 + 10))]
)
def test_figures_of_a_file_reach_its_boxes(samples: Path, key: str, total: int) -> None:
    folded = fold_task(FoldArgs(colour=key, exact=True), opened(samples / "digits_mlp.onnx"))
    assert sum(box.measure or 0 for box in folded.boxes if not box.open) == total
    whole = fold_task(FoldArgs(colour=key, everything=True), opened(samples / "digits_mlp.onnx"))
    assert sum(box.measure or 0 for box in whole.boxes if not box.open) == total


def test_the_command_line_has_the_key(samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, out = str(samples / "digits_mlp.onnx"), tmp_path / "graph.svg"
    assert main(["graph", model, "-o", str(out), "--color-by", "macs"]) == 0
    text = out.read_text()
    assert "Multiply-adds" in text
    assert "401 K" in text  # the first layer: 784 × 512
    assert main(["graph", model, "-o", str(tmp_path / "x.svg"), "--color-by", "weather"]) == 2
    error = capsys.readouterr().err
    assert "weather" in error
    assert "parameters" in error


def test_an_unknown_key_is_refused(samples: Path) -> None:
    with pytest.raises(InspectorError, match="coloured by 'weather'"):
        fold_task(FoldArgs(colour="weather"), opened(samples / "digits_mlp.onnx"))


@pytest.mark.parametrize("dark", [False, True])
def test_the_scale_is_in_order_without_hues_and_text_is_read_on_it(dark: bool) -> None:
    style = Style.of(dark)
    light = [luminance(style.heat(k / 20).fill) for k in range(21)]
    assert light == sorted(light, reverse=not dark)
    for one in light:
        low, high = sorted((one, luminance(style.text)))
        assert (high + 0.05) / (low + 0.05) >= 4.5


def luminance(colour: QColor) -> float:
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.getRgbF()[:3]]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts))


def test_a_picture_has_the_colours_and_a_legend(tmp_path: Path) -> None:
    numbers = {key: float(k) for k, key in enumerate(ONES)}
    folded = view(Colouring("parameters", numbers))
    plain, scene = Scene(fold(MODEL, MODEL.main, (), known=TREE), place(folded)), Scene(folded, place(folded))
    assert scene.largest == max(box.measure or 0 for box in folded.boxes) > 5000
    assert in_text(scene) == "Colours: Parameters: 0 to 5.99 K"
    style = Style.of(False)
    heaviest = next(box for box in folded.boxes if box.measure == scene.largest)
    assert tint(scene, style, heaviest).fill == style.heat(1.0).fill
    assert position(scene.largest / 4, scene.largest) == pytest.approx(0.5)
    for name, drawn in (("plain", plain), ("coloured", scene)):
        export(drawn, tmp_path / f"{name}.png")
    without, image = QImage(str(tmp_path / "plain.png")), QImage(str(tmp_path / "coloured.png"))
    assert image.height() - without.height() == 64  # the legend, at twice the size
    below = {image.pixel(x, image.height() - 56) for x in range(image.width())}
    assert style.heat(0.25).fill.rgb() in below
    export(scene, tmp_path / "coloured.svg")
    text = (tmp_path / "coloured.svg").read_text()
    assert "Parameters" in text
    assert "5.99 K" in text
