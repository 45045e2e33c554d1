"""Laws of intervals: coverage by exact sums, monotone, symmetric, addable."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import gammaln

from crmcore.metrics import Counts, Estimate, compare, proportion, share_table
from crmcore.metrics.intervals import METHODS
from crmcore.metrics.labelled import (
    Confusion,
    Stratum,
    fbeta,
    precision,
    recall,
    stratified_recall,
    stratified_share,
    stratified_total,
)

METHOD = st.sampled_from(sorted(METHODS))
LEVEL = st.sampled_from([0.8, 0.9, 0.95, 0.99])
COUNTS = st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def mean_and_least_coverage(method: str, n: int, level: float) -> tuple[float, float]:
    k, p = np.arange(n + 1), np.linspace(0.01, 0.99, 393)[:, None]
    low, high = METHODS[method](k, n, level=level)
    log_mass = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + k * np.log(p) + (n - k) * np.log1p(-p)
    covered = np.where((low <= p) & (p <= high), np.exp(log_mass), 0.0).sum(axis=1)
    return float(covered.mean()), float(covered.min())


@pytest.mark.parametrize("n", [5, 12, 30, 60, 150])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_clopper_pearson_never_covers_less_than_its_level(n: int, level: float) -> None:
    assert mean_and_least_coverage("clopper-pearson", n, level)[1] >= level - 1e-9


@pytest.mark.parametrize("method", ["wilson", "jeffreys"])
@pytest.mark.parametrize("n", [12, 30, 60, 150])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilson_and_jeffreys_cover_their_level_on_average(method: str, n: int, level: float) -> None:
    mean, least = mean_and_least_coverage(method, n, level)
    assert mean == pytest.approx(level, abs=0.012)
    # Near 0 and 1 both dip (Brown, Cai & DasGupta 2001, section 4); this bounds the depth.
    assert least > level - 0.15


def test_wald_covers_less_than_wilson_on_average() -> None:
    for n in (12, 30, 60):
        assert mean_and_least_coverage("wald", n, 0.95)[0] < mean_and_least_coverage("wilson", n, 0.95)[0] - 0.01


@given(COUNTS, METHOD, LEVEL)
def test_every_interval_holds_its_estimate_and_stays_a_share(kn: tuple[int, int], method: str, level: float) -> None:
    got = proportion(*kn, method=method, level=level, small_sample_ok=True)
    assert 0 <= got.low <= got.high <= 1
    at_an_end = kn[0] in (0, kn[1])  # there the equal-tailed Jeffreys interval leaves its estimate out, as published
    if kn[1] and not (method == "jeffreys" and at_an_end):
        assert got.low - 1e-12 <= got.value <= got.high + 1e-12


@given(COUNTS, METHOD, LEVEL)
def test_failures_mirror_successes(kn: tuple[int, int], method: str, level: float) -> None:
    k, n = kn
    low, high = METHODS[method](k, n, level=level)
    other_low, other_high = METHODS[method](n - k, n, level=level)
    assert low == pytest.approx(1 - other_high, abs=1e-9)
    assert high == pytest.approx(1 - other_low, abs=1e-9)


@given(st.integers(1, 300), st.sampled_from(["wilson", "jeffreys", "clopper-pearson", "wilson-cc"]), LEVEL)
def test_one_more_success_never_lowers_an_end(n: int, method: str, level: float) -> None:
    low, high = METHODS[method](np.arange(n + 1), n, level=level)
    assert (np.diff(low) >= -1e-12).all()
    assert (np.diff(high) >= -1e-12).all()


@given(COUNTS, METHOD)
def test_a_higher_level_is_never_narrower(kn: tuple[int, int], method: str) -> None:
    assume(kn[1] > 0)
    low, high = zip(*(METHODS[method](*kn, level=level) for level in (0.8, 0.95, 0.99)), strict=True)
    assert list(low) == sorted(low, reverse=True)
    assert list(high) == sorted(high)


@given(st.lists(COUNTS, min_size=1, max_size=8), METHOD)
def test_columns_equal_one_at_a_time(pairs: list[tuple[int, int]], method: str) -> None:
    k, n = zip(*pairs, strict=True)
    low, high = METHODS[method](k, n)
    assert [(float(a), float(b)) for a, b in zip(low, high, strict=True)] == [
        tuple(float(end) for end in METHODS[method](*pair)) for pair in pairs
    ]


@given(st.lists(COUNTS, max_size=8), st.integers(0, 8))
def test_shards_of_counts_add_up(pairs: list[tuple[int, int]], cut: int) -> None:
    parts = [Counts(*pair) for pair in pairs]
    whole = Counts(sum(k for k, _ in pairs), sum(n for _, n in pairs))
    assert sum(parts[:cut], Counts()) + sum(parts[cut:], Counts()) == whole


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=30), st.integers(0, 30))
def test_shards_of_a_labelled_sample_add_up(rows: list[tuple[bool, bool]], cut: int) -> None:
    def count(part: list[tuple[bool, bool]]) -> Confusion:
        return Confusion.of([t for t, _ in part], [p for _, p in part])

    assert count(rows[:cut]) + count(rows[cut:]) == count(rows)


@given(COUNTS, COUNTS)
def test_swapping_two_groups_mirrors_their_difference(a: tuple[int, int], b: tuple[int, int]) -> None:
    one = compare(Counts(*a), Counts(*b), small_sample_ok=True)
    two = compare(Counts(*b), Counts(*a), small_sample_ok=True)
    assert one.difference.low == pytest.approx(-two.difference.high)
    assert one.p_value == pytest.approx(two.p_value, nan_ok=True)


CELLS = st.integers(0, 60)


@given(CELLS, CELLS, CELLS, st.sampled_from([0.5, 1.0, 2.0]))
def test_f_lies_between_precision_and_recall(tp: int, fp: int, fn: int, beta: float) -> None:
    assume(tp > 0)
    c = Confusion(tp, fp, fn)
    p, r = precision(c, small_sample_ok=True).value, recall(c, small_sample_ok=True).value
    f = fbeta(c, beta=beta, small_sample_ok=True)
    assert min(p, r) - 1e-9 <= f.value <= max(p, r) + 1e-9
    assert 0 <= f.low <= f.value + 1e-12
    assert f.value - 1e-12 <= f.high <= 1


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 50), min_size=2, max_size=6))
def test_shares_sum_to_one_and_do_not_depend_on_order(counts: dict[str, int]) -> None:
    assume(sum(counts.values()) > 0)
    table = share_table(counts, small_sample_ok=True)
    turned = share_table(dict(reversed(counts.items())), small_sample_ok=True)
    assert sum(e.value for e in table.estimates) == pytest.approx(1)
    assert all(table[label] == turned[label] for label in counts)


@given(COUNTS.filter(lambda kn: kn[1] > 0))
def test_estimates_survive_json(kn: tuple[int, int]) -> None:
    got = proportion(*kn, small_sample_ok=True)
    assert Estimate.from_dict(got.to_dict()) == got


def simulated_coverage(estimate: str) -> float:
    """Share of samples whose interval holds the truth: 1000 of 1500 in the "yes" part, 200 of 8000 in the other."""
    rng = np.random.default_rng(20260501)
    hits, runs = 0, 400
    for _ in range(runs):
        yes, no = rng.hypergeometric(1000, 500, 150), rng.hypergeometric(200, 7800, 400)
        strata = [
            Stratum(population=1500, n=150, k=int(yes)),
            Stratum(population=8000, n=400, k=int(no), predicted=False),
        ]
        truth = {"total": 1200.0, "share": 1200 / 9500, "recall": 1000 / 1200}[estimate]
        of = {"total": stratified_total, "share": stratified_share, "recall": stratified_recall}[estimate]
        got = of(strata)
        hits += got.low <= truth <= got.high
    return hits / runs


@pytest.mark.parametrize("estimate", ["total", "share", "recall"])
def test_stratified_intervals_cover_the_truth_of_simulated_populations(estimate: str) -> None:
    assert 0.92 <= simulated_coverage(estimate) <= 0.99


def test_bootstrap_agrees_with_the_normal_interval_on_large_samples() -> None:
    strata = [Stratum(population=9000, n=900, k=300), Stratum(population=4000, n=800, k=500)]
    normal, boot = stratified_total(strata), stratified_total(strata, method="bootstrap", seed=3)
    width = normal.high - normal.low
    assert math.isclose(boot.low, normal.low, abs_tol=0.06 * width)
    assert math.isclose(boot.high, normal.high, abs_tol=0.06 * width)


def test_a_part_that_is_labelled_whole_adds_no_uncertainty() -> None:
    got = stratified_total([Stratum(population=50, n=50, k=20)])
    assert (got.low, got.value, got.high) == (20.0, 20.0, 20.0)
