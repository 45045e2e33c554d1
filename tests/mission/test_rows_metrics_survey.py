"""Rows of the feature list that survey measures own."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from crmcore.errors import BadRows, SmallSample
from crmcore.metrics import Counts, compare
from crmcore.metrics.survey.audience import audience_index, audience_indices
from crmcore.metrics.survey.indices import IndexItem, SurveyIndex
from crmcore.metrics.survey.multiple_choice import MultiAnswers, MultiCounts
from crmcore.metrics.survey.nps_counts import NpsCounts
from crmcore.metrics.survey.nps_score import nps
from crmcore.metrics.survey.nps_tables import nps_by
from crmcore.metrics.survey.representing import UnrepresentativeSample, representativeness
from crmcore.metrics.survey.satisfaction import csat, csat_by
from crmcore.metrics.survey.scales import cronbach_alpha
from crmcore.metrics.survey.scorecards import RELATIONSHIP_HEALTH, Scorecard, relationship_health
from crmcore.metrics.survey.weighting import post_stratified
from crmcore.tables import ResponseTable


def health() -> Scorecard:
    return relationship_health(
        {
            "individual care": [IndexItem("CSAT"), IndexItem("named contact", (0, 1))],
            "long-term commitment": [IndexItem("years", (0, 10), beyond="clip")],
            "mutual benefits": [IndexItem("rewards used", (0, 1)), IndexItem("margin share", (0, 1), beyond="clip")],
            "interaction": [IndexItem("days since contact", (0, 180), good="low", beyond="clip")],
        }
    )


def test_row_031_relationship_health_has_four_sub_scores_with_their_inputs() -> None:
    known = {"CSAT": 4, "named contact": 1, "years": 3, "rewards used": 0.5, "margin share": 0.3}
    got = health().score({**known, "days since contact": 45})
    assert tuple(got.scores) == RELATIONSHIP_HEALTH
    assert list(got.scores.values()) == pytest.approx([0.875, 0.3, 0.4, 0.75])
    assert all(0 <= score <= 1 for score in got.scores.values() if score is not None)
    assert got.inputs["individual care"] == {"CSAT": 0.75, "named contact": 1.0}
    assert got.overall == pytest.approx((0.875 + 0.3 + 0.4 + 0.75) / 4)
    assert got.weakest == "long-term commitment"
    silent = health().score({**known, "days since contact": None})
    assert silent.scores["interaction"] is None  # missing, not 0
    assert silent.overall == pytest.approx((0.875 + 0.3 + 0.4) / 3)
    assert silent.missing == ("interaction: days since contact",)
    table = health().scores({name: [known.get(name), None] for name in health().columns})
    assert table[0] == silent
    assert table[1].overall is None


def test_row_032_alpha_and_interval_of_a_four_item_scale_equal_the_hand_value() -> None:
    answers = [[5, 4, 5, 4], [4, 4, 4, 3], [2, 3, 2, 2], [1, 2, 1, 1], [4, 5, 4, 4], [3, 3, 4, 3]]
    names = ("honest", "reliable", "fair", "belongs")
    got = cronbach_alpha(answers, names=names, small_sample_ok=True)

    def variance(values: list[int]) -> Fraction:
        middle = Fraction(sum(values), len(values))
        return sum(((v - middle) ** 2 for v in values), Fraction(0)) / (len(values) - 1)

    items = sum((variance([row[i] for row in answers]) for i in range(4)), Fraction(0))
    by_hand = Fraction(4, 3) * (1 - items / variance([sum(row) for row in answers]))
    assert got.alpha.value == pytest.approx(float(by_hand), abs=1e-12)
    from scipy.stats import f

    low, high = (1 - (1 - float(by_hand)) * f.ppf(q, 5, 15) for q in (0.975, 0.025))
    assert (got.alpha.low, got.alpha.high) == pytest.approx((low, high))
    # survey and behaviour in one index: items on five points, repeat purchases as a share
    loyalty = SurveyIndex(name="loyalty", items=(IndexItem("stay"), IndexItem("repeat share", (0, 1))))
    assert loyalty.scores({"stay": [5, 3, None], "repeat share": [0.5, 0.5, None]})[:2].tolist() == [75, 50]


def test_row_098_sixteen_against_twenty_five_percent_is_an_index_of_64() -> None:
    got = audience_index(Counts(160, 1000), 0.25)
    assert got.index.value == pytest.approx(64)
    assert got.change == pytest.approx(-0.36)
    assert got.index.low < 64 < got.index.high < 100
    assert audience_index(Counts(160, 1000), Counts(500, 2000)).index.value == pytest.approx(64)
    table = audience_indices({"under 25": 160, "25 and older": 840}, {"under 25": 0.25, "25 and older": 0.75})
    assert table["25 and older"].change == pytest.approx(0.12)


def test_row_124_satisfaction_at_a_touchpoint_is_a_top_two_box_with_an_interval() -> None:
    got = csat([5] * 22 + [4] * 18 + [3] * 6 + [1] * 4)
    assert got.value == 0.8
    assert (round(got.low, 3), round(got.high, 3)) == (0.67, 0.888)  # Wilson
    with pytest.warns(SmallSample):
        assert csat([5, 4, 1]).small
    answers = ResponseTable.from_frame(
        {
            "customer": [f"c{i}" for i in range(60)],
            "question": ["csat"] * 60,
            "score": [5] * 40 + [2] * 10 + [4] * 10,
            "touchpoint": ["delivery"] * 50 + ["call"] * 10,
        }
    )
    by_touchpoint = csat_by(answers)
    assert by_touchpoint["delivery"].value == 0.8
    assert [e.small for e in by_touchpoint.estimates] == [True, False]


def test_row_125_net_promoter_score_has_the_documented_interval_and_a_test() -> None:
    got = nps(NpsCounts(promoters=50, passives=30, detractors=20))
    assert got.score.value == 30
    assert got == nps([10] * 30 + [9] * 20 + [8] * 15 + [7] * 15 + [6] * 10 + [0] * 10)
    z, n, p, d = 1.959963984540054, 100, 0.5, 0.2

    def wilson(k: float) -> tuple[float, float]:
        half = z * math.sqrt(k * (n - k) / n + z * z / 4)
        return (k + z * z / 2 - half) / (n + z * z), (k + z * z / 2 + half) / (n + z * z)

    (lp, up), (ld, ud) = wilson(50), wilson(20)
    phi = -math.sqrt(p * d / ((1 - p) * (1 - d)))
    low = p - d - math.sqrt((p - lp) ** 2 - 2 * phi * (p - lp) * (ud - d) + (ud - d) ** 2)
    high = p - d + math.sqrt((up - p) ** 2 - 2 * phi * (up - p) * (d - ld) + (d - ld) ** 2)
    assert (got.score.low, got.score.high) == pytest.approx((100 * low, 100 * high))
    gap = compare(NpsCounts(50, 30, 20), NpsCounts(30, 30, 40))
    assert gap.difference.value == 40
    assert gap.difference.low > 0
    assert gap.p_value < 0.001
    with pytest.raises(BadRows, match="rescale"):
        nps([11, 5])
    shops = nps_by([10] * 40 + [3] * 30 + [9] * 10, ["north"] * 30 + ["south"] * 10 + ["south"] * 30 + ["north"] * 10)
    assert shops.compared().found() == ("north", "south")


def test_row_161_shares_of_a_study_have_intervals_and_several_answers_may_pass_the_whole() -> None:
    use = MultiCounts.of_shares({"engage": 0.75, "listen": 0.60, "measure": 0.18}, 400).table()
    assert [round(e.value, 2) for e in use.estimates] == [0.75, 0.60, 0.18]
    assert all(e.low < e.value < e.high for e in use.estimates)
    barriers = MultiCounts.of_shares({"time": 0.76, "people": 0.57, "budget": 0.58, "proof": 0.50}, 400).table()
    assert sum(e.value for e in barriers.estimates) == pytest.approx(2.41)
    assert "base: 400 respondents" in barriers.about
    few = MultiCounts.of_shares({"more sales": 0.4}, 40).table()["more sales"]
    assert few.width > MultiCounts.of_shares({"more sales": 0.4}, 4000).table()["more sales"].width
    answers = MultiAnswers.of([["time", "people"]] * 60 + [["time"]] * 30 + [["people"]] * 5 + [[]] * 5 + [None] * 20)
    assert answers.counts().n == 100  # who was not asked is not in the base
    assert answers.compare_options("time", "people").p_value < 0.001


def test_row_152_skewed_authors_give_a_weighted_estimate_and_a_warning() -> None:
    authors = np.array(["under 30"] * 80 + ["30 and older"] * 20)
    happy = np.array([1] * 64 + [0] * 16 + [1] * 6 + [0] * 14)
    population = {"under 30": 0.3, "30 and older": 0.7}
    with pytest.warns(UnrepresentativeSample, match="under 30"):
        check = representativeness({"under 30": 80, "30 and older": 20}, population)
    assert not check.representative
    assert check.distance == pytest.approx(0.5)
    got = post_stratified(happy, authors, population)
    assert got.value == pytest.approx(0.3 * 0.8 + 0.7 * 0.3)
    assert got.value < happy.mean()
    assert got.low < got.value < got.high
    assert got.width > Counts(70, 100).estimate().width
