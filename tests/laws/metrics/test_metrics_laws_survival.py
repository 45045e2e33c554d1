"""Laws of durations: shards = whole, order and unit do not matter, and two independent libraries agree."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.metrics.durations.logrank import SurvivalTables, log_rank, survival_by
from crmcore.metrics.durations.survival import SurvivalTable, kaplan_meier

CASES = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=40)


def columns(cases: list[tuple[int, bool]]) -> tuple[list[int], list[bool]]:
    return [t for t, _ in cases], [seen for _, seen in cases]


def slow_curve(cases: list[tuple[int, bool]]) -> dict[int, float]:
    """Kaplan-Meier as it is taught: one event time after the other."""
    share, curve = 1.0, {}
    for time in sorted({t for t, _ in cases}):
        risk = sum(t >= time for t, _ in cases)
        ended = sum(t == time and seen for t, seen in cases)
        share *= 1 - ended / risk
        curve[time] = share
    return curve


@given(CASES)
def test_the_kernel_equals_its_slow_twin(cases: list[tuple[int, bool]]) -> None:
    table = kaplan_meier(*columns(cases))
    slow = slow_curve(cases)
    assert table.time.tolist() == sorted(slow)
    assert table.survival == pytest.approx(np.array(list(slow.values())), abs=1e-12)


@given(CASES, CASES)
def test_shards_add_up_to_the_whole(a: list[tuple[int, bool]], b: list[tuple[int, bool]]) -> None:
    assert kaplan_meier(*columns(a)) + kaplan_meier(*columns(b)) == kaplan_meier(*columns(a + b))


@given(CASES, st.randoms(use_true_random=False))
def test_the_order_of_cases_does_not_matter(cases: list[tuple[int, bool]], random: Any) -> None:
    shuffled = list(cases)
    random.shuffle(shuffled)
    assert kaplan_meier(*columns(shuffled)) == kaplan_meier(*columns(cases))


@given(CASES, st.sampled_from([7.0, 24.0, 0.25]))
def test_another_unit_rescales_durations_and_leaves_shares(cases: list[tuple[int, bool]], factor: float) -> None:
    time, seen = columns(cases)
    one, other = kaplan_meier(time, seen), kaplan_meier(np.array(time) * factor, seen)
    assert np.array_equal(one.survival, other.survival)
    a, b = one.median(small_sample_ok=True), other.median(small_sample_ok=True)
    assert b.value == pytest.approx(factor * a.value, nan_ok=True)
    assert b.low == pytest.approx(factor * a.low)
    if one.time[-1] > 0:
        means = [t.restricted_mean(small_sample_ok=True) for t in (one, other)]
        assert means[1].value == pytest.approx(factor * means[0].value)
        assert means[1].high == pytest.approx(factor * means[0].high)


@given(CASES, st.sampled_from(["log-log", "plain"]), st.sampled_from([0.8, 0.95]))
def test_the_band_holds_the_curve_and_stays_a_share(cases: list[tuple[int, bool]], band: str, level: float) -> None:
    table = kaplan_meier(*columns(cases))
    low, high = table.band(level=level, band=band)
    assert (low >= 0).all()
    assert (high <= 1).all()
    assert (low <= table.survival + 1e-12).all()
    assert (table.survival <= high + 1e-12).all()


@given(CASES)
def test_the_share_that_ended_mirrors_the_share_that_lasts(cases: list[tuple[int, bool]]) -> None:
    table = kaplan_meier(*columns(cases))
    last, over = table.survival_at(5, small_sample_ok=True), table.ended_by(5, small_sample_ok=True)
    assert over.value == pytest.approx(1 - last.value, nan_ok=True)
    assert (over.low, over.high) == pytest.approx((1 - last.high, 1 - last.low))


@given(CASES)
def test_equal_weights_change_no_share_and_no_interval(cases: list[tuple[int, bool]]) -> None:
    time, seen = columns(cases)
    plain, weighted = kaplan_meier(time, seen), kaplan_meier(time, seen, weights=[2.0] * len(time))
    assert weighted.weighted
    assert weighted.survival == pytest.approx(plain.survival)
    assert np.array(weighted.band()) == pytest.approx(np.array(plain.band()))


@given(CASES)
def test_entry_at_the_start_is_no_truncation(cases: list[tuple[int, bool]]) -> None:
    time, seen = columns(cases)
    assert kaplan_meier(time, seen, entry=[0] * len(time)) == kaplan_meier(time, seen)


@given(CASES)
def test_tables_survive_json(cases: list[tuple[int, bool]]) -> None:
    table = kaplan_meier(*columns(cases), unit="days")
    assert SurvivalTable.from_dict(json.loads(json.dumps(table.to_dict()))) == table


@given(CASES, CASES)
def test_swapping_two_groups_leaves_the_test_alone(a: list[tuple[int, bool]], b: list[tuple[int, bool]]) -> None:
    one, two = kaplan_meier(*columns(a)), kaplan_meier(*columns(b))
    first, second = log_rank({"a": one, "b": two}), log_rank({"b": two, "a": one})
    assert first.statistic == pytest.approx(second.statistic, nan_ok=True, abs=1e-9)
    assert sum(first.expected) == pytest.approx(sum(first.observed))
    if not math.isnan(first.p_value):
        assert 0 <= first.p_value <= 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9), st.booleans()), min_size=2, max_size=40))
def test_groups_counted_in_shards_add_up(rows: list[tuple[str, int, bool]]) -> None:
    def count(part: list[tuple[str, int, bool]]) -> SurvivalTables:
        return survival_by([g for g, _, _ in part], [t for _, t, _ in part], [s for _, _, s in part])

    whole, sharded = count(rows), count(rows[:1]) + count(rows[1:])
    assert whole.tables == sharded.tables
    assert SurvivalTables.from_dict(whole.to_dict()).tables == whole.tables


def random_durations(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    end, last = rng.weibull(1.3, n) * 20, rng.uniform(0, 40, n)
    time = np.ceil(np.minimum(end, last))  # with ties
    return time, end <= last, rng.integers(0, 3, n)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of the peer, where a curve reaches 0
@pytest.mark.parametrize("seed", range(6))
def test_curve_error_and_quantiles_equal_statsmodels(seed: int) -> None:
    from statsmodels.duration.survfunc import SurvfuncRight

    time, seen, _ = random_durations(seed)
    table, peer = kaplan_meier(time, seen), SurvfuncRight(time, seen)
    at = np.searchsorted(table.time, peer.surv_times)
    assert table.survival[at] == pytest.approx(peer.surv_prob, abs=1e-12)
    live = peer.surv_prob > 0
    assert table.standard_error[at][live] == pytest.approx(peer.surv_prob_se[live], abs=1e-12)
    assert table.at_risk[at] == pytest.approx(peer.n_risk)
    for share in (0.25, 0.5, 0.75):
        assert table.quantile(share).value == peer.quantile(share)
        low, high = peer.quantile_ci(share, alpha=0.05, method="cloglog")
        assert (table.quantile(share).low, table.quantile(share).high) == (low, high)


@pytest.mark.parametrize("seed", range(6))
def test_late_entry_equals_statsmodels(seed: int) -> None:
    from statsmodels.duration.survfunc import SurvfuncRight

    time, seen, _ = random_durations(seed)
    entry = np.floor(time * np.random.default_rng(seed).uniform(0, 0.9, len(time)))
    entry = np.where(entry < time, entry, 0)
    kept = time > 0
    time, seen, entry = time[kept], seen[kept], entry[kept]
    table, peer = kaplan_meier(time, seen, entry=entry), SurvfuncRight(time, seen, entry=entry)
    at = np.searchsorted(table.time, peer.surv_times)
    assert table.at_risk[at] == pytest.approx(peer.n_risk)
    assert table.survival[at] == pytest.approx(peer.surv_prob, abs=1e-12)
    halves = kaplan_meier(time[:150], seen[:150], entry=entry[:150]) + kaplan_meier(
        time[150:], seen[150:], entry=entry[150:]
    )
    assert halves == table


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of the peer, where a curve reaches 0
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("rho", "gamma"), [(0.0, 0.0), (1.0, 0.0)])
def test_log_rank_equals_statsmodels(seed: int, rho: float, gamma: float) -> None:
    from statsmodels.duration.survfunc import survdiff

    time, seen, group = random_durations(seed)
    ours = survival_by(group.astype(str), time, seen).log_rank(rho=rho, gamma=gamma)
    kind = {} if rho == 0 else {"weight_type": "fh", "fh_p": rho}
    statistic, p = survdiff(time, seen, group, **kind)
    assert ours.statistic == pytest.approx(statistic, rel=1e-9)
    assert ours.p_value == pytest.approx(p, rel=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_curve_hazard_mean_and_tests_equal_lifelines(seed: int) -> None:
    lifelines = pytest.importorskip(
        "lifelines", reason="lifelines is not installed: python -m pip install --group bench"
    )
    from lifelines.statistics import multivariate_logrank_test
    from lifelines.utils import restricted_mean_survival_time

    time, seen, group = random_durations(seed)
    table = kaplan_meier(time, seen)
    peer = lifelines.KaplanMeierFitter().fit(time, seen)
    theirs = peer.survival_function_.iloc[:, 0].reindex(table.time)
    assert table.survival == pytest.approx(theirs.to_numpy(), abs=1e-12)
    band = peer.confidence_interval_.reindex(table.time).to_numpy()
    low, high = table.band()
    inside = (table.survival > 0) & (table.survival < 1)
    assert low[inside] == pytest.approx(band[inside, 0], abs=1e-9)
    assert high[inside] == pytest.approx(band[inside, 1], abs=1e-9)
    assert table.median().value == peer.median_survival_time_
    hazard = lifelines.NelsonAalenFitter(nelson_aalen_smoothing=False).fit(time, seen)
    assert table.cumulative_hazard == pytest.approx(hazard.cumulative_hazard_.iloc[:, 0].reindex(table.time).to_numpy())
    mean = restricted_mean_survival_time(peer, t=15.0)
    assert table.restricted_mean(15.0).value == pytest.approx(mean)
    test = multivariate_logrank_test(time, group, seen)
    assert survival_by(group.astype(str), time, seen).log_rank().p_value == pytest.approx(test.p_value, rel=1e-8)


def coverage(estimate: str, runs: int = 1500, n: int = 60) -> float:
    """Share of simulated samples whose interval holds the truth: exponential ends, uniform last looks."""
    rng = np.random.default_rng(20260601)
    hits = 0
    truth = {"survival": math.exp(-0.8), "median": 10 * math.log(2), "mean": 10 * (1 - math.exp(-1.5))}[estimate]
    for _ in range(runs):
        end, last = rng.exponential(10, n), rng.uniform(5, 40, n)
        table = kaplan_meier(np.minimum(end, last), end <= last)
        if estimate == "survival":
            got = table.survival_at(8)
        else:
            got = table.median() if estimate == "median" else table.restricted_mean(15)
        hits += got.low <= truth <= got.high
    return hits / runs


@pytest.mark.parametrize("estimate", ["survival", "median", "mean"])
def test_intervals_cover_the_truth_of_simulated_durations(estimate: str) -> None:
    assert 0.93 <= coverage(estimate) <= 0.97


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.integers(1, 9)), min_size=1, max_size=30))
def test_weights_are_sums_and_rounding_never_leaves_anybody_alive(rows: list[tuple[int, bool, int]]) -> None:
    time, weight = [t for t, _, _ in rows], np.array([w for _, _, w in rows])
    ended = kaplan_meier(time, [True] * len(rows), weights=weight * 1e-7 + 0.1 * weight)
    assert ended.survival[-1] == 0.0
    assert (np.diff(ended.survival) <= 0).all()
    seen = [s for _, s, _ in rows]
    repeated = kaplan_meier(np.repeat(time, weight), np.repeat(seen, weight))
    assert kaplan_meier(time, seen, weights=weight).survival == pytest.approx(repeated.survival, abs=1e-12)
