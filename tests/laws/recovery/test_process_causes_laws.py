"""Laws of the search for causes: fast kernels against slow twins, and what may not change a result."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit

from crmcore.recovery.process.causes import CaseColumns, Causes, find_causes, mantel_haenszel, pareto
from crmcore.recovery.process.causes.counting import blocks_of, first_attributes
from crmcore.recovery.process.causes.fitting import Patterns, conditional_scores, fit_patterns, saddlepoint_z
from crmcore.recovery.process.causes.scanning import bridges

Floats = NDArray[np.float64]


def cases(seed: int, n: int = 400, *, weighted: bool = False) -> tuple[CaseColumns, Floats]:
    rng = np.random.default_rng(seed)
    frame = {name: rng.integers(0, k, n).astype(str).tolist() for name, k in (("a", 3), ("b", 4), ("c", 2))}
    trials = rng.integers(1, 5, n) if weighted else np.ones(n, int)
    failures = rng.binomial(trials, 0.3)
    table = CaseColumns.from_frame(
        {**frame, "k": failures.tolist(), "n": trials.tolist()}, failed="k", trials="n", attributes=["a", "b", "c"]
    )
    return table, failures.astype(float)


def slow_score(x: Floats, y: Floats, n: Floats, nuisance: Floats, p: Floats) -> float:
    """Score test with all rows in hand."""
    w = n * p * (1 - p)
    information = nuisance.T @ (w[:, None] * nuisance)
    beta = np.linalg.solve(information, nuisance.T @ (w * x))
    left = x - nuisance @ beta
    return float(left @ (y - n * p) / np.sqrt(left**2 @ w))


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.booleans())
def test_scores_by_counts_equal_scores_by_rows(seed: int, weighted: bool) -> None:
    table, y = cases(seed, weighted=weighted)
    masks = [table.attributes[0].codes == 1, (table.attributes[1].codes == 2) & (table.attributes[2].codes == 0)]
    fit = fit_patterns(Patterns.of(masks, table.trials, table.failures))
    nuisance = np.column_stack([np.ones(len(table)), *masks]).astype(float)
    p = fit.p[fit.patterns.code]
    for block in blocks_of(table, depth=2, min_cases=20):
        fast = block.scores(table, fit)
        sums = block._sums_by_row(table, fit)
        assert np.allclose(fast, conditional_scores(fit, block.failures, *sums)[0], equal_nan=True, atol=1e-8)
        for i in range(len(block)):
            rows = block.rows(table.attributes, i)
            assert block.trials[i] == table.trials[rows].sum()
            assert block.failures[i] == y[rows].sum()
            if not np.isnan(fast[i]):
                assert fast[i] == pytest.approx(slow_score(rows.astype(float), y, table.trials, nuisance, p), abs=1e-7)


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_the_fit_of_large_counts_equals_plain_logistic_regression(seed: int) -> None:
    from scipy.optimize import minimize

    rng = np.random.default_rng(seed)
    member = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], bool)
    n = rng.integers(20_000, 60_000, 4).astype(float)
    k = rng.binomial(n.astype(int), [0.1, 0.2, 0.3, 0.4]).astype(float)
    fit = fit_patterns(Patterns(np.zeros(0, np.int32), member, n, k))
    x = np.column_stack([np.ones(4), member])

    def loss(b: Floats) -> float:
        eta = x @ b
        return float(np.sum(n * np.logaddexp(0, eta) - k * eta) / n.sum())

    best = minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-9}).x
    assert np.allclose(fit.coefficients, best, atol=2e-3)


@settings(max_examples=30)
@given(st.integers(10, 60), st.integers(0, 60), st.floats(0.01, 0.5))
def test_the_far_tail_of_a_small_region_is_the_one_of_the_binomial(n: int, k: int, share: float) -> None:
    from scipy.stats import binom

    k = min(k, n)
    others = 2_000_000.0
    patterns = Patterns(
        np.zeros(1, np.int32), np.zeros((1, 0), bool), np.array([others + n]), np.array([others * share + k])
    )
    fit = fit_patterns(patterns)
    z = float(saddlepoint_z(fit, np.array([[float(n)]]), np.array([float(k)]))[0])
    upper, lower = binom.sf(k - 1, n, share), binom.cdf(k, n, share)
    tail = min(upper, lower)
    if tail < 0.05 and tail > 1e-200:
        from scipy.stats import norm

        assert np.log(norm.sf(abs(z))) == pytest.approx(np.log(tail), rel=0.08, abs=0.15)


@given(st.integers(0, 1000))
def test_bridges_equal_score_tests_with_the_level_held(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 30, 12).astype(float)
    k = rng.binomial(n.astype(int), 0.3).astype(float)
    if k.sum() in (0, n.sum()):
        return
    p = np.full(12, k.sum() / n.sum())
    z = bridges((n * p)[None], (n * p * (1 - p))[None], k[None])[0]
    for t in range(1, 12):
        x = (np.arange(12) >= t).astype(float)
        assert z[t] == pytest.approx(slow_score(x, k, n, np.ones((12, 1)), p), abs=1e-9)


@given(st.lists(st.tuples(*[st.integers(1, 40)] * 4), min_size=1, max_size=6))
def test_one_stratum_cut_in_equal_parts_keeps_its_odds_ratio(tables: list[tuple[int, int, int, int]]) -> None:
    a, b, c, d = (np.array(x) for x in zip(*tables, strict=True))
    whole = mantel_haenszel(a, a + b, c, c + d)
    swapped = mantel_haenszel(c, c + d, a, a + b)
    assert whole.odds_ratio.value == pytest.approx(1 / swapped.odds_ratio.value)
    again = mantel_haenszel(*(np.tile(x, 3) for x in (a, a + b, c, c + d)))
    assert again.odds_ratio.value == pytest.approx(whole.odds_ratio.value)
    if len(tables) == 1:
        assert whole.odds_ratio.value == pytest.approx(float(a[0] * d[0] / (b[0] * c[0])))


def simple(seed: int) -> dict[str, list[str] | list[int]]:
    rng = np.random.default_rng(seed)
    n = 1500
    cause, other = rng.integers(0, 4, n), rng.integers(0, 3, n)
    p = expit(-2.5 + 1.6 * (cause == 0))
    return {
        "cause": [f"c{x}" for x in cause],
        "other": [f"o{x}" for x in other],
        "failed": (rng.random(n) < p).astype(int).tolist(),
    }


def told(found: Causes) -> list[tuple[str, int, int, float]]:
    return [(str(f.region), f.cases, f.failures, round(f.odds_ratio.value, 9)) for f in found.findings]


@settings(max_examples=15)
@given(st.integers(0, 500))
def test_rows_may_be_shuffled_and_columns_turned(seed: int) -> None:
    frame = simple(seed)
    order = np.random.default_rng(seed + 1).permutation(1500)
    turned = {name: [frame[name][i] for i in order] for name in reversed(list(frame))}
    assert told(find_causes(turned)) == told(find_causes(frame))


@settings(max_examples=15)
@given(st.integers(0, 500))
def test_success_in_place_of_failure_turns_odds_ratios_over(seed: int) -> None:
    frame = simple(seed)
    turned = {**frame, "failed": [1 - int(x) for x in frame["failed"]]}
    bad, good = find_causes(frame), find_causes(turned)
    assert [str(f.region) for f in bad.findings] == [str(f.region) for f in good.findings]
    for f, g in zip(bad.findings, good.findings, strict=True):
        assert f.odds_ratio.value == pytest.approx(1 / g.odds_ratio.value, rel=1e-6)
        assert f.excess.value == pytest.approx(-g.excess.value, rel=1e-6)


@settings(max_examples=15)
@given(st.integers(0, 500))
def test_no_finding_is_explained_by_the_others(seed: int) -> None:
    found = find_causes(simple(seed))
    for f in found.findings:
        assert f.p_adjusted <= found.alpha
        assert f.odds_ratio.excludes(1.0)


def test_rare_values_are_joined_and_no_candidate() -> None:
    frame = {"a": ["x"] * 50 + ["y"] * 50 + [f"z{i}" for i in range(20)], "failed": [0, 1] * 60}
    table, out = first_attributes(CaseColumns.from_frame(frame, failed="failed"), min_cases=30)
    assert out == ()
    assert table.attributes[0].values == ("x", "y", "")
    assert [len(b) for b in blocks_of(table, depth=2, min_cases=30)] == [2]


@given(st.dictionaries(st.text("abc", min_size=1), st.integers(0, 50), min_size=1))
def test_pareto_holds_all_failures_and_falls(counts: dict[str, int]) -> None:
    if not sum(counts.values()):
        return
    table = pareto(counts)
    held = [row.failures for row in table.rows]
    assert held == sorted(held, reverse=True)
    assert sum(held) == table.total
    assert table.rows[-1].cumulative == pytest.approx(1.0)
    assert len(table.vital(1.0)) >= len(table.vital(0.5)) >= 1
