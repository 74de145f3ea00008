"""The compare page: verdict cards, plots that hold the data, tables, devices with reasons, exports."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QPushButton, QScrollArea
from pytestqt.qtbot import QtBot

from inspector.engines.latency.results import Bench, Measured, Ratio
from inspector.engines.parity.verdict import Histogram, Next, OutputParity, OutputVerdict, Parity, Verdict
from inspector.jobs.requests import Conversion, DeviceList
from inspector.runtimes import Device
from inspector.settings import Settings
from inspector.viewmodels.compare import CompareModel
from inspector.viewmodels.measured import beside_fastest
from inspector.viewmodels.verdicts import difference, milliseconds, plain
from inspector.views import look
from inspector.views.compare_page import ComparePage
from tests.rest import rest

SOURCE = tuple(float(i) / 7 for i in range(60))
RESULT = tuple(value + (1e-6 if i % 3 else 0) for i, value in enumerate(SOURCE))


def output(name: str = "output", max_abs: float = 1e-6, **more: Any) -> OutputParity:
    figures: dict[str, Any] = {
        "a": name, "b": name, "shape": (6, 10), "dtype": "float32", "max_abs": max_abs, "mean_abs": max_abs / 3,
        "noise_floor": 2e-6, "tolerance": 3e-5, "cosine": 1.0, "argmax_agreement": 1.0, "why": "64 × eps",
        "histogram": Histogram((-7.0, -6.5, -6.0), (10, 30)), "sample_a": SOURCE, "sample_b": RESULT,
        "verdict": OutputVerdict.NOISE, "sentence": "Within noise.",
    }  # fmt: skip
    return OutputParity(**(figures | more))


def parity(verdict: Verdict = Verdict.SAME, *outputs: OutputParity, next: str = Next.MEASURE) -> Parity:
    return Parity(
        verdict=verdict, sentence="What was found.", outputs=outputs or (output(),), feeds="seed 0, batch 1 and 5",
        a="PyTorch · CPU", b="ONNX Runtime · CPU", next=next,
    )  # fmt: skip


def measured(model: str, median: float, title: str) -> Measured:
    samples = tuple(median * (1 + 0.01 * (i % 7)) for i in range(20))
    return Measured(
        model=model, runtime="r", device=f"r:{title}", title=title, load_ms=30, median_ms=median, p90_ms=median * 1.1,
        p99_ms=median * 1.2, ci95_ms=(median * 0.98, median * 1.02), samples_ms=samples, peak_rss_mb=321,
    )  # fmt: skip


def bench() -> Bench:
    return Bench(
        environment={"machine": "a machine", "python": "Python 3.11"},
        results=(
            measured("/x/m.pt2", 0.4, "PyTorch · CPU"),
            measured("/x/m.onnx", 0.1, "ONNX Runtime · CPU"),
            Measured(model="/x/m.pt2", runtime="r", device="r:x", title="PyTorch · compiled", error="No compiler."),
        ),
        ratios=(Ratio(a=0, b=1, ratio=4.0, ci95=(3.9, 4.1), sentence=""),),
        sentence="m.onnx is 4.0× faster here, 3.9–4.1.",
    )


def device(id: str, reason: str = "") -> Device:
    return Device(id=id, runtime=id.partition(":")[0], title=id, available=not reason, reason=reason)


@pytest.fixture
def model(desk: Any, samples: Path) -> CompareModel:
    return CompareModel(samples / "digits_mlp.onnx", "onnx", desk, Settings())


@pytest.fixture
def page(qtbot: QtBot, qapp: QApplication, model: CompareModel) -> ComparePage:
    look.apply(qapp, "light")
    page = ComparePage(model)
    qtbot.addWidget(page)
    page.resize(1400, 900)
    page.show()
    return page


@pytest.fixture
def known(page: ComparePage, desk: Any) -> ComparePage:
    found = (device("onnxruntime:cpu"), device("onnxruntime:cuda", "There is no CUDA."), device("torch:cpu"))
    desk.end(DeviceList(found))
    return page


def press(qtbot: QtBot, button: QPushButton) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def drawn(qtbot: QtBot, pane: Any) -> dict[str, Any]:
    qtbot.waitUntil(lambda: bool(pane.series()), timeout=30_000)
    series: dict[str, Any] = pane.series()
    return series


def test_before_anything_it_says_what_will_appear(page: ComparePage) -> None:
    assert page.card.card.headline == "Not compared yet"
    assert "how far each output is off" in page.parity_plot.empty.words.text()
    assert "how long each model takes" in page.latency_plot.empty.words.text()
    assert page.parity_plot.series() == {}
    assert not page.run_button.isEnabled()
    assert page.run_button.toolTip() == "Choose a model to compare with."


def test_devices_are_chips_and_the_missing_say_why(qtbot: QtBot, known: ComparePage) -> None:
    assert [(chip.text(), chip.isChecked()) for chip in known.devices.chips] == [("onnxruntime:cpu", True)]
    reasons = {chip.title: chip.reason for chip in known.devices.missing}
    assert reasons["onnxruntime:cuda"] == "There is no CUDA."
    assert "neither model" in reasons["torch:cpu"]  # neither model is one that it runs
    known.model.choose_file(known.model.path.with_name("digits_mlp.pt2"))
    assert known.model.chosen == ("onnxruntime:cpu", "torch:cpu")
    assert known.run_button.isEnabled()
    for chip in known.devices.chips:
        qtbot.keyClick(chip, Qt.Key.Key_Space)
    assert known.model.chosen == ()
    assert known.run_button.toolTip() == "Tick at least one device."


@pytest.mark.qt_log_ignore("does not support (raise|grabbing the keyboard)", extend=True)
def test_the_missing_are_folded_and_reached_by_keyboard(qtbot: QtBot, known: ComparePage) -> None:
    more = known.devices.more
    assert more is not None
    assert more.text() == "2 not usable"
    qtbot.keyClick(more, Qt.Key.Key_Space)
    popup = known.devices.popup
    assert popup.isVisible()
    assert QApplication.focusWidget() is popup.list or popup.list.hasFocus()
    spoken = []
    for _ in range(popup.list.count()):
        spoken.append(popup.list.currentIndex().data(Qt.ItemDataRole.AccessibleTextRole))
        qtbot.keyClick(popup.list, Qt.Key.Key_Down)
    assert spoken[0] == "onnxruntime:cuda: There is no CUDA."
    assert spoken[1].startswith("torch:cpu: It runs")
    qtbot.keyClick(popup.list, Qt.Key.Key_Escape)
    assert not popup.isVisible()
    known.model.choose_file(known.model.path.with_name("digits_mlp.pt2"))
    assert known.devices.more is not None
    assert known.devices.more.text() == "1 not usable"


def test_devices_are_asked_before_a_measurement_is_queued(desk: Any, model: CompareModel) -> None:
    model.take(conversion(parity()))  # nobody has looked at the page
    asked, measured = desk.jobs.values()
    assert (asked[0], asked[2]) == ("Looking for devices", False)
    assert measured[2]


def test_sizes_typed_on_the_overview_reach_the_requests(samples: Path, desk: Any) -> None:
    path, settings = samples / "digits_mlp.torchscript.pt", Settings()
    settings.shapes = {str(path): {"batch": 3}}
    settings.input_shapes = {str(path): {"x": [3, 1, 28, 28]}}
    model = CompareModel(path, "torch.script", desk, settings)
    model.choose_file(samples / "digits_mlp.onnx")
    for request in (model.compare_request(), model.bench_request()):
        assert request.dims == {"batch": 3}
        assert request.shapes == {"x": (3, 1, 28, 28)}


def test_devices_are_asked_once_for_all_pages(qtbot: QtBot, known: ComparePage, desk: Any) -> None:
    other = ComparePage(CompareModel(known.model.path, "onnx", desk, Settings()))
    qtbot.addWidget(other)
    other.show()
    assert len(desk.jobs) == 1
    assert len(other.devices.chips) + len(other.devices.missing) == 3


def test_run_compares_and_then_measures_alone(qtbot: QtBot, known: ComparePage, desk: Any) -> None:
    model = known.model
    model.choose_file(model.path.with_name("digits_mlp.pt2"))
    press(qtbot, known.inputs_button)
    known.batches.clear()
    qtbot.keyClicks(known.batches, "2 3")
    known.seed.setValue(7)
    request = model.compare_request()
    assert (request.device_a, request.device_b, request.batches, request.seed) == (
        "onnxruntime:cpu", "torch:cpu", (2, 3), 7,
    )  # fmt: skip
    press(qtbot, known.run_button)
    assert not desk.jobs[desk.last][2]
    desk.progressed.emit(desk.last, 0.5, "Running PyTorch")
    assert known.words.text() == "Running PyTorch"
    assert known.bar.value() == 500
    desk.end(parity())
    assert desk.jobs[desk.last][2], "a measurement runs alone"
    assert model.bench_request().batch == 2
    desk.end(bench())
    assert known.bench_sentence.text() == "m.onnx is 4.0× faster here, 3.9–4.1."
    assert known.environment.text() == "a machine · Python 3.11"
    assert not model.running.live


def test_batch_sizes_that_are_none_are_refused(qtbot: QtBot, known: ComparePage) -> None:
    known.model.choose_file(known.model.path.with_name("digits_mlp.pt2"))
    for text in ("0", "two", ""):
        known.model.set_batches(text)
        assert "batch sizes" in known.run_button.toolTip()


@pytest.mark.parametrize(
    ("verdict", "tone", "headline"),
    [
        (Verdict.SAME, "good", "Same model"),
        (Verdict.PRECISION, "warning", "Same, within its precision"),
        (Verdict.DIFFERENT, "bad", "Different"),
        (Verdict.NOTHING_PROVED, "muted", "Nothing proved"),
    ],
)
def test_the_card_and_the_plots_of_every_verdict(
    qtbot: QtBot, page: ComparePage, verdict: Verdict, tone: str, headline: str
) -> None:
    page.model.take(conversion(parity(verdict)), measure=False)
    assert page.card.property("tone") == tone
    assert page.card.headline.text() == headline
    assert page.card.headline.palette().windowText().color() == look.colour("text" if tone == "muted" else tone)
    pixel = page.card.grab().toImage().pixelColor(1, page.card.height() // 2)
    assert pixel == look.colour(tone)
    assert drawn(qtbot, page.parity_plot)["Error"]["max_abs"] == [1e-6]  # also for verdicts that are false
    assert page.parity_table.rowCount() == 1


def conversion(proof: Parity | None, note: str = "") -> Conversion:
    return Conversion(
        source="/x/m.onnx", target="/x/m_saved_model", to="tf.saved_model", route=(), files=(), seconds=1.0,
        proof=proof, proof_note=note,
    )  # fmt: skip


def test_a_conversion_shows_its_proof_and_is_measured(qtbot: QtBot, page: ComparePage, desk: Any) -> None:
    page.model.take(conversion(parity()))
    assert page.other.currentText() == "m_saved_model  (converted)"
    assert desk.jobs[desk.last][2]
    assert "seed 0, batch 1 and 5" in page.parity_words.text()
    desk.end(bench())
    assert set(drawn(qtbot, page.latency_plot)["Box"]) == {"m.pt2 · PyTorch · CPU", "m.onnx · ONNX Runtime · CPU"}


def test_a_conversion_without_proof_says_so(page: ComparePage, desk: Any) -> None:
    before = len(desk.jobs)
    page.model.take(conversion(None, "No runtime reads it."))
    assert page.card.headline.text() == "Not proved"
    assert page.card.sentence.text() == "No runtime reads it."
    assert len(desk.jobs) == before


def test_the_plots_hold_the_data(qtbot: QtBot, page: ComparePage) -> None:
    many = (output(), output("features", 0.4, verdict=OutputVerdict.DIFFERENT, sample_b=SOURCE, b="call:0"))
    page.model.take(conversion(parity(Verdict.DIFFERENT, *many)), measure=False)
    series = drawn(qtbot, page.parity_plot)
    assert series["Error"]["outputs"] == ["output", "call:0"]
    assert series["Error"]["max_abs"] == [1e-6, 0.4]
    assert series["Error"]["tolerance"] == [3e-5, 3e-5]
    assert series["Scatter"]["result"] == list(SOURCE)  # the worst output comes first
    page.parity_plot.show_chart(1)
    assert page.output.isVisible()
    page.output.setCurrentIndex(0)
    assert page.parity_plot.series()["Scatter"] == {"source": list(SOURCE), "result": list(RESULT)}
    assert page.parity_plot.series()["Histogram"] == {"edges": [-7.0, -6.5, -6.0], "counts": [10, 30]}
    assert page.parity_table.item(1, 0).text() == "features → call:0"
    assert page.parity_table.item(1, 1).text() == "different"
    page.model.choose(None)
    assert page.parity_plot.series() == {}


def test_outputs_without_figures_are_drawn_too(qtbot: QtBot, page: ComparePage) -> None:
    odd = (
        output("same", 0.0, histogram=Histogram((), ()), verdict=OutputVerdict.IDENTICAL, noise_floor=0.0),
        output("broken", float("inf"), sample_b=tuple(float("nan") for _ in SOURCE), verdict=OutputVerdict.DIFFERENT),
        OutputParity(a="gone", b="", verdict=OutputVerdict.NOT_RUN),
    )
    page.model.take(conversion(parity(Verdict.DIFFERENT, *odd)), measure=False)
    assert len(drawn(qtbot, page.parity_plot)["Error"]["outputs"]) == 3
    for place in range(3):
        page.output.setCurrentIndex(place)
        for chart in range(3):
            page.parity_plot.show_chart(chart)
            page.grab()


def test_latency_is_plotted_and_tabled(qtbot: QtBot, page: ComparePage, desk: Any) -> None:
    page.model.take(conversion(parity()))
    desk.end(bench())
    series = drawn(qtbot, page.latency_plot)
    assert series["Box"] == series["Cumulative"]
    assert len(series["Box"]["m.pt2 · PyTorch · CPU"]) == 20
    table = page.latency_table
    assert [table.item(0, column).text() for column in range(8)] == [
        "m.pt2 · PyTorch · CPU", "0.4", "0.392–0.408", "4×", "0.44", "0.48", "30", "321",
    ]  # fmt: skip
    assert table.item(1, 3).text() == "fastest"
    assert table.item(2, 1).text() == "not measured"
    assert table.item(2, 0).toolTip() == "No compiler."


def test_tables_give_up_their_last_columns_instead_of_scrolling(qtbot: QtBot, page: ComparePage, desk: Any) -> None:
    page.model.take(conversion(parity()))
    desk.end(bench())
    table = page.latency_table
    for width, least in ((430, 4), (900, 8)):
        table.resize(width, table.height())
        assert not table.horizontalScrollBar().isVisible()
        assert table.shown()[:4] == ["Latency in ms", "Median", "95 % interval", "Ratio"]
        assert len(table.shown()) >= least
        assert sum(table.columnWidth(n) for n in range(8) if not table.isColumnHidden(n)) <= table.viewport().width()
        assert table.viewport().height() >= sum(table.rowHeight(line) for line in range(table.rowCount()))
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert "30\t321" in QApplication.clipboard().text()  # what is hidden is copied too


def test_the_first_screen_holds_verdict_plots_and_tables(qtbot: QtBot, page: ComparePage, desk: Any) -> None:
    desk.end(DeviceList((device("onnxruntime:cpu"), *(device(f"onnxruntime:{n}", "None.") for n in range(12)))))
    page.resize(876, 740)  # what docks and tabs leave of 1400×900
    page.model.take(conversion(parity()))
    desk.end(bench())
    drawn(qtbot, page.latency_plot)
    drawn(qtbot, page.parity_plot)
    rest(qtbot)
    area = page.findChild(QScrollArea)
    assert area.verticalScrollBar().maximum() == 0
    assert area.horizontalScrollBar().maximum() == 0
    for widget in (page.card, page.parity_plot, page.latency_plot, page.parity_table, page.latency_table):
        assert page.rect().contains(QRect(widget.mapTo(page, QPoint()), widget.size()))
    assert page.parity_plot.height() == page.latency_plot.height() > 240


def test_words_that_no_button_knows_get_no_button(page: ComparePage) -> None:
    page.model.take(conversion(parity(next="Dance")), measure=False)
    assert page.card.button.isHidden()


def test_the_figures_beside_the_fastest() -> None:
    assert [text for text, _ in beside_fastest(bench())] == ["4×", "fastest", ""]
    assert "3.9–4.1" in beside_fastest(bench())[0][1]
    turned = Ratio(a=1, b=0, ratio=0.25, ci95=(0.2, 0.5), sentence="")
    assert "2–5" in beside_fastest(Bench(environment={}, results=bench().results, ratios=(turned,)))[0][1]


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("pane", ["parity_plot", "latency_plot"])
def test_exports_are_whole_and_well_formed(
    qtbot: QtBot, page: ComparePage, desk: Any, tmp_path: Path, pane: str, number: int
) -> None:
    page.model.take(conversion(parity()))
    desk.end(bench())
    plot = getattr(page, pane)
    drawn(qtbot, plot)
    plot.show_chart(min(number, len(plot.charts) - 1))
    assert plot.export_button.offers() == [".png", ".svg", ".csv", ".json"]
    for suffix in plot.export_button.offers():
        plot.export_button.write(tmp_path / f"out{suffix}")
    assert QImage(str(tmp_path / "out.png")).width() == 2 * plot.charts[plot.number].width()
    tree = ElementTree.parse(tmp_path / "out.svg").getroot()
    assert tree.tag.endswith("svg")
    assert len(list(tree.iter())) > 20
    lines = list(csv.reader((tmp_path / "out.csv").read_text().splitlines()))
    assert len(lines) > 1
    assert len({len(line) for line in lines}) == 1
    plain_json = json.loads((tmp_path / "out.json").read_text())
    assert plain_json.keys() >= (
        {"verdict", "outputs"} if pane == "parity_plot" else {"environment", "results", "ratios"}
    )
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.csv", "out.json", "out.png", "out.svg"]


def test_the_plots_follow_the_theme(qtbot: QtBot, qapp: QApplication, page: ComparePage) -> None:
    page.model.take(conversion(parity()), measure=False)
    drawn(qtbot, page.parity_plot)
    page.parity_plot.show_chart(2)
    for theme in ("dark", "light"):
        look.apply(qapp, theme)
        rest(qtbot)
        picture = page.parity_plot.charts[2].grab().toImage()
        assert picture.pixelColor(picture.width() - 3, 3) == look.colour("base")
        colours = {
            picture.pixelColor(x, y).name() for x in range(0, picture.width(), 2) for y in range(0, picture.height(), 4)
        }
        assert look.series_colour(0).name() in colours


def test_hovering_tells_the_values(qtbot: QtBot, page: ComparePage, desk: Any) -> None:
    from PySide6.QtCore import QPointF

    page.model.take(conversion(parity()))
    desk.end(bench())
    drawn(qtbot, page.latency_plot)
    drawn(qtbot, page.parity_plot)
    error, scatter, histogram = page.parity_plot.charts
    box, cumulative = page.latency_plot.charts
    page.parity_plot.show_chart(1)
    assert "tolerance 3.0e-5" in error.tip(QPointF(-6, 0))
    assert error.tip(QPointF(-6, -1)) == error.tip(QPointF(-6, 0))  # a single output has the whole chart
    assert error.tip(QPointF(-6, -3)) == ""
    assert "source 1.4285" in scatter.tip(QPointF(SOURCE[10], RESULT[10]))
    assert "30 values differ by" in histogram.tip(QPointF(-6.2, 10))
    assert "median 0.10 ms" in box.tip(QPointF(-1, -1))
    assert "100 %  m.onnx" in cumulative.tip(QPointF(-0.5, 50))


@pytest.mark.parametrize(
    ("proposal", "happens"),
    [
        (Next.MEASURE, lambda model, desk: desk.jobs[desk.last][2]),
        (Next.ANOTHER_SEED, lambda model, desk: model.seed == 1 and desk.jobs[desk.last][0].startswith("Comparing")),
        (Next.REAL_INPUTS, lambda model, desk: model.compare_request().feeds == "/x/real.npz"),
    ],
)
def test_the_button_of_the_card_does_what_it_says(
    qtbot: QtBot, known: ComparePage, desk: Any, proposal: str, happens: Callable[[CompareModel, Any], bool]
) -> None:
    known.model.take(conversion(parity(next=proposal)), measure=False)
    if proposal == Next.REAL_INPUTS:
        known.model.set_feeds("/x/real.npz")
    assert known.card.button.text() == proposal
    press(qtbot, known.card.button)
    assert known.model.running.live
    assert happens(known.model, desk)


def test_a_failure_is_told_on_the_card(qtbot: QtBot, known: ComparePage, desk: Any) -> None:
    known.model.choose_file(known.model.path.with_name("digits_mlp.pt2"))
    press(qtbot, known.run_button)
    desk.fail("PyTorch could not run it.", "Try another device.")
    assert known.card.headline.text() == "Could not be done"
    assert known.card.sentence.text() == "PyTorch could not run it. Try another device."
    assert known.card.property("tone") == "bad"
    press(qtbot, known.run_button)
    press(qtbot, known.cancel_button)
    assert not known.model.running.live
    assert known.card.headline.text() == "Not compared yet"


def test_other_open_models_are_offered(page: ComparePage) -> None:
    here = page.model.path
    page.model.offer([(here, "onnx"), (here.with_name("b.onnx"), "onnx")])
    assert [page.other.itemText(i) for i in range(page.other.count())] == ["b.onnx  (open)", "Open a file…"]
    page.model.offer([(here, "onnx")])
    assert page.other.count() == 1


def test_a_file_is_chosen_from_the_same_list(page: ComparePage, monkeypatch: pytest.MonkeyPatch) -> None:
    other = page.model.path.with_name("digits_mlp.pt2")
    answers = iter(["", str(other)])
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (next(answers), ""))
    page.other.activated.emit(page.other.count() - 1)
    assert page.other.currentIndex() == -1  # nothing was chosen
    page.other.activated.emit(page.other.count() - 1)
    assert page.other.currentText() == "digits_mlp.pt2  (file)"
    assert page.model.b is not None
    assert page.model.b.path == other


def test_a_narrow_page_puts_latency_below_parity(page: ComparePage, qtbot: QtBot, desk: Any) -> None:
    page.model.take(conversion(parity()))
    desk.end(bench())
    drawn(qtbot, page.latency_plot)
    area = page.findChild(QScrollArea)
    for width in (600, 900, 600):
        page.resize(width, 700)
        rest(qtbot)
        assert area.horizontalScrollBar().maximum() == 0
        assert (page.latency_plot.x() > page.parity_plot.x()) is (width == 900)
        for button in (*page.parity_plot.buttons, *page.latency_plot.buttons):
            assert button.width() >= button.sizeHint().width()


def test_figures_in_words() -> None:
    assert [difference(v) for v in (0, 1.234e-6, 0.5, 1e-3, 12345.6)] == ["0", "1.2e-6", "0.5", "0.001", "1.2e4"]
    assert [milliseconds(v) for v in (0.0512, 1.234, 45.67, 999, 1234)] == [
        "0.051 ms",
        "1.23 ms",
        "45.7 ms",
        "999 ms",
        "1.23 s",
    ]
    assert [plain(v) for v in (0.0512, 1.234, 45.67, 1234.5, 1e-6)] == ["0.0512", "1.23", "45.7", "1,234", "1.0e-6"]
