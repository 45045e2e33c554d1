"""Quality, scorecards, quadrants and recognition of touchpoints."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crmcore.errors import BadRows, EmptyInput, OutOfRange, UnknownName
from crmcore.metrics import mean, proportion
from crmcore.metrics.shrinking import beta_prior, shrink_means
from crmcore.tables import EventTable
from crmcore.touchpoints.quality import (
    CRITERIA,
    Priorities,
    QualityTable,
    advances,
    derived_importance,
    importance_performance,
    recognition_rates,
    touchpoint_quality,
    touchpoint_scorecard,
)
from crmcore.touchpoints.quality.derived import shares_of_variance


class Walk:
    """Two journeys as columns."""

    def __init__(self, *paths: list[str]) -> None:
        self.steps = tuple(sorted({s for p in paths for s in p}))
        self.start = np.cumsum([0, *map(len, paths)])
        self.step = np.array([self.steps.index(s) for p in paths for s in p], np.int32)


def test_advancing_is_judged_inside_a_journey_only() -> None:
    walk = Walk(["ad", "shop"], ["buy"], ["shop", "ad", "detour", "buy"])
    got = advances(walk, ["ad", "shop", "buy"])
    #        ad    shop(end) buy(top)  shop>ad  ad>detour detour   buy
    assert np.array_equal(got, [1, 0, np.nan, 0, np.nan, np.nan, np.nan], equal_nan=True)
    with pytest.raises(EmptyInput, match="stages"):
        advances(walk, [])


def test_empty_journeys_do_not_end_their_neighbours() -> None:
    walk = Walk(["ad", "shop"], [], ["ad", "shop"])
    assert advances(walk, ["ad", "shop", "buy"]).tolist() == [1, 0, 1, 0]


def test_a_touchpoint_seen_once_is_pulled_to_the_others() -> None:
    touch = ["a"] * 200 + ["b"] * 200 + ["rare"]
    moved = [1, 0] * 100 + [1, 0, 0, 0] * 50 + [1]
    table = touchpoint_quality(touch, list(range(401)), advanced=moved)
    assert table["a"].lift.value > table["rare"].lift.value > table["b"].lift.value
    assert table["rare"].lift.high - table["rare"].lift.low > 3 * (table["a"].lift.high - table["a"].lift.low)


def test_quality_is_the_product_of_its_parts() -> None:
    rng = np.random.default_rng(5)
    touch = rng.choice(["a", "b", "c"], 500)
    table = touchpoint_quality(
        touch,
        rng.integers(100, size=500),
        advanced=rng.random(500) < 0.4,
        experience=rng.integers(1, 6, 500),
        population=120,
    )
    for row in table.rows:
        assert row.experience is not None
        assert row.quality.value == pytest.approx(row.experience.value * row.reach.value * row.lift.value)
        assert row.quality.low < row.quality.value < row.quality.high
        assert row.reach.n == 120
    assert [r.quality.value for r in table.rows] == sorted((r.quality.value for r in table.rows), reverse=True)
    assert QualityTable.from_dict(table.to_dict()) == table
    assert table.to_frame(backend="polars").height == 3
    assert len(table.chart().rows) == 3
    assert "<script" not in table._repr_html_()


def test_without_answers_a_touchpoint_has_no_quality_and_stands_last() -> None:
    table = touchpoint_quality(
        ["a", "a", "b", "b"], [1, 2, 1, 2], advanced=[1, 0, 1, 1], experience=[4, 5, None, None], population=2
    )
    assert table.rows[-1].touchpoint == "b"
    assert table["b"].experience is None
    assert math.isnan(table["b"].quality.value)
    assert "missing" in str(table)


def test_unknown_visitors_are_touches_but_no_reach() -> None:
    table = touchpoint_quality(["a", "a", "b"], [0, -1, 1], advanced=[1, 0, 1])
    assert (table["a"].touches, table["a"].reach.value, table["a"].reach.n) == (2, 0.5, 2)


def test_a_column_that_nobody_judged_gives_no_number_and_no_warning() -> None:
    table = touchpoint_quality(["a", "b"], [0, 1], advanced=[None, None])
    assert math.isnan(table["a"].quality.value)
    with pytest.raises(EmptyInput, match="known quality"):
        table.chart()


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(EmptyInput, match="touches"):
        touchpoint_quality([], [], advanced=[])
    with pytest.raises(BadRows, match="experience: off the scale in 1 row \\[1\\]"):
        touchpoint_quality(["a", "a"], [0, 1], advanced=[1, 0], experience=[1, 9])
    with pytest.raises(BadRows, match="advanced: neither 1 nor 0"):
        touchpoint_quality(["a", "a"], [0, 1], advanced=[1, 2])
    with pytest.raises(OutOfRange, match="population = 1"):
        touchpoint_quality(["a", "a"], [0, 1], advanced=[1, 0], population=1)
    with pytest.raises(OutOfRange, match="len"):
        touchpoint_quality(["a", "a"], [0], advanced=[1, 0])
    with pytest.raises(OutOfRange, match="scale"):
        touchpoint_quality(["a"], [0], advanced=[1], experience=[1], scale=(5, 1))
    with pytest.raises(UnknownName, match="touchpoint 'z'"):
        touchpoint_quality(["a"], [0], advanced=[1])["z"]


def test_groups_that_differ_by_chance_only_become_one() -> None:
    mean_, variance, between = shrink_means(np.array([1.0, 1.1, 0.9]), np.full(3, 4.0))
    assert between == 0
    assert np.allclose(mean_, 1.0)
    assert np.allclose(variance, 4 / 3)
    a, b = beta_prior(np.array([50.0, 50.0]), np.array([100.0, 100.0]))
    assert a + b > 1e5


def test_all_or_nothing_rates_keep_a_proper_prior() -> None:
    for k in ([10.0, 10.0], [0.0, 0.0], [0.0, 10.0], [3.0]):
        a, b = beta_prior(np.array(k), np.full(len(k), 10.0))
        assert a > 0
        assert b > 0


# --- scorecard -----------------------------------------------------------------------------------------------------


def test_the_five_criteria_may_be_weighted_and_nothing_else() -> None:
    card = touchpoint_scorecard(weights={"valuable": 3})
    assert card.names == CRITERIA
    result = card.score({"simple": 5, "appropriate": 5, "connected to needs": 5, "valuable": 1, "attractive": 5})
    assert result.overall == pytest.approx(4 / 7)
    with pytest.raises(UnknownName, match="criterion 'cheap'"):
        touchpoint_scorecard(weights={"cheap": 1})


# --- quadrants -----------------------------------------------------------------------------------------------------


def _four() -> Priorities:
    importance = {n: proportion(k, 100) for n, k in zip("abcd", (80, 70, 30, 20), strict=True)}
    performance = {n: mean([s - 1, s, s + 1] * 40) for n, s in zip("abcd", (2, 4, 4, 2), strict=True)}
    return importance_performance(importance, performance)


def test_quadrants_carry_probabilities_and_gaps() -> None:
    found = _four()
    assert [r.touchpoint for r in found.rows] == ["a", "d", "b", "c"]
    assert found["a"].probability > 0.99
    assert found.unsure == ()
    assert found["a"].gap.low > 0 > found["c"].gap.high
    assert found.quadrant("concentrate here") == ("a",)
    assert Priorities.from_dict(found.to_dict()) == found
    assert found.to_frame(backend="polars").columns[:3] == ["touchpoint", "quadrant", "probability"]
    assert {row["field"] for row in found.chart().rows} == {r.quadrant.value for r in found.rows}
    with pytest.raises(UnknownName, match="quadrant 'later'"):
        found.quadrant("later")


def test_a_touchpoint_at_the_cut_is_unsure() -> None:
    importance = {"a": proportion(50, 100), "b": proportion(90, 100), "c": proportion(10, 100)}
    found = importance_performance(importance, {"a": 1, "b": 2, "c": 3})
    assert found.unsure == ("a",)
    assert found["a"].probability == pytest.approx(0.5, abs=0.02)


def test_plain_numbers_have_no_probability() -> None:
    found = importance_performance({"a": 1, "b": 2}, {"a": 2, "b": 1}, cut=(1.5, 1.5))
    assert math.isnan(found["a"].probability)
    assert found.unsure == ()
    assert found["b"].quadrant.value == "concentrate here"


def test_the_probability_of_a_quadrant_is_the_share_of_draws_in_it() -> None:
    rng = np.random.default_rng(3)
    k, draws = 4, 200_000
    values, errors = rng.normal(size=k), rng.uniform(0.2, 0.6, size=k)
    from crmcore.metrics.estimates import estimate_of

    z = 1.959963984540054
    importance = {
        str(i): estimate_of(
            values[i], values[i] - z * errors[i], values[i] + z * errors[i], level=0.95, n=9, rule="", method=""
        )
        for i in range(k)
    }
    found = importance_performance(importance, {str(i): float(i) for i in range(k)})
    drawn = values + errors * rng.normal(size=(draws, k))
    above = drawn >= drawn.mean(axis=1, keepdims=True)
    for i in range(k):
        share = (above[:, i] == (values[i] >= values.mean())).mean()
        assert found[str(i)].probability == pytest.approx(share, abs=0.005)


def test_what_has_no_quadrant_is_refused() -> None:
    with pytest.raises(EmptyInput, match="two at least"):
        importance_performance({"a": 1}, {"a": 1})
    with pytest.raises(UnknownName, match="touchpoint of one side 'b'"):
        importance_performance({"a": 1, "b": 2}, {"a": 1})
    with pytest.raises(UnknownName, match="cut 'mode'"):
        importance_performance({"a": 1, "b": 2}, {"a": 1, "b": 2}, cut="mode")
    with pytest.raises(OutOfRange, match="two numbers"):
        importance_performance({"a": 1, "b": 2}, {"a": 1, "b": 2}, cut=(1,))  # type: ignore[arg-type]


# --- derived importance ----------------------------------------------------------------------------------------------


def test_importance_is_correlation_with_fishers_interval() -> None:
    rng = np.random.default_rng(2)
    web, overall = rng.normal(size=(2, 200))
    overall = overall + web
    table = derived_importance({"web": web, "shop": rng.normal(size=200), "flat": np.ones(200)}, overall)
    r = float(np.corrcoef(web, overall)[0, 1])
    assert table["web"].value == pytest.approx(r)
    assert table["web"].low == pytest.approx(math.tanh(math.atanh(r) - 1.959963984540054 / math.sqrt(197)))
    assert table.labels[0] == "web"
    assert math.isnan(table["flat"].value)
    assert table.labels[-1] == "flat"


def test_answers_that_are_missing_are_left_out_pair_by_pair() -> None:
    table = derived_importance({"a": [1, 2, 3, 4, None, 9], "b": [None] * 6}, [1, 2, 3, 4, 5, None])
    assert (table["a"].value, table["a"].n) == (1.0, 4)
    assert math.isnan(table["b"].value)


def test_shapley_shares_add_up_to_r_squared_and_twins_share() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(300, 3))
    y = x @ [1.0, 0.5, 0.0] + rng.normal(size=300)
    design = np.column_stack([np.ones(300), x])
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    shares = shares_of_variance(np.cov(np.column_stack([x, y]).T))
    assert shares.sum() == pytest.approx(1 - residual.var() / y.var())
    twins = shares_of_variance(np.cov(np.column_stack([x[:, 0], x[:, 0], y]).T))
    assert twins[0] == pytest.approx(twins[1])
    table = derived_importance(dict(zip("abc", x.T, strict=True)), y, method="shapley", draws=200, seed=1)
    assert table.labels[0] == "a"
    assert table["a"].low < table["a"].value < table["a"].high


def test_derived_importance_refuses_what_it_cannot_read() -> None:
    with pytest.raises(EmptyInput, match="performance"):
        derived_importance({}, [])
    with pytest.raises(EmptyInput, match="rows with all answers"):
        derived_importance({"a": [1, None, 2]}, [1, 2, 3], method="shapley")
    with pytest.raises(OutOfRange, match="at most 15"):
        derived_importance({str(i): [1.0] * 40 for i in range(16)}, [1.0] * 40, method="shapley")
    with pytest.raises(UnknownName, match="method 'magic'"):
        derived_importance({"a": [1.0]}, [1.0], method="magic")  # type: ignore[arg-type]


# --- recognition ---------------------------------------------------------------------------------------------------


def test_recognition_by_any_column_with_rows_that_lack_it() -> None:
    events = EventTable.from_frame(
        {"customer": ["a", None, "b"], "time": ["2026-01-01T00:00Z"] * 3, "touchpoint": ["store", "store", None],
         "branch": ["x", "y", "y"]}
    )  # fmt: skip
    assert {n: recognition_rates(events)[n].value for n in ("store", "(unknown)")} == {"store": 0.5, "(unknown)": 1.0}
    assert recognition_rates(events, by="branch")["y"].n == 2
    with pytest.raises(UnknownName, match="column of events 'shelf'"):
        recognition_rates(events, by="shelf")
    with pytest.raises(EmptyInput, match="events"):
        recognition_rates(events.take(np.zeros(0, int)))
