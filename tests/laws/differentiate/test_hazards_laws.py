"""Laws of hazards: Efron by its definition, concordance by all pairs, life tables, time in other units."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from crmcore.idic.differentiate.hazards import Cox, DiscreteHazard, concordance_of
from crmcore.idic.differentiate.hazards.concordance import prefix_counts
from crmcore.idic.differentiate.hazards.partial import Cohort, fit_cox, log_likelihood, risk_sums
from crmcore.idic.differentiate.propensity import Logistic
from crmcore.metrics.durations import kaplan_meier

SEEDS = st.integers(0, 10_000)
Floats = NDArray[np.float64]


def lives(seed: int) -> tuple[Floats, Floats, NDArray[np.bool_], Floats, Floats, NDArray[np.int64]]:
    """Features, durations, events, entries, weights, strata with many ties."""
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(6, 40)), int(rng.integers(1, 4))
    duration = rng.integers(1, 8, n).astype(float)
    event = rng.random(n) < 0.6
    event[0] = True
    entry = np.where(rng.random(n) < 0.4, np.floor(duration * rng.random(n)), -np.inf)
    weight = rng.integers(0, 4, n) * 0.5
    weight[0] = 1.0
    return rng.normal(size=(n, p)), duration, event, entry, weight, rng.integers(0, 2, n)


def slow_log_likelihood(seed: int, beta: Floats) -> float:
    """Efron's partial log-likelihood, event time by event time."""
    x, duration, event, entry, weight, stratum = lives(seed)
    eta, total = x @ beta, 0.0
    for g in np.unique(stratum):
        for t in np.unique(duration[event & (stratum == g)]):
            tied = event & (duration == t) & (stratum == g) & (weight > 0)
            there = (duration >= t) & (entry < t) & (stratum == g)
            d = int(tied.sum())
            if not d:
                continue
            total += float(weight[tied] @ eta[tied])
            whole, part = (float((weight * np.exp(eta))[rows].sum()) for rows in (there, tied))
            total -= sum(weight[tied].mean() * math.log(whole - j / d * part) for j in range(d))
    return total


@given(SEEDS)
def test_the_likelihood_and_its_derivatives_are_those_of_the_definition(seed: int) -> None:
    cohort = Cohort.of(*lives(seed))
    p = cohort.x.shape[1]
    beta = np.random.default_rng(seed + 1).normal(size=p)
    assert abs(log_likelihood(cohort, beta) - slow_log_likelihood(seed, beta)) < 1e-8
    fitted, covariance, _, _ = fit_cox(cohort, penalty=0.5)
    goal = [slow_log_likelihood(seed, b) - 0.25 * b @ b for b in (fitted, *(fitted + e for e in 1e-3 * np.eye(p)))]
    assert max(goal) == goal[0]

    def at(b: Floats) -> float:
        return slow_log_likelihood(seed, b) - 0.25 * float(b @ b)

    h, axis = 1e-4, np.eye(p)
    information = [
        [
            -(at(fitted + h * (a + b)) - at(fitted + h * (a - b)) - at(fitted - h * (a - b)) + at(fitted - h * (a + b)))
            / (4 * h * h)
            for b in axis
        ]
        for a in axis
    ]
    assert np.allclose(np.linalg.inv(covariance), information, rtol=1e-3, atol=1e-3)


@given(SEEDS)
def test_concordance_equals_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 40))
    t, e, r = rng.integers(1, 8, n).astype(float), rng.random(n) < 0.6, rng.integers(0, 5, n).astype(float)
    good = pairs = 0.0
    for a in range(n):
        for b in range(n):
            if e[a] and (t[b] > t[a] or (t[b] == t[a] and not e[b])):
                pairs += 1
                good += (r[a] > r[b]) + (r[a] == r[b]) / 2
    value, _, counted = concordance_of(t, e, r)
    assert counted == pairs
    assert math.isnan(value) if not pairs else abs(value - good / pairs) < 1e-12
    order = rng.permutation(n)
    assert concordance_of(t[order], e[order], r[order])[2] == counted


@given(st.lists(st.integers(0, 20), min_size=1, max_size=40), SEEDS)
def test_prefix_counts_count(ranks: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    held = np.array(ranks)
    ends, query = rng.integers(0, len(ranks) + 1, 10), rng.integers(0, 22, 10)
    slow = [int((held[:e] < q).sum()) for e, q in zip(ends, query, strict=True)]
    assert prefix_counts(held, ends, query).tolist() == slow


@settings(max_examples=20)
@given(SEEDS, st.floats(0.01, 100))
def test_another_unit_of_time_or_order_of_rows_changes_no_ratio(seed: int, unit: float) -> None:
    x, duration, event, _, weight, _ = lives(seed)
    table = {f"x{j}": x[:, j] for j in range(x.shape[1])}
    first = Cox(penalty=0.3).fit(table, duration=duration, event=event, weights=weight)
    order = np.random.default_rng(seed).permutation(len(event))
    other = Cox(penalty=0.3).fit(
        {n: c[order] for n, c in table.items()},
        duration=unit * duration[order],
        event=event[order],
        weights=weight[order],
    )
    assert np.allclose(first.coefficients, other.coefficients, atol=1e-8)
    late = first.curves(table, [2.5]).survival
    assert np.allclose(late, other.curves(table, [2.5 * unit]).survival, atol=1e-8, equal_nan=True)


@settings(max_examples=20)
@given(SEEDS)
def test_without_features_the_baseline_is_nelson_aalen_and_periods_are_the_life_table(seed: int) -> None:
    _, duration, event, _, _, _ = lives(seed)
    table = kaplan_meier(duration, event)
    jitter = duration + np.arange(len(duration)) * 1e-6  # no ties
    untied = kaplan_meier(jitter, event)
    model = Cox().fit({"t": jitter, "e": event}, duration="t", event="e")
    at = untied.time[untied.events > 0]
    wanted = np.exp(-untied.cumulative_hazard[untied.events > 0])
    assert np.allclose(model.curves({"any": [0]}, at).survival[0], wanted)
    longest = int(duration.max())
    by_period = DiscreteHazard(recipe=Logistic(penalty=1e-6, words=["period"], least=1))
    found = by_period.fit({"t": duration, "e": event}, duration="t", event="e")
    rows = {float(t): (e, r) for t, e, r in zip(table.time, table.events, table.at_risk, strict=True)}
    hazard = found.hazard({"any": [0]}, periods=longest)[0]
    for period in range(1, longest + 1):
        left, there = rows.get(float(period), (0.0, 0.0))
        if 0 < left < there:
            assert abs(hazard[period - 1] - left / there) < 1e-3


def test_the_risk_set_of_each_event_shrinks_by_the_share_of_ties() -> None:
    x = np.zeros((4, 1))
    duration, event = np.array([1.0, 1.0, 2.0, 3.0]), np.array([True, True, False, True])
    cohort = Cohort.of(x, duration, event, np.full(4, -np.inf), np.ones(4), np.zeros(4, np.int64))
    assert risk_sums(cohort, np.ones(4)).denominator.tolist() == [4.0, 3.0, 1.0]


def test_bands_of_curves_cover_the_true_share() -> None:
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(200):
        x = rng.normal(size=200)
        life = rng.exponential(np.exp(-0.5 * x))
        end = np.minimum(life, 2.0)
        model = Cox().fit({"x": x}, duration=end, event=life <= 2)
        found = model.curves({"x": [1.0]}, [0.5])
        hits += found.low[0, 0] <= math.exp(-0.5 * math.exp(0.5)) <= found.high[0, 0]
    assert 0.91 <= hits / 200 <= 0.985
