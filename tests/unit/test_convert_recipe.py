"""The recipe of a conversion, driven without processes: what it asks for, what it tries next, what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from inspector.cli.convert_command import options_by_edge
from inspector.engines.convert import edge as edge_module
from inspector.engines.convert.edge import Edge, Options
from inspector.engines.parity.verdict import Parity, Verdict
from inspector.errors import Cancelled, ConversionError, InspectorError
from inspector.jobs import convert as module
from inspector.jobs.convert import convert
from inspector.jobs.recipe import Aside, Ask, Folder, Say, Start, Stop, Worker
from inspector.jobs.requests import CompareRequest, Conversion, ConvertRequest
from inspector.worker.tasks.convert_step import ConvertedStep
from inspector.worker.tasks.fingerprint import Fingerprint
from inspector.worker.tasks.preflight import Preflight


class Choices(Options, frozen=True):
    """For the tests."""

    opset: int = 18


EDGES = {
    edge.id: edge
    for edge in (
        Edge("onnx_to_tf_saved_model", "onnx", "tf.saved_model", "tool", lambda step: {}, preflight=lambda s, o: ()),
        Edge(
            "tf_saved_model_to_tflite", "tf.saved_model", "tflite", "tool", lambda step: {}, Choices, suffix=".tflite"
        ),
        Edge("onnx_to_tflite", "onnx", "tflite", "other", lambda step: {}, Choices, suffix=".tflite", cost=5),
    )
}
CHAIN = ("onnx_to_tf_saved_model", "tf_saved_model_to_tflite")


@dataclass
class Driver:
    """Answers the steps of a recipe as workers would."""

    private: Path
    fail: dict[str, BaseException] = field(default_factory=dict)
    obstacles: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    ran: list[str] = field(default_factory=list)
    alive: int = 0
    fractions: list[float] = field(default_factory=list)

    def run(self, recipe: Generator[Any, Any, Conversion]) -> Conversion:
        value: Any = None
        error: BaseException | None = None
        while True:
            try:
                step = recipe.send(value) if error is None else recipe.throw(error)
            except StopIteration as stop:
                result: Conversion = stop.value
                return result
            value, error = None, None
            try:
                value = self.answer(step)
            except (InspectorError, OSError) as problem:
                error = problem

    def answer(self, step: Any) -> Any:
        match step:
            case Folder():
                return self.private
            case Start(title):
                self.alive += 1
                return Worker(self.alive, title)
            case Stop():
                self.alive -= 1
            case Say(fraction, _) if fraction is not None:
                self.fractions.append(fraction)
            case Aside(work):
                return work(lambda: False)
            case Ask(_, task, args):
                return getattr(self, task.id)(args)
        return None

    def preflight(self, args: Any) -> Preflight:
        return Preflight(self.obstacles)

    def convert_step(self, args: Any) -> ConvertedStep:
        self.ran.append(args.edge)
        if args.edge in self.fail:
            raise self.fail[args.edge]
        target = Path(args.target)
        if EDGES[args.edge].suffix:
            target.write_text(args.edge)
        else:
            target.mkdir()
            (target / "saved_model.pb").write_text(args.edge)
        for name in self.beside:
            target.with_name(name).write_text("data")
        return ConvertedStep({"from": Path(args.source).name}, "tool 1.0", (target.name, *self.beside))

    def fingerprint(self, args: Any) -> Fingerprint:
        return Fingerprint(f"hash of {Path(args.path).name}", 1)


def proving(verdict: Verdict | InspectorError) -> Callable[[CompareRequest], Generator[Any, Any, Parity]]:
    def compare(request: CompareRequest) -> Generator[Any, Any, Parity]:
        yield Say(0.5, "Comparing")
        assert Path(request.b).exists()
        if isinstance(verdict, InspectorError):
            raise verdict
        return Parity(verdict=verdict, sentence="They differ.")

    return compare


@pytest.fixture(autouse=True)
def toy_house(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "edges", lambda: EDGES)
    monkeypatch.setattr(module, "compare", proving(Verdict.SAME))


@pytest.fixture
def driver(tmp_path: Path) -> Driver:
    private = tmp_path / "private"
    private.mkdir()
    return Driver(private)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def request_(samples: Path, out: Path) -> ConvertRequest:
    return ConvertRequest(source=str(samples / "digits_mlp.onnx"), target=str(out / "m.tflite"), to="tflite")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_cheapest_route_is_run_proved_and_recorded(driver: Driver, request_: ConvertRequest, out: Path) -> None:
    done = driver.run(convert(request_))
    assert driver.ran == list(CHAIN)
    assert names(out) == ["m.tflite"]
    assert done.files == (str(out / "m.tflite"),)
    assert [(step.edge, step.tool, step.version, step.facts) for step in done.route] == [
        (CHAIN[0], "tool", "tool 1.0", {"from": "digits_mlp.onnx"}),
        (CHAIN[1], "tool", "tool 1.0", {"from": "digits_mlp"}),
    ]
    assert (done.source_sha256, done.target_sha256) == ("hash of digits_mlp.onnx", "hash of m.tflite")
    assert done.proof is not None
    assert done.proof.verdict is Verdict.SAME
    assert (done.tried, done.proof_note, driver.alive) == ((), "", 0)
    assert driver.fractions == sorted(driver.fractions)


def test_via_and_no_proof(driver: Driver, request_: ConvertRequest) -> None:
    asked = msgspec.structs.replace(request_, via=("onnx_to_tflite",), prove=False)
    done = driver.run(convert(asked))
    assert driver.ran == ["onnx_to_tflite"]
    assert done.proof is None
    assert done.proof_note == "No proof was asked for."


def test_when_a_step_fails_the_next_route_is_tried_and_said(driver: Driver, request_: ConvertRequest) -> None:
    driver.fail["tf_saved_model_to_tflite"] = ConversionError("No form for Foo.", "Use Bar.")
    done = driver.run(convert(request_))
    assert driver.ran == [*CHAIN, "onnx_to_tflite"]
    assert [step.edge for step in done.route] == ["onnx_to_tflite"]
    (tried,) = done.tried
    assert (tried.route, tried.edge, tried.what, tried.hint) == (CHAIN, CHAIN[1], "No form for Foo.", "Use Bar.")
    assert driver.alive == 0


def test_what_is_known_beforehand_stops_the_edge_before_it_runs(driver: Driver, request_: ConvertRequest) -> None:
    driver.obstacles = ("No handler for Foo.", "No handler for Bar.")
    done = driver.run(convert(request_))
    assert driver.ran == ["onnx_to_tflite"]
    assert done.tried[0].what == "No handler for Foo. No handler for Bar."


def test_when_every_route_fails_the_first_reason_is_told_and_nothing_is_left(
    driver: Driver, request_: ConvertRequest, out: Path
) -> None:
    driver.fail = {CHAIN[0]: ConversionError("First.", "Do this."), "onnx_to_tflite": ConversionError("Second.")}
    with pytest.raises(ConversionError) as caught:
        driver.run(convert(request_))
    assert caught.value.what == "First."
    assert caught.value.hint == "Do this. Other routes: onnx_to_tflite: Second."
    assert names(out) == []


def test_cancelling_tries_nothing_else_and_leaves_nothing(driver: Driver, request_: ConvertRequest, out: Path) -> None:
    driver.fail[CHAIN[0]] = Cancelled()
    with pytest.raises(Cancelled):
        driver.run(convert(request_))
    assert driver.ran == [CHAIN[0]]
    assert names(out) == []


def test_cancelling_during_the_proof_leaves_nothing(
    driver: Driver, request_: ConvertRequest, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "compare", proving(Cancelled()))
    with pytest.raises(Cancelled):
        driver.run(convert(request_))
    assert names(out) == []


def test_a_result_that_differs_is_kept_and_says_so(
    driver: Driver, request_: ConvertRequest, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "compare", proving(Verdict.DIFFERENT))
    done = driver.run(convert(request_))
    assert done.proof is not None
    assert done.proof.verdict is Verdict.DIFFERENT
    assert names(out) == ["m.tflite"]


def test_a_proof_that_cannot_be_made_is_a_note(
    driver: Driver, request_: ConvertRequest, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "compare", proving(InspectorError("No runtime.", "Install one.")))
    done = driver.run(convert(request_))
    assert done.proof is None
    assert done.proof_note == "No runtime. Install one."
    assert names(out) == ["m.tflite"]


@pytest.mark.parametrize("verdict", [Verdict.DIFFERENT, Verdict.NOTHING_PROVED, InspectorError("No runtime.")])
def test_insisting_on_a_proof_discards_what_has_none(
    driver: Driver,
    request_: ConvertRequest,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    verdict: Verdict | InspectorError,
) -> None:
    monkeypatch.setattr(module, "compare", proving(verdict))
    with pytest.raises(ConversionError, match="discarded"):
        driver.run(convert(msgspec.structs.replace(request_, require_proof=True)))
    assert names(out) == []


def test_a_model_in_two_files_arrives_in_two_files(driver: Driver, request_: ConvertRequest, out: Path) -> None:
    driver.beside = ("m.tflite.data",)
    done = driver.run(convert(msgspec.structs.replace(request_, via=("onnx_to_tflite",))))
    assert names(out) == ["m.tflite", "m.tflite.data"]
    assert done.files[0].endswith("m.tflite")


def refused(request: ConvertRequest, driver: Driver) -> InspectorError:
    with pytest.raises(InspectorError) as caught:
        driver.run(convert(request))
    assert driver.ran == []
    assert driver.alive == 0
    return caught.value


def test_a_target_that_exists_is_not_replaced_unless_asked(driver: Driver, request_: ConvertRequest, out: Path) -> None:
    (out / "m.tflite").write_text("mine")
    error = refused(request_, driver)
    assert error.what == f"{out / 'm.tflite'} exists already."
    assert (out / "m.tflite").read_text() == "mine"
    driver.run(convert(msgspec.structs.replace(request_, overwrite=True)))
    assert (out / "m.tflite").read_text() == "tf_saved_model_to_tflite"
    assert names(out) == ["m.tflite"]


def test_a_folder_of_something_else_is_never_replaced(driver: Driver, request_: ConvertRequest, out: Path) -> None:
    (out / "papers").mkdir()
    (out / "papers" / "thesis.txt").write_text("mine")
    asked = msgspec.structs.replace(request_, to="tf.saved_model", target=str(out / "papers"), overwrite=True)
    assert "holds something else" in refused(asked, driver).what
    assert (
        "is a folder, and the result is not"
        in refused(msgspec.structs.replace(request_, target=str(out / "papers"), overwrite=True), driver).what
    )
    assert names(out / "papers") == ["thesis.txt"]


def test_what_lies_in_the_folder_of_a_model_besides_it_is_not_lost(
    driver: Driver, request_: ConvertRequest, out: Path
) -> None:
    (out / "sm").mkdir()
    (out / "sm" / "saved_model.pb").write_bytes(b"\x08\x01")
    (out / "sm" / "notes.txt").write_text("mine")
    asked = msgspec.structs.replace(request_, to="tf.saved_model", target=str(out / "sm"), overwrite=True)
    assert "also holds notes.txt" in refused(asked, driver).what
    assert names(out / "sm") == ["notes.txt", "saved_model.pb"]


def test_a_folder_that_holds_the_source_is_never_replaced(driver: Driver, request_: ConvertRequest, out: Path) -> None:
    for folder in (out / "sm", out / "sm" / "kept"):
        folder.mkdir()
    (out / "sm" / "saved_model.pb").touch()
    source = out / "sm" / "kept" / "m.onnx"
    source.write_bytes(Path(request_.source).read_bytes())
    asked = msgspec.structs.replace(
        request_, source=str(source), to="tf.saved_model", target=str(out / "sm"), overwrite=True
    )
    assert refused(asked, driver).what == "The model lies inside the folder that would be replaced."
    assert source.exists()


def test_what_cannot_be_done_is_said_before_anything_starts(
    driver: Driver, request_: ConvertRequest, out: Path, samples: Path
) -> None:
    def what(**changes: Any) -> str:
        return refused(msgspec.structs.replace(request_, **changes), driver).what

    assert what(source=str(out / "none.onnx")) == f"There is no file {out / 'none.onnx'}."
    assert what(source=__file__) == "test_convert_recipe.py is a text file, not a model."
    assert what(to="coreml") == "Nothing here writes 'coreml'."
    assert what(to="onnx") == "digits_mlp.onnx is onnx already."
    assert what(source=str(samples / "digits_mlp.pt2")) == "There is no way from torch.export to tflite."
    assert what(via=("onnx_to_x",)) == "There is no converter called 'onnx_to_x'."
    assert what(options={"onnx_to_x": {}}) == "There is no converter called 'onnx_to_x'."
    assert what(options={CHAIN[0]: {"opset": 3}}) == "onnx_to_tf_saved_model has no option 'opset'."
    assert what(target=str(out / "deeper" / "m.tflite")) == f"There is no folder {out / 'deeper'}."
    assert what(target=request_.source) == "The result would replace the model that it is made from."
    assert what(target="/proc/m.tflite").startswith("Nothing can be written in /proc: ")
    assert names(out) == []


def test_a_name_that_is_too_long_is_said_before_anything_runs(
    driver: Driver, request_: ConvertRequest, out: Path
) -> None:
    asked = msgspec.structs.replace(request_, target=str(out / f"{'m' * 235}.tflite"))
    with pytest.raises(InspectorError, match=r"^The name m+\.tflite is too long\.$"):
        driver.run(convert(asked))
    assert (driver.ran, names(out)) == ([], [])


def test_options_apply_or_the_route_is_left_out_and_that_is_said(driver: Driver, request_: ConvertRequest) -> None:
    driver.fail[CHAIN[1]] = ConversionError("No form for Foo.", "Use Bar.")
    with pytest.raises(ConversionError) as caught:
        driver.run(convert(msgspec.structs.replace(request_, options={CHAIN[1]: {"opset": 13}})))
    assert driver.ran == list(CHAIN)
    assert caught.value.what == "No form for Foo."
    left_out = "onnx_to_tflite: It was left out, because options were given for tf_saved_model_to_tflite"
    assert left_out in caught.value.hint


def test_options_of_a_dearer_route_lead_there(driver: Driver, request_: ConvertRequest) -> None:
    both = {"onnx_to_tflite": {"opset": 13}, CHAIN[1]: {"opset": 13}}
    with pytest.raises(ConversionError, match=r"^No route has every converter that options were given for\.$"):
        driver.run(convert(msgspec.structs.replace(request_, options=both)))
    done = driver.run(convert(msgspec.structs.replace(request_, options={"onnx_to_tflite": {"opset": 13}})))
    assert driver.ran == ["onnx_to_tflite"]
    assert [(one.route, one.what.partition(",")[0]) for one in done.tried] == [(CHAIN, "It was left out")]


def test_the_command_line_sorts_options_to_a_route_that_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_module, "edges", lambda: EDGES)
    assert options_by_edge({"opset": "13"}, "onnx", "tflite", ()) == {CHAIN[1]: {"opset": 13}}
    assert options_by_edge({"onnx_to_tflite.opset": "13"}, "onnx", "tflite", ()) == {"onnx_to_tflite": {"opset": 13}}
    with pytest.raises(InspectorError, match=r"^No converter of this route has the option 'opsett'\.$"):
        options_by_edge({"opsett": "13"}, "onnx", "tflite", ())
