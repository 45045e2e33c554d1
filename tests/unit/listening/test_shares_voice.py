"""Share of voice: overlap, reach, sentiment, precision of queries."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.errors import BadRows, EmptyInput, OutOfRange, UnknownName
from crmcore.listening.shares import Voice, share_of_voice
from crmcore.metrics import share_table

NAMES = ["ours"] * 30 + ["rival a"] * 50 + ["rival b"] * 20


def test_plain_counts_are_the_house_share_table():
    table = share_table({"ours": 30, "rival a": 50, "rival b": 20})
    assert all(share_of_voice(NAMES)[b] == table[b] for b in table.labels)


def test_reach_and_sentiment_weigh_mentions_and_unknown_reach_is_counted():
    reach = [100.0] * 30 + [10.0] * 50 + [np.nan] * 20
    chances = [[0.2, 0.2, 0.6]] * 30 + [[0.8, 0.1, 0.1]] * 70
    found = share_of_voice(NAMES, reach=reach, scores=chances)
    assert found.of("ours", by="reach").value == pytest.approx(3000 / 3500)
    assert found.of("ours", by="positive").value == pytest.approx(18 / 25)
    assert found.of("ours", by="negative").value == pytest.approx(6 / 62)
    assert found.unreached == 20
    assert found.of("rival b", by="reach").value == 0
    assert found.of("rival b", by="reach").high > 0
    assert found.measures == ("volume", "reach", "positive", "negative")


def test_a_post_about_two_brands_is_split_or_counted_for_each():
    masks = {"ours": [1, 1, 0, 0] * 20, "rival": [0, 1, 1, 0] * 20}
    split = share_of_voice(masks)
    assert split["ours"].value == pytest.approx(0.5)
    assert split.posts == 60
    assert split.shared == 20
    masks = {"ours": [1, 1, 0, 0] * 20, "rival": [0, 1, 0, 0] * 20}
    assert share_of_voice(masks)["ours"].value == pytest.approx(30 / 40)
    assert share_of_voice(masks, overlap="each")["ours"].value == pytest.approx(40 / 60)


def test_precision_takes_false_matches_out_and_widens_the_interval():
    rng = np.random.default_rng(1)
    brand = np.repeat(["ours", "rival"], [500, 500])
    relevant = np.array([None] * 1000, object)
    for start, share in ((0, 0.5), (500, 1.0)):
        rows = rng.choice(500, 60, replace=False) + start
        relevant[rows] = [bool(x) for x in rng.random(60) < share]
    plain, real = share_of_voice(brand)["ours"], share_of_voice(brand, relevant=relevant)
    assert real["ours"].low < 1 / 3 < real["ours"].high
    assert real["ours"].width > 1.2 * plain.width
    assert "precision corrected" in real["ours"].method
    assert real.precision["rival"].value == 1


def test_intervals_with_precision_cover_the_truth():
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(300):
        truth = rng.choice(3, 600, p=[0.5, 0.3, 0.2])  # 0 ours, 1 rival, 2 neither
        brand = np.where(
            truth == 2, rng.choice(["ours", "rival"], 600, p=[0.8, 0.2]), np.array(["ours", "rival", ""])[truth]
        )
        relevant = np.array([None] * 600, object)
        for name in ("ours", "rival"):
            rows = rng.choice(np.flatnonzero(brand == name), 40, replace=False)
            relevant[rows] = list(truth[rows] < 2)
        found = share_of_voice(brand, relevant=relevant, level=0.95)["ours"]
        held += found.low <= 0.5 / 0.8 <= found.high
    assert 0.93 <= held / 300 <= 0.999  # the intervals of both brands hold together


def test_a_loud_author_makes_intervals_wide():
    assert share_of_voice(NAMES, author=["one"] * 40 + [f"a{i}" for i in range(60)])["rival a"].width > (
        share_of_voice(NAMES)["rival a"].width
    )


def test_bad_input_is_named():
    with pytest.raises(EmptyInput, match="collect its mentions too"):
        share_of_voice(["ours"] * 30)
    with pytest.raises(EmptyInput, match="no post matches any brand"):
        share_of_voice({"ours": [0, 0], "rival": [0, 0]})
    with pytest.raises(EmptyInput, match="fewer than two"):
        share_of_voice([])
    with pytest.raises(BadRows, match="no count in 1 row"):
        share_of_voice(NAMES, reach=[-1.0] + [1.0] * 99)
    with pytest.raises(OutOfRange, match="100, as matches"):
        share_of_voice(NAMES, reach=[1.0])
    with pytest.raises(OutOfRange, match="one length"):
        share_of_voice({"ours": [1, 0], "rival": [1]})
    with pytest.raises(EmptyInput, match="judge some matches of every brand"):
        share_of_voice(NAMES, relevant=[True] * 30 + [None] * 70)
    with pytest.raises(UnknownName, match="did you mean 'split'"):
        share_of_voice(NAMES, overlap="splitt")
    with pytest.raises(EmptyInput, match="repair the queries first"):
        share_of_voice(NAMES, relevant=[False] * 100)
    with pytest.raises(EmptyInput, match="reach, 0 in all mentions"):
        share_of_voice(NAMES, reach=[0.0] * 100)
    found = share_of_voice(NAMES)
    with pytest.raises(UnknownName, match="'ours'"):
        found.of("our")
    with pytest.raises(UnknownName, match="measure"):
        found.of("ours", by="reach")


def test_results_go_through_json_frames_and_pictures():
    found = share_of_voice(NAMES, reach=[5.0] * 100)
    assert Voice.from_dict(found.to_dict()) == found
    assert list(found.to_frame(backend="polars")["by"]) == ["volume"] * 3 + ["reach"] * 3
    assert repr(found) == "Voice(3 brands, 100 posts, by volume, reach)"
    assert len(found._repr_html_()) < 6000
    assert len(found.chart().rows) == 6
