"""sBG, beta-discrete-Weibull and BG/BB against slow sums, simulation and bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import beta as beta_function
from scipy.special import hyp2f1

from crmcore.errors import BadDocument, BadRows, CrmError, EmptyInput, OutOfRange
from crmcore.idic.differentiate.contracts import BgBb, BgBbModel, ContractCounts, ContractModel, ShiftedBeta
from crmcore.idic.differentiate.contracts.bg_bb import _likelihood
from crmcore.idic.differentiate.contracts.retention import log_likelihood

HIGH_END = ContractCounts.of([131, 126, 90, 60, 42, 34, 26], survivors=491)


def _model(alpha: float, beta: float, c: float = 1.0) -> ContractModel:
    return ContractModel(alpha=alpha, beta=beta, c=c, covariance=None, log_likelihood=0.0, n=1)


def test_gradients_equal_differences() -> None:
    lost, running = (HIGH_END + ContractCounts.of([20], survivors=5)).columns()
    theta, h = np.array([0.2, 0.9, 0.3]), 1e-6
    slope = log_likelihood(theta, lost, running)[1]
    rows, mass = np.array([[0, 0, 3], [1, 2, 5], [4, 4, 4], [2, 6, 7]], float), np.array([3.0, 2, 1, 4])
    four = np.array([0.1, -0.3, 0.2, 0.6])
    other = _likelihood(four, rows, mass)[1]
    for i in range(3):
        e = h * np.eye(3)[i]
        both = [log_likelihood(theta + s * e, lost, running)[0] for s in (1, -1)]
        assert slope[i] == pytest.approx((both[0] - both[1]) / (2 * h), rel=1e-5, abs=1e-4)
    for i in range(4):
        e = h * np.eye(4)[i]
        both = [_likelihood(four + s * e, rows, mass)[0] for s in (1, -1)]
        assert other[i] == pytest.approx((both[0] - both[1]) / (2 * h), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("renewals", [0, 1, 4])
def test_remaining_payments_equal_the_closed_form(renewals: int) -> None:
    a, b, d = 0.668, 3.806, 0.1
    n = renewals + 1
    closed = (b + n - 1) / (a + b + n - 1) * hyp2f1(1, b + n, a + b + n, 1 / (1 + d))
    assert _model(a, b).expected_remaining(renewals, discount=d).value == pytest.approx(closed, rel=1e-8)


def test_counts_add_up_and_the_sum_is_fitted_as_one() -> None:
    a, b = ContractCounts.of([30, 20], survivors=50), ContractCounts.of([33, 22, 9], survivors=36)
    assert a + b == b + a
    assert (a + b).n == a.n + b.n == 200
    assert ShiftedBeta().fit(a + b) == ShiftedBeta().fit(b + a)


def test_weibull_is_at_least_as_likely_and_finds_ageing() -> None:
    truth = _model(1.5, 4.0, 1.6)
    alive = 1e5 * truth.survival(np.arange(11))
    counts = ContractCounts.of(-np.diff(alive), survivors=alive[-1])
    found = ShiftedBeta(ageing="weibull").fit(counts)
    assert [found.alpha, found.beta, found.c] == pytest.approx([1.5, 4.0, 1.6], rel=1e-3)
    assert found.log_likelihood > ShiftedBeta().fit(counts).log_likelihood


def test_retention_rises_and_survival_falls() -> None:
    model = ShiftedBeta().fit(HIGH_END)
    assert (np.diff(model.retention_rate(np.arange(1, 30))) > 0).all()
    assert (np.diff(model.survival(np.arange(30))) < 0).all()


def test_value_is_margin_times_payments_with_an_interval() -> None:
    value = ShiftedBeta().fit(HIGH_END).clv(margin=100, discount=0.1)
    assert value.low < value.value < value.high
    sure = _model(1.0, 1.0).clv(margin=100, discount=0.0, horizon=2)
    assert sure.value == pytest.approx(100 * (1 + 1 / 2 + 1 / 3))
    assert math.isnan(sure.low)
    assert "boundary" in sure.method


def test_all_customers_alike_has_no_covariance_but_numbers() -> None:
    same = ContractCounts.of([500, 250, 125], survivors=125)
    model = ShiftedBeta().fit(same)
    assert model.survival([3])[0] == pytest.approx(0.125, abs=0.001)
    assert np.isfinite(model.clv(margin=1, discount=0.1).value)


def test_bg_bb_likelihood_sums_to_one_over_all_histories() -> None:
    model = BgBbModel(alpha=1.2, beta=0.75, gamma=0.66, delta=2.8, covariance=None, log_likelihood=0.0, n=1)
    total = 0.0
    for t in range(6):
        for x in range(min(t, 1), t + 1):
            ways = 1 if t == 0 else math.comb(t - 1, x - 1)
            total += ways * math.exp(_likelihood(model._theta, np.array([[x, t, 5.0]]), np.ones(1))[0])
    assert total == pytest.approx(1.0)


def test_bg_bb_expectation_equals_the_published_closed_form() -> None:
    a, b, g, d = 1.204, 0.75, 0.657, 2.783
    model = BgBbModel(alpha=a, beta=b, gamma=g, delta=d, covariance=None, log_likelihood=0.0, n=1)
    x, t, n, ahead = 3, 5, 6, 7
    likelihood = math.exp(_likelihood(model._theta, np.array([[x, t, n]], float), np.ones(1))[0])
    gamma = math.gamma
    closed = (
        beta_function(a + x + 1, b + n - x) / beta_function(a, b) * d / (g - 1) * gamma(g + d) / gamma(1 + d)
        * (gamma(1 + d + n) / gamma(g + d + n) - gamma(1 + d + n + ahead) / gamma(g + d + n + ahead)) / likelihood
    )  # fmt: skip
    assert model.expected([x], [t], [n], ahead=ahead)[0] == pytest.approx(closed)


def test_bg_bb_recovers_simulated_customers_and_merges_rows() -> None:
    rng, n, rounds = np.random.default_rng(4), 30000, 8
    p, theta = rng.beta(1.2, 0.8, n), rng.beta(0.7, 2.8, n)
    seen = (np.arange(1, rounds + 1) < rng.geometric(theta)[:, None]) & (rng.random((n, rounds)) < p[:, None])
    x, t = seen.sum(1), np.where(seen.any(1), rounds - seen[:, ::-1].argmax(1), 0)
    model = BgBb().fit(x, t, np.full(n, rounds))
    assert [model.alpha, model.beta, model.gamma, model.delta] == pytest.approx([1.2, 0.8, 0.7, 2.8], rel=0.12)
    assert model == BgBb().fit(x[::-1], t[::-1], np.full(n, rounds))


def test_bad_input_is_named() -> None:
    with pytest.raises(BadRows, match=r"row: contradicts itself in 3 rows \[0, 1, 2\]"):
        BgBb().fit([1, 3, 0], [5, 2, 1], [4, 4, 4])
    with pytest.raises(BadRows, match="not a whole number"):
        BgBb().fit([1.5], [2], [4])
    with pytest.raises(EmptyInput):
        BgBb().fit([], [], [])
    with pytest.raises(EmptyInput, match="ended"):
        ShiftedBeta().fit(ContractCounts.of([0, 0], survivors=5))
    with pytest.raises(BadRows):
        ContractCounts.of([1, -1], survivors=5)
    with pytest.raises(OutOfRange, match="horizon"):
        _model(1, 1).clv(margin=1, discount=0.0)
    with pytest.raises(BadDocument):
        BgBbModel.from_dict(_model(1, 1).to_dict())
    for call in (lambda: _model(1, 1).retention_rate([0]), lambda: _model(1, 1).survival([-1])):
        with pytest.raises(CrmError):
            call()


def test_ways_out() -> None:
    model = ShiftedBeta().fit(HIGH_END)
    assert str(model).startswith("14.9 % leave")
    assert "<table>" in model._repr_html_()
    assert len(model.chart(periods=4).rows) == 5
    assert ContractModel.from_dict(model.to_dict()) == model
