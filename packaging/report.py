"""One page that says what a conversion was worth: what was done with what, the verdict, the speed, and where.

One file without scripts or links to other places: pictures are inside. Everything that comes from a model file or a
tool is escaped.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from inspector.engines.latency.results import Bench, Measured
from inspector.engines.parity.verdict import OutputParity, Verdict
from inspector.engines.summary.rows import Overview
from inspector.jobs.requests import Conversion
from inspector.viewmodels.measured import beside_fastest, name_of
from inspector.viewmodels.verdicts import HEADLINES, TONES, difference, plain

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1f24; background: #fff }
body { margin: 0 auto; padding: 32px; max-width: 1080px }
h1 { font-size: 24px; margin: 0 } h2 { font-size: 17px; margin: 32px 0 8px } p { margin: 4px 0 }
table { border-collapse: collapse; margin: 8px 0 } caption { text-align: left; color: #57606a }
th, td { text-align: left; padding: 4px 24px 4px 0; border-bottom: 1px solid #e3e6ea; vertical-align: top }
th { font-weight: 600; color: #57606a } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
code { font-family: ui-monospace, monospace; font-size: 13px } .muted { color: #57606a }
.card { border-left: 4px solid; padding: 12px 16px; margin: 16px 0 } .card b { font-size: 18px }
.good { border-color: #1a7f4b; background: #e3f3ea } .warning { border-color: #9a6700; background: #fff4d6 }
.bad { border-color: #c0262d; background: #fde8e8 } .muted-card { border-color: #6e7781; background: #f0f2f4 }
img { max-width: 100%; border: 1px solid #e3e6ea; margin: 8px 0 }
@media (prefers-color-scheme: dark) {
  body { background: #16181d; color: #e6e8eb } th, td { border-color: #333842 } img { border-color: #333842 }
  th, .muted, caption { color: #9aa3ad } .good { background: #15301f } .warning { background: #3a2e0b }
  .bad { background: #3b1717 } .muted-card { background: #24282f } }
"""


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG and what it shows."""

    file: Path
    words: str


def page(overview: Overview, conversion: Conversion, bench: Bench | None, pictures: Sequence[Picture]) -> str:
    """The whole report as HTML."""
    name = Path(conversion.source).name
    title = f"{name} → {Path(conversion.target).name}"
    parts = [
        f"<h1>{text(title)}</h1>",
        f'<p class="muted">Inspector converted it in {conversion.seconds:.1f} s, ran both on the same inputs and timed '
        "them.</p>",
        _card(conversion),
        "<h2>The model</h2>", _summary(overview),
        "<h2>The way</h2>", _route(conversion),
        "<h2>Is it still the same model?</h2>", _proof(conversion),
        "<h2>Is it faster?</h2>", _latency(bench),
        "<h2>Where</h2>", _environment(bench),
        "<h2>What the window showed</h2>", *map(_picture, pictures),
    ]  # fmt: skip
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{text(title)}</title><style>{STYLE}</style></head>\n"
    )
    return head + "<body>\n" + "\n".join(parts) + "\n</body></html>\n"


def text(value: object) -> str:
    """Anything as text of the page."""
    return escape(str(value), quote=True)


def table(head: Sequence[str], rows: Iterable[Sequence[object]], numbers: Iterable[int] = ()) -> str:
    """A table; the columns of these numbers hold numbers."""
    right = set(numbers)

    def cells(tag: str, values: Sequence[object]) -> str:
        kinds = [' class="n"' if place in right else "" for place in range(len(values))]
        return "".join(f"<{tag}{kind}>{text(value)}</{tag}>" for kind, value in zip(kinds, values, strict=True))

    body = "\n".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    top = f"<thead><tr>{cells('th', head)}</tr></thead>\n" if any(head) else ""
    return f"<table>{top}<tbody>{body}</tbody></table>"


def _card(conversion: Conversion) -> str:
    proof = conversion.proof
    if proof is None:
        return f'<div class="card muted-card"><b>Not proved</b><p>{text(conversion.proof_note)}</p></div>'
    tone = TONES[proof.verdict]
    kind = "muted-card" if tone == "muted" else tone
    return f'<div class="card {kind}"><b>{text(HEADLINES[proof.verdict])}</b><p>{text(proof.sentence)}</p></div>'


def _summary(overview: Overview) -> str:
    totals = overview.totals
    ports = [
        (way, port.name, "×".join(map(str, port.shape or ())), port.dtype)
        for signature in overview.signatures[:1]
        for way, group in (("input", signature.inputs), ("output", signature.outputs))
        for port in group
    ]
    facts = (
        f"{overview.title}, {totals.parameters:,} parameters "
        f"({totals.trainable:,} trainable), {totals.macs:,} multiply-adds, {totals.layers:,} layers"
    )
    return f"<p>{text(facts)}</p>" + table(("", "Name", "Shape", "Type"), ports)


def _route(conversion: Conversion) -> str:
    steps = [
        (step.edge, f"{step.tool} {step.version}", _pairs(step.options), _pairs(step.facts), f"{step.seconds:.1f}")
        for step in conversion.route
    ]
    made = table(("Step", "Tool", "Options", "Facts", "Seconds"), steps, (4,))
    hashes = [("source", conversion.source_sha256), ("result", conversion.target_sha256)]
    known = "".join(f"<p>SHA-256 of the {what}: <code>{text(value)}</code></p>" for what, value in hashes if value)
    tried = "".join(f"<p>Tried before: {text(' → '.join(t.route))}: {text(t.what)}</p>" for t in conversion.tried)
    return made + tried + known


def _pairs(values: dict[str, object] | dict[str, str]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in values.items())


def _proof(conversion: Conversion) -> str:
    proof = conversion.proof
    if proof is None:
        return f"<p>{text(conversion.proof_note or 'It was not run beside its source.')}</p>"
    words = f"<p>{text(proof.a)} against {text(proof.b)}, {text(proof.feeds)}.</p>"
    renamed = "".join(f"<p>{text(a)} became {text(b)}.</p>" for a, b in proof.renamed)
    head = ("Output", "Verdict", "Largest difference", "Mean", "Tolerance", "Noise floor", "Arg-max agrees", "Why")
    return words + renamed + table(head, map(_output, proof.outputs), (2, 3, 4, 5, 6))


def _output(output: OutputParity) -> tuple[str, ...]:
    name = output.a if output.a == output.b else f"{output.a} → {output.b}"
    agree = "" if output.argmax_agreement is None else f"{output.argmax_agreement:.1%}"
    figures = (output.max_abs, output.mean_abs, output.tolerance, output.noise_floor)
    return (name, output.verdict.value, *map(difference, figures), agree, f"{output.sentence} {output.why}".strip())


def _latency(bench: Bench | None) -> str:
    if bench is None:
        return "<p>It was not measured.</p>"
    ratios = beside_fastest(bench)
    rows = [_measured(result, ratio) for result, (ratio, _) in zip(bench.results, ratios, strict=True)]
    head = ("Milliseconds", "Median", "95 % interval", "p90", "p99", "Load", "Runs", "Peak MB", "Beside the fastest")
    sentence = f"<p><b>{text(bench.sentence)}</b></p>" if bench.sentence else ""
    return sentence + table(head, rows, range(1, 9))


def _measured(result: Measured, ratio: str) -> tuple[str, ...]:
    if result.error:
        return (name_of(result), result.error, *[""] * 7)
    low, high = result.ci95_ms
    return (
        name_of(result), plain(result.median_ms), f"{plain(low)}–{plain(high)}", plain(result.p90_ms),
        plain(result.p99_ms), plain(result.load_ms), str(len(result.samples_ms)), f"{result.peak_rss_mb:,.0f}", ratio,
    )  # fmt: skip


def _environment(bench: Bench | None) -> str:
    if bench is None:
        return "<p>Nothing was measured.</p>"
    facts: dict[str, str] = dict(bench.environment)
    for result in bench.results:
        facts |= {f"{result.title}: {name}": value for name, value in result.facts.items()}
    return table(("", ""), facts.items())


def _picture(picture: Picture) -> str:
    data = base64.b64encode(picture.file.read_bytes()).decode()
    words = text(picture.words)
    return f'<p class="muted">{words}</p><img alt="{words}" src="data:image/png;base64,{data}">'


def worked(conversion: Conversion, bench: Bench | None) -> str:
    """What is missing from a whole result, in one sentence; empty when it is the same model and was measured."""
    if conversion.proof is None:
        return f"The result was not proved. {conversion.proof_note}".strip()
    if conversion.proof.verdict not in (Verdict.SAME, Verdict.PRECISION):
        return conversion.proof.sentence
    if bench is None or not any(result.samples_ms for result in bench.results):
        return "Nothing could be measured."
    return ""
