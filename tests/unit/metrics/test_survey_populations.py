"""What weights, representativeness, response bias, audience indices and scorecards say, show and refuse."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable

import numpy as np
import pytest

from crmcore.errors import (
    BadRows,
    CrmWarning,
    EmptyInput,
    MissingColumn,
    NotConverged,
    OutOfRange,
    SmallSample,
    UnknownName,
)
from crmcore.metrics import Counts
from crmcore.metrics.survey.audience import AudienceIndex, IndexTable, audience_index, audience_indices
from crmcore.metrics.survey.indices import IndexItem, SurveyIndex
from crmcore.metrics.survey.multiple_choice import multi_answer
from crmcore.metrics.survey.nonresponse import ResponseBias, response_bias
from crmcore.metrics.survey.nps_score import nps
from crmcore.metrics.survey.raking import rake
from crmcore.metrics.survey.representing import Representativeness, UnrepresentativeSample, representativeness
from crmcore.metrics.survey.satisfaction import ces, csat
from crmcore.metrics.survey.scales import cronbach_alpha
from crmcore.metrics.survey.scorecards import (
    RELATIONSHIP_HEALTH,
    Scorecard,
    ScorecardResult,
    ScorecardTable,
    SubScore,
    relationship_health,
)
from crmcore.metrics.survey.weighting import SurveyWeights, design_effect, post_stratified, post_stratify
from crmcore.tables.columns import TextColumn

HALF = {"young": 0.5, "old": 0.5}

# --- weights -------------------------------------------------------------------------------------------------------


def test_weights_restore_the_population_and_keep_mean_one() -> None:
    cells = ["young"] * 80 + ["old"] * 20
    got = post_stratify(cells, HALF)
    assert got.weights[0] == pytest.approx(0.625)
    assert got.weights[-1] == pytest.approx(2.5)
    assert got.weights.mean() == pytest.approx(1)
    assert post_stratify(cells, {"young": 500, "old": 500}).weights.tolist() == got.weights.tolist()
    assert post_stratify(TextColumn.of(cells), HALF).weights.tolist() == got.weights.tolist()
    assert str(got) == (
        "post-stratified, 2 cells: weights 0.625 to 2.5, design effect 1.56, worth 64 of 100 respondents"
    )


def test_cells_without_respondents_say_which_to_merge() -> None:
    bands = {"18-29": 0.2, "30-44": 0.3, "45-64": 0.3, "65+": 0.2}
    with pytest.raises(EmptyInput) as caught:
        post_stratify(["18-29"] * 5 + ["30-44"] * 5 + ["45-64"] * 2, bands)
    assert "without respondents ('65+')" in str(caught.value)
    assert "merge '65+' with '45-64'" in str(caught.value)


def test_unknown_and_missing_cells_are_named_at_once() -> None:
    with pytest.raises(BadRows) as caught:
        post_stratify(["young", "older", None, "old"], HALF)
    said = str(caught.value)
    assert "missing in 1 row [2]" in said
    assert "not in the population in 1 row [1] (such as older)" in said
    assert "cells of the population are ['young', 'old']" in said
    with pytest.raises(OutOfRange, match="leave empty cells out"):
        post_stratify(["young"], {"young": 1, "old": 0})
    with pytest.raises(EmptyInput, match="respondents"):
        post_stratify([], HALF)


def test_cells_may_be_numbers_on_both_sides() -> None:
    assert post_stratify([1, 2, 1], {1: 0.5, 2: 0.5}).weights.tolist() == [0.75, 1.5, 0.75]


def test_raking_meets_every_margin() -> None:
    rng = np.random.default_rng(3)
    sex, age = rng.choice(["woman", "man"], 500, p=[0.7, 0.3]), rng.choice(["young", "old"], 500, p=[0.8, 0.2])
    got = rake({"sex": sex, "age": age}, {"sex": {"woman": 0.5, "man": 0.5}, "age": {"young": 30, "old": 70}})
    assert got.weights[sex == "woman"].sum() / 500 == pytest.approx(0.5, abs=1e-7)
    assert got.weights[age == "old"].sum() / 500 == pytest.approx(0.7, abs=1e-7)
    assert got.off == 0
    assert got.trimmed == 0
    assert got.effective_n == pytest.approx(500 / got.design_effect)


def test_a_bound_on_the_weights_holds_and_what_it_costs_is_said() -> None:
    cells = ["young"] * 96 + ["old"] * 4
    got = rake({"age": cells}, {"age": HALF}, largest=5)
    assert got.weights.max() == pytest.approx(5)
    assert got.weights.mean() == pytest.approx(1)
    assert got.trimmed == 4
    assert got.off == pytest.approx(0.5 - 4 * 5 / 100)
    assert "4 trimmed, shares up to 30.0 points off" in str(got)
    with pytest.raises(OutOfRange, match="5 is a usual bound"):
        rake({"age": cells}, {"age": HALF}, largest=0.5)


def test_margins_that_no_weights_can_meet_say_where() -> None:
    sex, twin = ["woman"] * 50 + ["man"] * 50, ["a"] * 50 + ["b"] * 50
    with pytest.raises(NotConverged, match=r"'(woman|man|a|b)' of '(sex|twin)' is .* points off") as caught:
        rake(
            {"sex": sex, "twin": twin},
            {"sex": {"woman": 0.5, "man": 0.5}, "twin": {"a": 0.7, "b": 0.3}},
            max_iterations=50,
        )
    assert "merge small cells, or drop a trait" in str(caught.value)
    assert caught.value.iterations == 50


def test_raking_needs_the_same_traits_on_both_sides() -> None:
    with pytest.raises(OutOfRange, match="name each trait once"):
        rake({"sex": ["woman"]}, {"age": HALF})
    with pytest.raises(OutOfRange, match="one length"):
        rake({"age": ["young", "old"], "b": ["x"]}, {"age": HALF, "b": {"x": 1}})
    with pytest.raises(BadRows, match="weighing them 0"):
        rake({"age": ["young", "old"]}, {"age": HALF}, start=[1, 0])
    with pytest.raises(OutOfRange, match=r"len\(start\)"):
        rake({"age": ["young", "old"]}, {"age": HALF}, start=[1])


def test_weights_go_round_draw_and_serve_a_score() -> None:
    got = post_stratify(["young"] * 80 + ["old"] * 20, HALF)
    assert SurveyWeights.from_dict(json.loads(json.dumps(got.to_dict()))).weights.tolist() == got.weights.tolist()
    assert sum(row["count"] for row in got.chart().rows) == 100
    assert len(got.to_frame(backend="pandas")) == 100
    assert "design effect 1.56" in got._repr_html_()
    score = nps([10] * 80 + [3] * 20, weights=got.weights)
    assert score.score.value == pytest.approx(0)


def test_the_design_effect_is_kishs() -> None:
    w = np.array([1.0, 2, 3, 10])
    assert design_effect(w) == pytest.approx(1 + w.var() / w.mean() ** 2)
    with pytest.raises(EmptyInput):
        design_effect([])


def test_a_post_stratified_mean_is_the_weighted_mean_of_cell_means() -> None:
    rng = np.random.default_rng(4)
    cells = np.array(["young"] * 80 + ["old"] * 20)
    values = np.where(cells == "young", 3, 5) + rng.normal(size=100)
    got = post_stratified(values, cells, HALF)
    young, old = values[cells == "young"], values[cells == "old"]
    assert got.value == pytest.approx((young.mean() + old.mean()) / 2)
    error = np.sqrt(young.var(ddof=1) / 80 / 4 + old.var(ddof=1) / 20 / 4)
    from scipy.stats import t

    assert got.high - got.value == pytest.approx(t.ppf(0.975, 98) * error)
    assert "post-stratified" in got.method


def test_who_did_not_answer_is_left_out_before_the_weights() -> None:
    values = [1, 1, 0, None, 0, 1] * 10
    cells = ["young", "young", "young", "young", "old", "old"] * 10
    got = post_stratified(values, cells, HALF)
    assert got.n == 50
    assert got.value == pytest.approx((2 / 3 + 1 / 2) / 2)
    with pytest.raises(OutOfRange, match="2 or more in every cell"):
        post_stratified([1, 0, 1], ["young", "young", "old"], HALF)


# --- representativeness --------------------------------------------------------------------------------------------


def test_a_skewed_sample_warns_says_where_and_can_be_accepted() -> None:
    with pytest.warns(UnrepresentativeSample, match=r"young, old off[\s\S]*skew_ok=True"):
        got = representativeness({"young": 80, "old": 20}, HALF)
    assert not got.representative
    assert got.distance == pytest.approx(0.3)
    assert got.skewed == ("young", "old")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        representativeness({"young": 80, "old": 20}, HALF, skew_ok=True)
        assert representativeness({"young": 52, "old": 48}, HALF).representative
        # certain, and too small to matter
        large = representativeness({"young": 51_500, "old": 48_500}, HALF)
    assert large.p_value < 1e-6
    assert large.representative
    assert str(large).startswith("no sign of skew: 1.5 % of 100000 respondents would have to be others")


def test_the_test_is_pearsons() -> None:
    from scipy.stats import chisquare

    seen, share = {"a": 30, "b": 50, "c": 20}, {"a": 0.25, "b": 0.5, "c": 0.25}
    got = representativeness(seen, share)
    want = chisquare([30, 50, 20], [25, 50, 25])
    assert (got.chi_squared, got.p_value) == pytest.approx((want.statistic, want.pvalue))
    assert got.least_expected == 25


def test_samples_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(UnknownName, match="did you mean 'young'"):
        representativeness({"youngs": 3}, HALF)
    with pytest.raises(OutOfRange, match="pass counts, not shares"):
        representativeness({"young": 0.8, "old": 0.2}, HALF)
    with pytest.raises(EmptyInput, match="at least one respondent"):
        representativeness({}, HALF)
    with pytest.raises(EmptyInput, match="fewer than two cells"):
        representativeness({"young": 3}, {"young": 1})
    with pytest.raises(OutOfRange, match="leave empty cells out"):
        representativeness({"young": 3}, {"young": 1, "old": -1})
    with pytest.raises(OutOfRange, match="tolerance"):
        representativeness({"young": 3}, HALF, tolerance=2)


def test_the_comparison_goes_round_and_draws() -> None:
    got = representativeness({"young": 80}, HALF, skew_ok=True)
    again = Representativeness.from_dict(json.loads(json.dumps(got.to_dict())))
    assert str(again) == str(got)
    assert got.to_frame(backend="polars")["index"].to_list() == [200, 0]
    assert [row["value"] for row in got.chart().rows] == [0.5, -0.5]
    assert "<caption>the sample is skewed" in got._repr_html_()


# --- who did not answer --------------------------------------------------------------------------------------------


def test_response_bias_tells_traits_waves_and_bounds_in_words() -> None:
    age = np.array([30, 40, 50, 60] * 50)
    region = np.array(["north", "south"] * 100)
    answered = np.arange(200) % 4 > 1
    late = np.where(np.arange(200) < 100, 1, 9)
    values = np.where(answered, np.where(late == 1, 8, 6), np.nan)
    got = response_bias(
        {"age": age, "region": region}, answered, values=values, times=np.where(answered, late, 0.0), scale=(0, 10)
    )
    assert got.rate.value == 0.5
    assert got.suspicious == ("age",)
    assert [g.trait for g in got.gaps] == ["age", "region: north", "region: south"]
    assert (got.early.value, got.late.value) == (8, 6)
    assert got.extrapolated == pytest.approx(0.5 * 7 + 0.5 * 6)
    assert got.bounds == (3.5, 8.5)
    said = str(got)
    assert "50 % of 200 invited answered." in said
    assert "differ from the silent in age (55 against 35)" in said
    assert "If the silent are like the last, the mean of all is 6.5." in said
    assert "With nothing assumed about the silent, the mean of all lies between 3.5 and 8.5." in said
    again = ResponseBias.from_dict(json.loads(json.dumps(got.to_dict())))
    assert str(again) == said
    assert len(got.to_frame(backend="polars")) == 3
    assert len(got.chart().rows) == 3
    assert "<table>" in got._repr_html_()


def test_random_silence_is_not_suspicious() -> None:
    rng = np.random.default_rng(6)
    got = response_bias({"age": rng.normal(40, 9, 800)}, rng.random(800) < 0.4)
    assert got.suspicious == ()
    assert "none of 1 known traits" in str(got)
    assert np.isnan(got.bounds[0])


def test_where_everybody_answered_nobody_is_compared() -> None:
    said = str(response_bias({"age": [30, 40] * 20}, [True] * 40))
    assert "100 % of 40 invited answered." in said
    assert "nobody is silent" in said


def test_answers_of_one_moment_are_no_two_waves() -> None:
    answered = np.ones(40, bool)
    got = response_bias({}, answered, values=np.arange(40.0), times=np.zeros(40))
    assert got.early is None
    assert np.isnan(got.extrapolated)
    with pytest.raises(EmptyInput, match="known traits"):
        got.to_frame()


def test_contradictions_between_columns_are_named() -> None:
    answered = [True, True, False]
    with pytest.raises(BadRows) as caught:
        response_bias({}, answered, values=[1, None, 3])
    assert "missing where somebody answered in 1 row [1]" in str(caught.value)
    assert "there where nobody answered in 1 row [2]" in str(caught.value)
    with pytest.raises(BadRows, match="pass when each answer came"):
        response_bias({}, answered, values=[1, 2, None], times=np.array(["2026-01-01", "NaT", "NaT"], "datetime64[s]"))
    with pytest.raises(OutOfRange, match=r"len\(age\)"):
        response_bias({"age": [1]}, answered)
    with pytest.raises(OutOfRange, match=r"len\(values\)"):
        response_bias({}, answered, values=[1])
    with pytest.raises(BadRows, match="or the scale"):
        response_bias({}, answered, values=[1, 20, None], scale=(0, 10))
    with pytest.raises(EmptyInput, match="answered = True"):
        response_bias({}, [False])


# --- audience indices ----------------------------------------------------------------------------------------------


def test_an_index_over_a_sampled_population_is_less_certain() -> None:
    known, sampled = audience_index(Counts(160, 1000), 0.25), audience_index(Counts(160, 1000), Counts(250, 1000))
    assert known.index.value == sampled.index.value == 64
    assert sampled.index.width > known.index.width
    assert known.change == pytest.approx(-0.36)
    assert str(known).endswith("under-indexes by 36 %")
    assert AudienceIndex.from_dict(json.loads(json.dumps(known.to_dict()))) == known
    assert known.to_frame(backend="polars")["part"].to_list() == ["share", "index"]
    assert known.chart().rows[0]["value"] == 64


def test_an_index_needs_a_population_that_holds_the_group() -> None:
    with pytest.raises(OutOfRange, match=r"write 25 % as 0\.25"):
        audience_index(Counts(16, 100), 25)
    with pytest.raises(OutOfRange, match="has no index"):
        audience_index(Counts(16, 100), 0)
    open_end = audience_index(Counts(16, 100), Counts(0, 100))
    assert np.isnan(open_end.index.value)
    assert open_end.index.high == np.inf
    assert AudienceIndex.from_dict(json.loads(json.dumps(open_end.to_dict()))).index.high == np.inf
    with pytest.warns(SmallSample, match="audience index"):
        audience_index(Counts(4, 10), 0.25)


def test_indices_of_a_trait_cover_every_group_of_the_population() -> None:
    got = audience_indices({"a": 160, "b": 840}, {"a": 0.25, "b": 0.7, "c": 0.05})
    assert [round(i.index.value, 6) for i in got.indices] == [64, 120, 0]
    assert got["c"].share.n == 1000
    assert IndexTable.from_dict(json.loads(json.dumps(got.to_dict()))) == got
    assert got.to_frame(backend="pandas")["group"].tolist() == ["a", "b", "c"]
    assert len(got.chart().rows) == 3
    assert "population = 100" in got._repr_html_()
    counts = audience_indices({"a": 160, "b": 840}, {"a": 250, "b": 750}, population_is="counts")
    assert counts["a"].index.value == 64
    with pytest.raises(UnknownName, match="group of the audience 'd'"):
        audience_indices({"d": 1}, {"a": 1.0})
    with pytest.raises(OutOfRange, match="population_is='counts'"):
        audience_indices({"a": 1}, {"a": 250, "b": 750})
    with pytest.raises(UnknownName, match="did you mean 'counts'"):
        audience_indices({"a": 1}, {"a": 250}, population_is="count")
    with pytest.raises(UnknownName, match="group"):
        got["z"]
    with pytest.raises(OutOfRange, match="pass counts, not shares"):
        audience_indices({"a": 0.16}, {"a": 0.25, "b": 0.75})


# --- scorecards ----------------------------------------------------------------------------------------------------


def card(**more: float) -> Scorecard:
    inputs = {
        name: [IndexItem(f"{name} 1", (0, 1)), IndexItem(f"{name} 2", (0, 10), beyond="clip")]
        for name in RELATIONSHIP_HEALTH
    }
    return relationship_health(inputs, **more)


def facts(value: float | None = 0.5) -> dict[str, float | None]:
    return {column: value if column.endswith("1") else None for column in card().columns}


def test_missing_inputs_make_a_sub_score_missing_and_never_zero() -> None:
    known = facts() | {"interaction 1": None}
    got = card().score(known)
    assert got.scores["interaction"] is None
    assert got.scores["individual care"] == 0.5
    assert got.overall == 0.5
    assert "interaction: interaction 1" in got.missing
    assert "interaction           missing" in str(got)
    assert card().score({}).overall is None
    assert card().score({}).weakest is None


def test_the_overall_score_needs_enough_sub_scores() -> None:
    known = facts() | {"interaction 1": None, "mutual benefits 1": None, "individual care 1": None}
    assert card().score(known).overall is None
    assert card(at_least=0.25).score(known).overall == 0.5
    assert card(input_share=1).score(facts()).overall is None


def test_weights_are_configuration_and_the_weakest_is_named() -> None:
    known = facts() | {"interaction 1": 0.0}
    assert card().score(known).overall == pytest.approx(0.375)
    heavy = relationship_health(
        {name: [IndexItem(f"{name} 1", (0, 1))] for name in RELATIONSHIP_HEALTH}, weights={"interaction": 3}
    )
    assert heavy.score(known).overall == pytest.approx(0.25)
    assert heavy.score(known).weakest == "interaction"
    assert heavy.score(facts()).weakest == "individual care"  # the first of equals


def test_scorecards_refuse_what_they_cannot_use() -> None:
    with pytest.raises(UnknownName, match="did you mean 'interaction'"):
        relationship_health({"interactions": [IndexItem("x")]})
    with pytest.raises(OutOfRange, match="at least one fact for long-term commitment, mutual benefits"):
        relationship_health({"individual care": [IndexItem("x")], "interaction": [IndexItem("y")]})
    with pytest.raises(EmptyInput, match="items of the index 'a'"):
        SubScore("a", ())
    with pytest.raises(OutOfRange, match="leave a sub-score out"):
        SubScore("a", (IndexItem("x"),), weight=-1)
    with pytest.raises(OutOfRange, match="each name once"):
        Scorecard(name="x", parts=(SubScore("a", (IndexItem("x"),)), SubScore("a", (IndexItem("y"),))))
    with pytest.raises(EmptyInput, match="parts of the scorecard"):
        Scorecard(name="x", parts=())
    with pytest.raises(OutOfRange, match="share above 0"):
        Scorecard(name="x", parts=(SubScore("a", (IndexItem("x"),)),), at_least=2)
    with pytest.raises(BadRows, match="beyond='clip'"):
        card().score({"interaction 1": 7})
    with pytest.raises(MissingColumn):
        card().scores({"interaction 1": [1]})


def test_definitions_and_results_go_round() -> None:
    again = Scorecard.from_dict(json.loads(json.dumps(card().to_dict())))
    assert again == card()
    got = card().score(facts() | {"interaction 1": None})
    assert ScorecardResult.from_dict(json.loads(json.dumps(got.to_dict()))) == got
    table = card().scores({c: [0.5, None] if c.endswith("1") else [12, 3] for c in card().columns})
    back = ScorecardTable.from_dict(json.loads(json.dumps(table.to_dict())))
    assert str(back[1]) == str(table[1])


def test_the_radar_leaves_a_gap_where_a_sub_score_is_missing() -> None:
    got = card().score(facts() | {"interaction 1": None})
    drawn = [row["label"] for row in got.chart().rows if row["part"] == "value"]
    assert drawn == ["individual care", "long-term commitment", "mutual benefits"]
    assert "interaction (missing)" in {row.get("text") for row in got.chart().rows}
    assert got.chart().to_svg().startswith("<svg")
    two = Scorecard(name="two", parts=(SubScore("a", (IndexItem("x"),)), SubScore("b", (IndexItem("y"),))))
    assert [row["label"] for row in two.score({"x": 3}).chart().rows] == ["a"]


def test_a_table_of_scorecards_shows_means_and_windows() -> None:
    table = card().scores({c: [0.5, None, 1.0] if c.endswith("1") else [None] * 3 for c in card().columns})
    assert len(table) == 3
    assert table.weakest.tolist() == [0, -1, 0]
    assert table.means()["interaction"].value == 0.75
    assert table.means()["interaction"].n == 2
    frame = table.to_frame(backend="polars")
    assert frame["weakest"].to_list() == ["individual care", None, "individual care"]
    assert len(table.chart().rows) > 4
    assert "mean" in table.chart().title
    assert got_row(table) == str(card().score(facts(1.0)))
    with pytest.raises(EmptyInput, match="at least one customer"):
        card().scores({c: [] for c in card().columns}).to_frame()


def got_row(table: ScorecardTable) -> str:
    return str(table[2])


# --- reprs and edges -----------------------------------------------------------------------------------------------


def test_reprs_say_what_is_held() -> None:
    assert repr(post_stratify(["young", "old"], HALF)).startswith("SurveyWeights(post-stratified, 2 cells")
    assert repr(representativeness({"young": 80, "old": 20}, HALF, skew_ok=True)) == (
        "Representativeness(2 cells, n = 100, 30 points off)"
    )
    assert repr(response_bias({}, [True, False])) == "ResponseBias(50 % answered, 0 traits differ)"
    assert repr(audience_indices({"a": 30, "b": 70}, {"a": 0.5, "b": 0.5})) == "IndexTable(2 groups, n = 100)"
    assert repr(card().scores({c: [None] for c in card().columns})) == (
        "ScorecardTable(relationship health, 1 customers, 4 sub-scores)"
    )
    assert str(audience_index(Counts(250, 1000), 0.25)).endswith("as the population")
    assert "few observations" in audience_index(Counts(5, 10), 0.25, small_sample_ok=True)._repr_html_()
    assert np.isnan(audience_index(Counts(0, 0), 0.25, small_sample_ok=True).index.value)


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(EmptyInput, match="sample the population more widely"):
        audience_indices({"a": 30}, {"a": 0}, population_is="counts", small_sample_ok=True).chart()
    with pytest.raises(EmptyInput, match="what is known of all invited"):
        response_bias({"age": [4.0] * 40}, [True, False] * 20).chart()
    with pytest.raises(EmptyInput, match="name the groups"):
        audience_indices({}, {})


def test_a_scorecard_shows_itself_in_frames_notebooks_and_bars() -> None:
    known = card().score(facts())
    frame = known.to_frame(backend="polars")
    assert frame["part"].to_list()[0] == "individual care"
    assert frame["input_score"].to_list()[0] == 0.5
    assert "weakest: individual care" in known._repr_html_()
    two = Scorecard(name="two", parts=(SubScore("a", (IndexItem("x"),)), SubScore("b", (IndexItem("y"),))))
    table = two.scores({"x": [3, 5], "y": [None, None]})
    assert [row["label"] for row in table.chart().rows] == ["a"]
    assert "<table>" in table._repr_html_()
    assert str(table).startswith("two, means of 2 customers")


def test_the_order_of_respondents_changes_no_estimate() -> None:
    rng = np.random.default_rng(9)
    values, cells = rng.integers(0, 2, 60).astype(float), rng.choice(["young", "old"], 60)
    order = rng.permutation(60)
    first, second = post_stratified(values, cells, HALF), post_stratified(values[order], cells[order], HALF)
    assert (first.value, first.low, first.high) == pytest.approx((second.value, second.low, second.high))
    assert str(representativeness({"old": 3, "young": 9}, HALF, skew_ok=True)) == str(
        representativeness({"young": 9, "old": 3}, HALF, skew_ok=True)
    )


def test_populations_without_cells_are_refused() -> None:
    with pytest.raises(EmptyInput, match="name each cell"):
        post_stratify(["young"], {})
    with pytest.raises(OutOfRange, match="one a respondent"):
        post_stratify(["young"], HALF, n=2)


def test_every_trait_is_told_in_the_frame_and_few_waves_are_compared_at_all() -> None:
    at = np.array(["2026-01-01", "2026-01-02", "2026-01-05", "2026-01-09"], "datetime64[D]").repeat(10)
    got = response_bias({}, [True] * 40, values=[5.0] * 20 + [3.0] * 20, times=at)
    assert (got.early.value, got.late.value) == (5, 3)
    assert got.extrapolated == pytest.approx(4)
    with pytest.raises(OutOfRange, match=r"len\(times\)"):
        response_bias({}, [True] * 40, values=[5.0] * 40, times=at[:3])


@pytest.mark.parametrize(
    "call",
    [
        lambda: nps([10, 3]),
        lambda: csat([5, 4]),
        lambda: ces([7, 6]),
        lambda: multi_answer([["a"], ["b"]]),
        lambda: cronbach_alpha({"a": [1, 2, 3], "b": [2, 2, 3]}),
        lambda: SurveyIndex(name="x", items=(IndexItem("a"),)).evaluate({"a": [1, 2]}),
        lambda: post_stratified([1, 0, 1, 0], ["a", "a", "b", "b"], {"a": 1, "b": 1}),
        lambda: audience_index(Counts(4, 10), 0.25),
        lambda: representativeness({"young": 80, "old": 20}, HALF),
    ],
)
def test_a_warning_points_once_at_the_line_of_the_caller(call: Callable[[], object]) -> None:
    with pytest.warns(CrmWarning) as caught:
        call()
    assert [w.filename for w in caught] == [__file__]
