"""Verdicts on arrays made by hand, where the right word is known."""

from __future__ import annotations

import numpy as np
import pytest

from inspector.engines.parity.judge import About, Runs, judge
from inspector.engines.parity.verdict import OutputVerdict, Verdict


def outputs(seed: int = 0, shape: tuple[int, ...] = (5, 10), scale: float = 10.0, name: str = "y"):
    random = np.random.default_rng(seed)
    return [{name: (random.standard_normal(shape) * scale).astype(np.float32)} for _ in range(2)]


def changed(runs, change, name="y", to=None):
    return [{to or name: change(feed[name].copy())} for feed in runs]


def test_the_same_values_are_identical():
    a = outputs()
    parity = judge(Runs(a, changed(a, lambda y: y)))
    assert parity.verdict is Verdict.SAME
    assert parity.outputs[0].verdict is OutputVerdict.IDENTICAL
    assert parity.outputs[0].max_abs == 0
    assert parity.outputs[0].cosine == pytest.approx(1)
    assert parity.outputs[0].snr is None, "an infinite ratio is no number"
    assert parity.verdict.exit_code == 0


def test_rounding_is_noise_and_the_tolerance_is_the_documented_one():
    a = outputs()
    parity = judge(Runs(a, changed(a, lambda y: np.nextafter(y, np.float32(np.inf)))))
    (output,) = parity.outputs
    assert (parity.verdict, output.verdict) == (Verdict.SAME, OutputVerdict.NOISE)
    largest = max(float(np.abs(feed["y"]).max()) for feed in a)
    assert output.tolerance == pytest.approx(64 * np.finfo(np.float32).eps * largest)
    assert output.largest == pytest.approx(largest)


def test_a_measured_floor_widens_the_tolerance():
    a = outputs()
    b = changed(a, lambda y: y + np.float32(2e-3))
    assert judge(Runs(a, b)).verdict is Verdict.DIFFERENT
    exact = [{"y": feed["y"].astype(np.float64) + 1e-3} for feed in a]
    parity = judge(Runs(a, b, exact=exact))
    assert parity.verdict is Verdict.SAME
    assert parity.outputs[0].noise_floor == pytest.approx(1e-3)
    assert parity.outputs[0].tolerance == pytest.approx(8e-3)
    assert "float64 reference" in parity.outputs[0].why


def test_a_source_that_does_not_repeat_itself_has_that_much_noise():
    a = outputs()
    again = changed(a, lambda y: y + np.float32(0.01))
    assert judge(Runs(a, again, again=again)).outputs[0].noise_floor == pytest.approx(0.01, rel=1e-3)


def test_a_last_bit_that_flips_a_sort_is_no_measure_of_rounding():
    a = outputs()
    wild = changed(a, lambda y: -y)
    parity = judge(Runs(a, changed(a, lambda y: y + 1), moved=wild))
    assert parity.verdict is Verdict.DIFFERENT
    assert parity.outputs[0].noise_floor == 0


def test_one_wrong_value_is_different_and_its_place_is_named():
    a = outputs()
    b = changed(a, lambda y: y)
    b[1]["y"][3, 7] += 1
    parity = judge(Runs(a, b))
    (output,) = parity.outputs
    assert (parity.verdict, output.verdict) == (Verdict.DIFFERENT, OutputVerdict.DIFFERENT)
    assert output.worst == (1, 3, 7)
    assert output.max_abs == pytest.approx(1, rel=1e-5)
    assert parity.verdict.exit_code == 1
    assert parity.verdict.exit_code == 1
    assert "output y" in parity.sentence


@pytest.mark.parametrize(("numbers", "error"), [("float16", 2.0**-11), ("int8", 2.0**-8), ("bfloat16", 2.0**-9)])
def test_coarse_weights_explain_what_their_rounding_explains(numbers, error):
    a = outputs()
    random = np.random.default_rng(9)
    b = changed(a, lambda y: (y + 4 * error * random.standard_normal(y.shape) * 10).astype(np.float32))
    assert judge(Runs(a, b)).verdict is Verdict.DIFFERENT, "float32 weights explain nothing"
    parity = judge(Runs(a, b, numbers_b=numbers))
    assert (parity.verdict, parity.outputs[0].verdict) == (Verdict.PRECISION, OutputVerdict.PRECISION)
    assert numbers in parity.outputs[0].sentence
    assert parity.verdict.exit_code == 0


def test_another_model_is_not_excused_by_coarse_weights():
    a, b = outputs(0), outputs(1)
    assert judge(Runs(a, b, numbers_b="int8")).verdict is Verdict.DIFFERENT


def test_agreement_of_outputs_that_stand_still_proves_nothing():
    a = [{"y": np.full((5, 1000), 0.001, np.float32)} for _ in range(2)]
    parity = judge(Runs(a, changed(a, lambda y: y)))
    assert parity.verdict is Verdict.NOTHING_PROVED
    assert parity.outputs[0].verdict is OutputVerdict.VACUOUS
    assert parity.verdict.exit_code == 1
    assert "real inputs" in parity.next


def test_moving_less_than_the_tolerance_is_standing_still():
    still = np.full((5, 10), 100, np.float32)
    a = [{"y": still}, {"y": np.nextafter(still, np.float32(np.inf))}]
    assert judge(Runs(a, a)).verdict is Verdict.NOTHING_PROVED


def test_a_still_output_that_differs_is_different_all_the_same():
    a = [{"y": np.ones((5, 10), np.float32)} for _ in range(2)]
    assert judge(Runs(a, changed(a, lambda y: y + 1))).verdict is Verdict.DIFFERENT


def test_rows_count_as_different_inputs_when_they_follow_the_batch():
    random = np.random.default_rng(0)
    a = [{"y": random.standard_normal((n, 10)).astype(np.float32)} for n in (1, 5)]
    feeds = [{"x": np.zeros((n, 4), np.float32)} for n in (1, 5)]
    assert judge(Runs(a, a, feeds=feeds)).verdict is Verdict.SAME
    fixed = [{"y": random.standard_normal((5, 10)).astype(np.float32)} for _ in range(1)] * 2
    assert judge(Runs(fixed, fixed, feeds=feeds)).verdict is Verdict.NOTHING_PROVED, "anchors are no rows"


def test_nan_and_infinity_at_the_same_places_are_equal():
    a = outputs()
    for feed in a:
        feed["y"][0, 0], feed["y"][1, 1], feed["y"][2, 2] = np.nan, np.inf, -np.inf
    parity = judge(Runs(a, changed(a, lambda y: y)))
    (output,) = parity.outputs
    assert parity.verdict is Verdict.SAME
    assert (output.nan_a, output.nan_b, output.inf_a, output.inf_b) == (2, 2, 4, 4)
    assert np.isfinite(output.mean_abs)


@pytest.mark.parametrize("stranger", [np.nan, np.inf])
def test_a_nan_of_its_own_is_a_difference_whatever_the_tolerance(stranger):
    a = outputs()
    b = changed(a, lambda y: y)
    b[0]["y"][2, 3] = stranger
    parity = judge(Runs(a, b), rtol=1e9, atol=1e9)
    assert parity.verdict is Verdict.DIFFERENT
    assert parity.outputs[0].worst == (0, 2, 3)
    assert np.isfinite(parity.outputs[0].max_abs)


def test_opposite_infinities_differ():
    a = outputs()
    a[0]["y"][0, 0] = np.inf
    b = changed(a, lambda y: y)
    b[0]["y"][0, 0] = -np.inf
    assert judge(Runs(a, b)).verdict is Verdict.DIFFERENT


def test_tolerances_of_the_user_win():
    a = outputs()
    b = changed(a, lambda y: y + np.float32(0.01))
    assert judge(Runs(a, b)).verdict is Verdict.DIFFERENT
    parity = judge(Runs(a, b), atol=0.02)
    assert parity.verdict is Verdict.SAME
    assert parity.outputs[0].tolerance == 0.02
    assert "asked for" in parity.outputs[0].why
    near = changed(a, lambda y: np.nextafter(y, np.float32(np.inf)))
    assert judge(Runs(a, near), rtol=0, atol=0).verdict is Verdict.DIFFERENT


def test_whole_numbers_must_be_equal():
    a = [{"y": np.arange(10) + i} for i in range(2)]
    assert judge(Runs(a, changed(a, lambda y: y))).verdict is Verdict.SAME
    b = changed(a, lambda y: y)
    b[0]["y"][4] += 1
    assert judge(Runs(a, b)).verdict is Verdict.DIFFERENT


def test_text_outputs_are_compared_too():
    a = [{"y": np.array(["cat", "dog"])}, {"y": np.array(["cat", "cow"])}]
    assert judge(Runs(a, a)).verdict is Verdict.SAME
    assert judge(Runs(a, [a[0], a[0]])).verdict is Verdict.DIFFERENT


def test_an_output_that_the_second_lacks_is_not_run_and_makes_them_different():
    a = [{"y": feed["y"], "z": np.arange(7.0)} for feed in outputs()]
    parity = judge(Runs(a, [{"y": feed["y"]} for feed in a]))
    assert parity.verdict is Verdict.DIFFERENT
    assert [output.verdict for output in parity.outputs] == [OutputVerdict.IDENTICAL, OutputVerdict.NOT_RUN]


def test_what_only_the_second_cannot_run_makes_them_different():
    a = outputs()
    parity = judge(Runs(a, a), about=About(failed="B cannot run 5×784."))
    assert parity.verdict is Verdict.DIFFERENT
    assert "5×784" in parity.sentence


def test_figures_of_a_known_pair():
    a = [{"y": np.array([[3.0, 4.0]], np.float32)}, {"y": np.array([[0.0, 1.0]], np.float32)}]
    b = [{"y": np.array([[3.0, 4.5]], np.float32)}, {"y": np.array([[2.0, 1.0]], np.float32)}]
    (output,) = judge(Runs(a, b)).outputs
    assert output.max_abs == 2
    assert output.mean_abs == pytest.approx((0.5 + 2) / 4)
    assert output.max_rel == pytest.approx(2 / (1e-3 * 4)), "against a thousandth of the largest where a is zero"
    assert output.snr == pytest.approx(10 * np.log10(26 / 4.25))
    assert output.argmax_agreement == 0.5
    assert sum(output.histogram.counts) == 2
    assert len(output.histogram.edges) == len(output.histogram.counts) + 1
    assert (output.sample_a, output.sample_b) == ((3, 4, 0, 1), (3, 4.5, 2, 1))


def test_the_worst_is_among_the_samples_of_a_large_output():
    a = [{"y": np.random.default_rng(i).standard_normal((1, 200_003)).astype(np.float32)} for i in range(2)]
    b = changed(a, lambda y: y)
    b[0]["y"][0, 123_457] += 50
    (output,) = judge(Runs(a, b)).outputs
    assert len(output.sample_a) <= 5000
    assert max(abs(x - y) for x, y in zip(output.sample_a, output.sample_b)) == pytest.approx(50, rel=1e-5)


def test_whole_numbers_are_compared_as_such_however_large():
    a = [{"id": np.array([2**60, 5 + i])} for i in range(2)]
    assert judge(Runs(a, changed(a, lambda y: y, name="id"))).verdict is Verdict.SAME
    parity = judge(Runs(a, changed(a, lambda y: y + np.array([1, 0]), name="id")))
    assert parity.verdict is Verdict.DIFFERENT
    assert parity.outputs[0].sentence.startswith("2 values are not equal, first at [0, 0]")


@pytest.mark.parametrize(("one", "other"), [("float32", "complex64"), ("complex64", "float32")])
def test_a_real_output_beside_a_complex_one_is_judged(one: str, other: str):
    a = [{"y": np.arange(4, dtype=one) + i} for i in range(2)]
    assert judge(Runs(a, [{"y": (feed["y"].real).astype(other)} for feed in a])).verdict is Verdict.SAME
    parity = judge(Runs(a, [{"y": (feed["y"].real + np.array([0, 0, 0, 1])).astype(other)} for feed in a]))
    assert parity.verdict is Verdict.DIFFERENT
    assert parity.outputs[0].worst == (0, 3)


def test_texts_are_judged_beside_numbers_and_with_a_tolerance():
    texts = [{"label": np.array(["cat", "dog"])}, {"label": np.array(["dog", "cat"])}]
    numbers = [{"label": np.array([1.0, 2.0], np.float32)}] * 2
    assert judge(Runs(texts, texts), rtol=1e-3).verdict is Verdict.SAME
    assert judge(Runs(texts, numbers)).verdict is Verdict.DIFFERENT
    assert judge(Runs(numbers, texts)).verdict is Verdict.DIFFERENT
