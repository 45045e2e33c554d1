"""From orders to what repeat-buying models need: how often, until when, and for how long each customer was watched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import check_aware, html_table
from crmcore.errors import BadDocument, EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.metrics.columns import columns_frame, held, held_floats, instant, numbers, refuse
from crmcore.tables import CustomerIndex, OrderTable
from crmcore.values import minor_digits

__all__ = ["UNITS", "Purchases"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNITS: Mapping[str, float] = {"day": 1.0, "week": 7.0, "month": 365.2425 / 12, "year": 365.2425}
"""Days in a unit of time."""
_DAY_US = 86_400_000_000


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Purchases:
    """Repeat purchases of customers; customers who look alike to a model are one row with a weight.

    Attributes
    ----------
    frequency : (m,) repeat purchases; the first one is not counted
    recency : (m,) units from the first purchase to the last; 0 without a repeat
    age : (m,) units from the first purchase to the end of observation
    log_gaps : (m,) sum over the customers of the row of log units between purchases
    weight : (m,) customers
    row : (n,) row of each customer
    spend : (n,) mean amount of the repeat purchases, major units; NaN without one
    unit : {"day", "week", "month", "year"}
    customers : index of the n customers, or None
    left_out : counts of what took no part, by reason
    """

    frequency: Floats = attrs.field(converter=held_floats)
    recency: Floats = attrs.field(converter=held_floats)
    age: Floats = attrs.field(converter=held_floats)
    log_gaps: Floats = attrs.field(converter=held_floats)
    weight: Floats = attrs.field(converter=held_floats)
    row: Ints = attrs.field(converter=held)
    spend: Floats = attrs.field(converter=held_floats)
    unit: str
    customers: CustomerIndex | None = None
    left_out: Mapping[str, int] = attrs.field(factory=dict)

    @classmethod
    def of(
        cls, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, /, *, unit: str = "week",
        spend: ArrayLike | None = None, log_gaps: ArrayLike | None = None, customers: CustomerIndex | None = None,
    ) -> Purchases:  # fmt: skip
        """Read a summary table, one row a customer; equal rows are merged.

        Raises
        ------
        BadRows
            Rows that contradict themselves: negative or missing numbers, recency above age, a repeat purchase at age
            0, recency without a repeat; all at once.

        Examples
        --------
        >>> Purchases.of([2, 0, 0], [30.43, 0, 0], [38.86, 38.86, 38.86])
        Purchases(3 customers in 2 rows, week)
        """
        x, t, end = (numbers(n, c) for n, c in (("frequency", frequency), ("recency", recency), ("age", age)))
        n = len(x)
        if not n:
            raise EmptyInput("the customers", "pass at least one")
        if not len(t) == len(end) == n:
            raise OutOfRange("recency, age", (len(t), len(end)), f"{n} rows, as frequency", "one row a customer")
        if customers is not None and len(customers) != n:
            hint = "CustomerIndex(ids) keeps the order of rows; CustomerIndex.of sorts"
            raise OutOfRange("len(customers)", len(customers), f"{n}, as frequency", hint)
        if unit not in UNITS:
            raise UnknownName("unit", unit, tuple(UNITS))
        fine = [np.isfinite(c) & (c >= 0) for c in (x, t, end)]
        whole = fine[0] & (x == np.floor(np.where(fine[0], x, 0)))
        sound = fine[0] & fine[1] & fine[2]
        with np.errstate(invalid="ignore"):
            over, idle = sound & (t > end * (1 + 1e-12) + 1e-12), sound & (x == 0) & (t > 0)
            at_once = sound & (x > 0) & (t <= 0)
        refuse(
            "Purchases", "frequency counts repeat purchases; 0 < recency <= age where there is one",
            frequency=(~whole, "no whole number from 0"), recency=(~fine[1], "not a finite number from 0"),
            age=(~fine[2], "not a finite number from 0"), recency_above_age=(over, "the last purchase after the end"),
            recency_without_repeat=(idle, "recency where nothing was bought again"),
            repeat_without_recency=(at_once, "a repeat purchase at the time of the first"),
        )  # fmt: skip
        money = np.full(n, np.nan) if spend is None else np.where(x > 0, numbers("spend", spend), np.nan)
        gaps = np.zeros(n) if log_gaps is None else numbers("log_gaps", log_gaps, infinite_ok=False)
        return cls._merged(x, t, end, gaps, money, unit=unit, customers=customers)

    @classmethod
    def _merged(
        cls, x: Floats, t: Floats, age: Floats, gaps: Floats, spend: Floats, *, unit: str,
        customers: CustomerIndex | None, left_out: Mapping[str, int] | None = None,
    ) -> Purchases:  # fmt: skip
        order = _order(x, t, age, UNITS[unit])
        fresh = np.ones(len(x), np.bool_)
        a, b, c = x[order], t[order], age[order]
        fresh[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1]) | (c[1:] != c[:-1])
        row = np.empty(len(x), np.int64)
        row[order] = np.cumsum(fresh) - 1
        m = int(fresh.sum())
        return cls(
            frequency=a[fresh], recency=b[fresh], age=c[fresh], log_gaps=np.bincount(row, gaps, m),
            weight=np.bincount(row, minlength=m), row=row, spend=spend, unit=unit, customers=customers,
            left_out=dict(left_out or {}),
        )  # fmt: skip

    @classmethod
    def of_orders(
        cls, orders: OrderTable, /, *, until: datetime | None = None, unit: str = "week",
        born: tuple[datetime, datetime] | None = None,
    ) -> Purchases:  # fmt: skip
        """Read orders; purchases of one customer on one day (UTC) are one, returns are netted within it.

        Parameters
        ----------
        orders : OrderTable
        until : aware datetime, optional
            End of observation, excluded; later orders take no part. None takes the end of the day of the last order;
            a later one than that is usual, and says that nothing was bought since.
        unit : {"day", "week", "month", "year"}
        born : (from, before), optional
            Keep customers whose first purchase lies within.

        Raises
        ------
        WrongType, EmptyInput
            No orders, or none that brings more than 0.

        Notes
        -----
        A day on which returns take back all that was bought, or more, is no purchase; a free order is one. `left_out`
        counts orders of nobody who is known, after the
        end, days without a net purchase, and customers born outside.

        Examples
        --------
        >>> orders = OrderTable.from_frame(
        ...     {"customer": ["a", "a", "b"], "time": ["2026-01-01", "2026-01-15", "2026-01-08"], "amount": [5, 7, 9]},
        ...     currency="EUR", zone="UTC",
        ... )
        >>> found = Purchases.of_orders(orders)
        >>> found.frequency.tolist(), found.recency.tolist(), found.age.round(3).tolist()
        ([0.0, 1.0], [0.0, 2.0], [0.857, 2.0])
        """
        _check_orders(orders)
        if unit not in UNITS:
            raise UnknownName("unit", unit, tuple(UNITS))
        time = orders.time.astype("datetime64[us]").view(np.int64)
        if not len(time):
            raise EmptyInput("orders", "pass at least one order line")
        end = (int(time.max()) // _DAY_US) * _DAY_US + 1 if until is None else _us(until, "until")
        known, early = orders.customer >= 0, time < end
        use = known & early
        left = {"orders of nobody known": int((~known).sum()), "orders after the end": int((known & ~early).sum())}
        who = orders.customer[use].astype(np.int64)
        if not len(who):
            raise EmptyInput("orders before the end", "take a later end, or orders of known customers")
        who, day, net, left["days without a net purchase"] = _days_bought(who, time[use], orders.amount_minor[use])
        if not len(who):
            raise EmptyInput("purchases", "no order brings more than 0 before the end")
        return cls._of_days(
            who,
            day,
            net / 10.0 ** minor_digits(orders.currency),
            end / _DAY_US,
            orders,
            unit=unit,
            born=born,
            left=left,
        )

    @classmethod
    def _of_days(
        cls, who: Ints, day: Ints, net: Floats, end_day: float, orders: OrderTable, *, unit: str,
        born: tuple[datetime, datetime] | None, left: dict[str, int],
    ) -> Purchases:  # fmt: skip
        """Days of purchases, by customer and day."""
        days = UNITS[unit]
        first = np.flatnonzero(np.append(True, who[1:] != who[:-1]))
        size = np.diff(np.append(first, len(who)))
        birth, last = day[first], day[first + size - 1]
        gap = np.zeros(len(who))
        gap[1:] = (day[1:] - day[:-1]) / days
        gap[first] = 1.0
        logs = np.add.reduceat(np.log(gap), first)
        money = np.add.reduceat(net, first) - net[first]
        keep = np.ones(len(first), np.bool_)
        if born is not None:
            low, high = (_us(b, "born") / _DAY_US for b in born)
            keep = (birth >= low) & (birth < high)
            left["customers born outside"] = int((~keep).sum())
            if not keep.any():
                raise EmptyInput("customers born within the window", "take a wider one")
        x = (size - 1).astype(np.float64)
        spend = np.divide(money, x, out=np.full(len(x), np.nan), where=x > 0)
        ids = CustomerIndex(tuple(orders.customers.ids[c] for c in who[first][keep].tolist()))
        # the end is the beginning of a day for whole days: the last observed day is the one before
        age = np.maximum(np.floor(end_day - 1e-9) - birth, last - birth) / days
        return cls._merged(
            x[keep], ((last - birth) / days)[keep], age[keep], logs[keep], spend[keep], unit=unit, customers=ids,
            left_out=left,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.row)

    def __repr__(self) -> str:
        return f"Purchases({len(self)} customers in {len(self.frequency)} rows, {self.unit})"

    def __str__(self) -> str:
        again = float(self.weight[self.frequency > 0].sum()) / len(self)
        told = ", ".join(f"{n:,} {what}" for what, n in self.left_out.items() if n)
        head = f"{len(self):,} customers, {again:.1%} bought again, {self.repeats:,.0f} repeat purchases"
        return head + (f"; left out: {told}" if told else "")

    @property
    def repeats(self) -> float:
        """Repeat purchases of all customers."""
        return float(self.weight @ self.frequency)

    @property
    def unit_days(self) -> float:
        """Days in a unit."""
        return UNITS[self.unit]

    def thinned(self, rows: int, /) -> Purchases:
        """About so many of the distinct rows, evenly through their order; customers and spend are left behind."""
        pick = np.unique(np.linspace(0, len(self.frequency) - 1, rows).astype(np.int64))
        cells = {k: getattr(self, k)[pick] for k in ("frequency", "recency", "age", "log_gaps", "weight")}
        return attrs.evolve(self, **cells, row=np.arange(len(pick)), spend=np.full(len(pick), np.nan), customers=None)

    def take(self, customers: ArrayLike, /) -> Purchases:
        """Some of the customers, by position or mask."""
        rows = np.arange(len(self))[np.asarray(customers)]
        if not len(rows):
            raise EmptyInput("customers", "choose at least one")
        r = self.row[rows]
        ids = None if self.customers is None else CustomerIndex(tuple(self.customers.ids[i] for i in rows.tolist()))
        gaps = (self.log_gaps / self.weight)[r]
        return Purchases._merged(
            self.frequency[r], self.recency[r], self.age[r], gaps, self.spend[rows], unit=self.unit, customers=ids
        )

    def bought_after(self, orders: OrderTable, /, *, since: datetime, until: datetime) -> Floats:
        """(n,) purchases of each customer in a later period: what a forecast from these purchases is held against.

        Days of purchase with a net amount above 0 in [since, until); customers unknown here do not count.
        """
        if self.customers is None:
            raise EmptyInput("the ids of the customers", "read the purchases from orders")
        begin, end = _us(since, "since"), _us(until, "until")
        if end <= begin:
            raise OutOfRange("until", until.isoformat(), f"later than {since.isoformat()}", "turn the two around")
        time = orders.time.astype("datetime64[us]").view(np.int64)
        here = self.customers.codes(orders.customers.ids)
        who = np.where(orders.customer >= 0, here[orders.customer], -1).astype(np.int64)
        use = (who >= 0) & (time >= begin) & (time < end)
        bought, _, _, _ = _days_bought(who[use], time[use], orders.amount_minor[use])
        return np.bincount(bought, minlength=len(self)).astype(np.float64)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a customer: customer (where known), frequency, recency, age, spend."""
        r = self.row
        ids = {} if self.customers is None else {"customer": list(self.customers.ids)}
        columns = {"frequency": self.frequency[r], "recency": self.recency[r], "age": self.age[r], "spend": self.spend}
        return columns_frame({**ids, **columns}, backend=backend)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, one cell a customer; ids are in it."""
        r = self.row
        gaps = (self.log_gaps / self.weight)[r]
        return {
            "unit": self.unit, "frequency": self.frequency[r].tolist(), "recency": self.recency[r].tolist(),
            "age": self.age[r].tolist(), "log_gaps": gaps.tolist(),
            "spend": [None if s != s else s for s in self.spend.tolist()],
            "customers": None if self.customers is None else list(self.customers.ids),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Purchases:
        """Read what `to_dict` wrote."""
        lost = tuple(f"{k}: missing" for k in ("unit", "frequency", "recency", "age") if k not in document)
        if lost:
            raise BadDocument("Purchases", lost, "pass what to_dict wrote")
        ids = document.get("customers")
        return cls.of(
            document["frequency"], document["recency"], document["age"], unit=document["unit"],
            spend=document.get("spend"), log_gaps=document.get("log_gaps"),
            customers=None if ids is None else CustomerIndex(tuple(ids)),
        )  # fmt: skip

    def _repr_html_(self) -> str:
        order = np.argsort(-self.weight, kind="stable")[:8].tolist()
        rows = [
            {
                "frequency": self.frequency[i],
                "recency": self.recency[i],
                "age": self.age[i],
                "customers": self.weight[i],
            }
            for i in order
        ]
        return html_table(rows, caption=str(self))


def _order(x: Floats, t: Floats, age: Floats, unit_days: float) -> Ints:
    """Rows by frequency, recency and age; where all lie on whole days, by one sort of packed whole numbers."""
    columns, bits = [], (max(len(x) - 1, 1)).bit_length()
    for column, scale in ((x, 1.0), (t, unit_days), (age, unit_days)):
        grid = np.rint(column * scale)
        if np.abs(column * scale - grid).max() > 1e-7 or grid.max() >= 2**31:
            return np.lexsort((age, t, x))
        columns.append((grid.astype(np.uint64), int(grid.max()).bit_length()))
    if bits + sum(width for _, width in columns) > 64:
        return np.lexsort((age, t, x))
    key = np.zeros(len(x), np.uint64)
    for cells, width in columns:
        key = (key << np.uint64(width)) | cells
    key = (key << np.uint64(bits)) | np.arange(len(x), dtype=np.uint64)
    key.sort()
    return (key & np.uint64((1 << bits) - 1)).astype(np.int64)


def _check_orders(orders: object) -> None:
    if not isinstance(orders, OrderTable):
        hint = "read it first: OrderTable.from_frame(frame, currency='THB')"
        raise WrongType("orders", f"a {type(orders).__name__}", "an OrderTable", hint)


def _days_bought(who: Ints, time: Ints, amount: Ints) -> tuple[Ints, Ints, Floats, int]:
    """Customer, day and net amount (minor units) of each day of purchase, sorted, and how many days were none."""
    day = time // _DAY_US
    low = int(day.min()) if len(day) else 0
    span = int(day.max()) - low + 1 if len(day) else 1
    key, code = np.unique(who * span + (day - low), return_inverse=True)
    net = np.bincount(code, amount.astype(np.float64), len(key)).astype(np.float64)
    back = np.bincount(code, amount < 0, len(key)) > 0
    bought = (net > 0) | ((net == 0) & ~back)
    return key[bought] // span, key[bought] % span + low, net[bought], int((~bought).sum())


def _us(when: datetime, name: str) -> int:
    check_aware(when, name)
    return int(instant(name, when).astype("datetime64[us]").astype(np.int64))
