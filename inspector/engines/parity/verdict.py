"""Words of a verdict, one meaning everywhere, and the figures they rest on."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class OutputVerdict(StrEnum):
    """What is said of one output."""

    IDENTICAL = "identical"
    NOISE = "noise"
    PRECISION = "precision"
    DIFFERENT = "different"
    VACUOUS = "vacuous"
    NOT_RUN = "not run"


class Verdict(StrEnum):
    """What is said of a pair of models."""

    SAME = "same"
    PRECISION = "precision"
    DIFFERENT = "different"
    NOTHING_PROVED = "nothing proved"

    @property
    def exit_code(self) -> int:
        """0 for same and precision, 1 for different and nothing proved."""
        return 0 if self in (Verdict.SAME, Verdict.PRECISION) else 1


class Next(StrEnum):
    """What may be tried next, as the button of a verdict says it; `Parity.next` is one of these, or empty."""

    MEASURE = "Measure the speed"
    REAL_INPUTS = "Compare with real inputs"
    ANOTHER_SEED = "Compare with another seed"


class Histogram(msgspec.Struct, frozen=True):
    """Counts between edges; `len(edges) == len(counts) + 1`."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


class OutputParity(msgspec.Struct, frozen=True, kw_only=True):
    """One pair of outputs, over all feeds.

    Attributes:
        a, b: Names in the two models.
        aligned_by: name, order, shape or content.
        layout: How b was permuted to fit a, such as "NHWC→NCHW"; empty when not.
        max_abs: Largest |b - a|. mean_abs: mean of it. max_rel: largest |b - a| / max(|a|, floor), where floor is
            1e-3 × the largest |a|, so that values near zero do not shout.
        cosine: Of the flattened outputs. psnr, snr: in dB. argmax_agreement: share of rows, None where not meaningful.
        noise_floor: Largest |a - reference| that number format and order of sums explain.
        tolerance: What max_abs was held against; `why` says how it came about.
        largest: Largest |a|.
        nan_a, nan_b, inf_a, inf_b: Counts.
        worst: Index of the largest difference, feed first.
        histogram: Of log10 |b - a| where it is not zero.
        sample_a, sample_b: Up to 5,000 values of each for the scatter plot, the worst among them.
        verdict, sentence: The word and why.
    """

    a: str
    b: str
    shape: tuple[int, ...] = ()
    dtype: str = ""
    aligned_by: str = "name"
    layout: str = ""
    max_abs: float = 0.0
    mean_abs: float = 0.0
    max_rel: float = 0.0
    cosine: float | None = None
    psnr: float | None = None
    snr: float | None = None
    argmax_agreement: float | None = None
    noise_floor: float = 0.0
    tolerance: float = 0.0
    why: str = ""
    largest: float = 0.0
    nan_a: int = 0
    nan_b: int = 0
    inf_a: int = 0
    inf_b: int = 0
    worst: tuple[int, ...] = ()
    histogram: Histogram = Histogram((), ())
    sample_a: tuple[float, ...] = ()
    sample_b: tuple[float, ...] = ()
    verdict: OutputVerdict = OutputVerdict.NOT_RUN
    sentence: str = ""


class LayerPair(msgspec.Struct, frozen=True, kw_only=True):
    """A value inside the first model and what it is inside the second, for one feed.

    Attributes:
        a, b: Names of the values. node_a, node_b: of the nodes that give them. op_a, op_b: what those do.
        module: Path of the module that gives a, where the file says.
        paired_by: name, module or content.
        layout: How b was turned to fit a, such as "NHWC→NCHW"; empty when not.
        max_abs, mean_abs, max_rel, largest, tolerance: As in `OutputParity`.
        verdict: identical, noise, precision or different.
    """

    a: str
    b: str
    paired_by: str = ""
    shape: tuple[int, ...] = ()
    layout: str = ""
    max_abs: float = 0.0
    mean_abs: float = 0.0
    max_rel: float = 0.0
    largest: float = 0.0
    tolerance: float = 0.0
    verdict: OutputVerdict = OutputVerdict.NOT_RUN
    node_a: str = ""
    node_b: str = ""
    op_a: str = ""
    op_b: str = ""
    module: str = ""


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """A pair of models: the verdict and what it rests on.

    Attributes:
        feeds: What was fed, in words: "seed 0, batch 1 and 5".
        a, b: What was run: title of runtime and device.
        renamed: Inputs or outputs that changed names, as (a, b).
        next: What to try next, one short command for the card's button; empty when there is nothing.
        layers: Values inside the two that belong together, in the first model's order, where that was asked for.
        first_divergence: The first of them that is off although all before it agree.
        layers_note: What `layers` does not cover, or why there are none, where they were asked for.
    """

    verdict: Verdict
    sentence: str
    outputs: tuple[OutputParity, ...] = ()
    feeds: str = ""
    a: str = ""
    b: str = ""
    device_a: str = ""
    device_b: str = ""
    renamed: tuple[tuple[str, str], ...] = ()
    next: str = ""
    layers: tuple[LayerPair, ...] = ()
    first_divergence: LayerPair | None = None
    layers_note: str = ""
