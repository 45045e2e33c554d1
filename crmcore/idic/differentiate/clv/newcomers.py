"""What a customer is worth of whom nothing is known: to price a campaign before anybody answered it."""

from __future__ import annotations

import math
from typing import Any

import attrs
import numpy as np

from crmcore._base import html_table
from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.idic.differentiate.clv.discounting import continuous_rate
from crmcore.idic.differentiate.clv.foretelling import shifts
from crmcore.idic.differentiate.clv.parts import CustomerRows, Timing
from crmcore.idic.differentiate.clv.posterior import Known, spend_known, timing_known
from crmcore.idic.differentiate.spending.gamma_gamma import GammaGammaModel
from crmcore.metrics.estimates import Estimate, estimate_of, frame_of

__all__ = ["NewCustomer", "new_customer"]

DRAWS = 4000


@attrs.frozen(kw_only=True)
class NewCustomer(Document):
    """Expectation for one new customer, with intervals of the expectation.

    Attributes
    ----------
    orders : Estimate
        Repeat orders, discounted (DERT of a new customer where the horizon is infinite).
    spend : Estimate
        Per order.
    value : Estimate
        Discounted contribution; with the first order and without the acquisition cost where such a cost was given.
    """

    orders: Estimate
    spend: Estimate
    value: Estimate

    def __str__(self) -> str:
        return f"a new customer is worth {self.value}"

    def _all(self) -> tuple[Estimate, ...]:
        return self.orders, self.spend, self.value

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a measure."""
        return frame_of([attrs.asdict(e) for e in self._all()], backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"measure": e.rule, "value": e.value, "low": e.low, "high": e.high} for e in self._all()]
        return html_table(rows, caption="A new customer")


def new_customer(
    timing: Timing, spend: GammaGammaModel, /, *, costs: tuple[float, float], unit_days: float, horizon_days: float,
    annual_discount: float, acquisition_cost: float | None, level: float, seed: int,
) -> NewCustomer:  # fmt: skip
    """See `CustomerValueModel.new_customer`."""
    if not horizon_days > 0:
        raise OutOfRange("horizon_days", horizon_days, "more than 0", "a year is 365")
    if acquisition_cost is not None and not 0 <= acquisition_cost < math.inf:
        raise OutOfRange("acquisition_cost", acquisition_cost, "a finite amount from 0", "None leaves it out")
    rows = CustomerRows.of([0.0], [0.0], [0.0], mean_spend=[0.0], unit_days=unit_days)
    rate = continuous_rate(annual_discount, unit_days=unit_days)
    known = timing_known(timing, rows, horizon=horizon_days / unit_days, rate=rate)["orders"]
    each, rng, (margin, cost) = spend_known(spend, rows), np.random.default_rng(seed), costs
    first, won = (0.0, 0.0) if acquisition_cost is None else (1.0, acquisition_cost)
    orders, money = (_drawn(k, m, rng) for k, m in ((known, timing), (each, spend)))
    value = (first + orders) * (money * margin - cost) - won
    told = "repeat orders" if acquisition_cost is None else "first and repeat orders, less the cost to win"
    rules = ("discounted repeat orders", "spend per order", f"discounted value of {told}")
    edge = timing.covariance is None or spend.covariance is None
    method = "parts of the parameters at a boundary are held fixed" if edge else "laplace"
    ends = [(1 - level) / 2, (1 + level) / 2]
    found = []
    for rule, cells in zip(rules, (orders, money, value), strict=True):
        low, high = np.quantile(cells[1:], ends).tolist()
        found.append(estimate_of(float(cells[0]), low, high, level=level, n=spend.n, rule=rule, method=method))
    return NewCustomer(orders=found[0], spend=found[1], value=found[2])


def _drawn(
    known: Known, model: Timing | GammaGammaModel, rng: np.random.Generator
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(1 + draws,) the value, then draws of it."""
    moved = known.moved(shifts(model, DRAWS, rng), rng.standard_normal(DRAWS), rows=np.zeros(1, np.int64))[:, 0]
    return np.asarray(known.value[0] * np.exp(np.concatenate([[0.0], moved])))
