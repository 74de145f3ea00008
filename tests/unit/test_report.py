"""The page that `make run` leaves: whole, escaped, honest about what is missing."""

from __future__ import annotations

import importlib.util
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from inspector.engines.latency.results import Bench, Measured
from inspector.engines.parity.verdict import OutputParity, OutputVerdict, Parity, Verdict
from inspector.engines.summary.rows import Overview, Port, Signature
from inspector.jobs.requests import Conversion, StepDone

EVIL = "<script>alert('x')</script>&\""


@pytest.fixture(scope="module")
def report() -> ModuleType:
    file = Path(__file__).parents[2] / "packaging" / "report.py"
    spec = importlib.util.spec_from_file_location("packaging_report", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def conversion(verdict: Verdict = Verdict.SAME) -> Conversion:
    output = OutputParity(a=EVIL, b=EVIL, max_abs=1e-6, tolerance=2e-5, verdict=OutputVerdict.NOISE, why=EVIL)
    proof = Parity(verdict=verdict, sentence=EVIL, outputs=(output,), feeds=EVIL, renamed=((EVIL, EVIL),))
    step = StepDone(edge="a_to_b", tool=EVIL, version="1", seconds=1.5, facts={EVIL: EVIL}, options={EVIL: EVIL})
    return Conversion(
        source=f"/x/{EVIL}", target="/x/b", to="b", route=(step,), files=(), seconds=2.0, source_sha256="ab",
        proof=proof,
    )  # fmt: skip


def bench() -> Bench:
    good = Measured(model="/x/b", runtime="r", device="r:cpu", title=EVIL, median_ms=0.5, samples_ms=(0.5, 0.6))
    bad = Measured(model="/x/b", runtime="r", device="r:x", title="X", error=EVIL)
    return Bench(environment={EVIL: EVIL}, results=(good, bad), sentence=EVIL)


def overview() -> Overview:
    ports = (Port(EVIL, EVIL, (EVIL, 28)),)
    return Overview(file=EVIL, size=1, format="f", title=EVIL, signatures=(Signature(EVIL, ports, ports),))


class Tags(HTMLParser):
    """Every tag that is opened must be closed, but for those that never are."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.add(tag)
        if tag not in {"meta", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_what_files_and_tools_say_is_text(report: ModuleType, tmp_path: Path) -> None:
    picture = tmp_path / "p.png"
    picture.write_bytes(b"\x89PNG")
    html = report.page(overview(), conversion(), bench(), [report.Picture(picture, EVIL)])
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    assert "script" not in tags.seen
    assert "data:image/png;base64,iVBORw==" in html
    assert "http" not in html
    for words in ("1.0e-6", "2.0e-5", "noise", "ab", "0.5", "a_to_b"):
        assert words in html


def test_it_worked_only_with_a_proof_and_a_measurement(report: ModuleType) -> None:
    assert report.worked(conversion(), bench()) == ""
    assert report.worked(conversion(Verdict.DIFFERENT), bench()) == EVIL
    assert report.worked(conversion(), Bench(environment={}, results=())) == "Nothing could be measured."
    bare = msgspec.structs.replace(conversion(), proof=None, proof_note="No runtime reads it.")
    assert report.worked(bare, bench()) == "The result was not proved. No runtime reads it."
    assert "No runtime reads it." in report.page(overview(), bare, None, [])
