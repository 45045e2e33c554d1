"""From what is known of timing and spend to columns with ends and totals: of the expectation, and of what happens."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from crmcore.idic.differentiate.clv.happening import drawn_money, drawn_orders
from crmcore.idic.differentiate.clv.parts import CustomerRows, Timing
from crmcore.idic.differentiate.clv.posterior import WIDEST, Known, alike, expit, logit
from crmcore.idic.differentiate.spending.gamma_gamma import GammaGammaModel
from crmcore.metrics.intervals import normal_quantile

__all__ = ["expectation", "foretold", "shifts"]

Floats = NDArray[np.float64]
Totals = tuple[float, float, float, float]  # low and high end of value, low and high end of orders
CELLS = 2_000_000  # draws held at once


def expectation(
    rows: CustomerRows, timing: Mapping[str, Known], spend: Known, /, *, costs: tuple[float, float], level: float
) -> tuple[dict[str, Floats], Totals]:
    """Columns with ends, and ends of the totals.

    Logs of orders and of spend are normal and independent, so that their product is log normal; where a cost to serve
    is taken off, value may be negative and is normal by the delta method.
    """
    z, w, (margin, cost) = normal_quantile(level), rows.weights, costs
    orders, expected, alive = timing["orders"], timing["expected"], timing["p_alive"]
    value = orders.value * (spend.value * margin - cost)
    by_spend = orders.value * spend.value * margin  # change of value per unit of log spend
    columns = {
        **_around("expected", expected.value, z * expected.sd),
        **_around("spend", spend.value, z * spend.sd),
        "p_alive": alive.value,
        "p_alive_low": _share(alive.value, -z * alive.sd),
        "p_alive_high": _share(alive.value, z * alive.sd),
    }
    if cost:
        half = z * np.hypot(value * orders.sd, by_spend * spend.sd)
        columns |= {"clv": value, "clv_low": value - half, "clv_high": value + half}
    else:
        columns |= _around("clv", value, z * np.hypot(orders.sd, spend.sd))
    error = z * math.hypot(orders.sum_sd(value * w), spend.sum_sd(by_spend * w))
    of_value = _ends(float(value @ w), error, above_0=not cost)
    return columns, (
        *of_value,
        *_ends(float(expected.value @ w), z * expected.sum_sd(expected.value * w), above_0=True),
    )


def foretold(
    models: tuple[Timing, GammaGammaModel], rows: CustomerRows, timing: Mapping[str, Known], spend: Known, /, *,
    costs: tuple[float, float], horizon: float, level: float, draws: int, rng: np.random.Generator,
) -> tuple[dict[str, Floats], Totals]:  # fmt: skip
    """Ends of what may happen to each customer and to all; customers who look alike are drawn once."""
    first, kind = alike(rows.mean_spend, rows.age, rows.recency, rows.frequency)
    few, weights = rows.take(first), np.bincount(kind, rows.weights, len(first))
    (margin, cost), ends = costs, ((1 - level) / 2, (1 + level) / 2)
    timing_shift, spend_shift = (shifts(m, draws, rng) for m in models)
    at_timing, at_spend = models[0].vector() + timing_shift, models[1].vector() + spend_shift
    common = rng.standard_normal(draws)
    discount = timing["orders"].value[first] / np.maximum(timing["expected"].value[first], 1e-300)
    found: dict[str, list[Floats]] = {"expected": [], "spend": [], "clv": []}
    totals = np.zeros((2, draws))
    step = max(1, CELLS // draws)
    for start in range(0, len(few), step):
        cut = slice(start, start + step)
        here, at, later, w = few.take(cut), first[cut], discount[cut], weights[cut]
        expected = timing["expected"].value[at] * np.exp(timing["expected"].moved(timing_shift, common, rows=at))
        p_alive = _share(timing["p_alive"].value[at], timing["p_alive"].moved(timing_shift, common, rows=at))
        orders = drawn_orders(
            models[0], here, theta=at_timing, p_alive=p_alive, expected=expected, horizon=horizon, rng=rng
        )
        each, money = drawn_money(models[1], here, orders, theta=at_spend, rng=rng)
        left = (money * margin - orders * cost) * later
        for name, cells in (("expected", orders), ("spend", each), ("clv", left)):
            found[name].append(np.quantile(cells, ends, axis=0))
        mean_spend = spend.value[at] * np.exp(spend.moved(spend_shift, common, rows=at))
        centres = (expected * later * (mean_spend * margin - cost), expected)
        for i, (centre, cells) in enumerate(zip(centres, (left, orders), strict=True)):
            own = np.maximum(cells.var(axis=0) - centre.var(axis=0), 0.0)
            totals[i] += centre @ w + math.sqrt(float(w @ own)) * rng.standard_normal(draws)
    columns: dict[str, Floats] = {}
    for name, chunks in found.items():
        low, high = np.concatenate(chunks, axis=1)
        columns |= {f"{name}_low": low[kind], f"{name}_high": high[kind]}
    (value_low, orders_low), (value_high, orders_high) = np.quantile(totals, ends, axis=1).tolist()
    return columns, (value_low, value_high, orders_low, orders_high)


def shifts(model: Timing | GammaGammaModel, draws: int, rng: np.random.Generator) -> Floats:
    """(draws, k) posterior draws of log parameters around the model's; 0 where the model knows no covariance."""
    k = len(model.vector())
    if model.covariance is None:
        return np.zeros((draws, k))
    return rng.multivariate_normal(np.zeros(k), np.asarray(model.covariance), size=draws, method="eigh")


def _around(name: str, value: Floats, half: Floats) -> dict[str, Floats]:
    lift = np.exp(np.minimum(half, WIDEST))
    return {name: value, f"{name}_low": value / lift, f"{name}_high": value * lift}


def _ends(total: float, half: float, *, above_0: bool) -> tuple[float, float]:
    """Ends of a sum: log normal where it cannot be negative."""
    if above_0 and total > 0:
        lift = math.exp(min(half / total, WIDEST))
        return total / lift, total * lift
    return total - half, total + half


def _share(p: Floats, shift: Floats) -> Floats:
    """Shares moved on the logit scale; certainty stays certain."""
    return np.asarray(np.where((p > 0) & (p < 1), expit(logit(p) + shift), p))
