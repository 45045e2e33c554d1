"""Days on which customers bought, from order lines: the grain of all purchase models."""

from __future__ import annotations

from datetime import datetime

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import check_aware
from crmcore.errors import EmptyInput, WrongType
from crmcore.metrics.columns import instant
from crmcore.tables import OrderTable
from crmcore.values import minor_digits

__all__ = ["DAY_US", "SeenDays", "check_orders", "days_bought", "seen_days", "sorted_rows", "us_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DAY_US = 86_400_000_000


@attrs.frozen(kw_only=True, eq=False)
class SeenDays:
    """Days of purchase before an end, by customer and day.

    Attributes
    ----------
    who : (d,) codes, ascending
    day : (d,) days since 1970, ascending within a customer
    net : (d,) major units
    last : day number of the last observed day
    left : counts of what took no part
    """

    who: Ints
    day: Ints
    net: Floats
    last: int
    left: dict[str, int]

    @property
    def first(self) -> Ints:
        """Position of the first day of each customer."""
        return np.flatnonzero(np.append(True, self.who[1:] != self.who[:-1]))

    def born(self, born: tuple[datetime, datetime] | None, /) -> SeenDays:
        """Those whose first purchase lies within [from, before), and how many were left out."""
        if born is None:
            return self
        low, high = (us_of(b, "born") / DAY_US for b in born)
        first = self.first
        birth = self.day[first]
        keep = (birth >= low) & (birth < high)
        if not keep.any():
            raise EmptyInput("customers born within the window", "take a wider one")
        rows = np.repeat(keep, np.diff(np.append(first, len(self.who))))
        left = {**self.left, "customers born outside": int((~keep).sum())}
        return attrs.evolve(self, who=self.who[rows], day=self.day[rows], net=self.net[rows], left=left)


def seen_days(orders: OrderTable, /, *, until: datetime | None) -> SeenDays:
    """Days of purchase of known customers before `until`, or the end of the day of the last order."""
    check_orders(orders)
    time = orders.time.astype("datetime64[us]").view(np.int64)
    if not len(time):
        raise EmptyInput("orders", "pass at least one order line")
    end = (int(time.max()) // DAY_US) * DAY_US + 1 if until is None else us_of(until, "until")
    known, early = orders.customer >= 0, time < end
    use = known & early
    left = {"orders of nobody known": int((~known).sum()), "orders after the end": int((known & ~early).sum())}
    who = orders.customer[use].astype(np.int64)
    if not len(who):
        raise EmptyInput("orders before the end", "take a later end, or orders of known customers")
    who, day, net, left["days without a net purchase"] = days_bought(who, time[use], orders.amount_minor[use])
    if not len(who):
        raise EmptyInput("purchases", "no order brings more than 0 before the end")
    # the end is the beginning of a day for whole days: the last observed day is the one before
    last = max(int(np.floor(end / DAY_US - 1e-9)), int(day.max()))
    return SeenDays(who=who, day=day, net=net / 10.0 ** minor_digits(orders.currency), last=last, left=left)


def sorted_rows(x: Floats, t: Floats, age: Floats, unit_days: float) -> Ints:
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


def check_orders(orders: object) -> None:
    """Refuse what is no table of orders."""
    if not isinstance(orders, OrderTable):
        hint = "read it first: OrderTable.from_frame(frame, currency='THB')"
        raise WrongType("orders", f"a {type(orders).__name__}", "an OrderTable", hint)


def days_bought(who: Ints, time: Ints, amount: Ints) -> tuple[Ints, Ints, Floats, int]:
    """Customer, day and net amount (minor units) of each day of purchase, sorted, and how many days were none."""
    day = time // DAY_US
    low = int(day.min()) if len(day) else 0
    span = int(day.max()) - low + 1 if len(day) else 1
    key, code = np.unique(who * span + (day - low), return_inverse=True)
    net = np.bincount(code, amount.astype(np.float64), len(key)).astype(np.float64)
    back = np.bincount(code, amount < 0, len(key)) > 0
    bought = (net > 0) | ((net == 0) & ~back)
    return key[bought] // span, key[bought] % span + low, net[bought], int((~bought).sum())


def us_of(when: datetime, name: str) -> int:
    """Microseconds since 1970 of an aware instant."""
    check_aware(when, name)
    return int(instant(name, when).astype("datetime64[us]").astype(np.int64))
