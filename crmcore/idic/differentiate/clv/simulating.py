"""Cohorts with orders and spend whose truth is known: to check intervals, to plan, to teach."""

from __future__ import annotations

import math
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import OutOfRange
from crmcore.idic.differentiate.buying.model import BuyingModel
from crmcore.idic.differentiate.buying.purchases import UNITS
from crmcore.idic.differentiate.buying.simulating import simulate_cohort
from crmcore.idic.differentiate.clv.parts import CustomerRows
from crmcore.idic.differentiate.spending.gamma_gamma import GammaGammaModel
from crmcore.metrics.columns import columns_frame

__all__ = ["ValueCohort", "simulate_values"]

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ValueCohort:
    """A simulated cohort: what is seen of it, and what is true.

    Attributes
    ----------
    rows : CustomerRows
        As they would be read at the end of observation.
    alive : (n,) whether the customer is still there
    mean_spend : (n,) true mean spend per order of each customer
    log_gaps : (n,) sum of log units between orders, for models of regular buyers
    later_orders, later_spend : (n,) orders and money in the time after the end
    """

    rows: CustomerRows
    alive: NDArray[np.bool_]
    mean_spend: Floats
    log_gaps: Floats
    later_orders: Floats
    later_spend: Floats

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"ValueCohort({len(self)} customers, {int(self.alive.sum())} still there)"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a customer: what is seen, then what is true."""
        seen = {k: getattr(self.rows, k) for k in ("frequency", "recency", "age", "mean_spend")}
        true = {
            "alive": self.alive, "true_mean_spend": self.mean_spend, "later_orders": self.later_orders,
            "later_spend": self.later_spend,
        }  # fmt: skip
        return columns_frame({**seen, **true}, backend=backend)


def simulate_values(
    timing: BuyingModel, spend: GammaGammaModel, n: int, /, *, age_days: float, ahead_days: float,
    seed: int | np.random.Generator,
) -> ValueCohort:  # fmt: skip
    """Draw a cohort: orders from the timing model, then a mean spend of each customer and the money of the orders.

    Parameters
    ----------
    age_days, ahead_days : days
        How long each is watched from the first order on, and for how long after that truth is drawn.
    """
    for name, days in (("age_days", age_days), ("ahead_days", ahead_days)):
        if not 0 < days < math.inf:
            raise OutOfRange(name, days, "a finite number of days above 0", "a year is 365")
    unit, rng = UNITS[timing.unit], np.random.default_rng(seed)
    cohort = simulate_cohort(timing, n, age=age_days / unit, ahead=ahead_days / unit, seed=rng)
    rows = CustomerRows.of_purchases(cohort.purchases)
    x, later = rows.frequency, cohort.later
    gaps = (cohort.purchases.log_gaps / cohort.purchases.weight)[cohort.purchases.row]
    lift = np.where(x > 0, np.maximum(x, 1.0) ** spend.power, math.exp(spend.power * spend.log_frequency))
    per_v = lift * spend.gamma / np.maximum(rng.gamma(spend.q, size=n), 1e-300)
    seen, to_come = (
        np.where(c > 0, rng.gamma(spend.p * np.maximum(c, 1.0)) * per_v, 0.0) / over
        for c, over in ((x, np.maximum(x, 1.0)), (later, 1.0))
    )
    return ValueCohort(
        rows=attrs.evolve(rows, mean_spend=seen), alive=cohort.alive, mean_spend=spend.p * per_v, log_gaps=gaps,
        later_orders=later, later_spend=to_come,
    )  # fmt: skip
