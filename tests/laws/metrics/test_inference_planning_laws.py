"""Laws of looking and planning: sequences hold their estimate, widen with the level, mirror; plans are monotone."""

from __future__ import annotations

import json

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from crmcore.metrics import Counts, Moments, compare, proportion
from crmcore.metrics.power import (
    Means,
    Proportions,
    SampleRatio,
    minimum_detectable_effect,
    power_of,
    sample_ratio,
    sample_size,
)
from crmcore.metrics.sequential import beta_binomial_sequence, compare_anytime, confidence_sequence

COUNTS = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
PLANNED = st.integers(2, 20_000)
VALUES = st.lists(st.floats(-100, 100, width=32), min_size=10, max_size=40)


@given(COUNTS, PLANNED)
def test_an_exact_sequence_holds_its_share_mirrors_and_is_no_narrower_than_one_look(
    kn: tuple[int, int], planned: int
) -> None:
    k, n = kn
    got = confidence_sequence(Counts(k, n), planned_n=planned)
    assert 0 <= got.low <= got.value <= got.high <= 1
    low, high = beta_binomial_sequence(n - k, n, planned_n=planned)
    assert (float(low), float(high)) == (pytest.approx(1 - got.high, abs=1e-9), pytest.approx(1 - got.low, abs=1e-9))
    # At one look each end errs with at most 5 % (Markov), so neither passes the exact one-sided limit of that error.
    one_look = proportion(k, n, level=0.90, method="clopper-pearson", small_sample_ok=True)
    assert got.high >= one_look.high - 1e-9
    assert got.low <= one_look.low + 1e-9
    surer = confidence_sequence(Counts(k, n), planned_n=planned, level=0.99)
    assert surer.high >= got.high - 0.02  # each level has a tuning of its own


@given(VALUES, VALUES, PLANNED)
def test_anytime_comparisons_mirror_and_their_p_value_agrees_with_their_interval(
    a: list[float], b: list[float], planned: int
) -> None:
    one, other = Moments.of(a), Moments.of(b)
    got, back = compare_anytime(one, other, planned_n=planned), compare_anytime(other, one, planned_n=planned)
    assert got.p_value == pytest.approx(back.p_value)
    assert got.difference.low == pytest.approx(-back.difference.high)
    assert 0 <= got.p_value <= 1
    if abs(got.p_value - 0.05) > 1e-9:
        assert got.difference.excludes(0) == (got.p_value < 0.05)
    if one.variance > 1e-6 and other.variance > 1e-6:
        once = compare(one, other, small_sample_ok=True)
        assert got.p_value >= once.p_value - 0.05  # Welch's t is a little more careful than a normal at 10 values


@given(st.floats(0.02, 0.9), st.floats(0.01, 0.08), st.sampled_from([0.5, 0.8, 0.9]), st.integers(2, 5))
def test_more_power_more_arms_and_smaller_effects_need_more_customers(
    base: float, lift: float, power: float, arms: int
) -> None:
    n = sample_size(Proportions(base=base, lift=lift), power=power, arms=arms).n_control
    assert sample_size(Proportions(base=base, lift=lift), power=min(power + 0.05, 0.99), arms=arms).n_control >= n
    assert sample_size(Proportions(base=base, lift=lift), power=power, arms=arms + 1).n_control >= n
    assert sample_size(Proportions(base=base, lift=lift / 2), power=power, arms=arms).n_control >= n


@given(st.floats(0.05, 3), st.floats(0.1, 50), st.integers(5, 5000), st.sampled_from([0.25, 1.0, 3.0]))
def test_the_smallest_effect_that_is_seen_is_seen_with_just_that_power(
    difference: float, sd: float, n: int, allocation: float
) -> None:
    question = Means(difference=difference, sd=sd)
    effect = minimum_detectable_effect(question, n=n, allocation=allocation)
    assert power_of(question.with_effect(effect), n=n, allocation=allocation) == pytest.approx(0.8, abs=1e-4)
    in_cents = minimum_detectable_effect(Means(difference=100 * difference, sd=100 * sd), n=n, allocation=allocation)
    assert in_cents == pytest.approx(100 * effect, rel=1e-4)


@given(st.lists(st.integers(0, 100_000), min_size=2, max_size=5), st.data())
def test_splits_equal_scipy_and_ignore_the_order_of_arms(counts: list[int], data: st.DataObject) -> None:
    if not sum(counts):
        return
    weights = data.draw(st.lists(st.integers(1, 9), min_size=len(counts), max_size=len(counts)))
    arms = {f"arm {i}": n for i, n in enumerate(counts)}
    expected = {f"arm {i}": float(w) for i, w in enumerate(weights)}
    got = sample_ratio(arms, expected=expected)
    if got.test == "chi-square":
        wanted = [sum(counts) * w / sum(weights) for w in weights]
        assert got.p_value == pytest.approx(scipy.stats.chisquare(counts, wanted).pvalue, abs=1e-9)
    turned = sample_ratio(dict(reversed(arms.items())), expected=expected)
    assert turned.p_value == pytest.approx(got.p_value, rel=1e-6, abs=1e-12)
    assert 0 <= got.p_value <= 1
    assert SampleRatio.from_dict(json.loads(json.dumps(got.to_dict()))) == got
    assert got.mismatch == got.verdict.startswith("sample ratio mismatch")
