"""Rows of the feature list on aspects: 155 earned content tracking, mixed sentiment."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.listening.aspects import Aspects, Verdict, aspect_table, clause_sentiment, find_aspects, item_verdicts
from crmcore.listening.shares import UncorrectedLevel
from crmcore.tables import MentionTable

ASPECTS = Aspects.of({"snacks": ["snacks", "cookie butter"], "staff": ["staff", "crew"], "parking": ["parking"]})


class Words:
    """A small analyzer: what a test needs."""

    def probabilities(self, texts, /):
        good, bad = {"love", "friendly", "best"}, {"nightmare", "awful"}
        lean = np.array([bool(good & set(t.lower().split())) - bool(bad & set(t.lower().split())) for t in texts])
        return np.array([[0.1, 0.8, 0.1], [0.05, 0.15, 0.8], [0.8, 0.15, 0.05]])[lean]


def posts():
    return MentionTable.from_frame(
        [
            {
                "text": "I love the cookie butter and the friendly crew, but parking is a nightmare",
                "reach": 247000, "link": "https://video.example/1", "channel": "video", "brand": "ours",
            },
            {"text": "best snacks", "reach": 100, "channel": "blog", "brand": "ours"},
            {"text": "awful staff", "channel": "blog", "brand": "rival"},
        ]
    )  # fmt: skip


def test_row_155_two_praised_and_one_blamed_aspect_make_a_mixed_item_of_known_reach():
    table = posts()
    opinions = clause_sentiment(find_aspects(table.text.to_list(), ASPECTS), Words())
    found = item_verdicts(opinions, reach=table.reach)
    assert found.verdict[0] is Verdict.MIXED
    assert found.praised[0] == ("snacks", "staff")
    assert found.blamed[0] == ("parking",)
    assert found.net[0] == pytest.approx(1 / 3)
    mixed = next(t for t in found.totals() if t.verdict is Verdict.MIXED)
    assert (mixed.items, mixed.reach) == (1, 247000)
    # neighbours: praise alone, blame alone of unknown reach, silence
    assert found.verdict[1:] == (Verdict.POSITIVE, Verdict.NEGATIVE)
    assert next(t for t in found.totals() if t.verdict is Verdict.NEGATIVE).unreached == 1


def test_row_155_aspects_by_brand_with_intervals():
    table = posts()
    opinions = clause_sentiment(find_aspects(table.text.to_list(), ASPECTS), Words())
    with pytest.warns(UncorrectedLevel):
        found = aspect_table(opinions, brand=table.attributes["brand"])
    cell = found.cell("snacks", brand="ours")
    assert cell.mentions == 2
    assert cell.net.low <= cell.net.value <= cell.net.high
    assert found.cell("staff", brand="rival").net.value < 0 < found.cell("staff", brand="ours").net.value
