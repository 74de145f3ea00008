"""What a verdict looks like: its tone, its headline, and the words beside it; one meaning everywhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from inspector.engines.parity.verdict import Next, OutputParity, OutputVerdict, Parity, Verdict

Tone = Literal["good", "warning", "bad", "muted"]
"""Names of colours of the palette: green, amber, red, grey."""

TONES: dict[Verdict, Tone] = {
    Verdict.SAME: "good",
    Verdict.PRECISION: "warning",
    Verdict.DIFFERENT: "bad",
    Verdict.NOTHING_PROVED: "muted",
}
OUTPUT_TONES: dict[OutputVerdict, Tone] = {
    OutputVerdict.IDENTICAL: "good",
    OutputVerdict.NOISE: "good",
    OutputVerdict.PRECISION: "warning",
    OutputVerdict.DIFFERENT: "bad",
    OutputVerdict.VACUOUS: "muted",
    OutputVerdict.NOT_RUN: "muted",
}
ICONS: dict[Tone, str] = {"good": "pass", "warning": "warning", "bad": "error", "muted": "question"}
HEADLINES = {
    Verdict.SAME: "Same model",
    Verdict.PRECISION: "Same, within its precision",
    Verdict.DIFFERENT: "Different",
    Verdict.NOTHING_PROVED: "Nothing proved",
}


@dataclass(frozen=True, slots=True)
class Card:
    """What a verdict card shows; `next` is a `Next`, or empty where there is nothing to try."""

    tone: Tone
    icon: str
    word: str
    headline: str
    sentence: str
    next: str = ""


def card_of(parity: Parity) -> Card:
    """The card of a proof."""
    tone = TONES[parity.verdict]
    known = parity.next if parity.next in set(Next) else ""  # a button that does nothing is worse than none
    return Card(tone, ICONS[tone], parity.verdict.value, HEADLINES[parity.verdict], parity.sentence, known)


def card_without_proof(note: str) -> Card:
    """The card of a conversion that could not be proved."""
    sentence = note or "The result was not run beside its source."
    return Card("muted", ICONS["muted"], Verdict.NOTHING_PROVED.value, "Not proved", sentence)


def difference(value: float) -> str:
    """A difference in two significant figures: `1.2e-06` is written 1.2e-6."""
    if value == 0:
        return "0"
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞"
    if 1e-3 <= abs(value) < 1e4:
        return f"{value:.3g}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def milliseconds(value: float) -> str:
    """`0.051 ms`, `1.23 ms`, `45.6 ms`, `1.23 s`: three significant figures."""
    if value >= 1000:
        return f"{value / 1000:.3g} s"
    digits = 3 if value < 0.1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{digits}f} ms"


def tone_of(verdict: OutputVerdict) -> Tone:
    """The tone of one output's word."""
    return OUTPUT_TONES[verdict]


def plain(value: float) -> str:
    """Three significant figures without a unit: `0.0512`, `1.23`, `45.6`, `1,234`."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) >= 1e-4 else difference(value)


def excess(output: OutputParity) -> float:
    """How many times its tolerance an output is off; infinite where a difference is no number."""
    return output.max_abs / max(output.tolerance, 1e-300) if math.isfinite(output.max_abs) else math.inf
