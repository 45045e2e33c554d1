"""Timing and spend joined: expected orders, P(alive), spend and discounted value, all with intervals.

Two kinds of interval, by name. "expectation": where the expected value lies, given that parameters are estimated
(Laplace posterior of the parameters, outputs linearised on the log or logit scale). "predictive": what will happen to
this customer: the same, plus the randomness of the individual, drawn from the model (see `happening`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
import numpy as np

from crmcore._base import Progress, html_table, reporter
from crmcore.documents import Document, from_dict, to_dict
from crmcore.errors import BadDocument, OutOfRange, UnknownName, WrongType
from crmcore.idic.differentiate.buying.model import MODELS, BuyingModel
from crmcore.idic.differentiate.buying.purchases import UNITS, Purchases
from crmcore.idic.differentiate.clv.discounting import continuous_rate
from crmcore.idic.differentiate.clv.foretelling import expectation, foretold
from crmcore.idic.differentiate.clv.newcomers import NewCustomer, new_customer
from crmcore.idic.differentiate.clv.parts import CustomerRows, Timing
from crmcore.idic.differentiate.clv.posterior import spend_known, timing_known
from crmcore.idic.differentiate.clv.simulating import ValueCohort, simulate_values
from crmcore.idic.differentiate.clv.table import ValueTable
from crmcore.idic.differentiate.spending.gamma_gamma import GammaGamma, GammaGammaModel
from crmcore.metrics.estimates import check_level
from crmcore.tables import OrderTable

__all__ = ["CustomerValueModel"]

_PLAIN = ("margin", "cost_per_order", "reasons", "until", "currency")
_INDEPENDENT = GammaGamma()


@attrs.frozen(kw_only=True)
class CustomerValueModel(Document):
    """A timing model, a spend model, and what of an order stays.

    `fit` makes one from orders; parts that were fitted elsewhere are joined by the constructor.

    Parameters
    ----------
    timing : Timing
        Any fitted model with expected orders and P(alive).
    spend : GammaGammaModel
    margin : share
        Of spend that stays.
    cost_per_order : money
        Cost to serve one order. Customers whose orders leave less than that have a negative value.
    reasons : sentences
        Why these parts were chosen, where `fit` chose them.
    until : aware datetime, optional
        End of the observation that was fitted.
    currency : text, optional
    """

    timing: Timing
    spend: GammaGammaModel
    margin: float = 1.0
    cost_per_order: float = 0.0
    reasons: tuple[str, ...] = ()
    until: datetime | None = None
    currency: str | None = None

    def __attrs_post_init__(self) -> None:
        if not 0 < self.margin <= 1:
            raise OutOfRange("margin", self.margin, "a share above 0, at most 1", "write 30 % as 0.3")
        if not 0 <= self.cost_per_order < math.inf:
            raise OutOfRange("cost_per_order", self.cost_per_order, "a finite amount from 0", "a cost is positive")

    @classmethod
    def fit(
        cls, orders: OrderTable | Purchases | Any, /, *, until: datetime | None = None, unit: str = "week",
        currency: str | None = None, zone: str | None = None, models: Sequence[str] = MODELS,
        spend: GammaGamma = _INDEPENDENT, margin: float = 1.0, cost_per_order: float = 0.0,
        progress: Progress | bool = False,
    ) -> CustomerValueModel:  # fmt: skip
        """From orders to a model of value: the summary, the timing model that fits best, and the spend.

        Parameters
        ----------
        orders : OrderTable, Purchases, or a frame
            A frame has columns customer, time, amount (or amount_minor); other names: `OrderTable.from_frame` first.
        until : aware datetime, optional
            End of observation; None is the day of the last order. `Purchases` know theirs.
        unit : {"day", "week", "month", "year"}
        currency, zone :
            Of a frame, see `OrderTable.from_frame`.
        models : names
            Among which the timing model is chosen, see `choose_model`.
        spend : GammaGamma
            Recipe of the spend model.
        margin : share of spend
        cost_per_order : money
        progress : callable or bool

        Raises
        ------
        EmptyInput
            No orders, or no customer who came back with an amount above 0.
        BadRows
            Orders in several currencies among them.

        Examples
        --------
        >>> from crmcore.idic.differentiate.buying import RepeatBuying, simulate_cohort
        >>> bought = Purchases.of([2, 0, 5, 1, 0, 3], [30, 0, 35, 5, 0, 20], [39] * 6, spend=[9, 0, 8, 12, 0, 10])
        >>> model = CustomerValueModel.fit(bought, margin=0.4)
        >>> print(model.timing.title, len(model.value(bought, horizon_days=365)))
        NBD 6
        """
        from crmcore.idic.differentiate.buying.choosing import choose_model

        tell = reporter(progress)
        seen, table = _purchases(orders, until=until, unit=unit, currency=currency, zone=zone)
        choice = choose_model(seen, models=models, progress=progress)
        tell("spend", 0, 1)
        money = spend.fit(seen.frequency[seen.row], np.nan_to_num(seen.spend))
        tell("spend", 1, 1)
        return cls(
            timing=choice.model, spend=money, margin=margin, cost_per_order=cost_per_order, reasons=choice.reasons,
            until=until, currency=None if table is None else table.currency,
        )  # fmt: skip

    def __str__(self) -> str:
        told = ", ".join(f"{k} = {v:.4g}" for k, v in self.timing.parameters.items())
        return f"{self.title}({told}); {self.spend}"

    @property
    def title(self) -> str:
        """Name of the timing model."""
        return self.timing.title if isinstance(self.timing, BuyingModel) else type(self.timing).__name__

    def report(self) -> str:
        """What was chosen and why, in words."""
        money = self.currency or "money"
        left = f"{100 * self.margin:g} % of spend stays"
        if self.cost_per_order:
            left += f", less {self.cost_per_order:g} {money} to serve an order"
        return "\n".join([f"Timing: {self.timing}", *self.reasons, f"Spend: {self.spend}", f"Margin: {left}"])

    def value(
        self, rows: CustomerRows | Purchases | OrderTable | Any, /, *, horizon_days: float,
        annual_discount: float = 0.10, kind: str = "expectation", level: float = 0.9, draws: int = 500, seed: int = 0,
    ) -> ValueTable:  # fmt: skip
        """Expected orders, P(alive), spend per order and discounted value of each row, with intervals.

        Parameters
        ----------
        rows : CustomerRows, Purchases or OrderTable
            Orders are read until the end of the observation of the fit.
        horizon_days : days
            `inf` needs a discount above 0; expected orders are then counted discounted.
        annual_discount : rate a year
            Converted to continuous time: ln(1 + rate).
        kind : {"expectation", "predictive"}
            See the module. P(alive) always has the interval of the expectation.
        level : coverage of the intervals
        draws, seed :
            Of predictive intervals; those of the expectation need no draws.
        """
        check_level(level)
        if kind not in ("expectation", "predictive"):
            raise UnknownName("kind of interval", kind, ("expectation", "predictive"))
        if not horizon_days > 0:
            raise OutOfRange("horizon_days", horizon_days, "more than 0", "a year is 365")
        if kind == "predictive" and not math.isfinite(horizon_days):
            raise OutOfRange("horizon_days", horizon_days, "finite for predictive intervals", "say until when")
        if not draws >= 100:
            raise OutOfRange("draws", draws, "100 or more", "few draws make rough interval ends")
        read = self._rows(rows)
        horizon, rate = horizon_days / read.unit_days, continuous_rate(annual_discount, unit_days=read.unit_days)
        timing = timing_known(self.timing, read, horizon=horizon, rate=rate)
        spend = spend_known(self.spend, read)
        costs = (self.margin, self.cost_per_order)
        columns, totals = expectation(read, timing, spend, costs=costs, level=level)
        if kind == "predictive":
            lucky, totals = foretold(
                (self.timing, self.spend), read, timing, spend, costs=costs, horizon=horizon, level=level, draws=draws,
                rng=np.random.default_rng(seed),
            )  # fmt: skip
            columns |= lucky
        known = self.timing.covariance is not None and self.spend.covariance is not None
        return ValueTable(
            columns=columns, weights=read.weights, total_low=totals[0], total_high=totals[1], orders_low=totals[2],
            orders_high=totals[3], level=level, kind=kind, customers=read.customers, currency=self.currency,
            method=("laplace" if known else "parts of the parameters at a boundary are held fixed") + f", {kind}",
        )  # fmt: skip

    def new_customer(
        self, *, horizon_days: float = 365.0, annual_discount: float = 0.10, acquisition_cost: float | None = None,
        level: float = 0.9, seed: int = 0,
    ) -> NewCustomer:  # fmt: skip
        """Value of a customer of whom nothing is known yet, from the first order on.

        Parameters
        ----------
        horizon_days : days from the first order
            `inf` needs a discount above 0.
        annual_discount : rate a year
        acquisition_cost : money, optional
            None: the first order has been made, repeat orders alone count. A number, 0 included: the customer is yet
            to be won; the first order counts too, and the cost is taken off.
        level, seed :
            Of the intervals.
        """
        check_level(level)
        return new_customer(
            self.timing, self.spend, costs=(self.margin, self.cost_per_order), unit_days=self._unit_days(),
            horizon_days=horizon_days, annual_discount=annual_discount, acquisition_cost=acquisition_cost,
            level=level, seed=seed,
        )  # fmt: skip

    def simulate(
        self, n: int, /, *, age_days: float, ahead_days: float, seed: int | np.random.Generator
    ) -> ValueCohort:
        """Draw a cohort of n customers with orders and spend from the model, and what they bring afterwards."""
        if not isinstance(self.timing, BuyingModel):
            raise WrongType("timing", type(self.timing).__name__, "a BuyingModel", "fit the timing with RepeatBuying")
        return simulate_values(self.timing, self.spend, n, age_days=age_days, ahead_days=ahead_days, seed=seed)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values.

        Raises
        ------
        WrongType
            The timing model is no `BuyingModel`: it has no known JSON form.
        """
        if not isinstance(self.timing, BuyingModel):
            hint = "save its own parameters, and join the parts again after loading"
            raise WrongType("timing", type(self.timing).__name__, "a BuyingModel", hint)
        rest = {k: to_dict(getattr(self, k)) for k in _PLAIN}
        return {"timing": self.timing.to_dict(), "spend": self.spend.to_dict(), **rest}

    @classmethod
    def from_dict(cls, document: object, /) -> CustomerValueModel:
        """Read what `to_dict` wrote."""
        fields = dict(document) if isinstance(document, Mapping) else {}
        lost = tuple(f"{k}: missing" for k in ("timing", "spend") if not isinstance(fields.get(k), Mapping))
        if lost:
            raise BadDocument("CustomerValueModel", lost, "pass what to_dict wrote")
        timing, spend = BuyingModel.from_dict(fields.pop("timing")), GammaGammaModel.from_dict(fields.pop("spend"))
        rest = from_dict(_Rest, fields)
        return cls(timing=timing, spend=spend, **{k: getattr(rest, k) for k in _PLAIN})

    def _repr_html_(self) -> str:
        rows = [{"part": line.split(": ")[0], "what": line.partition(": ")[2]} for line in self.report().split("\n")]
        return html_table(rows, caption="Customer value")

    def _unit_days(self) -> float:
        if not isinstance(self.timing, BuyingModel):
            raise WrongType("timing", type(self.timing).__name__, "a BuyingModel", "its unit of time must be known")
        return UNITS[self.timing.unit]

    def _rows(self, rows: object) -> CustomerRows:
        if not isinstance(rows, CustomerRows):
            unit = self.timing.unit if isinstance(self.timing, BuyingModel) else "week"
            seen, _ = _purchases(rows, until=self.until, unit=unit, currency=self.currency, zone=None)
            rows = CustomerRows.of_purchases(seen)
        if isinstance(self.timing, BuyingModel) and not math.isclose(rows.unit_days, UNITS[self.timing.unit]):
            allowed = f"{UNITS[self.timing.unit]:g}, the {self.timing.unit} of the timing model"
            raise OutOfRange("unit_days", rows.unit_days, allowed, "measure recency and age in that unit")
        return rows


@attrs.frozen(kw_only=True)
class _Rest:
    """Fields of a model beside its parts, as they lie in JSON."""

    margin: float = 1.0
    cost_per_order: float = 0.0
    reasons: tuple[str, ...] = ()
    until: datetime | None = None
    currency: str | None = None


def _purchases(
    orders: object, *, until: datetime | None, unit: str, currency: str | None, zone: str | None
) -> tuple[Purchases, OrderTable | None]:
    if isinstance(orders, Purchases):
        return orders, None
    read = orders
    if not isinstance(read, OrderTable):
        read = OrderTable.from_frame(read, currency=currency, zone=zone)
    return Purchases.of_orders(read, until=until, unit=unit), read
