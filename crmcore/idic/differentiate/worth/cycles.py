"""Order cycles: how long a customer waits between purchases, and when the next one is due."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import check_aware, html_table
from crmcore._frames import write_frame
from crmcore.idic.differentiate.rfm.facts import check_orders, purchases
from crmcore.metrics.columns import SAME, held, held_floats, held_whole, instant
from crmcore.metrics.estimates import check_level
from crmcore.metrics.intervals import t_interval
from crmcore.tables import CustomerIndex, OrderTable

__all__ = ["OrderCycles", "order_cycles"]

Floats = NDArray[np.float64]
_DAY_US = 86_400_000_000


@attrs.frozen(hash=False, repr=False, kw_only=True)
class OrderCycles:
    """Order cycle of every customer of an index; row i is customer i.

    Attributes
    ----------
    total_minor : (n,) minor units, refunds netted into their orders
    orders : (n,) days with a purchase
    cycle_days : (n,) median days between them; NaN with fewer than two
    spread : (n,) standard deviation of the logarithm of the gaps; 0 = as regular as a clock, NaN with fewer than three
    due : (n,) instant of the last purchase + cycle; NaT where there is no cycle
    due_low, due_high : (n,) prediction interval of the next purchase; NaT with fewer than three purchases
    overdue : (n,) whether `now` is past `due_high` (past `due` where there is no interval)
    """

    customers: CustomerIndex = attrs.field(eq=False)
    now: datetime
    level: float
    currency: str
    total_minor: NDArray[np.int64] = attrs.field(converter=held_whole, eq=SAME)
    orders: NDArray[np.int64] = attrs.field(converter=held_whole, eq=SAME)
    cycle_days: Floats = attrs.field(converter=held_floats, eq=SAME)
    spread: Floats = attrs.field(converter=held_floats, eq=SAME)
    due: NDArray[np.datetime64] = attrs.field(converter=held, eq=False)
    due_low: NDArray[np.datetime64] = attrs.field(converter=held, eq=False)
    due_high: NDArray[np.datetime64] = attrs.field(converter=held, eq=False)
    overdue: NDArray[np.bool_] = attrs.field(converter=held, eq=SAME)

    def __len__(self) -> int:
        return len(self.orders)

    def __str__(self) -> str:
        known = ~np.isnan(self.cycle_days)
        if not known.any():
            return f"{len(self):,} customers, none with a cycle: two days with a purchase are needed"
        middle = float(np.median(self.cycle_days[known]))
        late = int(self.overdue.sum())
        some = f"{int(known.sum()):,} of {len(self):,} customers have a cycle"
        return f"{some} (median {middle:.3g} days); {late:,} are overdue"

    def __repr__(self) -> str:
        return f"OrderCycles({self})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a customer."""
        names = ("total_minor", "orders", "cycle_days", "spread", "due", "due_low", "due_high", "overdue")
        columns = {name: getattr(self, name) for name in names}
        return write_frame({"customer": list(self.customers.ids), **columns}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table([{"customers": len(self), "overdue": int(self.overdue.sum())}], caption=str(self))


def _medians(group: NDArray[np.int64], values: Floats, n: int) -> Floats:
    """Median of the values of every group; NaN where it has none."""
    order = np.lexsort((values, group))
    count = np.bincount(group, minlength=n)
    start = np.cumsum(count) - count
    there = count > 0
    made = np.full(n, np.nan)
    ranked = values[order]
    low, high = start + (count - 1) // 2, start + count // 2
    made[there] = (ranked[low[there]] + ranked[high[there]]) / 2
    return made


def order_cycles(orders: OrderTable, *, now: datetime, level: float = 0.8) -> OrderCycles:
    """Find each customer's total, order cycle and next due date.

    Purchases of one day (UTC) are one. The cycle is the median gap, so that one long holiday moves it little. The next
    gap is predicted on the logarithm: exp(mean ± t s sqrt(1 + 1/k)) of k gaps, Student's t with k - 1 degrees.

    Parameters
    ----------
    orders : OrderTable
        Refunds are netted and are no purchase; lines after `now` take no part.
    now : aware datetime
    level : share
        Coverage of the prediction interval of the next purchase.

    Examples
    --------
    >>> from datetime import UTC
    >>> orders = OrderTable.from_frame(
    ...     {"customer": ["a"] * 3, "time": ["2026-01-01", "2026-01-31", "2026-03-02"], "amount": [100, 100, 100]},
    ...     currency="THB", zone="UTC",
    ... )
    >>> found = order_cycles(orders, now=datetime(2026, 3, 10, tzinfo=UTC))
    >>> found.total_minor.tolist(), found.cycle_days.tolist(), str(found.due[0].astype("datetime64[D]"))
    ([30000], [30.0], '2026-04-01')
    """
    check_orders(orders)
    check_aware(now, "now")
    check_level(level)
    at, n = instant("now", now).astype("datetime64[us]"), len(orders.customers)
    who, time, net = purchases(orders, now=at)
    total = np.zeros(n, np.int64)
    np.add.at(total, who, net)
    rank = np.lexsort((time, who))
    who, at_us = who[rank], np.asarray(time[rank].view(np.int64), np.int64)
    first = np.ones(len(who), np.bool_)
    day = at_us // _DAY_US
    first[1:] = (who[1:] != who[:-1]) | (day[1:] != day[:-1])
    who, at_us = who[first], at_us[first]
    same = who[1:] == who[:-1]
    group, gaps = who[1:][same], (np.diff(at_us)[same] / _DAY_US).astype(np.float64)
    cycle = _medians(group, gaps, n)
    count = np.bincount(group, minlength=n).astype(np.float64)
    log = np.log(gaps)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(group, weights=log, minlength=n) / count
        square = np.bincount(group, weights=(log - mean[group]) ** 2, minlength=n)
        spread = np.where(count > 1, np.sqrt(square / (count - 1)), np.nan)
        error = spread * np.sqrt(1 + 1 / count)
    ends = t_interval(mean, error, np.maximum(count - 1, 1), level=level)
    last = np.full(n, np.iinfo(np.int64).min)
    np.maximum.at(last, who, at_us)
    due = _after(last, cycle)
    low, high = (_after(last, np.exp(np.minimum(e, 12.0))) for e in ends)
    line = np.where(np.isnat(high), due, high)
    return OrderCycles(
        customers=orders.customers, now=now, level=level, currency=orders.currency, total_minor=total,
        orders=np.bincount(who, minlength=n), cycle_days=cycle, spread=spread, due=due, due_low=low, due_high=high,
        overdue=line < at,
    )  # fmt: skip


def _after(last: NDArray[np.int64], days: Floats) -> NDArray[np.datetime64]:
    """Instants some days after the last purchase; NaT where the days are unknown."""
    made = np.full(len(last), np.datetime64("NaT", "us"))
    known = ~np.isnan(days)
    made[known] = (last[known] + np.rint(days[known] * _DAY_US).astype(np.int64)).view("datetime64[us]")
    return made
