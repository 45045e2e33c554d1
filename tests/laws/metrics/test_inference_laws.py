"""Laws of inference: equal to scipy and statsmodels on random input, shards = whole, shuffles, units, mirrors."""

from __future__ import annotations

import json
import math
import warnings

import numpy as np
import pytest
import scipy.stats
import statsmodels.api as sm
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportions_ztest

from crmcore.metrics import (
    Comparison,
    Counts,
    Exposure,
    Moments,
    adjust,
    compare,
    compare_many,
    mean,
    median,
    paired_difference,
    proportion_of,
    quantile,
    ratio,
)
from crmcore.metrics.comparing import ComparisonTable
from crmcore.metrics.design import linearised_mean, linearised_ratio
from crmcore.metrics.exact import binomial_exact, fisher_exact, multinomial_exact
from crmcore.metrics.intervals import METHODS
from crmcore.metrics.paired import PairedCounts, newcombe_paired
from crmcore.metrics.quantiles import quantile_ranks
from crmcore.metrics.ranks import mann_whitney, paired_shift, rank_sum_mass, shift, signed_rank, signed_rank_mass
from crmcore.metrics.rates import exact_rate_interval
from crmcore.metrics.ratios import Totals
from crmcore.metrics.skewed import hall_interval, trimmed_mean, winsorised_mean
from crmcore.metrics.two_by_two import newcombe_difference, pooled_z, risk_ratio_interval

NUMBER = st.floats(-1e4, 1e4, allow_nan=False, width=32)
COLUMN = st.lists(NUMBER, min_size=2, max_size=40)
STEPS = st.lists(st.integers(-6, 6), min_size=1, max_size=40)
LEVEL = st.sampled_from([0.8, 0.9, 0.95, 0.99])
PAIR = st.tuples(st.integers(1, 200), st.integers(1, 200)).flatmap(
    lambda mn: st.tuples(st.integers(0, mn[0]), st.just(mn[0]), st.integers(0, mn[1]), st.just(mn[1]))
)
ADJUSTMENTS = {
    "holm": "holm",
    "hochberg": "simes-hochberg",
    "bonferroni": "bonferroni",
    "benjamini-hochberg": "fdr_bh",
    "benjamini-yekutieli": "fdr_by",
}


def spread(values: list[float]) -> bool:
    return float(np.std(values)) > 1e-6 * (1 + float(np.max(np.abs(values))))


# --- proportions ---------------------------------------------------------------------------------------------------


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), LEVEL)
def test_intervals_of_a_proportion_equal_statsmodels(kn: tuple[int, int], level: float) -> None:
    names = {"wilson": "wilson", "jeffreys": "jeffreys", "clopper-pearson": "beta", "agresti-coull": "agresti_coull"}
    for ours, theirs in {**names, "wald": "normal"}.items():
        low, high = METHODS[ours](*kn, level=level)
        wanted = proportion_confint(*kn, alpha=1 - level, method=theirs)
        assert [float(low), float(high)] == pytest.approx(wanted, abs=1e-9)


@given(PAIR, LEVEL)
def test_two_proportions_equal_scipy_and_statsmodels(four: tuple[int, int, int, int], level: float) -> None:
    k1, n1, k2, n2 = four
    z, p = pooled_z(*four)
    if 0 < k1 + k2 < n1 + n2:
        assert [float(z), float(p)] == pytest.approx(proportions_ztest([k1, k2], [n1, n2]), abs=1e-9)
    else:
        assert math.isnan(p)
    wanted = confint_proportions_2indep(k1, n1, k2, n2, method="newcomb", compare="diff", alpha=1 - level)
    assert list(map(float, newcombe_difference(*four, level=level))) == pytest.approx(wanted, abs=1e-9)
    assert float(fisher_exact(*four)) == pytest.approx(
        scipy.stats.fisher_exact([[k1, n1 - k1], [k2, n2 - k2]])[1], abs=1e-9
    )


@given(PAIR, LEVEL)
def test_a_ratio_of_shares_mirrors_and_holds_its_estimate(four: tuple[int, int, int, int], level: float) -> None:
    k1, n1, k2, n2 = four
    low, high = map(float, risk_ratio_interval(*four, level=level))
    assert 0 <= low <= high
    if k1 and k2:
        assert low - 1e-9 <= k1 / n1 / (k2 / n2) <= high + 1e-9
        back_low, back_high = map(float, risk_ratio_interval(k2, n2, k1, n1, level=level))
        assert back_low == pytest.approx(1 / high, rel=1e-9)
        assert back_high == pytest.approx(1 / low, rel=1e-9)


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.02, 0.98))
def test_the_exact_binomial_test_equals_scipy(k: int, more: int, p: float) -> None:
    assume(k + more)
    wanted = scipy.stats.binomtest(k, k + more, p).pvalue
    assert float(binomial_exact(k, k + more, p)) == pytest.approx(wanted, abs=1e-10)


@given(st.integers(0, 12), st.integers(0, 12))
def test_a_multinomial_of_two_arms_is_a_binomial(k: int, more: int) -> None:
    assume(k + more)
    got = multinomial_exact([k, more], [0.3, 0.7])
    assert got == pytest.approx(float(binomial_exact(k, k + more, 0.3)), abs=1e-12)


@given(*[st.integers(0, 60)] * 4)
def test_a_paired_interval_mirrors_and_is_newcombes_without_correlation(e: int, f: int, g: int, h: int) -> None:
    low, high = map(float, newcombe_paired(e, f, g, h))
    back_low, back_high = map(float, newcombe_paired(e, g, f, h))
    assert (low, high) == (pytest.approx(-back_high, abs=1e-12), pytest.approx(-back_low, abs=1e-12))
    assert -1 <= low <= high <= 1
    if f + g:
        wanted = scipy.stats.binomtest(f, f + g, 0.5).pvalue
        assert PairedCounts(e, f, g, h).compare(small_sample_ok=True).p_value == pytest.approx(wanted, abs=1e-12)


# --- many questions ------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.sampled_from(sorted(ADJUSTMENTS)))
def test_adjusted_p_values_equal_statsmodels(p: list[float], method: str) -> None:
    wanted = multipletests(p, method=ADJUSTMENTS[method])[1]
    got = adjust(p, method=method)
    assert got == pytest.approx(wanted, abs=1e-12)
    assert (got >= np.array(p)).all()
    holes = adjust([math.nan, *p, math.nan], method=method)
    assert holes[1:-1] == pytest.approx(got, abs=0)
    assert np.isnan(holes[[0, -1]]).all()


@given(st.lists(st.integers(1, 50).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=2, max_size=6))
def test_each_group_against_the_rest_is_that_group_against_the_sum_of_the_others(kn: list[tuple[int, int]]) -> None:
    groups = {f"g{i}": Counts(*pair) for i, pair in enumerate(kn)}
    table = compare_many(groups, level=0.9)
    for name, one in groups.items():
        rest = sum((c for other, c in groups.items() if other != name), Counts())
        assert table[name] == one.minus(rest, level=1 - (1 - 0.9) / len(groups)) or math.isnan(table[name].p_value)
    again = ComparisonTable.from_dict(json.loads(json.dumps(table.to_dict())))
    assert again.to_dict() == table.to_dict()
    backwards = compare_many(dict(reversed(groups.items())), level=0.9)
    assert dict(zip(table.labels, map(str, table.p_adjusted), strict=True)) == dict(
        zip(backwards.labels, map(str, backwards.p_adjusted), strict=True)
    )


# --- means ---------------------------------------------------------------------------------------------------------


@given(COLUMN, LEVEL)
def test_a_mean_equals_scipys_t_interval(values: list[float], level: float) -> None:
    assume(spread(values))
    got = mean(values, level=level, small_sample_ok=True)
    wanted = scipy.stats.ttest_1samp(values, 0.0).confidence_interval(level)
    assert [got.low, got.high] == pytest.approx(list(wanted), rel=1e-9, abs=1e-9)


@given(COLUMN, COLUMN, LEVEL)
def test_two_means_equal_scipys_welch_test(a: list[float], b: list[float], level: float) -> None:
    assume(spread(a) and spread(b))
    got = compare(Moments.of(a), Moments.of(b), level=level, small_sample_ok=True)
    wanted = scipy.stats.ttest_ind(a, b, equal_var=False)
    ends = wanted.confidence_interval(level)
    assert got.p_value == pytest.approx(wanted.pvalue, abs=1e-9)
    assert [got.difference.low, got.difference.high] == pytest.approx([ends.low, ends.high], rel=1e-7, abs=1e-7)


@given(COLUMN, st.data())
def test_paired_means_equal_scipy(before: list[float], data: st.DataObject) -> None:
    after = data.draw(st.lists(NUMBER, min_size=len(before), max_size=len(before)))
    change = [y - x for x, y in zip(before, after, strict=True)]
    assume(spread(change))
    got = paired_difference(before, after, small_sample_ok=True)
    assert got.p_value == pytest.approx(scipy.stats.ttest_rel(after, before).pvalue, abs=1e-9)
    assert got.difference.value == pytest.approx(got.first.value - got.second.value, abs=1e-6)


@given(st.lists(COLUMN, min_size=1, max_size=5), st.randoms())
def test_moments_of_shards_are_moments_of_the_whole_in_any_order(shards: list[list[float]], random: object) -> None:
    whole = Moments.of([x for shard in shards for x in shard])
    random.shuffle(shards)  # type: ignore[attr-defined]
    parts = sum(map(Moments.of, shards), Moments())
    assert parts.n == whole.n
    assert parts.mean == pytest.approx(whole.mean, rel=1e-12, abs=1e-9)
    assert parts.m2 == pytest.approx(whole.m2, rel=1e-9, abs=1e-7)


def test_moments_keep_their_digits_where_the_mean_is_large() -> None:
    values = 1e9 + np.arange(1000) % 3
    halves = Moments.of(values[:500]) + Moments.of(values[500:])
    assert halves.variance == pytest.approx(np.var(np.arange(1000) % 3, ddof=1), rel=1e-9)


@given(COLUMN, st.floats(0.01, 100), st.floats(-100, 100))
def test_a_change_of_unit_changes_a_mean_and_its_interval_alike(values: list[float], scale: float, move: float) -> None:
    assume(len(values) > 2 and spread(values))
    for method in ("t", "hall"):
        one = mean(values, method=method, small_sample_ok=True)
        other = mean([x * scale + move for x in values], method=method, small_sample_ok=True)
        tolerance = 1e-6 * scale * (1 + max(map(abs, values)))
        for part in ("value", "low", "high"):
            assert getattr(other, part) == pytest.approx(getattr(one, part) * scale + move, abs=tolerance, rel=1e-6)


@given(COLUMN)
def test_halls_interval_mirrors_and_is_students_without_skewness(values: list[float]) -> None:
    assume(len(values) > 2 and spread(values))
    low, high = hall_interval(values)
    back_low, back_high = hall_interval([-x for x in values])
    assert low == pytest.approx(-back_high, rel=1e-9, abs=1e-6)
    assert high == pytest.approx(-back_low, rel=1e-9, abs=1e-6)
    even = [*values, *(-x for x in values)]
    student = mean(even, small_sample_ok=True)
    assert list(hall_interval(even)) == pytest.approx([student.low, student.high], rel=1e-6, abs=1e-4)


@given(st.lists(NUMBER, min_size=12, max_size=40), st.sampled_from([0.05, 0.1, 0.2]))
def test_trimmed_means_equal_scipy(values: list[float], share: float) -> None:
    assert trimmed_mean(values, share=share, small_sample_ok=True).value == pytest.approx(
        scipy.stats.trim_mean(values, share), rel=1e-9, abs=1e-6
    )
    cut = scipy.stats.mstats.winsorize(np.array(values), (share, share))
    assert winsorised_mean(values, share=share, small_sample_ok=True).value == pytest.approx(
        float(np.mean(cut)), rel=1e-9, abs=1e-6
    )


# --- designs -------------------------------------------------------------------------------------------------------

ROWS = st.lists(st.tuples(NUMBER, st.floats(0.5, 4), st.integers(0, 5)), min_size=6, max_size=40)


@given(ROWS)
def test_a_weighted_mean_equals_statsmodels_with_robust_and_cluster_errors(
    rows: list[tuple[float, float, int]],
) -> None:
    x, w, c = map(np.array, zip(*rows, strict=True))
    assume(len(set(c.tolist())) > 2 and spread(x.tolist()))
    model = sm.WLS(x, np.ones(len(x)), weights=w)
    alone, grouped = model.fit(cov_type="HC1"), model.fit(cov_type="cluster", cov_kwds={"groups": c})
    got = linearised_mean(x, weights=w)
    assert got.value == pytest.approx(alone.params[0], rel=1e-9, abs=1e-9)
    assert got.standard_error == pytest.approx(alone.bse[0], rel=1e-8)
    got = linearised_mean(x, weights=w, clusters=c)
    assert got.standard_error == pytest.approx(grouped.bse[0], rel=1e-7, abs=1e-9)
    assert got.degrees_of_freedom == len(set(c.tolist())) - 1


def slow_variance(y, x, w, clusters, strata, sizes):
    """Ten-line twin of the linearised variance."""
    r = sum(w * y) / sum(w * x)
    z = w * (y - r * x) / sum(w * x)
    total = 0.0
    for h in set(strata):
        units = sorted({c for c, s in zip(clusters, strata, strict=True) if s == h})
        t = np.array([sum(z[i] for i in range(len(z)) if clusters[i] == c) for c in units])
        total += (1 - len(units) / sizes[h]) * len(units) / (len(units) - 1) * sum((t - t.mean()) ** 2)
    return r, total


@given(st.lists(st.tuples(NUMBER, st.floats(1, 9), st.floats(0.5, 4)), min_size=12, max_size=30), st.integers(0, 99))
def test_a_stratified_cluster_ratio_equals_its_slow_twin(rows: list[tuple[float, float, float]], start: int) -> None:
    y, x, w = map(np.array, zip(*rows, strict=True))
    clusters = [f"c{(i + start) % 6}" for i in range(len(rows))]
    strata = ["north" if c < "c3" else "south" for c in clusters]
    sizes = {"north": 10, "south": 40}
    got = linearised_ratio(y, x, weights=w, clusters=clusters, strata=strata, population=sizes)
    r, v = slow_variance(y, x, w, clusters, strata, sizes)
    assert got.value == pytest.approx(r, rel=1e-9, abs=1e-9)
    assert got.standard_error**2 == pytest.approx(v, rel=1e-7, abs=1e-12)
    order = np.random.default_rng(start).permutation(len(rows))
    shuffled = linearised_ratio(
        y[order], x[order], weights=w[order], clusters=np.array(clusters)[order], strata=np.array(strata)[order],
        population=sizes,
    )  # fmt: skip
    assert shuffled.standard_error == pytest.approx(got.standard_error, rel=1e-9, abs=1e-12)


@given(st.lists(st.booleans(), min_size=3, max_size=60))
def test_weights_of_one_are_no_weights_and_a_census_has_no_error(values: list[bool]) -> None:
    plain = proportion_of(values, small_sample_ok=True)
    census = proportion_of(values, population=len(values), small_sample_ok=True)
    assert plain.value == census.value == census.low == census.high
    weighted = proportion_of(values, weights=np.ones(len(values)), small_sample_ok=True)
    assert weighted.value == pytest.approx(plain.value)
    assert weighted.low <= plain.low + 1e-12  # t instead of z: never narrower
    assert weighted.high >= plain.high - 1e-12
    large = proportion_of(values, population=10**9, small_sample_ok=True)
    assert [large.low, large.high] == pytest.approx([weighted.low, weighted.high], abs=1e-6)


@given(st.lists(st.tuples(NUMBER, st.floats(1, 9)), min_size=5, max_size=30))
def test_fieller_holds_the_ratio_and_agrees_with_delta_where_the_total_is_certain(
    rows: list[tuple[float, float]],
) -> None:
    y, x = map(np.array, zip(*rows, strict=True))
    delta = ratio(y, x, small_sample_ok=True)
    fieller = ratio(y, x, method="fieller", small_sample_ok=True)
    if not math.isnan(fieller.low):
        assert fieller.low - 1e-6 <= fieller.value <= fieller.high + 1e-6
    even = (
        ratio(y, np.full(len(y), 2.0), small_sample_ok=True),
        ratio(y, np.full(len(y), 2.0), method="fieller", small_sample_ok=True),
    )
    assert even[0].low == pytest.approx(even[1].low, rel=1e-6, abs=1e-4)
    assert delta.value == fieller.value


# --- ranks and quantiles -------------------------------------------------------------------------------------------


@given(st.lists(NUMBER, min_size=1, max_size=25), st.lists(NUMBER, min_size=1, max_size=25))
def test_mann_whitney_equals_scipy(a: list[float], b: list[float]) -> None:
    tied = len(set(a + b)) < len(a + b)
    u, p, how = mann_whitney(a, b)
    wanted = scipy.stats.mannwhitneyu(a, b, method="asymptotic" if tied else "exact")
    assert u == wanted.statistic
    assert how == ("normal" if tied else "exact")
    if not math.isnan(p):
        assert p == pytest.approx(wanted.pvalue, abs=1e-9)


@given(STEPS, STEPS)
def test_mann_whitney_with_many_ties_equals_scipy(a: list[int], b: list[int]) -> None:
    u, p, how = mann_whitney(a, b)
    if how == "normal" and len(set(a + b)) > 1:
        assert p == pytest.approx(scipy.stats.mannwhitneyu(a, b, method="asymptotic").pvalue, abs=1e-9)
    assert u + mann_whitney(b, a)[0] == len(a) * len(b)


@given(st.lists(NUMBER, min_size=1, max_size=40))
def test_signed_ranks_equal_scipy(changes: list[float]) -> None:
    d = [x for x in changes if x]
    assume(d)
    w, p, how = signed_rank(changes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        method = "exact" if how == "exact" else "asymptotic"
        wanted = scipy.stats.wilcoxon(d, method=method, correction=how == "normal")
    assert min(w, len(d) * (len(d) + 1) / 2 - w) == pytest.approx(wanted.statistic)
    assert p == pytest.approx(wanted.pvalue, abs=1e-9)


@given(st.integers(1, 50), st.integers(1, 50))
def test_rank_distributions_have_their_mean_and_variance(m: int, n: int) -> None:
    mass, u = rank_sum_mass(m, n), np.arange(m * n + 1)
    assert mass.sum() == pytest.approx(1)
    assert mass == pytest.approx(mass[::-1], rel=1e-12)
    assert mass @ u == pytest.approx(m * n / 2)
    assert mass @ (u - m * n / 2) ** 2 == pytest.approx(m * n * (m + n + 1) / 12)
    signed, w = signed_rank_mass(n), np.arange(n * (n + 1) // 2 + 1)
    assert signed @ (w - n * (n + 1) / 4) ** 2 == pytest.approx(n * (n + 1) * (2 * n + 1) / 24)


@given(st.lists(NUMBER, min_size=1, max_size=20), st.lists(NUMBER, min_size=1, max_size=20))
def test_the_shift_is_the_median_of_all_pairs(a: list[float], b: list[float]) -> None:
    got = shift(a, b, small_sample_ok=True).difference
    pairs = np.sort((np.array(a)[:, None] - np.array(b)).ravel())
    assert got.value == pytest.approx(np.median(pairs), rel=1e-9, abs=1e-6)
    if math.isfinite(got.low):
        outside = int((pairs < got.low - 1e-6).sum())
        assert rank_sum_mass(len(a), len(b))[: outside + 1].sum() <= 0.025 + 1e-9
        assert got.low <= got.value <= got.high


@given(st.lists(NUMBER, min_size=1, max_size=20))
def test_the_paired_shift_is_the_median_of_walsh_averages(changes: list[float]) -> None:
    got = paired_shift(np.zeros(len(changes)), changes, small_sample_ok=True).difference
    i, j = np.triu_indices(len(changes))
    d = np.array(changes)
    assert got.value == pytest.approx(np.median((d[i] + d[j]) / 2), rel=1e-9, abs=1e-6)


@given(st.integers(0, 300), st.floats(0.02, 0.98), LEVEL)
def test_ranks_of_a_quantile_reach_their_level(n: int, q: float, level: float) -> None:
    low, high, coverage = quantile_ranks(n, q, level=level)
    assert coverage >= level - 1e-9
    assert 0 <= low < high <= n + 1
    below = scipy.stats.binom(n, q)
    assert coverage == pytest.approx(below.cdf(high - 1) - below.cdf(low - 1), abs=1e-9)


@given(st.lists(NUMBER, min_size=1, max_size=60), st.sampled_from([0.1, 0.5, 0.9]), st.randoms())
def test_quantiles_ignore_order_and_missing_values_and_turn_with_the_scale(
    values: list[float], q: float, random: object
) -> None:
    one = quantile(values, q, small_sample_ok=True)
    mixed = [*values, math.nan]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert quantile(mixed, q, small_sample_ok=True) == one
    assert one.low <= one.value <= one.high
    assert one.value == pytest.approx(float(np.quantile(values, q)))
    turned = median([-x for x in values], small_sample_ok=True)
    straight = median(values, small_sample_ok=True)
    assert (turned.low, turned.high) == (pytest.approx(-straight.high), pytest.approx(-straight.low))


# --- rates ---------------------------------------------------------------------------------------------------------


@given(st.integers(0, 2000), st.floats(0.1, 1e5), LEVEL)
def test_exact_rates_equal_chi_square_quantiles(events: int, exposure: float, level: float) -> None:
    low, high = map(float, exact_rate_interval(events, exposure, level=level))
    tail = (1 - level) / 2
    wanted = scipy.stats.chi2.ppf(tail, 2 * events) / 2 if events else 0.0
    assert low * exposure == pytest.approx(wanted, rel=1e-9)
    assert high * exposure == pytest.approx(scipy.stats.chi2.isf(tail, 2 * events + 2) / 2, rel=1e-9)


@given(st.integers(0, 80), st.integers(0, 80), st.floats(1, 500), st.floats(1, 500))
def test_equal_rates_are_tested_as_a_share_of_events(a: int, b: int, s: float, t: float) -> None:
    assume(a + b)
    got = compare(Exposure(a, s), Exposure(b, t), small_sample_ok=True)
    assert got.p_value == pytest.approx(scipy.stats.binomtest(a, a + b, s / (s + t)).pvalue, abs=1e-9)
    assert got.difference.low <= got.difference.value <= got.difference.high
    back = Comparison.from_dict(json.loads(json.dumps(got.to_dict())))
    assert back == got


# --- ratios --------------------------------------------------------------------------------------------------------

CUSTOMERS = st.lists(st.tuples(NUMBER, st.floats(0.5, 9, width=32)), min_size=2, max_size=20)


@given(st.lists(CUSTOMERS, min_size=1, max_size=4), LEVEL)
def test_totals_of_shards_give_the_ratio_of_the_whole(shards: list[list[tuple[float, float]]], level: float) -> None:
    parts = sum((Totals.of(*zip(*shard, strict=True)) for shard in shards), Totals())
    y, x = zip(*(row for shard in shards for row in shard), strict=True)
    got, wanted = parts.estimate(level=level, small_sample_ok=True), ratio(y, x, level=level, small_sample_ok=True)
    tolerance = 1e-6 * (1 + max(map(abs, y)))
    assert [got.value, got.low, got.high] == pytest.approx([wanted.value, wanted.low, wanted.high], abs=tolerance)
    assert parts.n == len(y)


@given(COLUMN, COLUMN, LEVEL)
def test_ratios_over_one_each_compare_as_means_do(a: list[float], b: list[float], level: float) -> None:
    assume(spread(a) and spread(b))
    ratios = [Totals.of(values, [1.0] * len(values)) for values in (a, b)]
    got = compare(*ratios, level=level, small_sample_ok=True)
    wanted = compare(Moments.of(a), Moments.of(b), level=level, small_sample_ok=True)
    assert got.p_value == pytest.approx(wanted.p_value, abs=1e-9)
    assert got.difference.low == pytest.approx(wanted.difference.low, rel=1e-9, abs=1e-6)
