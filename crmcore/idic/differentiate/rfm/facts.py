"""From orders to recency, frequency and money: refunds netted, an explicit date, later lines left out."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import check_aware
from crmcore._frames import write_frame
from crmcore.errors import EmptyInput, WrongType
from crmcore.metrics.columns import SAME, held, held_floats, held_whole, instant
from crmcore.metrics.days import Period
from crmcore.metrics.durations.cohorts import RetentionTable, retention
from crmcore.tables import CustomerIndex, OrderTable

__all__ = ["RfmFacts", "check_orders", "cohorts", "purchases", "rfm_facts"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Instants = NDArray[np.datetime64]
_DAY_US = 86_400_000_000


def check_orders(orders: object) -> None:
    """Refuse what is no OrderTable, or an empty one."""
    if not isinstance(orders, OrderTable):
        hint = "read it first: OrderTable.from_frame(frame, currency='THB')"
        raise WrongType("orders", f"a {type(orders).__name__}", "an OrderTable", hint)
    if not len(orders):
        raise EmptyInput("orders", "pass at least one order line")


@attrs.frozen(hash=False, repr=False, kw_only=True)
class RfmFacts:
    """Recency, frequency and money of every customer of an index at one instant.

    Attributes
    ----------
    recency_days : (n,) days since the last purchase; NaN = has not bought
    frequency : (n,) purchases; orders whose lines sum to more than 0. A refund is none
    monetary_minor : (n,) minor units, all lines summed, refunds netted
    now : the instant
    later, unknown : lines left out: after `now`; of nobody who is known
    """

    customers: CustomerIndex = attrs.field(eq=False)
    recency_days: Floats = attrs.field(converter=held_floats, eq=SAME)
    frequency: Ints = attrs.field(converter=held_whole, eq=SAME)
    monetary_minor: Ints = attrs.field(converter=held_whole, eq=SAME)
    currency: str
    now: datetime
    later: int = 0
    unknown: int = 0

    def __len__(self) -> int:
        return len(self.frequency)

    @property
    def buyers(self) -> NDArray[np.bool_]:
        """(n,) whether a customer has bought at least once."""
        return np.asarray(self.frequency > 0)

    def __repr__(self) -> str:
        return (
            f"RfmFacts({int(self.buyers.sum())} buyers of {len(self)} customers, {self.currency}, {self.now:%Y-%m-%d})"
        )

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a customer: customer, recency_days, frequency, monetary_minor."""
        return write_frame(
            {
                "customer": list(self.customers.ids),
                "recency_days": self.recency_days,
                "frequency": self.frequency,
                "monetary_minor": self.monetary_minor,
            },
            backend=backend,
        )


def purchases(orders: OrderTable, *, now: np.datetime64) -> tuple[NDArray[np.int64], Instants, Ints]:
    """Purchases up to an instant: customer, time and net amount of every order that brings more than 0.

    Lines of one order id, or of one instant where no id is given, are one order; its time is its first sale.
    """
    use = (orders.customer >= 0) & (orders.time <= now)
    who = orders.customer[use].astype(np.int64)
    time, amount, order = orders.time[use].view(np.int64), orders.amount_minor[use], orders.order_id.codes[use]
    bare = order < 0
    key = order.astype(np.int64)
    if bare.any():
        key[bare] = len(orders.order_id.values) + np.unique(time[bare], return_inverse=True)[1]
    width = int(key.max(initial=0)) + 1
    _, first, group = np.unique(who * width + key, return_index=True, return_inverse=True)
    net = np.zeros(len(first), np.int64)
    np.add.at(net, group, amount)
    sold = np.full(len(first), np.iinfo(np.int64).max)
    np.minimum.at(sold, group, np.where(amount > 0, time, np.iinfo(np.int64).max))
    bought = net > 0
    return who[first][bought], sold[bought].view("datetime64[us]"), net[bought]


def rfm_facts(orders: OrderTable, *, now: datetime) -> RfmFacts:
    """Recency, frequency and money of every customer of the orders' index.

    Parameters
    ----------
    orders : OrderTable
        Lines in one currency; refunds are negative.
    now : aware datetime
        The analysis date: later lines are left out and counted.

    Returns
    -------
    RfmFacts

    Examples
    --------
    >>> from datetime import UTC
    >>> orders = OrderTable.from_frame(
    ...     {"customer": ["a", "a", "b"], "time": ["2026-01-01", "2026-01-11", "2026-01-11"], "amount": [50, -20, 10]},
    ...     currency="EUR", zone="UTC",
    ... )
    >>> facts = rfm_facts(orders, now=datetime(2026, 1, 31, tzinfo=UTC))
    >>> facts.recency_days.tolist(), facts.frequency.tolist(), facts.monetary_minor.tolist()
    ([30.0, 20.0], [1, 1], [3000, 1000])
    """
    check_orders(orders)
    check_aware(now, "now")
    at, n = instant("now", now), len(orders.customers)
    who, time, _ = purchases(orders, now=at)
    last = np.full(n, np.iinfo(np.int64).min)
    np.maximum.at(last, who, time.view(np.int64))
    use = (orders.customer >= 0) & (orders.time <= at)
    money = np.zeros(n, np.int64)
    np.add.at(money, orders.customer[use], orders.amount_minor[use])
    frequency = np.bincount(who, minlength=n)
    ago = (at.astype("datetime64[us]").astype(np.int64) - np.where(frequency > 0, last, 0)) / _DAY_US
    return RfmFacts(
        customers=orders.customers, recency_days=np.where(frequency > 0, ago, np.nan), frequency=frequency,
        monetary_minor=money, currency=orders.currency, now=now, later=int((orders.time > at).sum()),
        unknown=int((orders.customer < 0).sum()),
    )  # fmt: skip


def cohorts(
    orders: OrderTable, *, until: datetime, period: Period = "month", zone: str | ZoneInfo = "UTC"
) -> RetentionTable:
    """Cohorts by first purchase and who came back; cells that have not ended by `until` are marked as censored.

    Parameters
    ----------
    orders : OrderTable
        Refunds and cancelled orders are no purchase.
    until : aware datetime
        How far the log reaches: a later cell is unknown, never 0.
    period, zone
        Calendar unit and whose calendar, as in `metrics.durations.retention`.

    Returns
    -------
    RetentionTable
        `complete` says which cells are observed to their end.

    Examples
    --------
    >>> from datetime import UTC
    >>> orders = OrderTable.from_frame(
    ...     {"customer": ["a", "a"], "time": ["2026-01-01", "2026-02-11"], "amount": [50, 20]},
    ...     currency="EUR", zone="UTC",
    ... )
    >>> cohorts(orders, until=datetime(2026, 3, 1, tzinfo=UTC)).active.tolist()
    [[1, 1], [0, 0]]
    """
    check_orders(orders)
    check_aware(until, "until")
    who, time, _ = purchases(orders, now=instant("until", until))
    if not len(who):
        raise EmptyInput("purchases up to until", "pass orders that bring more than 0, or a later date")
    return retention(held(who), time, until=until, period=period, zone=zone)
