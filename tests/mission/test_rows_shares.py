"""Rows of the feature list on how much is said and how well: 140 industry index, 143 share of voice."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.listening.shares import UncorrectedLevel, correct_sentiment, industry_index, share_of_voice
from crmcore.tables import MentionTable


def test_row_140_three_brands_give_pooled_net_sentiment_with_an_interval():
    rng = np.random.default_rng(11)
    brand = np.repeat(["ours", "rival a", "rival b"], [600, 300, 100])
    truth = np.concatenate(
        [
            rng.choice([-1, 0, 1], n, p=p)
            for n, p in ((600, [0.5, 0.3, 0.2]), (300, [0.4, 0.3, 0.3]), (100, [0.7, 0.2, 0.1]))
        ]
    )
    scores = np.clip(0.4 * truth + 0.35 + rng.normal(0, 0.3, 1000), -1, 1)
    labels = np.where(rng.random(1000) < 0.1, truth, np.nan)
    found = industry_index(scores, labels, brand=brand)
    assert scores.mean() > 0  # the classifier reports praise
    assert found.verdict == "negative"
    assert found.net.low <= truth.mean() <= found.net.high
    assert set(found.weights) == {"ours", "rival a", "rival b"}
    assert found.weights["ours"] == pytest.approx(0.6)
    # neighbours: every brand alike; no labels, no verdict
    assert industry_index(scores, labels, brand=brand, importance="equal").net.value != found.net.value
    with pytest.warns(UncorrectedLevel):
        assert industry_index(scores, brand=brand).verdict == "unknown"


def test_row_140_labels_alone_are_enough_when_all_are_labelled():
    brand, truth = ["a", "b", "c"] * 20, [1, 0, -1] * 20
    found = industry_index(np.zeros(60), truth, brand=brand)
    assert found.net.value == pytest.approx(0)
    assert found.verdict == "undecided"


def test_row_143_share_of_voice():
    found = share_of_voice(["ours"] * 30 + ["rival a"] * 50 + ["rival b"] * 20)
    assert [found[b].value for b in ("ours", "rival a", "rival b")] == pytest.approx([0.3, 0.5, 0.2])
    assert all(found[b].low < found[b].value < found[b].high for b in found.brands)


def test_row_143_from_a_table_of_mentions_by_reach_and_sentiment():
    posts = MentionTable.from_frame(
        {
            "text": ["good", "bad", "fine", "good"] * 20,
            "author": [f"@{i}" for i in range(80)],
            "reach": [100, 50, 0, None] * 20,
            "brand": ["ours", "rival", "rival", "ours"] * 20,
        }
    )
    chances = [[0.1, 0.1, 0.8], [0.8, 0.1, 0.1], [0.3, 0.4, 0.3], [0.1, 0.1, 0.8]] * 20
    found = share_of_voice(posts.attributes["brand"], reach=posts.reach, scores=chances, author=posts.author)
    assert found["ours"].value == pytest.approx(0.5)
    assert found.of("ours", by="reach").value == pytest.approx(2 / 3)
    assert found.of("ours", by="positive").value == pytest.approx(0.8)
    assert found.of("rival", by="negative").value == pytest.approx(1.1 / 1.3)


def test_row_143_one_post_about_several_brands_counts_once():
    masks = {"ours": [True, True, False], "rival": [False, True, True], "other": [False, True, False]}
    found = share_of_voice(masks, small_sample_ok=True)
    assert found["ours"].value == pytest.approx((1 + 1 / 3) / 3)
    assert found.shared == 1
    assert share_of_voice(masks, overlap="each", small_sample_ok=True)["ours"].value == pytest.approx(2 / 5)


def test_brands_are_ranked_without_labels_and_levels_are_not_given():
    with pytest.warns(UncorrectedLevel, match="use the order of brands only"):
        found = correct_sentiment([0.6, 0.5, -0.2, -0.3], brand=["a", "a", "b", "b"])
    assert found.ranking() == ("a", "b")
    assert np.isnan(found["a"].net.low)
