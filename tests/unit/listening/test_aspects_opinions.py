"""Opinions on aspects: clauses, learning, tables, items."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from crmcore.errors import BadRows, EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.listening import Polarity
from crmcore.listening.aspects import (
    AspectClassifier,
    AspectClassifierModel,
    Aspects,
    AspectTable,
    Verdict,
    aspect_table,
    clause_sentiment,
    find_aspects,
    item_verdicts,
)
from crmcore.listening.shares import UncorrectedLevel

GOOD, BAD = {"great", "love", "kind"}, {"slow", "rude", "awful"}


class Words:
    """Analyzer that counts a few words."""

    def __init__(self):
        self.read = 0

    def probabilities(self, texts, /):
        self.read += len(texts)
        lean = np.array(
            [sum(w in GOOD for w in t.lower().split()) - sum(w in BAD for w in t.lower().split()) for t in texts]
        )
        return np.array([[0.1, 0.8, 0.1], [0.1, 0.2, 0.7], [0.7, 0.2, 0.1]])[np.sign(lean)]


ASPECTS = Aspects.of({"food": ["food", "snacks"], "service": ["staff"], "price": ["price"]})
TEXTS = ["great food but slow staff", "love the snacks", "rude staff, awful price", "the food", "", "nothing"]


def opinions(texts=TEXTS, analyzer=None):
    return clause_sentiment(find_aspects(texts, ASPECTS), analyzer or Words())


def test_each_mention_has_the_sentiment_of_its_clause():
    found = opinions()
    assert found.net.round(1).tolist() == [0.6, -0.6, 0.6, -0.6, -0.6, 0.0]
    assert [list(Polarity)[i] for i in found.polarity[:2]] == ["positive", "negative"]
    frame = found.to_frame(backend="polars")
    assert frame["clause"].to_list()[0] == "great food"
    assert frame["polarity"].to_list()[-1] == "neutral"
    assert repr(found) == "AspectOpinions(6 opinions on 3 aspects, clause)"


def test_every_distinct_clause_is_read_once():
    analyzer = Words()
    opinions(["great food"] * 50, analyzer)
    assert analyzer.read == 1


def test_an_analyzer_that_breaks_its_contract_is_refused():
    class Flat:
        def probabilities(self, texts, /):
            return np.zeros(len(texts))

    with pytest.raises(OutOfRange, match=r"expected \(1, 3\)|expected \(\d, 3\)"):
        opinions(analyzer=Flat())
    with pytest.raises(WrongType, match="probabilities"):
        clause_sentiment(find_aspects(TEXTS, ASPECTS), object())  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="sentiment plug-in"):
        clause_sentiment(find_aspects(TEXTS, ASPECTS), "nobody-offers-this")


def test_a_tie_of_praise_and_blame_is_neither():
    class Torn:
        def probabilities(self, texts, /):
            return np.array([[0.45, 0.1, 0.45]] * len(texts))

    assert set(opinions(analyzer=Torn()).polarity.tolist()) == {1}


def test_what_cannot_be_told_is_left_out():
    class Mute:
        def probabilities(self, texts, /):
            return np.full((len(texts), 3), np.nan)

    found = opinions(analyzer=Mute())
    assert set(found.polarity.tolist()) == {-1}
    with pytest.raises(EmptyInput, match="look at find_aspects"):
        aspect_table(found, uncorrected_ok=True)
    assert set(item_verdicts(found).verdict) == {Verdict.SILENT}


def training(n=400, seed=0):
    rng = np.random.default_rng(seed)
    good, bad, plain = ["tasty", "superb"], ["cold", "bland"], ["usual", "red"]
    texts, labels = [], []
    for _ in range(n):
        first, second = rng.integers(0, 3, 2)
        words = [rng.choice((bad, plain, good)[k]) for k in (first, second)]
        texts.append(f"the food was {words[0]} but the staff {words[1]}")
        labels += [list(Polarity)[first], list(Polarity)[second]]
    return find_aspects(texts, ASPECTS), labels


def test_a_classifier_learns_words_of_the_clause():
    mentions, labels = training()
    model = AspectClassifier().fit(mentions, labels)
    test, truth = training(100, seed=1)
    assert np.mean([list(Polarity)[i] == t for i, t in zip(model.opinions(test).polarity, truth, strict=True)]) > 0.98
    strongest = [w for w, _ in model.strongest(Polarity.NEGATIVE, k=6)]
    assert any("cold" in w or "bland" in w for w in strongest)
    assert repr(model).startswith("AspectClassifierModel(800 labels, ")


def test_a_model_goes_through_json():
    mentions, labels = training(60)
    model = AspectClassifier().fit(mentions, labels)
    again = AspectClassifierModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert np.allclose(again.opinions(mentions).chances, model.opinions(mentions).chances)


def test_a_model_needs_the_analyzer_it_learned_with():
    mentions, labels = training(60)
    model = AspectClassifier().fit(mentions, labels, analyzer=Words())
    assert model.opinions(mentions, analyzer=Words()).chances.shape == (120, 3)
    with pytest.raises(WrongType, match="predict with what the model learned with"):
        model.opinions(mentions)
    with pytest.raises(WrongType, match="None, as in the fit"):
        AspectClassifier().fit(mentions, labels).opinions(mentions, analyzer=Words())


def test_labels_of_a_fit_are_checked():
    mentions, labels = training(20)
    with pytest.raises(OutOfRange, match="one label a mention"):
        AspectClassifier().fit(mentions, labels[:3])
    with pytest.raises(OutOfRange, match="2 or more"):
        AspectClassifier().fit(mentions, ["positive"] * 40)
    with pytest.raises(BadRows, match="no polarity"):
        AspectClassifier().fit(mentions, ["good"] * 40)
    with pytest.raises(OutOfRange, match="penalty"):
        AspectClassifier(penalty=0)


def test_a_table_counts_by_aspect_brand_and_month():
    brand = ["a", "b", "a", "b", "a", "b"]
    time = np.array(["2026-01-03", "2026-01-09", "2026-02-01", "2026-02-02", "2026-02-02", "NaT"], "datetime64[us]")
    table = aspect_table(opinions(), brand=brand, time=time, period="month", uncorrected_ok=True)
    cell = table.cell("service", brand="a", period="2026-02-01")
    assert (cell.mentions, cell.negative, cell.net.value) == (1, 1, pytest.approx(-0.6))
    assert len(table) == 6
    with pytest.raises(UnknownName, match="service, a, 2026-02-01"):
        table.cell("servise", brand="a", period="2026-02-01")
    assert table.worst()[0].net.value == pytest.approx(-0.6)
    assert AspectTable.from_dict(table.to_dict()) == table
    assert table.to_frame(backend="polars").height == 6
    assert len(table._repr_html_()) < 6000
    assert table.chart().rows
    assert repr(table) == "AspectTable(6 cells, 6 mentions, uncorrected)"


def test_weeks_begin_on_monday():
    time = np.array(["2026-01-04", "2026-01-05"], "datetime64[us]")  # Sunday, Monday
    table = aspect_table(opinions(["great food", "the food"]), time=time, period="week", uncorrected_ok=True)
    assert [c.period for c in table.cells] == ["2025-12-29", "2026-01-05"]


def test_a_table_without_labels_warns_and_with_labels_is_corrected():
    found = opinions(["great food", "food", "slow staff", "staff"] * 25)
    with pytest.warns(UncorrectedLevel):
        raw = aspect_table(found)
    assert not raw.corrected
    labels = [None] * 100
    labels[:40] = ["negative"] * 40
    table = aspect_table(found, labels=labels)
    assert table.corrected
    assert table.cell("food").net.value < 0 < raw.cell("food").net.value
    assert table.cell("food").labelled == 20
    assert "worst first" in table.chart().description


def test_mentions_of_one_author_count_as_one_draw():
    found = opinions(["great food", "slow food"] * 20)
    alone = aspect_table(found, uncorrected_ok=True).cell("food").net
    loud = aspect_table(found, author=[f"@{i % 4}" for i in range(40)], uncorrected_ok=True).cell("food").net
    assert loud.width > alone.width
    assert loud.method == "t, over authors"


def test_time_and_period_go_together():
    with pytest.raises(OutOfRange, match="both or none"):
        aspect_table(opinions(), period="week")
    with pytest.raises(UnknownName, match="did you mean 'month'"):
        aspect_table(opinions(), period="months")


def test_items_are_mixed_when_one_aspect_is_praised_and_one_blamed():
    found = item_verdicts(opinions(), reach=[247000, 10, 5, np.nan, 1, 1])
    assert [str(v) for v in found.verdict] == ["mixed", "positive", "negative", "neutral", "silent", "silent"]
    assert found.praised[0] == ("food",)
    assert found.blamed[0] == ("service",)
    assert found.net[0] == 0
    assert math.isnan(found.net[3])
    assert "mixed     1 items, reach 247,000" in str(found)
    assert "neutral   1 items, reach 0 (+ 1 of unknown reach)" in str(found)
    assert found.to_frame(backend="polars")["verdict"].to_list()[0] == "mixed"
    assert len(found.chart().rows) == 5
    assert repr(found) == "ItemVerdicts(6 items, 1 mixed)"
    assert len(found._repr_html_()) < 6000


def test_an_aspect_of_an_item_counts_once():
    texts = ["great food, great food, great food, slow staff"]
    found = item_verdicts(opinions(texts))
    assert (found.praised, found.blamed, found.net.tolist()) == ((("food",),), (("service",),), [0.0])


def test_several_texts_may_be_one_item():
    found = item_verdicts(opinions(), item=[0, 0, 0, 1, 1, 1], reach=[100, 5, 7])
    assert [str(v) for v in found.verdict] == ["mixed", "neutral", "silent"]
    with pytest.raises(OutOfRange, match="the number of items"):
        item_verdicts(opinions(), reach=[1])
    with pytest.raises(BadRows, match="no count"):
        item_verdicts(opinions(), reach=[-1] * 6)
    with pytest.raises(BadRows, match="below 0"):
        item_verdicts(opinions(), item=[-1] * 6)
    with pytest.raises(OutOfRange, match="one item a text"):
        item_verdicts(opinions(), item=[0])


def test_no_items_at_all():
    found = item_verdicts(opinions([]))
    assert len(found) == 0
    with pytest.raises(EmptyInput):
        found.chart()
