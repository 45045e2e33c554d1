"""Quality of a linkage on small cases, and the cover of its intervals on simulated ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crmcore.errors import BadRows, EmptyInput, OutOfRange, WrongType
from crmcore.linkage.quality import evaluate
from crmcore.linkage.review import evaluate_pairs, review_sample, threshold_curve


def test_a_perfect_linkage_scores_one_everywhere():
    quality = evaluate(np.array([4, 4, 9, 9, 9, 1]), np.array([0, 0, 1, 1, 1, 2]))
    for name in ("pair_precision", "pair_recall", "pair_f1", "bcubed_f1", "cluster_precision", "cluster_recall"):
        assert getattr(quality, name).value == 1.0
    assert (quality.v_measure, quality.adjusted_rand, quality.closest_f1) == (1.0, 1.0, 1.0)
    assert (quality.over_merged, quality.split) == (0, 0)
    assert quality.pair_f1.low < 1.0  # three entities prove little


def test_records_without_a_truth_are_left_out_and_counted():
    quality = evaluate(np.array([0, 0, 0, 1]), np.array([0, 0, -1, 1]))
    assert (quality.records, quality.left_out, quality.predicted_largest) == (3, 1, 2)
    assert quality.pair_precision.value == 1.0
    assert "1 records without a truth left out" in str(quality)


def test_precision_of_no_pairs_is_unknown_not_perfect():
    quality = evaluate(np.arange(4), np.array([0, 0, 1, 1]))
    assert math.isnan(quality.pair_precision.value)
    assert (quality.pair_precision.low, quality.pair_precision.high) == (0.0, 1.0)
    assert quality.pair_recall.value == 0.0


def test_over_merged_and_split_entities_are_counted():
    quality = evaluate(np.array([0, 0, 0, 1, 2]), np.array([0, 0, 1, 2, 2]))
    assert (quality.over_merged, quality.split) == (1, 1)
    assert (quality.predicted_entities, quality.true_entities) == (3, 3)


def test_the_interval_of_pair_f1_covers_over_true_entities():
    rng = np.random.default_rng(11)
    inside = 0
    expected = None
    for trial in range(201):
        entities = 200 if trial else 200_000  # the first, large draw gives the value that the others should cover
        sizes = rng.integers(1, 6, entities)
        true = np.repeat(np.arange(entities), sizes)
        wrong = rng.random(len(true)) < 0.1
        predicted = np.where(wrong, entities + np.arange(len(true)), true)
        quality = evaluate(predicted, true)
        if expected is None:
            expected = quality.pair_f1.value
        else:
            inside += quality.pair_f1.low <= expected <= quality.pair_f1.high
    assert 0.90 <= inside / 200 <= 0.99


def test_nothing_to_compare_is_an_error():
    with pytest.raises(EmptyInput):
        evaluate(np.array([0, 1]), np.array([-1, -1]))
    with pytest.raises(WrongType):
        evaluate(np.array([0, 1]), np.array([0]))


def test_quality_prints_and_converts():
    quality = evaluate(np.array([0, 0, 1]), np.array([0, 0, 1]))
    frame = quality.to_frame(backend="polars")
    assert frame.filter(frame["measure"] == "pair_f1")["value"].item() == 1.0
    assert "<td>pair_f1</td>" in quality._repr_html_()


def test_judged_pairs_give_unbiased_estimates_with_enough_cover():
    rng = np.random.default_rng(5)
    odds = np.r_[rng.normal(-6, 2, 19_000), rng.normal(5, 3, 1_000)]
    match = rng.random(len(odds)) < 1 / (1 + np.exp(-0.7 * odds))  # the model is too sure of itself
    put = odds > -1
    right = (put & match).sum()
    truth = {"precision": right / put.sum(), "recall": right / match.sum()}
    inside = dict.fromkeys(truth, 0)
    values: dict[str, list[float]] = {name: [] for name in truth}
    for seed in range(200):
        sample = review_sample(odds, 200, seed=seed)
        i = sample.pairs
        found = evaluate_pairs(put[i], match[i], weights=sample.weights, stratum=sample.stratum)
        for name, value in truth.items():
            estimate = getattr(found, name)
            inside[name] += estimate.low <= value <= estimate.high
            values[name].append(estimate.value)
    for name, value in truth.items():
        assert inside[name] >= 0.93 * 200
        assert np.mean(values[name]) == pytest.approx(value, abs=0.03)


def test_judging_every_pair_leaves_no_doubt():
    put, match = np.array([True, True, False, False]), np.array([True, False, True, False])
    sample = review_sample(np.array([3.0, 1.0, -1.0, -6.0]), 9, seed=0)
    found = evaluate_pairs(put, match, weights=sample.weights, stratum=sample.stratum)
    assert (found.recall.low, found.recall.value, found.recall.high) == (0.5, 0.5, 0.5)


def test_a_stratum_without_matches_is_not_proof_that_there_are_none():
    put = np.array([True] * 50 + [False] * 5)
    match = np.array([True] * 50 + [False] * 5)
    found = evaluate_pairs(
        put, match, weights=np.r_[np.ones(50), np.full(5, 1000.0)], stratum=np.r_[np.zeros(50), np.ones(5)]
    )
    assert found.recall.value == 1.0
    assert found.recall.low < 0.5


def test_unusable_judgements_are_errors():
    with pytest.raises(WrongType):
        evaluate_pairs(np.array([True]), np.array([True, False]))
    with pytest.raises(BadRows, match="not a positive number"):
        evaluate_pairs(np.array([True, True]), np.array([True, False]), weights=np.array([1.0, 0.0]))
    with pytest.raises(OutOfRange):
        review_sample(np.array([1.0]), 0, seed=1)
    with pytest.raises(EmptyInput):
        review_sample(np.zeros(0), 5, seed=1)


def test_chart_rows_of_a_curve_keep_both_ends():
    curve = threshold_curve(np.linspace(5, -5, 1001), np.linspace(0, 1, 1001) < 0.3)
    rows = curve.rows(most=50)
    assert len(rows) == 50
    assert (rows[0]["threshold"], rows[-1]["threshold"]) == (5.0, -5.0)
    assert curve.threshold[curve.best] == pytest.approx(2.01)
    assert "no match" in str(threshold_curve(np.array([1.0]), np.array([False])))
