"""Laws of repeat-buying models, each beside a slow twin: quadrature of the definition, closed forms, simulation."""

# ruff: noqa: E501  (rows read best as lines)

from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import hyp2f1

from crmcore.idic.differentiate.buying import (
    BuyingModel,
    Purchases,
    choose_model,
    erlang,
    forecast,
    pareto,
    simulate_cohort,
)

positive = st.floats(0.05, 20)


def model(name: str, values: tuple[float, ...], k: int = 1) -> BuyingModel:
    return BuyingModel(
        model=name, k=k, theta=tuple(np.log(values)), covariance=None, log_likelihood=0.0, n=1, unit="week"
    )


@st.composite
def customers(draw: st.DrawFn) -> tuple[float, float, float]:
    end = draw(st.floats(1, 100))
    x = draw(st.integers(0, 12))
    return float(x), (end * draw(st.floats(0.01, 1)) if x else 0.0), end


@given(st.sampled_from(["nbd", "bg", "mbg"]), st.integers(1, 4), positive, positive, positive, positive, customers())
@example("mbg", 1, 0.0625, 0.0625, 1.0, 0.0625, (0.0, 0.0, 1.0))
@settings(max_examples=60, deadline=None)
def test_likelihood_equals_the_integral_over_rates_and_dropout(
    name: str, k: int, r: float, alpha: float, a: float, b: float, seen: tuple[float, float, float]
) -> None:
    x, t, end = seen
    rows = erlang.Sample.of(Purchases.of([x], [t], [end]))
    theta = np.log([r, alpha, a, b][: 2 if name == "nbd" else 4])
    got, _ = erlang.log_likelihood(theta, rows, dropout={"nbd": "none", "bg": "repeat", "mbg": "any"}[name], k=k)
    silence = end - t

    def of_rate(rate: float) -> float:
        quiet = math.exp(-rate * silence) * sum((rate * silence) ** j / math.factorial(j) for j in range(k))
        density = math.exp(r * math.log(alpha) + (r - 1) * math.log(rate) - alpha * rate - math.lgamma(r))
        bought = math.exp(k * x * math.log(rate) - rate * t - x * math.lgamma(k))
        if name == "nbd":
            return density * bought * quiet
        # moments of the probability of staying, in closed form
        more = 1 if name == "mbg" else 0
        stay = math.exp(math.lgamma(b + x + more) - math.lgamma(a + b + x + more) + math.lgamma(a + b) - math.lgamma(b))
        leave = 0.0
        if x + more > 0:
            n = x + more - 1
            leave = a * math.exp(math.lgamma(b + n) - math.lgamma(a + b + n + 1) + math.lgamma(a + b) - math.lgamma(b))
        return density * bought * (stay * quiet + leave)

    # in log rate the integrand fades on both sides; who has left is not held down by the silence, only by alpha + t
    shape = r + k * x
    low = math.log((shape + 0.1) / (alpha + end)) - 3 - min(40 / shape, 400)
    peaks = sorted({math.log(shape / (alpha + u)) for u in (t, end)})
    edges = [low, *peaks, math.log((shape + 12 * math.sqrt(shape) + 40) / (alpha + t))]
    slow = sum(
        quad(lambda z: of_rate(math.exp(z)) * math.exp(z), i, j, limit=900, epsabs=0, epsrel=1e-9)[0]
        for i, j in itertools.pairwise(edges)
        if j > i
    )
    assert math.exp(got) == pytest.approx(slow, rel=1e-6, abs=1e-300)


@given(positive, positive, positive, positive, customers())
@settings(max_examples=60, deadline=None)
def test_pareto_likelihood_equals_the_hypergeometric_form(
    r: float, alpha: float, s: float, beta: float, seen: tuple[float, float, float]
) -> None:
    x, t, end = seen
    value, _ = pareto.log_likelihood(np.log([r, alpha, s, beta]), pareto.Sample.of(Purchases.of([x], [t], [end])))
    slow = quad(lambda u: (alpha + u) ** -(r + x) * (beta + u) ** -(s + 1), t, end, epsabs=0, epsrel=1e-11, limit=200)[
        0
    ]
    there = (alpha + end) ** -(r + x) * (beta + end) ** -s
    log = math.lgamma(r + x) - math.lgamma(r) + r * math.log(alpha) + s * math.log(beta) + math.log(there + s * slow)
    assert value == pytest.approx(log, abs=1e-6)


@given(st.sampled_from(["nbd", "bg", "mbg", "pareto"]), st.integers(1, 3), positive, positive, positive, positive)
@settings(max_examples=60, deadline=None)
def test_gradients_equal_differences(name: str, k: int, r: float, alpha: float, a: float, b: float) -> None:
    seen = Purchases.of([0, 1, 3, 7], [0, 2, 9, 30], [10, 20, 30, 31])
    theta = np.log([r, alpha, a, b][: 2 if name == "nbd" else 4])
    if name == "pareto":
        rows = pareto.Sample.of(seen)
        of = lambda v: pareto.log_likelihood(v, rows)  # noqa: E731
    else:
        sample, dropout = erlang.Sample.of(seen), {"nbd": "none", "bg": "repeat", "mbg": "any"}[name]
        of = lambda v: erlang.log_likelihood(v, sample, dropout=dropout, k=k)  # noqa: E731
    slope = of(theta)[1]
    h = 1e-5
    slow = [(of(theta + h * e)[0] - of(theta - h * e)[0]) / (2 * h) for e in np.eye(len(theta))]
    assert slope == pytest.approx(np.array(slow), rel=1e-4, abs=1e-5)


@given(st.floats(0.1, 5), st.floats(0.5, 20), st.floats(0.1, 4), st.floats(1.2, 5), customers(), st.floats(1, 80))
@settings(max_examples=60, deadline=None)
def test_expected_purchases_equal_the_closed_form_of_bg_nbd(
    r: float, alpha: float, a: float, b: float, seen: tuple[float, float, float], horizon: float
) -> None:
    x, t, end = seen
    if abs(a - 1) < 0.02:
        a += 0.05
    got = model("bg", (r, alpha, a, b)).expected([x], [t], [end], horizon=horizon)[0]
    z = horizon / (alpha + end + horizon)
    grown = 1 - ((alpha + end) / (alpha + end + horizon)) ** (r + x) * hyp2f1(r + x, b + x, a + b + x - 1, z)
    odds = a / (b + x - 1) * ((alpha + end) / (alpha + t)) ** (r + x) if x else 0.0
    assert got == pytest.approx((a + b + x - 1) / (a - 1) * grown / (1 + odds), rel=1e-6)


@given(st.sampled_from(["nbd", "bg", "mbg"]), st.floats(0.1, 5), st.floats(0.5, 20), st.floats(0.1, 4), st.floats(0.5, 5), customers(), st.floats(1, 40))  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_one_stage_is_what_the_sum_over_stages_gives(
    name: str, r: float, alpha: float, a: float, b: float, seen: tuple[float, float, float], horizon: float
) -> None:
    from crmcore.idic.differentiate.buying.forecasting import _erlang_ahead, expected, p_alive

    x, t, end = (np.array([v]) for v in seen)
    p = np.array([r, alpha, a, b][: 2 if name == "nbd" else 4])
    more = 1.0 if name == "mbg" else 0.0
    now = p_alive(name, 1, p, x, t, end, 0.0)
    left = np.ones(1) if name == "nbd" else b + x + more
    summed = _erlang_ahead(
        1, r, alpha, 0.0 if name == "nbd" else a, left, x, end, np.ones((1, 1)), horizon, survive=False
    )
    assert expected(name, 1, p, x, t, end, horizon) == pytest.approx(now * summed, rel=1e-6)


@given(st.sampled_from(["nbd", "bg", "mbg", "pareto"]), st.integers(1, 3), st.floats(0.2, 3), st.floats(2, 20), st.floats(0.2, 3), st.floats(1, 10))  # fmt: skip
@settings(max_examples=30, deadline=None)
def test_probabilities_of_counts_sum_to_one_and_give_the_mean(
    name: str, k: int, r: float, alpha: float, a: float, b: float
) -> None:
    k = 1 if name == "pareto" else k
    found = model(name, (r, alpha, a, b)[: 2 if name == "nbd" else 4], k)
    share = found.count_probability(np.arange(2500), time=10.0)
    assert share.sum() == pytest.approx(1, abs=1e-6)
    assert (share >= -1e-12).all()
    assert share @ np.arange(2500) == pytest.approx(found.expected_new([10.0])[0], rel=1e-4, abs=1e-6)


@given(st.sampled_from(["nbd", "bg", "mbg", "pareto"]), st.integers(1, 3), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3), st.floats(1e-4, 1e3), st.floats(1e-3, 1e3), st.sampled_from([1e-3, 1.0, 52.0, 1e5]))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_nothing_overflows(name: str, k: int, r: float, alpha: float, a: float, b: float, horizon: float) -> None:
    k = 1 if name == "pareto" or horizon > 100 else k
    found = model(name, (r, alpha, a, b)[: 2 if name == "nbd" else 4], k)
    x, t, end = [0, 0, 1, 1, 500, 1e5], [0, 0, 1e-3, 1e5, 1000, 1e5], [0, 1e5, 1e5, 1e5, 1000, 1e5]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = found.expected(x, t, end, horizon=horizon)
        now, later = found.p_alive(x, t, end), found.p_alive(x, t, end, ahead=horizon)
    assert np.isfinite(expected).all()
    assert (expected >= 0).all()
    assert ((now >= 0) & (now <= 1 + 1e-12) & (later <= now + 1e-9)).all()


@given(st.integers(0, 10_000))
@settings(max_examples=6, deadline=None)
def test_small_cohorts_always_get_a_model(seed: int) -> None:
    rng = np.random.default_rng(seed)
    name = ["bg", "mbg", "nbd", "pareto"][seed % 4]
    values = (rng.gamma(1, 1) + 0.05, rng.gamma(1, 15) + 0.1, rng.gamma(1, 1) + 1e-3, rng.gamma(1, 3) + 1e-2)
    n = int(rng.integers(20, 300))
    cohort = simulate_cohort(
        model(name, values[: 2 if name == "nbd" else 4]), n, age=rng.uniform(5, 60, n), ahead=26, seed=rng
    )
    made = forecast(choose_model(cohort.purchases).model, cohort.purchases, horizon=26)
    assert np.isfinite(made.expected).all()
    assert np.isfinite([made.total.low, made.total.high]).all()


@pytest.mark.parametrize(("name", "k"), [("nbd", 2), ("bg", 1), ("bg", 3), ("mbg", 2), ("pareto", 1)])
def test_forecasts_are_right_on_average(name: str, k: int) -> None:
    values = (0.8, 9.0) if name == "nbd" else (0.8, 9.0, 0.9, 3.0) if name != "pareto" else (0.8, 9.0, 0.7, 10.0)
    found = model(name, values, k)
    cohort = simulate_cohort(found, 40_000, age=30, ahead=26, seed=3)
    seen = cohort.purchases
    r = seen.row
    expected = found.expected(seen.frequency[r], seen.recency[r], seen.age[r], horizon=26)
    alive = found.p_alive(seen.frequency[r], seen.recency[r], seen.age[r])
    error = cohort.later.std() / math.sqrt(len(r))
    assert abs(expected.mean() - cohort.later.mean()) < 4.5 * error
    assert abs(alive.mean() - cohort.alive.mean()) < 4.5 * 0.5 / math.sqrt(len(r))
    new = found.expected_new([30.0])[0]
    assert abs(new - seen.frequency[r].mean()) < 4.5 * seen.frequency[r].std() / math.sqrt(len(r))


@given(st.permutations(range(6)))
@settings(max_examples=20, deadline=None)
def test_the_order_of_customers_does_not_matter(order: list[int]) -> None:
    x, t, end = np.array([2, 0, 5, 1, 0, 3.0]), np.array([30, 0, 35, 5, 0, 20.0]), np.array([39, 39, 39, 38, 38, 37.0])
    seen = Purchases.of(x[order], t[order], end[order])
    r = seen.row
    assert (seen.frequency[r] == x[order]).all()
    assert choose_model(seen).model.log_likelihood == pytest.approx(
        choose_model(Purchases.of(x, t, end)).model.log_likelihood
    )
