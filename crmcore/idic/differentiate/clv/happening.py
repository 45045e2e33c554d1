"""What may happen to single customers: orders and money drawn from the model, given what was seen of each.

Given the parameters, and that the customer has not left, rate and dropout of the repeat-buying models are independent
of each other and of a known shape: the rate is Gamma(r + kx + j, alpha + T) in stage j of the gap, dropout is
Beta(a, b + x) for BG and Beta(a, b + x + 1) for MBG, and Gamma(s, beta + T) for Pareto. Orders ahead follow without
approximation. Money is the sum of that many orders: Gamma(p n) / v, where v is drawn from its posterior.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from crmcore.idic.differentiate.buying.model import BuyingModel
from crmcore.idic.differentiate.clv.parts import CustomerRows, Timing
from crmcore.idic.differentiate.spending.gamma_gamma import GammaGammaModel

__all__ = ["drawn_money", "drawn_orders"]

Floats = NDArray[np.float64]
MOST = 1e9  # orders within a horizon


def drawn_orders(
    timing: Timing, rows: CustomerRows, /, *, theta: Floats, p_alive: Floats, expected: Floats, horizon: float,
    rng: np.random.Generator,
) -> Floats:  # fmt: skip
    """(draws, rows) orders within the horizon.

    Parameters
    ----------
    theta : (draws, k) log parameters
    p_alive, expected : (draws, rows)
        At those parameters. `expected` serves models that are no `BuyingModel`: their orders are negative binomial of
        shape r + frequency (1 + frequency without an r) around the expectation, once the customer is alive.
    """
    alive = rng.random(p_alive.shape) < p_alive
    draw, row = np.nonzero(alive)
    orders = np.zeros(p_alive.shape)
    if isinstance(timing, BuyingModel):
        cells = (rows.frequency[row], rows.recency[row], rows.age[row])
        orders[alive] = _ahead(timing, cells, np.exp(theta)[draw].T, horizon, rng)
    else:
        shape = float(timing.parameters.get("r", 1.0)) + rows.frequency[row]
        orders[alive] = _poisson(rng.gamma(shape) * (expected / np.maximum(p_alive, 1e-12))[alive] / shape, rng)
    return orders


def _ahead(
    model: BuyingModel, cells: tuple[Floats, Floats, Floats], p: Floats, horizon: float, rng: np.random.Generator
) -> Floats:
    """(n,) orders of living customers of (frequency, recency, age), each at its own parameters (k, n)."""
    (x, t, age), k, (r, alpha, *leaving) = cells, model.k, p
    stage = _stage(r + k * x, alpha + age, age - t, k, rng)
    rate = rng.gamma(r + k * x + stage) / (alpha + age)
    if model.model == "pareto":
        s, beta = leaving
        life = rng.exponential(size=len(x)) / np.maximum(rng.gamma(s), 1e-300)
        return _poisson(rate * np.minimum(life * (beta + age), horizon), rng)
    orders = np.floor((_poisson(rate * horizon, rng) + stage) / k)
    if model.model == "nbd":
        return orders
    a, b = leaving
    some = np.flatnonzero(orders > 1)  # one order ahead is made whatever dropout does
    q = np.clip(rng.beta(a[some], (b + x)[some] + (model.model == "mbg")), 1e-15, 1 - 1e-15)
    orders[some] = np.minimum(orders[some], np.maximum(np.ceil(np.log1p(-rng.random(len(some))) / np.log1p(-q)), 1.0))
    return orders


def _stage(shape: Floats, end: Floats, silence: Floats, k: int, rng: np.random.Generator) -> Floats:
    """(n,) stage of the gap in which a living customer stands: weight (T - t)^j / j! G(shape + j) / end^(shape + j)."""
    if k == 1:
        return np.zeros(len(shape))
    with np.errstate(divide="ignore"):
        ratio = np.log(silence) - np.log(end)
    logs = [np.zeros(len(shape))]
    logs += [j * ratio - math.lgamma(j + 1) + gammaln(shape + j) - gammaln(shape) for j in range(1, k)]
    steps = np.cumsum(np.exp(np.stack(logs) - np.max(logs, axis=0)), axis=0)
    return np.asarray((rng.random(len(shape)) * steps[-1] > steps).sum(axis=0), np.float64)


def _poisson(mean: Floats, rng: np.random.Generator) -> Floats:
    return rng.poisson(np.minimum(mean, MOST)).astype(np.float64)


def drawn_money(
    spend: GammaGammaModel, rows: CustomerRows, orders: Floats, /, *, theta: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """(draws, rows) true mean spend per order, and money of so many orders.

    Parameters
    ----------
    orders : (draws, rows)
    theta : (draws, 3) log parameters
    """
    p, q, gamma = (c[:, None] for c in np.exp(theta).T)
    seen = (rows.frequency > 0) & (rows.mean_spend > 0)
    x, z = np.where(seen, rows.frequency, 1.0), np.where(seen, rows.mean_spend, 0.0)
    lift = np.where(seen, x**spend.power, math.exp(spend.power * spend.log_frequency))
    scale = (gamma + np.where(seen, x * z / lift, 0.0)) * lift
    one_over_v = scale / np.maximum(rng.gamma(q + p * np.where(seen, x, 0.0)), 1e-300)
    money, some = np.zeros(orders.shape), orders > 0
    money[some] = rng.gamma((p * orders)[some]) * one_over_v[some]
    return p * one_over_v, money
