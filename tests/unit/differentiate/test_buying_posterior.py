"""Intervals follow the likelihood where it is skew, stand at boundaries, and never fail."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import OutOfRange
from crmcore.idic.differentiate.buying import MODELS, BuyingModel, Purchases, RepeatBuying, forecast, simulate_cohort
from crmcore.idic.differentiate.buying.posterior import log_prior, posterior


def cohort(model: str, at: tuple[float, ...], n: int, seed: int) -> Purchases:
    truth = BuyingModel(
        model=model, k=1, theta=tuple(np.log(at).tolist()), covariance=None, log_likelihood=0.0, n=n, unit="week"
    )  # fmt: skip
    age = np.random.default_rng(seed).uniform(20, 40, n)
    return simulate_cohort(truth, n, age=age, ahead=1, seed=seed).purchases


def test_ends_are_those_of_the_posterior_on_a_grid() -> None:
    seen = cohort("nbd", (0.4, 9.0), 60, 3)
    recipe = RepeatBuying(model="nbd")
    model = recipe.fit(seen)
    assert model.covariance is not None
    wide = 6 * np.sqrt(np.diag(np.array(model.covariance)))
    likelihood, w = recipe._likelihood(seen), np.asarray(seen.weight)
    logs, totals = [], []
    for u in np.linspace(-1, 1, 90):
        for v in np.linspace(-1, 1, 90):
            theta = model.vector() + np.array([u, v]) * wide
            logs.append(likelihood(theta)[0] + log_prior(model, seen, theta))
            ahead = model.with_vector(theta).expected(seen.frequency, seen.recency, seen.age, horizon=26)
            totals.append(float(w @ ahead))
    weight = np.exp(np.array(logs) - max(logs))
    order = np.argsort(totals)
    share = np.cumsum(weight[order]) / weight.sum()
    low, high = (np.array(totals)[order][np.searchsorted(share, p)] for p in (0.05, 0.95))
    found = [forecast(model, seen, horizon=26, seed=s).total for s in range(3)]
    assert all(f.method == "posterior" for f in found)
    for name, end in (("low", low), ("high", high)):
        assert np.mean([getattr(f, name) for f in found]) == pytest.approx(end, rel=0.02)


def test_a_skew_likelihood_has_skew_ends() -> None:
    seen = cohort("pareto", (0.553, 10.58, 0.606, 11.67), 800, 1)
    model = RepeatBuying(model="pareto").fit(seen)
    assert not model.boundary
    found = forecast(model, seen, horizon=39)
    wide = np.log(found.expected_high / found.expected), np.log(found.expected / found.expected_low)
    assert np.median(np.abs(wide[0] - wide[1]) / (wide[0] + wide[1])) > 0.02


@pytest.mark.slow
def test_a_likelihood_with_a_plateau_has_draws_that_are_many() -> None:
    seen = cohort("pareto", (0.553, 10.58, 0.606, 11.67), 1500, 4)
    model = RepeatBuying(model="pareto").fit(seen)
    assert model.parameters["beta"] > 15  # dropout is hardly seen: the likelihood hardly falls with s and beta
    for seed in range(2):
        found = posterior(model, seen, seed=seed)
        assert found is not None
        assert len(np.unique(found.u[:, 0])) > 150  # and not one lucky proposal many times
    ends = [forecast(model, seen, horizon=39, seed=s).total for s in range(2)]
    assert np.ptp([e.low for e in ends]) < 0.05 * ends[0].value
    assert np.ptp([e.high for e in ends]) < 0.05 * ends[0].value


def test_a_boundary_has_intervals_of_what_can_be_seen() -> None:
    seen = cohort("nbd", (1.5, 6.0), 400, 2)
    model = RepeatBuying(model="bg").fit(seen)
    assert model.boundary
    found, plain = forecast(model, seen, horizon=20), forecast(RepeatBuying(model="nbd").fit(seen), seen, horizon=20)
    assert found.total.method == "posterior of the parameters that can be seen"
    assert found.total.low < found.total.value < found.total.high
    assert found.total.low == pytest.approx(plain.total.low, rel=0.02)
    assert found.total.high == pytest.approx(plain.total.high, rel=0.02)
    assert (found.expected_low < found.expected).all()
    assert (found.expected < found.expected_high).all()


def test_other_customers_and_other_likelihoods_get_the_normal() -> None:
    seen = cohort("bg", (0.6, 6.0, 0.8, 2.5), 700, 5)
    model = RepeatBuying(model="bg").fit(seen)
    assert forecast(model, seen, horizon=9).total.method == "posterior"
    assert forecast(model, seen.take(np.arange(350)), horizon=9).total.method == "laplace"
    assert forecast(model.with_vector(model.vector() + 0.1), seen, horizon=9).total.method == "laplace"


def test_the_same_seed_gives_the_same_ends_and_the_order_of_customers_is_free() -> None:
    seen = cohort("mbg", (0.6, 6.0, 0.8, 2.5), 200, 6)
    model = RepeatBuying(model="mbg").fit(seen)
    one, two = forecast(model, seen, horizon=9), forecast(model, seen, horizon=9)
    assert one.expected_low.tolist() == two.expected_low.tolist()
    turned = np.random.default_rng(0).permutation(len(seen))
    other = forecast(model, seen.take(turned), horizon=9)
    assert other.p_alive_high == pytest.approx(one.p_alive_high[turned], abs=1e-6)
    assert forecast(model, seen, horizon=9, level=0.5).total.high < one.total.high


row = st.tuples(st.integers(0, 30), st.floats(0.01, 1.0), st.floats(0.1, 300.0))


@given(st.lists(row, min_size=1, max_size=12), st.sampled_from(MODELS), st.floats(0.1, 500))
@settings(max_examples=15, deadline=None)
def test_no_cohort_is_too_small_or_odd(rows: list[tuple[int, float, float]], name: str, horizon: float) -> None:
    x, part, age = (np.array(c, float) for c in zip(*rows, strict=True))
    seen = Purchases.of(x, np.where(x > 0, part * age, 0.0), age)
    found = forecast(RepeatBuying(model=name).fit(seen), seen, horizon=horizon)
    for value, low, high in (
        (found.expected, found.expected_low, found.expected_high),
        (found.p_alive, found.p_alive_low, found.p_alive_high),
    ):  # fmt: skip
        assert np.isfinite([value, low, high]).all()
        assert (low <= value + 1e-12).all()
        assert (value <= high + 1e-12).all()
    assert found.total.low <= found.total.value <= found.total.high
    assert (found.p_alive_high <= 1).all()


def test_a_horizon_that_is_none_is_refused() -> None:
    seen = Purchases.of([1, 0], [2, 0], [5, 5])
    model = RepeatBuying(model="nbd").fit(seen)
    for horizon in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(OutOfRange, match="horizon"):
            forecast(model, seen, horizon=horizon)
