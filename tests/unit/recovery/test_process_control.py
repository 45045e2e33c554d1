"""Control charts: limits, phases, rules, sums, and what they say."""

from __future__ import annotations

import json
import math
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from crmcore.errors import BadRows, EmptyInput, OutOfRange, SmallSample, UnknownName, WrongType
from crmcore.recovery.process.control import (
    NELSON,
    WESTERN_ELECTRIC,
    ControlChart,
    Cusum,
    RunRule,
    c_chart,
    cusum,
    cusum_run_length,
    cusum_threshold,
    p_chart,
    shewhart_run_length,
    step_change,
    u_chart,
    xmr,
)

STEADY = [5, 6, 5, 4, 6, 5, 5, 6, 4, 5, 6, 5]


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("beyond 3 sigma", [3.2]),
        ("9 on one side", [0.1, 0.5, 0.2, 0.4, 0.3, 0.6, 0.1, 0.5, 0.2]),
        ("6 trending", [0.5, 0.2, 0, -0.3, -0.5, -0.9]),
        ("14 alternating", [0.1, -0.1] * 7),
        ("2 of 3 beyond 2 sigma", [2.1, 0, 2.2]),
        ("4 of 5 beyond 1 sigma", [-1.1, -1.2, 0, -1.1, -1.3]),
        ("15 within 1 sigma", [0.5, -0.4, 0.2] * 5),
        ("8 beyond 1 sigma", [1.5, -1.4] * 4),
        ("8 on one side", [0.1, 0.5, 0.2, 0.4, 0.3, 0.6, 0.1, 0.5]),
    ],
)
def test_each_rule_names_the_point_that_completes_its_pattern(rule: str, values: list[float]) -> None:
    from crmcore.recovery.process.control.runs import broken, rules_named

    (asked,) = rules_named([rule])
    found = broken(np.array(values, float), asked)
    assert found[-1] != 0
    assert not found[:-1].any()
    assert not broken(np.array(values[1:], float), asked).any()


def test_a_point_on_a_line_breaks_no_rule() -> None:
    from crmcore.recovery.process.control.runs import broken

    assert not broken(np.array([3.0, -3.0]), NELSON[0]).any()
    assert not broken(np.array([0.5] * 4 + [0.0] + [0.5] * 4), NELSON[1]).any()
    assert not broken(np.array([1.0, 2.0, 2.0, 3.0, 4.0, 5.0]), NELSON[2]).any()


def test_a_gap_is_passed_over_and_no_range_is_taken_across_it() -> None:
    made = xmr([5, 6, math.nan, 9, 8, 9], small_sample_ok=True)
    assert np.isnan(made.moving_range[[0, 2, 3]]).all()
    assert made.moving_range[[1, 4, 5]].tolist() == [1, 1, 1]
    assert np.isnan(made.values[2])


def test_phases_have_limits_of_their_own() -> None:
    values = [*STEADY, *(v + 20 for v in STEADY)]
    one = xmr(values)
    two = xmr(values, phases=["before"] * 12 + ["after"] * 12)
    assert not one.stable
    assert two.stable
    assert two.centre[0] == pytest.approx(two.centre[-1] - 20)
    assert two.moving_range[11] == 1
    assert np.isnan(two.moving_range[12])
    assert "phase after: centre 25.2" in str(two)


def test_no_rule_reaches_from_one_phase_into_the_next() -> None:
    above = [5, 5, 5, 5, 5, 6, 6, 6, 6, 6]
    flat = xmr(above * 2, phases=["a"] * 10 + ["b"] * 10, rules=["9 on one side"], small_sample_ok=True)
    assert flat.stable


def test_the_baseline_sets_the_limits_of_all() -> None:
    made = xmr([*STEADY, 40, 41], baseline=12)
    assert made.centre[0] == pytest.approx(np.mean(STEADY))
    assert [s.position for s in made.signals if s.rule == "beyond 3 sigma"] == [12, 13]
    marked = xmr([*STEADY, 40, 41], baseline=[True] * 12 + [False] * 2)
    assert marked.centre[0] == made.centre[0]


def test_a_range_counts_only_where_both_points_are_in_the_baseline() -> None:
    made = xmr([1, 2, 50, 3, 4], baseline=[True, True, False, True, True], small_sample_ok=True)
    assert made.range_centre[0] == 1.0


def test_values_that_never_vary_signal_only_what_differs() -> None:
    made = xmr([5.0] * 12 + [5.1], baseline=12, rules=["beyond 3 sigma"])
    assert [s.position for s in made.signals] == [12]
    assert xmr([0.1 + 0.2] * 12 + [0.3], baseline=12).stable


def test_few_points_warn_and_can_be_known() -> None:
    with pytest.warns(SmallSample, match=r"fewer than 12 points are soft: all points \(3\)"):
        xmr([1, 2, 3])
    with pytest.warns(SmallSample, match=r"new \(2\)"):
        xmr([*STEADY, 1, 2], phases=["old"] * 12 + ["new"] * 2)
    xmr([1, 2, 3], small_sample_ok=True)


def test_a_single_point_has_no_limits_and_no_signal() -> None:
    made = xmr([3.0], small_sample_ok=True)
    assert made.stable
    assert np.isnan(made.sigma[0])
    assert str(made).startswith("xmr chart of 1 points")


def test_shares_stay_within_0_and_1_and_periods_without_cases_are_gaps() -> None:
    made = p_chart([1, 0, 0, 2], [4, 0, 5, 4], small_sample_ok=True)
    assert made.lower[[0, 2, 3]].tolist() == [0, 0, 0]
    assert made.upper[0] <= 1
    assert np.isnan([made.values[1], made.upper[1]]).all()


def test_u_of_equal_exposure_is_c() -> None:
    counts = [4, 6, 3, 5, 7, 4, 5, 6, 4, 5, 3, 20]
    u, c = u_chart(counts, [1] * 12), c_chart(counts)
    assert u.upper.tolist() == c.upper.tolist()
    assert u.signals == c.signals
    assert c_chart([*counts, math.nan]).upper[:12].tolist() == c.upper.tolist()


def test_large_counts_need_the_spread_between_periods() -> None:
    rng = np.random.default_rng(3)
    trials = np.full(40, 200_000)
    failures = rng.binomial(trials, rng.normal(0.1, 0.004, 40))
    within = p_chart(failures, trials, rules=["beyond 3 sigma"])
    between = p_chart(failures, trials, rules=["beyond 3 sigma"], spread="between")
    assert len(within.signals) > 10
    assert between.stable
    assert "spread between periods" in str(between)


def test_a_point_says_which_rules_it_breaks() -> None:
    made = xmr([*STEADY, 12], baseline=12, labels=[date(2026, 1, 1) + timedelta(days=i) for i in range(13)])
    assert made.rules_at(12) == ("beyond 3 sigma",)
    assert str(made.signals[0]) == "2026-01-13 (12): beyond 3 sigma, above"
    frame = made.to_frame(backend="polars")
    assert frame["rules"].to_list()[-1] == "beyond 3 sigma"
    assert frame["label"][0] == "2026-01-01"


def test_a_trend_rises_or_falls() -> None:
    made = xmr([5, 6, 7, 8, 9, 10, 9, 8, 7, 6, 5], rules=["6 trending"], small_sample_ok=True)
    assert [(s.position, s.side) for s in made.signals] == [(5, "rising"), (10, "falling")]


def test_other_rules_can_be_asked_and_made() -> None:
    values = [*STEADY, 5.5, 5.6, 5.4, 5.5, 5.6, 5.5, 5.7, 5.5]
    assert "8 on one side" in [s.rule for s in xmr(values, baseline=12, rules=WESTERN_ELECTRIC).signals]
    mine = RunRule("3 above", "three points in a row on one side", "one side", 3, 3)
    assert xmr([*STEADY, 6, 6, 6], baseline=12, rules=[mine]).rules_at(14) == ("3 above",)


def test_charts_leave_as_json_and_come_back() -> None:
    made = xmr([*STEADY, math.nan, 12], baseline=12, phases=["a"] * 14)
    again = ControlChart.from_dict(json.loads(json.dumps(made.to_dict())))
    assert str(again) == str(made)
    assert again.to_dict() == made.to_dict()
    total = cusum([*STEADY, 12, 12], baseline=12)
    assert str(Cusum.from_dict(json.loads(json.dumps(total.to_dict())))) == str(total)


def test_charts_show_themselves() -> None:
    made = xmr([*STEADY, math.nan, 12], baseline=12)
    assert repr(made) == "ControlChart(xmr, 14 points, 1 signals)"
    assert "beyond 3 sigma" in made._repr_html_()
    assert "no signal" in xmr(STEADY)._repr_html_()
    picture = made.chart()
    assert picture.rows[12]["value"] is None
    assert picture.rows[13]["rules"] == "beyond 3 sigma"
    assert "14  12 !" in picture.to_text()
    sums = cusum([*STEADY, 12, 12], baseline=12)
    assert repr(sums) == "Cusum(14 points, 1 drifts)"
    assert len(sums.chart().to_dict()["data"]["values"]) == 28
    assert made.chart().to_dict()["data"]["values"][12]["value"] is None
    assert "above" in sums._repr_html_()
    assert sums.to_frame(backend="polars")["drift"].sum() == 1


def test_a_drift_is_told_once_with_the_point_where_it_began() -> None:
    made = cusum([0.0] * 10 + [2.0] * 8, target=0, sigma=1)
    (drift,) = made.drifts
    assert (drift.began, drift.side) == (10, "above")
    assert drift.level == pytest.approx(2.0)


def test_a_head_start_finds_what_is_wrong_from_the_beginning_sooner() -> None:
    values = [1.0] * 20
    plain = cusum(values, target=0, sigma=1).drifts[0].position
    assert cusum(values, target=0, sigma=1, head_start=2.5).drifts[0].position < plain
    assert cusum_run_length(1.0, head_start=2.5) < cusum_run_length(1.0)
    # Lucas & Crosier (1982): 6.35 points with a head start of half, 10.4 without
    assert cusum_run_length(1.0, head_start=2.5) == pytest.approx(6.35, abs=0.01)
    assert cusum_run_length(0.0, head_start=2.5) == pytest.approx(430, abs=0.6)


def test_a_missing_value_leaves_the_sums_as_they_are() -> None:
    made = cusum([2.0, math.nan, 2.0], target=0, sigma=1)
    assert made.above.tolist() == [1.5, 1.5, 3.0]


def test_thresholds_and_run_lengths_are_inverse() -> None:
    for slack in (0.25, 1.0):
        assert cusum_run_length(slack=slack, threshold=cusum_threshold(370, slack=slack)) == pytest.approx(370)
    assert cusum_threshold(370, sides=1) < cusum_threshold(370)


def test_a_step_is_dated_with_a_set() -> None:
    rng = np.random.default_rng(1)
    failures = rng.binomial(80, np.r_[np.full(30, 0.05), np.full(20, 0.15)])
    made = step_change(failures, np.full(50, 80), labels=[f"week {i + 1}" for i in range(50)])
    assert made.first <= 30 <= made.last
    assert abs(made.position - 30) <= 3
    assert made.p_value < 1e-6
    assert made.after.low > made.before.high
    assert "week 3" in str(made)


def test_a_series_that_never_changed_has_no_small_p_value() -> None:
    rng = np.random.default_rng(8)
    small = sum(step_change(rng.binomial(50, 0.1, 40), np.full(40, 50)).p_value <= 0.05 for _ in range(200))
    assert small <= 18  # 95 % of binomial(200, 0.05) lies at or below 15


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: xmr([]), EmptyInput, "at least one point"),
        (lambda: xmr([math.nan]), EmptyInput, "at least one point"),
        (lambda: xmr([1, math.inf]), BadRows, "not finite in 1 row [1]"),
        (lambda: xmr(STEADY, labels=["a"]), OutOfRange, "labels = '1 entries': expected 12 entries"),
        (lambda: xmr(STEADY, phases=["a"]), OutOfRange, "phases"),
        (lambda: xmr(STEADY, baseline=0), OutOfRange, "leave it out to use all points"),
        (lambda: xmr(STEADY, baseline=[True]), OutOfRange, "mark each point"),
        (lambda: xmr(STEADY, baseline=[False] * 12), OutOfRange, "no point with a value"),
        (
            lambda: xmr(STEADY, phases=["a"] * 6 + ["b"] * 6, baseline=[True] * 6 + [False] * 6),
            OutOfRange,
            "no point in b",
        ),
        (lambda: xmr(["high"]), WrongType, "numbers, one a row"),
        (lambda: p_chart(["1"], [2]), WrongType, "counts is a column of str"),
        (lambda: xmr(STEADY, rules=["9 on a side"]), UnknownName, "did you mean '9 on one side'"),
        (lambda: xmr(STEADY, constants="rounded"), UnknownName, "printed"),
        (lambda: p_chart([5], [4]), BadRows, "more than there were cases in 1 row [0]"),
        (lambda: p_chart([1, 2], [4]), OutOfRange, "one length"),
        (lambda: p_chart([1] * 12, [4] * 12, spread="wide"), UnknownName, "between"),
        (lambda: u_chart([1], [0]), BadRows, "row [0]"),
        (lambda: c_chart([-1]), BadRows, "below zero"),
        (lambda: cusum([1, 1, 1, 1], small_sample_ok=True), OutOfRange, "values that never vary"),
        (lambda: cusum([1], small_sample_ok=True), EmptyInput, "state sigma"),
        (lambda: cusum(STEADY, threshold=0), OutOfRange, "4 or 5"),
        (lambda: cusum(STEADY, slack=-1), OutOfRange, "half the shift"),
        (lambda: cusum(STEADY, head_start=6), OutOfRange, "half of the threshold"),
        (lambda: cusum(STEADY, target=math.inf), OutOfRange, "mean of the baseline"),
        (lambda: cusum_run_length(sides=3), OutOfRange, "1 or 2"),
        (lambda: cusum_threshold(1), OutOfRange, "370 is what"),
        (lambda: shewhart_run_length(limit=0), OutOfRange, "limit = 0"),
        (lambda: step_change([1], [2]), EmptyInput, "two periods"),
        (lambda: step_change([0, 0], [0, 0]), EmptyInput, "at least one point"),
    ],
)
def test_wrong_calls_name_the_way_out(call: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as raised:
        call()
    assert said in str(raised.value)


@pytest.mark.parametrize("failures", [[0] * 20, [10] * 20])
def test_all_or_none_failed_is_steady(failures: list[int]) -> None:
    assert p_chart(failures, [10] * 20).stable
    assert step_change(failures, [10] * 20).p_value > 0.5
