"""From orders to what repeat-buying models need: how often, until when, and for how long each customer was watched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore.errors import BadDocument, EmptyInput, OutOfRange, UnknownName
from crmcore.idic.differentiate.buying.days import SeenDays, days_bought, seen_days, sorted_rows, us_of
from crmcore.idic.differentiate.buying.season import SeasonIndex
from crmcore.metrics.columns import columns_frame, held, held_floats, numbers, refuse
from crmcore.tables import CustomerIndex, OrderTable

__all__ = ["UNITS", "Purchases"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNITS: Mapping[str, float] = {"day": 1.0, "week": 7.0, "month": 365.2425 / 12, "year": 365.2425}
"""Days in a unit of time."""


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
    log_rates : (m,) sum over the repeat purchases of the row of the log of the index on their days; None without one
    calendar : index of the season, or None
        With one, recency, age and gaps are in seasonal units: a busy week is longer than a week.
    last_day : day number (days since 1970) of the last observed day, or None
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
    log_rates: Floats | None = attrs.field(default=None, converter=attrs.converters.optional(held_floats))
    calendar: SeasonIndex | None = None
    last_day: float | None = None

    @classmethod
    def of(
        cls, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, /, *, unit: str = "week",
        spend: ArrayLike | None = None, log_gaps: ArrayLike | None = None, customers: CustomerIndex | None = None,
        calendar: SeasonIndex | None = None, last_day: date | None = None,
    ) -> Purchases:  # fmt: skip
        """Read a summary table, one row a customer; equal rows are merged.

        With a calendar, recency and age are calendar units before `last_day`, the last observed day, and are measured
        anew in seasonal time. Gaps cannot be, so that regular models (k above 1) need the orders.

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
        last = None if last_day is None else float(np.datetime64(last_day.isoformat()[:10], "D").astype(np.float64))
        if calendar is not None:
            if last is None or log_gaps is not None:
                hint = "pass the last observed day, and no log_gaps; or read the orders: Purchases.of_orders"
                raise OutOfRange("calendar", str(calendar), "last_day, and no log_gaps, beside it", hint)
            birth = last - end * UNITS[unit]
            zero = calendar.clock(birth)
            t = np.where(x > 0, calendar.clock(birth + t * UNITS[unit]) - zero, 0.0) / UNITS[unit]
            end = np.maximum((calendar.clock(last) - zero) / UNITS[unit], t)
        return cls._merged(x, t, end, gaps, money, unit=unit, customers=customers, calendar=calendar, last_day=last)

    @classmethod
    def _merged(
        cls, x: Floats, t: Floats, age: Floats, gaps: Floats, spend: Floats, *, unit: str,
        customers: CustomerIndex | None, left_out: Mapping[str, int] | None = None, log_rates: Floats | None = None,
        calendar: SeasonIndex | None = None, last_day: float | None = None,
    ) -> Purchases:  # fmt: skip
        order = sorted_rows(x, t, age, UNITS[unit])
        fresh = np.ones(len(x), np.bool_)
        a, b, c = x[order], t[order], age[order]
        fresh[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1]) | (c[1:] != c[:-1])
        row = np.empty(len(x), np.int64)
        row[order] = np.cumsum(fresh) - 1
        m = int(fresh.sum())
        return cls(
            frequency=a[fresh], recency=b[fresh], age=c[fresh], log_gaps=np.bincount(row, gaps, m),
            weight=np.bincount(row, minlength=m), row=row, spend=spend, unit=unit, customers=customers,
            left_out=dict(left_out or {}), calendar=calendar, last_day=last_day,
            log_rates=None if log_rates is None else np.bincount(row, log_rates, m),
        )  # fmt: skip

    @classmethod
    def of_orders(
        cls, orders: OrderTable, /, *, until: datetime | None = None, unit: str = "week",
        born: tuple[datetime, datetime] | None = None, calendar: SeasonIndex | None = None,
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
        calendar : SeasonIndex, optional
            Measure all times in seasonal units: `choose_calendar` finds one, or says that there is none to be seen.

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
        ([0.0, 1.0], [0.0, 2.0], [1.0, 2.0])
        """
        if unit not in UNITS:
            raise UnknownName("unit", unit, tuple(UNITS))
        seen = seen_days(orders, until=until)
        return cls._of_days(seen, orders, unit=unit, born=born, calendar=calendar)

    @classmethod
    def _of_days(
        cls, seen: SeenDays, orders: OrderTable, *, unit: str, born: tuple[datetime, datetime] | None,
        calendar: SeasonIndex | None,
    ) -> Purchases:  # fmt: skip
        """Days of purchases, by customer and day."""
        seen = seen.born(born)
        who, first, days = seen.who, seen.first, UNITS[unit]
        time, end, rates = seen.day.astype(np.float64), float(seen.last), None
        if calendar is not None:
            time, end = calendar.clock(seen.day), float(calendar.clock(seen.last))
            logs = np.log(calendar.rate_at(seen.day))
            logs[first] = 0.0
            rates = np.add.reduceat(logs, first)
        size = np.diff(np.append(first, len(who)))
        birth = time[first]
        recency = (time[first + size - 1] - birth) / days
        gap = np.zeros(len(who))
        gap[1:] = (time[1:] - time[:-1]) / days
        gap[first] = 1.0
        x = (size - 1).astype(np.float64)
        money = np.add.reduceat(seen.net, first) - seen.net[first]
        return cls._merged(
            x, recency, np.maximum((end - birth) / days, recency), np.add.reduceat(np.log(gap), first),
            np.divide(money, x, out=np.full(len(x), np.nan), where=x > 0), unit=unit,
            customers=CustomerIndex(tuple(orders.customers.ids[c] for c in who[first].tolist())), left_out=seen.left,
            log_rates=rates, calendar=calendar, last_day=float(seen.last),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.row)

    def __repr__(self) -> str:
        return f"Purchases({len(self)} customers in {len(self.frequency)} rows, {self.unit})"

    def __str__(self) -> str:
        again = float(self.weight[self.frequency > 0].sum()) / len(self)
        told = ", ".join(f"{n:,} {what}" for what, n in self.left_out.items() if n)
        head = f"{len(self):,} customers, {again:.1%} bought again, {self.repeats:,.0f} repeat purchases"
        season = f"; in seasonal {self.unit}s: {self.calendar}" if self.calendar is not None else ""
        return head + season + (f"; left out: {told}" if told else "")

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
        names = (
            "frequency",
            "recency",
            "age",
            "log_gaps",
            "weight",
            *(() if self.log_rates is None else ("log_rates",)),
        )
        cells = {k: getattr(self, k)[pick] for k in names}
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
            self.frequency[r], self.recency[r], self.age[r], gaps, self.spend[rows], unit=self.unit, customers=ids,
            log_rates=None if self.log_rates is None else (self.log_rates / self.weight)[r], calendar=self.calendar,
            last_day=self.last_day,
        )  # fmt: skip

    def ahead(self, horizon: float, /) -> float:
        """Seasonal units in the next `horizon` calendar units; the horizon itself without a calendar."""
        if self.calendar is None or self.last_day is None:
            return horizon
        clock = self.calendar.clock([self.last_day, self.last_day + horizon * self.unit_days])
        return float(clock[1] - clock[0]) / self.unit_days

    def in_calendar_time(self) -> tuple[Floats, Floats]:
        """(n,) recency and age of each customer in calendar units."""
        t, age = self.recency[self.row], self.age[self.row]
        if self.calendar is None or self.last_day is None:
            return t, age
        born = self.calendar.clock(self.last_day) - age * self.unit_days
        birth, last = self.calendar.day_at(born), self.calendar.day_at(born + t * self.unit_days)
        return (last - birth) / self.unit_days, (self.last_day - birth) / self.unit_days

    def bought_after(self, orders: OrderTable, /, *, since: datetime, until: datetime) -> Floats:
        """(n,) purchases of each customer in a later period: what a forecast from these purchases is held against.

        Days of purchase with a net amount above 0 in [since, until); customers unknown here do not count.
        """
        if self.customers is None:
            raise EmptyInput("the ids of the customers", "read the purchases from orders")
        begin, end = us_of(since, "since"), us_of(until, "until")
        if end <= begin:
            raise OutOfRange("until", until.isoformat(), f"later than {since.isoformat()}", "turn the two around")
        time = orders.time.astype("datetime64[us]").view(np.int64)
        here = self.customers.codes(orders.customers.ids)
        who = np.where(orders.customer >= 0, here[orders.customer], -1).astype(np.int64)
        use = (who >= 0) & (time >= begin) & (time < end)
        bought, _, _, _ = days_bought(who[use], time[use], orders.amount_minor[use])
        return np.bincount(bought, minlength=len(self)).astype(np.float64)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a customer: customer (where known), frequency, recency, age (calendar units), spend."""
        r, (t, age) = self.row, self.in_calendar_time()
        ids = {} if self.customers is None else {"customer": list(self.customers.ids)}
        columns = {"frequency": self.frequency[r], "recency": t, "age": age, "spend": self.spend}
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
            "log_rates": None if self.log_rates is None else (self.log_rates / self.weight)[r].tolist(),
            "calendar": None if self.calendar is None else self.calendar.to_dict(), "last_day": self.last_day,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Purchases:
        """Read what `to_dict` wrote."""
        lost = tuple(f"{k}: missing" for k in ("unit", "frequency", "recency", "age") if k not in document)
        if lost:
            raise BadDocument("Purchases", lost, "pass what to_dict wrote")
        ids, index, rates = (document.get(k) for k in ("customers", "calendar", "log_rates"))
        made = cls.of(
            document["frequency"], document["recency"], document["age"], unit=document["unit"],
            spend=document.get("spend"), log_gaps=document.get("log_gaps"),
            customers=None if ids is None else CustomerIndex(tuple(ids)),
        )  # fmt: skip
        return attrs.evolve(
            made,
            last_day=document.get("last_day"),
            calendar=None if index is None else SeasonIndex.from_dict(index),
            log_rates=None if rates is None else np.bincount(made.row, rates, len(made.weight)),
        )

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
