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
    if isinstance(timing, BuyingModel):
        ahead = _ahead(timing, rows, np.exp(theta), horizon, rng)
    else:
        shape = float(timing.parameters.get("r", 1.0)) + rows.frequency
        mean = expected / np.maximum(p_alive, 1e-12)
        ahead = _poisson(rng.gamma(shape, size=mean.shape) * mean / shape, rng)
    return np.where(alive, ahead, 0.0)


def _ahead(model: BuyingModel, rows: CustomerRows, p: Floats, horizon: float, rng: np.random.Generator) -> Floats:
    x, age, k = rows.frequency[None, :], rows.age[None, :], model.k
    r, alpha = p[:, :1], p[:, 1:2]
    stage = _stage(r, alpha, rows, k, rng)
    rate = rng.gamma(r + k * x + stage) / (alpha + age)
    if model.model == "pareto":
        life = rng.exponential(size=rate.shape) / np.maximum(rng.gamma(p[:, 2:3], size=rate.shape), 1e-300)
        return _poisson(rate * np.minimum(life * (p[:, 3:] + age), horizon), rng)
    orders = np.floor((_poisson(rate * horizon, rng) + stage) / k)
    if model.model == "nbd":
        return orders
    more = 1.0 if model.model == "mbg" else 0.0
    leaves = np.clip(rng.beta(p[:, 2:3], p[:, 3:] + x + more), 1e-15, 1.0)
    with np.errstate(divide="ignore"):
        last = np.ceil(np.log1p(-rng.random(leaves.shape)) / np.log1p(-leaves))
    return np.minimum(orders, np.maximum(last, 1.0))


def _stage(r: Floats, alpha: Floats, rows: CustomerRows, k: int, rng: np.random.Generator) -> Floats:
    """(draws, rows) stage of the gap in which a living customer stands."""
    size = (len(r), len(rows))
    if k == 1:
        return np.zeros(size)
    with np.errstate(divide="ignore"):
        silence = np.log(rows.age - rows.recency)[None, :]
    shape, end = r + k * rows.frequency[None, :], np.log(alpha + rows.age[None, :])
    logs = np.stack(
        [(j * silence if j else 0.0) - math.lgamma(j + 1) + gammaln(shape + j) - (shape + j) * end for j in range(k)]
    )
    share = np.exp(logs - logs.max(axis=0))
    steps = np.cumsum(share, axis=0)
    return np.asarray((rng.random(size) * steps[-1] > steps).sum(axis=0), np.float64)


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
    some = orders > 0
    money = np.where(some, rng.gamma(p * np.where(some, orders, 1.0)) * one_over_v, 0.0)
    return p * one_over_v, money
