"""Net sentiment corrected from labels: levels, intervals, warnings, errors, what it prints."""

from __future__ import annotations

import json
import math
import pickle

import numpy as np
import pytest

from crmcore.errors import BadRows, EmptyInput, OutOfRange, SmallSample, UnknownName, WrongType
from crmcore.listening import Polarity
from crmcore.listening.shares import (
    CorrectedSentiment,
    IndustryIndex,
    UncorrectedLevel,
    adjusted_counts,
    correct_sentiment,
    industry_index,
)


def posts(n=3000, seed=1, bias=0.35):
    """Three brands that differ in opinions, scores that are too friendly."""
    rng = np.random.default_rng(seed)
    brand = rng.choice(["alpha", "beta", "gamma"], n, p=[0.5, 0.3, 0.2])
    lean = {"alpha": [0.6, 0.2, 0.2], "beta": [0.3, 0.4, 0.3], "gamma": [0.1, 0.3, 0.6]}
    truth = np.array([rng.choice([-1, 0, 1], p=lean[b]) for b in brand])
    logits = rng.normal(0, 0.7, (n, 3)) + np.eye(3)[truth + 1] * 1.5
    logits[:, 2] += bias * 2
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return chances, truth.astype(float), brand


def some_labels(truth, k, seed=2):
    labels = np.full(len(truth), np.nan)
    rows = np.random.default_rng(seed).choice(len(truth), k, replace=False)
    labels[rows] = truth[rows]
    return labels


def test_the_correction_moves_a_friendly_classifier_to_the_truth():
    chances, truth, brand = posts()
    found = correct_sentiment(chances, some_labels(truth, 300), brand=brand)
    for one in (found.total, *found.brands):
        mine = truth if one.name == "all" else truth[brand == one.name]
        assert one.net.low <= mine.mean() <= one.net.high
        assert abs(one.net.value - mine.mean()) < abs(one.raw - mine.mean())
    assert found.ranking() == ("gamma", "beta", "alpha")


def test_shares_of_a_brand_add_up_and_net_is_their_difference_nearly():
    chances, truth, brand = posts()
    for one in correct_sentiment(chances, some_labels(truth, 200), brand=brand).brands:
        assert one.negative is not None
        assert one.neutral is not None
        assert one.positive is not None
        assert one.negative.value + one.neutral.value + one.positive.value == pytest.approx(1)
        assert one.positive.value - one.negative.value == pytest.approx(one.net.value, abs=0.06)
        for share in (one.negative, one.neutral, one.positive):
            assert 0 <= share.low <= share.value <= share.high <= 1


def test_when_every_post_is_labelled_the_answer_is_the_truth_without_error():
    chances, truth, brand = posts(200)
    found = correct_sentiment(chances, truth, brand=brand)
    for one in (found.total, *found.brands):
        mine = truth if one.name == "all" else truth[brand == one.name]
        assert one.net.value == pytest.approx(mine.mean())
        assert one.net.width == pytest.approx(0, abs=1e-6)


def test_the_process_is_less_certain_than_the_posts():
    chances, truth, brand = posts(400)
    labels = some_labels(truth, 200)
    exact = correct_sentiment(chances, labels, brand=brand)
    wide = correct_sentiment(chances, labels, brand=brand, target="process")
    assert wide.total.net.width > 1.2 * exact.total.net.width
    assert wide["alpha"].net.width > exact["alpha"].net.width


def test_a_brand_without_labels_is_estimated_with_a_wide_interval():
    chances, truth, brand = posts()
    labels = some_labels(truth, 200)
    labels[brand == "gamma"] = np.nan
    found = correct_sentiment(chances, labels, brand=brand)
    assert found["gamma"].labelled == 0
    assert found["gamma"].net.width > 1.5 * found["beta"].net.width
    assert found["gamma"].net.low <= truth[brand == "gamma"].mean() <= found["gamma"].net.high


def test_labels_drawn_brand_by_brand_give_the_total_by_volume():
    chances, truth, brand = posts(6000)
    rng = np.random.default_rng(3)
    labels = np.full(len(truth), np.nan)
    for name in ("alpha", "beta", "gamma"):
        rows = rng.choice(np.flatnonzero(brand == name), 100, replace=False)
        labels[rows] = truth[rows]
    stratified = correct_sentiment(chances, labels, brand=brand, sampled="per brand").total.net
    assert stratified.low <= truth.mean() <= stratified.high
    at_random = correct_sentiment(chances, labels, brand=brand).total.net
    assert abs(at_random.value - truth.mean()) > abs(stratified.value - truth.mean())


def test_per_brand_needs_labels_of_every_brand():
    chances, truth, brand = posts()
    labels = some_labels(truth, 200)
    labels[brand == "gamma"] = np.nan
    with pytest.raises(EmptyInput, match="labelled sample of gamma is empty"):
        correct_sentiment(chances, labels, brand=brand, sampled="per brand")


def test_gaps_from_a_reference_brand_have_intervals():
    chances, truth, brand = posts()
    found = correct_sentiment(chances, some_labels(truth, 300), brand=brand, reference="alpha")
    gap = found["gamma"].gap
    assert gap is not None
    assert gap.low > 0
    assert gap.value == pytest.approx(found["gamma"].net.value - found["alpha"].net.value)
    assert found["alpha"].gap is not None
    assert found["alpha"].gap.width == pytest.approx(0, abs=1e-9)
    with pytest.raises(UnknownName, match="did you mean 'alpha'"):
        correct_sentiment(chances, truth, brand=brand, reference="alhpa")


def test_without_labels_there_is_a_ranking_and_no_level():
    chances, _, brand = posts()
    with pytest.warns(UncorrectedLevel, match=r"may be off by half a point.*\n  hint: label about 50 posts"):
        found = correct_sentiment(chances, brand=brand)
    assert found.ranking() == ("gamma", "beta", "alpha")
    assert math.isnan(found.total.net.low)
    assert not found.corrected
    assert "UNCORRECTED: the order of brands may be used, the level may not" in str(found)
    assert "ranking only" in found._repr_html_()


def test_net_scores_alone_are_enough():
    chances, truth, brand = posts()
    found = correct_sentiment(chances[:, 2] - chances[:, 0], some_labels(truth, 100), brand=brand)
    assert found.total.positive is None
    assert found.total.net.n == 100


def test_labels_may_be_words_or_numbers():
    chances, truth, _ = posts(100)
    words = [list(Polarity)[int(t) + 1] for t in truth]
    assert correct_sentiment(chances, words) == correct_sentiment(chances, truth)


def test_a_score_that_says_nothing_leaves_the_labels_alone():
    _, truth, _ = posts()
    labels = some_labels(truth, 200)
    found = correct_sentiment(np.zeros(len(truth)), labels).total.net
    assert found.value == pytest.approx(np.nanmean(labels))


@pytest.mark.parametrize(
    ("scores", "error", "text"),
    [
        ([], EmptyInput, "scores is empty"),
        ([2.0] * 20, BadRows, "not within -1 to 1 in 20 rows"),
        ([[0.5, 0.5, 0.5]] * 20, BadRows, "no three probabilities with the sum 1 in 20 rows"),
        ([[np.nan] * 3] * 20, BadRows, "leave out posts that the analyzer could not score"),
        ([[0.5, 0.5]] * 20, OutOfRange, "columns are negative, neutral, positive"),
        ("good", WrongType, "score the texts first"),
    ],
)
def test_scores_that_cannot_be_read_are_named(scores, error, text):
    with pytest.raises(error, match=text):
        correct_sentiment(scores, [0] * (len(scores) if isinstance(scores, list) else 1))


def test_labels_that_cannot_be_read_are_named():
    with pytest.raises(BadRows, match=r"no polarity in 2 rows \[1, 3\] \(such as great, 7\)"):
        correct_sentiment([0.1] * 4, ["positive", "great", None, 7])
    with pytest.raises(OutOfRange, match="one label a post"):
        correct_sentiment([0.1] * 4, [0, 1])
    with pytest.raises(OutOfRange, match="number of labels = 3: expected 8 or more"):
        correct_sentiment([0.1] * 4, [0, 1, 1, None])
    with pytest.raises(UnknownName, match="did you mean 'process'"):
        correct_sentiment([0.1] * 9, [0] * 9, target="proces")


def test_few_labels_warn():
    chances, truth, _ = posts()
    with pytest.warns(SmallSample, match="n = 20"):
        correct_sentiment(chances, some_labels(truth, 20))


def test_results_go_through_json_pickle_frames_and_pictures():
    chances, truth, brand = posts()
    found = correct_sentiment(chances, some_labels(truth, 100), brand=brand, reference="beta")
    assert CorrectedSentiment.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert pickle.loads(pickle.dumps(found)) == found
    frame = found.to_frame(backend="polars")
    assert frame.columns[:5] == ["brand", "measure", "posts", "labelled", "raw"]
    assert set(frame["measure"]) == {"net", "negative", "neutral", "positive", "gap"}
    assert repr(found) == "CorrectedSentiment(3 brands, 3000 posts, 100 labels, corrected)"
    assert len(found._repr_html_()) < 6000
    assert len(found.chart().rows) == 4
    assert "corrected" in found.chart().title
    with pytest.warns(UncorrectedLevel):
        bare = correct_sentiment(chances, brand=brand)
    assert CorrectedSentiment.from_dict(bare.to_dict()) == bare
    assert "ranking only" in bare.chart().title


def test_adjusted_counts_undo_known_confusions():
    rng = np.random.default_rng(5)
    truth = rng.choice(["a", "b", "c"], 20_000, p=[0.7, 0.2, 0.1])
    table = {"a": [0.7, 0.2, 0.1], "b": [0.2, 0.7, 0.1], "c": [0.1, 0.2, 0.7]}
    said = np.array([rng.choice(["a", "b", "c"], p=table[t]) for t in truth])
    labels = np.where(np.arange(20_000) < 2000, truth, None)
    found = adjusted_counts(said, labels)
    for name, share in (("a", 0.7), ("b", 0.2), ("c", 0.1)):
        assert found[name].low <= share <= found[name].high
        assert abs(np.mean(said == name) - share) > abs(found[name].value - share)
    assert sum(e.value for e in found.estimates) == pytest.approx(1)


def test_adjusted_counts_refuse_what_cannot_be_undone():
    with pytest.raises(OutOfRange, match="mixes classes up wholly"):
        adjusted_counts(["a", "b"] * 50, ["a", "a", "b", "b"] * 25)
    with pytest.raises(EmptyInput, match="class 'c' is empty"):
        adjusted_counts(["a", "b", "c"], ["a", "b", None])
    with pytest.raises(EmptyInput, match="label some posts"):
        adjusted_counts(["a", "b"], [None, None])
    with pytest.raises(OutOfRange, match="one label a post"):
        adjusted_counts(["a", "b"], ["a"])


def test_adjusted_counts_stay_shares_when_the_solution_leaves_the_simplex():
    said = ["a"] * 10 + ["b"] * 190
    labels = ["a"] * 8 + ["b"] * 2 + ["a"] * 3 + ["b"] * 7 + [None] * 180
    found = adjusted_counts(said, labels, small_sample_ok=True)
    assert all(0 <= e.low <= e.value <= e.high <= 1 for e in found.estimates)
    assert sum(e.value for e in found.estimates) == pytest.approx(1)


def test_an_industry_counts_posts_brands_or_market_shares():
    chances, truth, brand = posts()
    labels = some_labels(truth, 400)
    by_brand = {b: truth[brand == b].mean() for b in ("alpha", "beta", "gamma")}
    for importance, expected in (
        ("volume", truth.mean()),
        ("equal", np.mean(list(by_brand.values()))),
        ({"alpha": 1, "gamma": 3}, (by_brand["alpha"] + 3 * by_brand["gamma"]) / 4),
    ):
        found = industry_index(chances, labels, brand=brand, importance=importance)
        assert found.net.low <= expected <= found.net.high
        assert IndustryIndex.from_dict(found.to_dict()) == found
        assert len(found.chart().rows) == 4
        assert len(found._repr_html_()) < 6000
        assert len(found.to_frame(backend="polars")) == 4


def test_an_industry_without_labels_is_unknown():
    chances, _, brand = posts()
    with pytest.warns(UncorrectedLevel):
        found = industry_index(chances, brand=brand, importance="equal")
    assert found.verdict == "unknown"
    assert str(found).startswith("industry of 3 brands: unknown, net sentiment")
    assert found.chart().rows


def test_bad_importance_is_named():
    chances, truth, brand = posts(100)
    with pytest.raises(UnknownName, match="did you mean 'volume'"):
        industry_index(chances, truth, brand=brand, importance="volumes")
    with pytest.raises(UnknownName, match="did you mean 'alpha'"):
        industry_index(chances, truth, brand=brand, importance={"alfa": 1})
    with pytest.raises(OutOfRange, match="numbers from 0, not all 0"):
        industry_index(chances, truth, brand=brand, importance={"alpha": -1})
    with pytest.raises(EmptyInput, match="industry of one brand"):
        industry_index(chances, truth, brand=["alpha"] * 100)
