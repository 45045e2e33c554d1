"""Quality equals its naive count over pairs and records, and does not see names or order."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.linkage.quality import Contingency, evaluate, harmonic, linearised
from crmcore.linkage.review import evaluate_pairs, review_sample, threshold_curve

labelled = st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 5)), min_size=1, max_size=25)


def columns(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([r[0] for r in rows]), np.array([r[1] for r in rows])


@settings(deadline=None)
@given(labelled)
def test_pairs_and_bcubed_equal_their_enumeration(rows: list[tuple[int, int]]) -> None:
    predicted, true = columns(rows)
    keep = true >= 0
    predicted, true = predicted[keep], true[keep]
    if not len(true):
        return
    table = Contingency.of(predicted, true)
    got = {name: linearised(*sums)[0] for name, (_, sums) in table.ratios().items()}
    pairs = list(combinations(range(len(true)), 2))
    put = {q for q in pairs if predicted[q[0]] == predicted[q[1]]}
    right = {q for q in pairs if true[q[0]] == true[q[1]]}
    expected = {
        "pair_precision": len(put & right) / len(put) if put else math.nan,
        "pair_recall": len(put & right) / len(right) if right else math.nan,
        "pair_f1": 2 * len(put & right) / (len(put) + len(right)) if put or right else math.nan,
        "bcubed_precision": np.mean([(true[predicted == predicted[i]] == true[i]).mean() for i in range(len(true))]),
        "bcubed_recall": np.mean([(predicted[true == true[i]] == predicted[i]).mean() for i in range(len(true))]),
    }
    assert got == pytest.approx(expected, nan_ok=True)
    sets_p, sets_t = ({frozenset(np.flatnonzero(x == v)) for v in x} for x in (predicted, true))
    assert table.exact() == len(sets_p & sets_t)
    near = [
        [max(len(a & b) / len(a | b) for b in there) for a in here]
        for here, there in ((sets_p, sets_t), (sets_t, sets_p))
    ]
    assert table.closest() == pytest.approx((np.mean(near[0]), np.mean(near[1])))


@settings(deadline=None)
@given(labelled, st.integers(0, 2**32))
def test_names_of_entities_and_order_of_records_do_not_matter(rows: list[tuple[int, int]], seed: int) -> None:
    predicted, true = columns(rows)
    if not (true >= 0).any():
        return
    rng = np.random.default_rng(seed)
    order, names, others = rng.permutation(len(true)), rng.permutation(6) * 7 + 3, np.r_[rng.permutation(6) * 5, -1]
    one, two = evaluate(predicted, true).rows(), evaluate(names[predicted][order], others[true][order]).rows()
    for a, b in zip(one, two, strict=True):
        assert a["value"] == pytest.approx(b["value"], nan_ok=True)


@settings(deadline=None)
@given(labelled)
def test_swapping_truth_and_prediction_swaps_precision_and_recall(rows: list[tuple[int, int]]) -> None:
    predicted, true = columns(rows)
    true = np.abs(true)
    one, two = evaluate(predicted, true), evaluate(true, predicted)
    for a, b in (("precision", "recall"), ("f1", "f1")):
        for kind in ("pair", "bcubed"):
            here, there = getattr(one, f"{kind}_{a}").value, getattr(two, f"{kind}_{b}").value
            assert here == pytest.approx(there, nan_ok=True)
    assert (one.over_merged, one.homogeneity) == (two.split, pytest.approx(two.completeness))
    assert one.adjusted_rand == pytest.approx(two.adjusted_rand)


@settings(deadline=None)
@given(labelled)
def test_every_interval_holds_its_value_within_zero_and_one(rows: list[tuple[int, int]]) -> None:
    predicted, true = columns(rows)
    quality = evaluate(predicted, np.abs(true))
    for row in quality.rows():
        if row["low"] is not None and not math.isnan(row["value"]):
            assert 0 <= row["low"] <= row["value"] <= row["high"] <= 1


@settings(deadline=None)
@given(st.lists(st.floats(-12, 12), min_size=1, max_size=80), st.integers(1, 100), st.integers(0, 99))
def test_a_review_sample_stands_for_all_pairs(odds: list[float], size: int, seed: int) -> None:
    sample = review_sample(np.array(odds), size, seed=seed)
    assert len(sample) == len(set(sample.pairs.tolist())) == min(size, len(odds))
    again = review_sample(np.array(odds), size, seed=seed)
    np.testing.assert_array_equal(sample.pairs, again.pairs)
    if size >= len(odds):
        assert (sample.weights == 1).all()
    if size >= 12:  # every band is reached
        assert sample.weights.sum() == pytest.approx(len(odds))


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([-2.0, -1.0, 0.0, 1.5, 3.0]), st.booleans(), st.integers(1, 3)), max_size=30))
def test_the_threshold_curve_equals_counting_at_each_threshold(rows: list[tuple[float, bool, int]]) -> None:
    score, match, weight = (np.array([r[i] for r in rows]) for i in range(3))
    match = match.astype(bool)
    curve = threshold_curve(score, match, weights=weight.astype(float))
    assert curve.threshold.tolist() == sorted(set(score.tolist()), reverse=True)
    for i, t in enumerate(curve.threshold):
        taken, right = weight[score >= t].sum(), weight[(score >= t) & match].sum()
        assert curve.precision[i] == pytest.approx(right / taken)
        if match.any():
            assert curve.recall[i] == pytest.approx(right / weight[match].sum())
            assert curve.f1[i] == pytest.approx(harmonic(curve.precision[i], curve.recall[i]))


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_equal_weights_leave_the_values_as_they_are(rows: list[tuple[bool, bool]]) -> None:
    put, match = (np.array([r[i] for r in rows]) for i in range(2))
    plain, weighted = evaluate_pairs(put, match), evaluate_pairs(put, match, weights=np.full(len(put), 7.0))
    for name in ("precision", "recall", "f1"):
        assert getattr(plain, name).value == pytest.approx(getattr(weighted, name).value, nan_ok=True)
