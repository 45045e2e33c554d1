"""Cohorts whose truth is known: to check models, to plan, to teach."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import OutOfRange
from crmcore.idic.differentiate.buying.model import BuyingModel
from crmcore.idic.differentiate.buying.purchases import Purchases
from crmcore.metrics.columns import numbers
from crmcore.metrics.scalars import count_of

__all__ = ["Cohort", "simulate_cohort"]

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Cohort:
    """A simulated cohort: what is seen of it, and what is true.

    Attributes
    ----------
    purchases : Purchases
        As they would be read at the end of observation.
    rate, dropout : (n,) of each customer
        Stages a unit; probability of leaving at a purchase (models "bg", "mbg"), rate of leaving ("pareto"), or 0.
    alive : (n,) whether the customer is still there
    later : (n,) purchases in the time after the end
    """

    purchases: Purchases
    rate: Floats
    dropout: Floats
    alive: NDArray[np.bool_]
    later: Floats

    def __repr__(self) -> str:
        return f"Cohort({self.purchases!r}, {int(self.alive.sum())} still there)"


def simulate_cohort(
    model: BuyingModel, n: int, /, *, age: ArrayLike, ahead: float, seed: int | np.random.Generator
) -> Cohort:
    """Draw a cohort from a model.

    Parameters
    ----------
    model : BuyingModel
    n : customers
    age : units, one number or (n,)
        How long each is watched.
    ahead : units
        For how long after that purchases are drawn as truth.
    seed

    Examples
    --------
    >>> from crmcore.idic.differentiate.buying import RepeatBuying
    >>> bought = Purchases.of([2, 0, 5, 1, 0, 3], [30, 0, 35, 5, 0, 20], [39, 39, 39, 38, 38, 37])
    >>> simulate_cohort(RepeatBuying(model="nbd").fit(bought), 100, age=52, ahead=52, seed=1).alive.all()
    np.True_
    """
    count_of("n", n, least=1, hint="1000 gives stable pictures")
    end = np.broadcast_to(numbers("age", np.atleast_1d(np.asarray(age, np.float64))), (n,)).copy()
    if not (np.isfinite(end) & (end > 0)).all() or not ahead > 0:
        raise OutOfRange("age, ahead", (float(end.min()), ahead), "above 0", "in the unit of the model")
    rng, p, k = np.random.default_rng(seed), np.exp(model.theta), model.k
    rate = np.maximum(rng.gamma(p[0], 1 / p[1], n), 1e-300)
    dropout, leaves = np.zeros(n), np.full(n, np.inf)
    if model.model in ("bg", "mbg"):
        dropout = rng.beta(p[2], p[3], n)
    elif model.model == "pareto":
        dropout = np.maximum(rng.gamma(p[2], 1 / p[3], n), 1e-300)
        leaves = rng.exponential(1 / dropout)
    x, t, gaps, later, clock = (np.zeros(n) for _ in range(5))
    there = rng.random(n) >= dropout if model.model == "mbg" else np.ones(n, np.bool_)
    left_at = np.where(there, np.inf, 0.0)
    active = np.flatnonzero(there)
    while len(active):
        gap = rng.gamma(k, 1 / rate[active])
        clock[active] += gap
        seen = clock[active] <= np.minimum(end[active], leaves[active])
        after = ~seen & (clock[active] <= np.minimum(end[active] + ahead, leaves[active]))
        who = active[seen]
        x[who] += 1
        t[who] = clock[who]
        gaps[who] += np.log(gap[seen])
        later[active[after]] += 1
        going = active[seen | after]
        gone = rng.random(len(going)) < (dropout[going] if model.model in ("bg", "mbg") else 0.0)
        left_at[going[gone]] = clock[going[gone]]
        active = going[~gone]
    alive = (left_at > end) & (leaves > end)
    found = Purchases.of(x, t, end, unit=model.unit, log_gaps=gaps)
    return Cohort(purchases=found, rate=rate, dropout=dropout, alive=alive, later=later)
