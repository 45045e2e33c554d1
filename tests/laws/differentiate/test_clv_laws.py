"""Laws of spend, contracts and value on random input."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.idic.differentiate.buying import BuyingModel
from crmcore.idic.differentiate.clv import CustomerRows, CustomerValueModel
from crmcore.idic.differentiate.contracts import BgBbModel, ContractCounts, ShiftedBeta
from crmcore.idic.differentiate.spending import GammaGamma

SPEND = GammaGamma().fit([1, 2, 3, 4], [10.0, 12, 9, 11]).with_vector(np.log([6.25, 3.74, 15.44]))
ROWS = st.lists(
    st.tuples(st.integers(0, 9), st.floats(0.1, 1.0), st.floats(1, 60), st.floats(1, 99)), min_size=1, max_size=9
)
COVARIANCE = ((0.01, 0.002, 0, 0), (0.002, 0.02, 0, 0), (0, 0, 0.03, 0.01), (0, 0, 0.01, 0.04))


def _model(margin: float = 1.0) -> CustomerValueModel:
    theta = (math.log(0.6), math.log(6.0), math.log(0.9), math.log(2.0))
    timing = BuyingModel(
        model="mbg", k=1, theta=theta, covariance=COVARIANCE, log_likelihood=0.0, n=99, unit="week"
    )  # fmt: skip
    return CustomerValueModel(timing=timing, spend=SPEND, margin=margin)


def _rows(rows: list[tuple[int, float, float, float]]) -> CustomerRows:
    x, part, age, z = (np.array(c, float) for c in zip(*rows, strict=True))
    return CustomerRows.of(x, np.where(x > 0, part * age, 0.0), age, mean_spend=z, unit_days=7)


@settings(max_examples=8, deadline=None)
@given(ROWS, st.randoms())
def test_value_does_not_see_the_order_of_customers(rows: list[tuple[int, float, float, float]], rng: object) -> None:
    order = list(range(len(rows)))
    rng.shuffle(order)  # type: ignore[attr-defined]
    for kind in ("expectation", "predictive"):
        one = _model().value(_rows(rows), horizon_days=200, kind=kind, draws=100)
        two = _model().value(_rows([rows[i] for i in order]), horizon_days=200, kind=kind, draws=100)
        for name, column in one.columns.items():
            assert two[name] == pytest.approx(column[order], rel=1e-12, abs=1e-12), (kind, name)


@settings(max_examples=3, deadline=None)
@given(ROWS)
def test_value_grows_with_the_horizon_falls_with_the_discount_and_scales(
    rows: list[tuple[int, float, float, float]],
) -> None:
    table = _rows(rows)
    near, far, ever = (_model().value(table, horizon_days=h)["clv"] for h in (100, 1000, math.inf))
    assert (near <= far * (1 + 1e-12)).all()
    assert (far <= ever * (1 + 1e-9)).all()
    dear = _model().value(table, horizon_days=1000, annual_discount=0.3)
    assert (dear["clv"] <= far * (1 + 1e-12)).all()
    half = _model(margin=0.5).value(table, horizon_days=1000)
    assert half["clv"] == pytest.approx(0.5 * far)
    assert half["clv_low"] == pytest.approx(0.5 * _model().value(table, horizon_days=1000)["clv_low"])
    for name in ("expected", "p_alive", "spend", "clv"):
        assert (dear[f"{name}_low"] <= dear[name] * (1 + 1e-12)).all()
        assert (dear[name] <= dear[f"{name}_high"] * (1 + 1e-12)).all()


@settings(max_examples=8, deadline=None)
@given(ROWS)
def test_the_discount_of_few_nodes_equals_a_fine_sum(rows: list[tuple[int, float, float, float]]) -> None:
    table, model = _rows(rows), _model()
    rate, steps = math.log(1.1) * 7 / 365.25, np.linspace(0, 365 / 7, 101)
    x, t, age = table.frequency, table.recency, table.age
    upto = np.array([model.timing.expected(x, t, age, horizon=h) if h else np.zeros(len(x)) for h in steps.tolist()])
    middle = np.exp(-rate * (steps[1:] + steps[:-1]) / 2)
    found = model.value(table, horizon_days=365)
    assert found["clv"] / found["spend"] == pytest.approx(np.diff(upto, axis=0).T @ middle, rel=1e-5)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(60, 200), st.sampled_from([0.01, 100.0]))
def test_spend_does_not_see_the_unit_of_money(seed: int, n: int, unit: float) -> None:
    rng = np.random.default_rng(seed)
    x = 1.0 + rng.poisson(2.0, n)
    z = rng.gamma(6.25 * x) * 15.44 / rng.gamma(3.74, size=n) / x
    one, two = GammaGamma().fit(x, z), GammaGamma().fit(x, z * unit)
    assert one.boundary == two.boundary
    assert two.expected(x, z * unit) == pytest.approx(one.expected(x, z) * unit, rel=1e-3)
    if not one.boundary:
        assert (two.p, two.q) == pytest.approx((one.p, one.q), rel=1e-3)


@given(st.integers(1, 4), st.tuples(*[st.floats(0.2, 5.0)] * 4))
@settings(max_examples=15, deadline=None)
def test_counts_of_chances_equal_a_walk_over_all_histories(
    rounds: int, theta: tuple[float, float, float, float]
) -> None:
    model = BgBbModel(
        **dict(zip(("alpha", "beta", "gamma", "delta"), theta, strict=True)), covariance=None, log_likelihood=0, n=1
    )
    p = model.count_probability(range(rounds + 2), rounds=rounds)
    assert p.sum() == pytest.approx(1.0)
    assert p[-1] == 0.0
    nodes, w = np.polynomial.legendre.leggauss(400)
    u = (nodes + 1) / 2
    u, w = u * u * u * (10 + u * (-15 + 6 * u)), w / 2 * 30 * (u * (1 - u)) ** 2

    def mixed(a: float, b: float, f: object) -> float:
        density = np.exp((a - 1) * np.log(u) + (b - 1) * np.log1p(-u)) * w
        return float((density * f).sum() / density.sum())  # type: ignore[operator]

    a, b, g, d = theta
    walked = np.zeros(rounds + 2)
    for lived in range(rounds + 1):
        gone = mixed(g, d, (1 - u) ** lived * (u if lived < rounds else 1.0))
        for taken in itertools.product((0, 1), repeat=lived):
            k = sum(taken)
            walked[k] += gone * mixed(a, b, u**k * (1 - u) ** (lived - k))
    assert p == pytest.approx(walked, rel=5e-3, abs=1e-4)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 200), min_size=3, max_size=8), st.integers(1, 500))
def test_who_stays_stays_longer_and_survival_falls(lost: list[int], survivors: int) -> None:
    model = ShiftedBeta().fit(ContractCounts.of(lost, survivors=survivors))
    survival = model.survival(np.arange(20))
    assert (np.diff(survival) <= 1e-12).all()
    assert survival[0] == pytest.approx(1.0)
    assert (np.diff(model.retention_rate(np.arange(1, 20))) >= -1e-9).all()
