"""How well outputs are known: slopes of timing and spend in their parameters, and what the posterior makes of them.

Parameters are estimated: normal on the log scale around the maximum, with the inverse information as covariance.
Expected orders and spend are linear in them on the log scale, P(alive) on the logit scale. Customers who look alike to
timing (frequency, recency, age) or to spend (frequency, mean spend) are computed once.
"""

from __future__ import annotations

import math

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.idic.differentiate.clv.discounting import discounted
from crmcore.idic.differentiate.clv.parts import CustomerRows, Timing
from crmcore.idic.differentiate.spending.gamma_gamma import GammaGammaModel

__all__ = ["Known", "alike", "expit", "logit", "spend_known", "timing_known"]

Floats = NDArray[np.float64]
TINY = 1e-300
STEP = 1e-4
WIDEST = 50.0  # of a shift on the log scale: beyond lies overflow, not knowledge
FEW = {True: 2, False: 6}  # nodes of a piece where only a slope is wanted: near, far
NEAR = 0.5  # of rate x horizon: so little is discounted that few nodes are as exact


@attrs.frozen(kw_only=True, eq=False)
class Known:
    """An output of n customers: value, and slopes on its scale in each of k parameters with their covariance.

    `own` is a further standard deviation on the scale, the same shift for all customers.
    """

    value: Floats  # (n,)
    slopes: Floats  # (k, n)
    covariance: Floats  # (k, k)
    own: Floats  # (n,)

    @property
    def sd(self) -> Floats:
        """(n,) standard deviation on the scale."""
        variance = np.einsum("in,in->n", self.slopes, self.covariance @ self.slopes)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0) + self.own**2))

    def sum_sd(self, each: Floats, /) -> float:
        """Standard deviation of a sum to which customers bring `each` (n,) per unit of the scale."""
        toward = self.slopes @ each
        return math.sqrt(max(float(toward @ self.covariance @ toward), 0.0) + float(self.own @ each) ** 2)

    def moved(self, shift: Floats, common: Floats, /, *, rows: NDArray[np.int64]) -> Floats:
        """(draws, rows) shifts on the scale at (draws, k) parameters and (draws,) normal draws of the common shift."""
        own = common[:, None] * self.own[rows]
        return np.clip(shift @ self.slopes[:, rows] + own if len(self.slopes) else own, -WIDEST, WIDEST)


def alike(*columns: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Position of one row of each distinct kind, and the kind of each row."""
    order = np.lexsort(columns)
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = np.any([c[order][1:] != c[order][:-1] for c in columns], axis=0)
    kind = np.empty(len(order), np.int64)
    kind[order] = np.cumsum(fresh) - 1
    return order[fresh].astype(np.int64), kind


def timing_known(timing: Timing, rows: CustomerRows, /, *, horizon: float, rate: float) -> dict[str, Known]:
    """Expected orders ("expected"), the same discounted ("orders") and P(alive) ("p_alive") of every row."""
    first, kind = alike(rows.age, rows.recency, rows.frequency)
    x, t, age = rows.frequency[first], rows.recency[first], rows.age[first]

    def at(model: Timing, nodes: int) -> dict[str, Floats]:
        known: dict[float, Floats] = {}

        def upto(h: float) -> Floats:
            if h not in known:
                known[h] = model.expected(x, t, age, horizon=h)
            return known[h]

        orders = discounted(upto, horizon=horizon, rate=rate, nodes=nodes)
        same = rate == 0.0 or not math.isfinite(horizon)
        expected = orders if same else upto(horizon)
        return {"expected": expected, "orders": orders, "p_alive": model.p_alive(x, t, age)}

    near = rate * horizon <= NEAR
    value = at(timing, 8 if near else 16)
    covariance = None if timing.covariance is None else np.asarray(timing.covariance, np.float64)
    slopes: dict[str, list[Floats]] = {name: [] for name in value}
    if covariance is not None:
        centre = timing.vector()
        for side in np.eye(len(centre)) * STEP:
            up, down = (at(timing.with_vector(centre + h), FEW[near]) for h in (side, -side))
            for name, found in slopes.items():
                scale = logit if name == "p_alive" else _log
                found.append((scale(up[name]) - scale(down[name])) / (2 * STEP))
    none = np.zeros(len(rows))
    return {
        name: Known(
            value=value[name][kind], own=none,
            slopes=np.array(slopes[name]).reshape(len(slopes[name]), len(first))[:, kind],
            covariance=np.zeros((0, 0)) if covariance is None else covariance,
        )
        for name in value
    }  # fmt: skip


def spend_known(spend: GammaGammaModel, rows: CustomerRows, /) -> Known:
    """Expected spend per order of every row.

    Where the model has no covariance, or its population mean does not exist (q <= 1) and the observed mean stands in,
    the standard error of the observed mean says how well spend is known.
    """
    seen = (rows.frequency > 0) & (rows.mean_spend > 0)
    x, z = np.where(seen, rows.frequency, 0.0), np.where(seen, rows.mean_spend, 0.0)
    first, kind = alike(z, x)
    x, z, seen = x[first], z[first], seen[first]
    value, fixed = spend.expected(x, z), spend.covariance is None
    relative = spend.observed_error / spend.observed_mean if spend.observed_mean > 0 else 0.0
    stands_in = np.full(len(x), True) if fixed else ~seen & spend.infinite_mean
    own = np.where(stands_in, relative if math.isfinite(relative) else 0.0, 0.0)
    slopes = np.zeros((0 if fixed else 3, len(x)))
    if not fixed:
        centre = spend.vector()
        for i, side in enumerate(np.eye(3) * STEP):
            up, down = (spend.with_vector(centre + h).expected(x, z) for h in (side, -side))
            slopes[i] = np.where(stands_in, 0.0, (_log(up) - _log(down)) / (2 * STEP))
    covariance = np.zeros((0, 0)) if fixed else np.array(spend.covariance)
    return Known(value=value[kind], slopes=slopes[:, kind], covariance=covariance, own=own[kind])


def _log(value: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(np.abs(value), TINY)))


def logit(p: ArrayLike, /) -> Floats:
    """Log odds; shares are kept away from 0 and 1."""
    inside = np.clip(np.asarray(p, np.float64), 1e-12, 1 - 1e-12)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def expit(z: Floats, /) -> Floats:
    """Share of log odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-z)))
