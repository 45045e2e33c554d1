"""Survival tables: their errors, words, frames and pictures."""

from __future__ import annotations

import json
import math
import pickle

import numpy as np
import pytest

from crmcore.errors import BadDocument, BadRows, EmptyInput, OutOfRange, SmallSample, UnknownName, WrongType
from crmcore.metrics.durations.logrank import LogRank, log_rank, survival_by
from crmcore.metrics.durations.survival import SurvivalTable, kaplan_meier


@pytest.fixture
def table() -> SurvivalTable:
    return kaplan_meier([1, 2, 3, 4, 5], [True, True, False, True, False], unit="months")


def test_a_table_says_what_it_holds(table: SurvivalTable) -> None:
    assert repr(table) == "SurvivalTable(n = 5, 3 events, 5 times, months)"
    assert str(table) == (
        "n = 5, 3 events, 5 times, months; median 4 [1, inf] (95 %, n = 5, brookmeyer-crowley, log-log)"
    )
    assert "<caption>n = 5, 3 events" in table._repr_html_()
    assert len(table._repr_html_()) < 6000


def test_estimates_name_rule_and_method(table: SurvivalTable) -> None:
    assert table.survival_at(3, small_sample_ok=True).rule == "lasts longer than 3 months, open cases censored"
    assert table.ended_by(3, small_sample_ok=True).rule == "ends within 3 months, open cases censored"
    assert table.median(band="plain", small_sample_ok=True).method == "brookmeyer-crowley, plain"
    assert table.quantile(0.25, small_sample_ok=True).rule == "duration in months by which 25 % have ended"
    assert table.restricted_mean(4, small_sample_ok=True).rule == "mean duration in months, at most 4 of each"
    hazard = table.cumulative_hazard_at(2, small_sample_ok=True)
    assert (round(hazard.value, 3), hazard.method) == (0.45, "nelson-aalen, log")


def test_before_the_first_event_the_interval_is_not_a_point(table: SurvivalTable) -> None:
    start = table.survival_at(0.5, small_sample_ok=True)
    assert (start.value, start.high) == (1.0, 1.0)
    assert 0.5 < start.low < 0.7  # Wilson's for 5 of 5
    nothing = kaplan_meier([3, 4], [False, False])
    assert nothing.cumulative_hazard_at(3, small_sample_ok=True).value == 0
    assert nothing.cumulative_hazard_at(3, small_sample_ok=True).high > 0.5
    assert math.isnan(nothing.median(small_sample_ok=True).value)


def test_after_the_last_event_of_all_the_upper_limit_stays(table: SurvivalTable) -> None:
    ended = kaplan_meier([1, 2, 3, 4], [True] * 4)
    low, high = ended.band()
    assert (ended.survival[-1], low[-1]) == (0.0, 0.0)
    assert high[-1] == high[-2] > 0
    assert ended.survival_at(99, small_sample_ok=True).value == 0.0
    assert ended.restricted_mean(99, small_sample_ok=True).value == 2.5


def test_small_samples_warn(table: SurvivalTable) -> None:
    with pytest.warns(SmallSample, match="the share that lasts stands on n = 5"):
        table.survival_at(3)


def test_sampling_weights_widen_the_interval() -> None:
    rng = np.random.default_rng(4)
    time, seen = rng.exponential(5, 200), rng.random(200) < 0.7
    weights = rng.lognormal(0, 1, 200)
    plain, weighted = kaplan_meier(time, seen), kaplan_meier(time, seen, weights=weights)
    assert weighted.effective[0] == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    assert weighted.survival_at(4).width > plain.survival_at(4).width
    with pytest.raises(OutOfRange, match="weights of 'b' = 'unequal': expected none"):
        log_rank({"a": plain, "b": weighted})


def test_bad_rows_are_named_all_at_once() -> None:
    with pytest.raises(BadRows, match=r"durations: not a finite number from 0 in 2 rows \[1, 3\]"):
        kaplan_meier([1, -2, 3, math.nan], [True] * 4)
    with pytest.raises(BadRows, match=r"entry: not before the end in 1 row \[0\]"):
        kaplan_meier([1, 2], [True, True], entry=[1, 1])
    with pytest.raises(BadRows, match=r"observed: neither 0 nor 1 in 1 row \[1\]"):
        kaplan_meier([1, 2], [0, 2])
    with pytest.raises(BadRows, match="weights: 0 in 1 row"):
        kaplan_meier([1, 2], [0, 1], weights=[0, 1])


def test_wrong_arguments_say_the_way_out(table: SurvivalTable) -> None:
    with pytest.raises(EmptyInput, match="durations is empty"):
        kaplan_meier([], [])
    with pytest.raises(OutOfRange, match=r"len\(observed\) = 1: expected 2, as durations"):
        kaplan_meier([1, 2], [True])
    with pytest.raises(WrongType, match="durations is a column of str: expected numbers"):
        kaplan_meier(["one"], [True])
    with pytest.raises(WrongType, match="observed is a column of str: expected truths"):
        kaplan_meier([1], ["closed"])
    with pytest.raises(OutOfRange, match=r"shape of durations = \(1, 1\)"):
        kaplan_meier([[1]], [True])
    with pytest.raises(UnknownName, match="did you mean 'log-log'"):
        table.band(band="loglog")
    with pytest.raises(OutOfRange, match=r"duration = -1\.0: expected 0 or more"):
        table.survival_at(-1, small_sample_ok=True)
    with pytest.raises(OutOfRange, match=r"write the median as 0\.5"):
        table.quantile(50)
    with pytest.raises(OutOfRange, match="horizon = 9: expected above 0, at most 5"):
        table.restricted_mean(9, small_sample_ok=True)
    with pytest.raises(OutOfRange, match="unit = 'days': expected 'months'"):
        table + kaplan_meier([1], [True], unit="days")
    with pytest.raises(BadDocument, match="time = 'no rising column'"):
        SurvivalTable.from_dict({**table.to_dict(), "time": [1, 1, 2, 3, 4]})
    with pytest.raises(BadDocument, match="events = -1"):
        SurvivalTable.from_dict({**table.to_dict(), "events": [-1, 0, 0, 0, 0]})
    with pytest.raises(BadDocument, match="shape of events"):
        SurvivalTable.from_dict({**table.to_dict(), "events": [1]})


def test_columns_are_read_only_and_inputs_untouched(table: SurvivalTable) -> None:
    with pytest.raises(ValueError, match="read-only"):
        table.time[0] = 9
    mine = np.array([3.0, 1.0, 2.0])
    kaplan_meier(mine, [True] * 3)
    assert mine.tolist() == [3, 1, 2]
    assert pickle.loads(pickle.dumps(table)) == table


def test_tables_and_groups_become_frames_and_pictures(table: SurvivalTable) -> None:
    frame = table.to_frame(backend="polars")
    assert frame.columns == ["time", "at_risk", "events", "censored", "survival", "low", "high", "cumulative_hazard"]
    chart = table.chart()
    assert chart.rows[0] == {"x": 0.0, "y": 1.0, "low": 1.0, "high": 1.0, "at_risk": 5.0, "series": ""}
    assert chart.spec["layer"][1]["mark"]["interpolate"] == "step-after"
    groups = survival_by(["web", "shop"] * 4, range(1, 9), [True] * 8, unit="days")
    assert groups.to_frame(backend="pandas")["label"].tolist() == ["shop"] * 4 + ["web"] * 4
    assert {row["series"] for row in groups.chart().rows} == {"shop", "web"}
    assert str(groups).splitlines()[0].startswith("shop  n = 4, 4 events")
    assert "median durations" in groups._repr_html_()
    with pytest.raises(UnknownName, match="did you mean 'web'"):
        groups["wep"]


def test_pictures_of_a_million_cases_stay_small() -> None:
    many = kaplan_meier(np.random.default_rng(1).exponential(9, 20_000), np.ones(20_000, bool))
    assert len(many.chart().rows) <= 401
    assert len(many._repr_html_()) < 6000


def test_log_rank_shows_observed_and_expected_and_round_trips() -> None:
    got = survival_by(["a", "b"] * 20, range(40), [True] * 40).log_rank(rho=1)
    assert str(got).endswith("(fleming-harrington(1, 0))")
    assert got.to_frame(backend="polars").columns == ["label", "n", "observed", "expected"]
    assert "chi2(1)" in got._repr_html_()
    assert LogRank.from_dict(json.loads(json.dumps(got.to_dict()))) == got


def test_groups_that_never_met_cannot_be_tested() -> None:
    early, late = kaplan_meier([1, 2], [True, True]), kaplan_meier([5], [False])
    apart = log_rank({"early": early, "late": kaplan_meier([9], [True], entry=[5])})
    assert math.isnan(apart.p_value)
    assert not math.isnan(log_rank({"early": early, "late": late}).p_value)
    with pytest.raises(EmptyInput, match="fewer than two groups"):
        log_rank({"early": early})
    with pytest.raises(OutOfRange, match="log-rank is"):
        log_rank({"early": early, "late": late}, rho=-1)
    with pytest.raises(OutOfRange, match="unit of 'b' = 'h': expected ''"):
        log_rank({"a": early, "b": kaplan_meier([1], [True], unit="h")})
    with pytest.raises(EmptyInput, match="durations is empty"):
        survival_by([], [], [])


def test_what_rounding_leaves_of_a_covariance_is_no_direction_of_the_test() -> None:
    one = kaplan_meier([0], [False])
    rest = kaplan_meier([0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 0, 0, 1, 1])
    # only at time 0 are both at risk: (1/9)² / (8/81)
    assert log_rank({"a": one, "b": rest}).statistic == pytest.approx(1 / 8)
    assert log_rank({"b": rest, "a": one}).statistic == pytest.approx(1 / 8)
    assert log_rank({"a": one, "b": rest, "c": kaplan_meier([9], [True], entry=[5])}).freedom == 1
