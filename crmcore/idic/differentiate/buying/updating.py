"""New orders for purchases that were read before, and a split in time that cannot leak."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import EmptyInput, OutOfRange
from crmcore.idic.differentiate.buying.days import DAY_US, check_orders, days_bought, us_of
from crmcore.idic.differentiate.buying.purchases import Purchases
from crmcore.idic.differentiate.buying.season import SeasonIndex
from crmcore.tables import CustomerIndex, OrderTable
from crmcore.values import minor_digits

__all__ = ["TimeSplit", "split_orders", "with_later_orders"]

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TimeSplit:
    """Purchases before an instant, and what the same customers bought after it.

    Attributes
    ----------
    seen : purchases before the split; nothing later took part
    later : (n,) purchases of each of their customers after it
    horizon : length of the later period, in the unit of `seen`
    """

    seen: Purchases
    later: Floats
    horizon: float

    def __repr__(self) -> str:
        return f"TimeSplit({len(self.seen)} customers, {self.horizon:g} {self.seen.unit}s ahead)"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a customer: those of `Purchases.to_frame`, and later."""
        from crmcore.metrics.columns import columns_frame

        s, (t, age) = self.seen, self.seen.in_calendar_time()
        ids = {} if s.customers is None else {"customer": list(s.customers.ids)}
        cells = {"frequency": s.frequency[s.row], "recency": t, "age": age, "spend": s.spend}
        return columns_frame({**ids, **cells, "later": self.later}, backend=backend)


def split_orders(
    orders: OrderTable, /, *, at: datetime, until: datetime, unit: str = "week",
    born: tuple[datetime, datetime] | None = None, calendar: SeasonIndex | None = None,
) -> TimeSplit:  # fmt: skip
    """Split orders in time: fit on `seen`, hold the forecast for `horizon` against `later`.

    Parameters
    ----------
    orders : OrderTable
    at, until : aware datetimes
        Begin and end (excluded) of the later period; `at` is the midnight (UTC) of a day, since purchases of a day
        are one.
    unit, born, calendar
        As for `Purchases.of_orders`.

    Examples
    --------
    >>> from datetime import UTC
    >>> orders = OrderTable.from_frame(
    ...     {"customer": ["a", "a", "b"], "time": ["2026-01-01", "2026-01-15", "2026-01-08"], "amount": [5, 7, 9]},
    ...     currency="EUR", zone="UTC",
    ... )
    >>> at, until = datetime(2026, 1, 9, tzinfo=UTC), datetime(2026, 1, 23, tzinfo=UTC)
    >>> split_orders(orders, at=at, until=until).later.tolist()
    [1.0, 0.0]
    """
    begin, end = _midnight(at, "at"), us_of(until, "until")
    seen = Purchases.of_orders(orders, until=at, unit=unit, born=born, calendar=calendar)
    later = seen.bought_after(orders, since=at, until=until)
    return TimeSplit(seen=seen, later=later, horizon=(end - begin) / DAY_US / seen.unit_days)


def with_later_orders(
    purchases: Purchases, orders: OrderTable, /, *, since: datetime, until: datetime, newcomers: bool = True
) -> Purchases:
    """Carry purchases on to a later end without reading the old orders again.

    Parameters
    ----------
    purchases : Purchases
        With ids, observed until `since`.
    orders : OrderTable
        Lines before `since` or from `until` on take no part.
    since, until : aware datetimes
        Midnights (UTC): the end of `purchases`, and the new one.
    newcomers : truth
        Whether customers unknown so far are added; False keeps a cohort what it is.

    Notes
    -----
    Equal to `Purchases.of_orders` on all orders until `until`, in the order of customers too but for newcomers, who
    come last. `left_out` speaks of the later orders only.
    """
    check_orders(orders)
    if purchases.customers is None:
        raise EmptyInput("the ids of the customers", "read the purchases from orders")
    begin, end = _midnight(since, "since"), _midnight(until, "until")
    if end <= begin:
        raise OutOfRange("until", until.isoformat(), f"later than {since.isoformat()}", "turn the two around")
    n, days, r = len(purchases), purchases.unit_days, purchases.row
    old = purchases.customers.ids
    place = {c: i for i, c in enumerate(old)}
    code = np.array([place.setdefault(c, len(place)) for c in orders.customers.ids] + [-1], np.int64)
    who, time = code[orders.customer], orders.time.astype("datetime64[us]").view(np.int64)
    use = (who >= 0) & (time >= begin) & (time < end) & (newcomers | (who < n))
    who, day, net, dropped = days_bought(who[use], time[use], orders.amount_minor[use])
    # before their new days, customers stand at the last old one
    x, gaps = purchases.frequency[r], (purchases.log_gaps / purchases.weight)[r]
    index, (t, age) = purchases.calendar, purchases.in_calendar_time()
    size = len(place)
    birth, there = np.zeros(size, np.int64), np.arange(size) < n
    birth[:n] = begin // DAY_US - 1 - np.rint(age * days).astype(np.int64)
    last = birth.copy()
    last[:n] += np.rint(t * days).astype(np.int64)
    first = np.flatnonzero(np.append(True, who[1:] != who[:-1])) if len(who) else np.zeros(0, np.int64)
    fresh = first[who[first] >= n]
    there[who[fresh]] = True
    birth[who[fresh]] = last[who[fresh]] = day[fresh]
    before = np.append(-1, day[:-1])[: len(day)]
    before[first] = last[who[first]]
    repeat = np.ones(len(who), np.bool_)
    repeat[fresh] = False
    who_, clock = who[repeat], _clock(index)
    gap = (clock(day) - clock(before))[repeat] / days
    counts = np.bincount(who_, minlength=size).astype(np.float64)
    logs = np.bincount(who_, np.log(gap), size).astype(np.float64)
    money = np.bincount(who_, net[repeat] / 10.0 ** minor_digits(orders.currency), size).astype(np.float64)
    counts[:n] += x
    logs[:n] += gaps
    money[:n] += np.where(x > 0, np.nan_to_num(purchases.spend) * x, 0.0)
    np.maximum.at(last, who, day)
    keep = np.flatnonzero(there)
    ids = list(place)
    spend = np.divide(money, counts, out=np.full(size, np.nan), where=counts > 0)
    rates = None
    if index is not None and purchases.log_rates is not None:
        rates = np.bincount(who_, np.log(index.rate_at(day[repeat])), size).astype(np.float64)
        rates[:n] += (purchases.log_rates / purchases.weight)[r]
        rates = rates[keep]
    zero, final = clock(birth), end // DAY_US - 1
    return Purchases._merged(
        counts[keep], ((clock(last) - zero) / days)[keep], ((clock(np.array(final)) - zero) / days)[keep], logs[keep],
        spend[keep], unit=purchases.unit, customers=CustomerIndex(tuple(ids[i] for i in keep.tolist())),
        left_out={"days without a net purchase": dropped}, log_rates=rates, calendar=index, last_day=float(final),
    )  # fmt: skip


def _clock(index: SeasonIndex | None) -> Callable[[NDArray[np.int64]], Floats]:
    """Day numbers as they are, or as seasonal ones."""
    return (lambda day: day.astype(np.float64)) if index is None else index.clock


def _midnight(when: datetime, name: str) -> int:
    us = us_of(when, name)
    if us % DAY_US:
        raise OutOfRange(
            name, when.isoformat(), "a midnight in UTC", "purchases of one day are one: split between days"
        )
    return us
