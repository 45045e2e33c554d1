"""Purchases as they came, period by period, beside what a model expected: the first look at any fit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import check_aware, html_table
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.idic.differentiate.buying.model import BuyingModel
from crmcore.idic.differentiate.buying.purchases import Purchases
from crmcore.metrics.columns import columns_frame, held_floats
from crmcore.tables import OrderTable

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Tracking", "expected_by_period", "track"]

Floats = NDArray[np.float64]
CURVE = 4096  # times at which expected purchases are computed


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Tracking:
    """Repeat purchases of a cohort by period.

    Attributes
    ----------
    end : (p,) units from the first birth to the end of each period
    expected, actual : (p,) repeat purchases within each period
    seen_until : units from the first birth to the end of what the model was fitted to
    """

    end: Floats = attrs.field(converter=held_floats)
    expected: Floats = attrs.field(converter=held_floats)
    actual: Floats = attrs.field(converter=held_floats)
    seen_until: float
    unit: str
    title: str

    def __len__(self) -> int:
        return len(self.end)

    def __str__(self) -> str:
        after = self.end > self.seen_until + 1e-9
        told = [f"{self.title}, {len(self)} periods"]
        for name, here in (("fitted", ~after), ("foretold", after)):
            if here.any():
                e, a = float(self.expected[here].sum()), float(self.actual[here].sum())
                told.append(
                    f"{name}: expected {e:,.0f}, came {a:,.0f} ({e / a - 1:+.1%})"
                    if a
                    else f"{name}: expected {e:,.0f}"
                )
        return "; ".join(told)

    def __repr__(self) -> str:
        return f"Tracking({self})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a period: end, expected, actual, and both cumulated."""
        return columns_frame(
            {
                "end": self.end, "expected": self.expected, "actual": self.actual,
                "expected_cumulative": self.expected.cumsum(), "actual_cumulative": self.actual.cumsum(),
            },
            backend=backend,
        )  # fmt: skip

    def chart(self) -> Chart:
        """Purchases by period, as they came and as expected."""
        from crmcore.charts import line

        x = self.end.tolist()
        return line(
            [*x, *x], [*self.actual.tolist(), *self.expected.tolist()],
            series=["came"] * len(x) + ["expected"] * len(x),
            title="Repeat purchases by period", description=str(self), axis=f"repeat purchases a {self.unit}",
        )  # fmt: skip

    def _repr_html_(self) -> str:
        rows = [
            {"end": e, "expected": x, "came": a} for e, x, a in zip(self.end, self.expected, self.actual, strict=True)
        ]
        return html_table(rows[:40], caption=str(self))


def expected_by_period(model: BuyingModel, purchases: Purchases, /, *, ends: Floats) -> Floats:
    """(p,) repeat purchases expected between the ends of periods, of customers born when they were.

    Parameters
    ----------
    ends : (p,) calendar units since the first birth, ascending
    """
    age, w = np.asarray(purchases.age), np.asarray(purchases.weight)
    if purchases.calendar is not None and purchases.last_day is not None:
        clock, days = purchases.calendar.clock, purchases.unit_days
        zero = float(clock(purchases.last_day)) - age.max() * days
        ends = (clock(purchases.calendar.day_at(zero) + ends * days) - zero) / days
    born, code = np.unique(age.max() - age, return_inverse=True)
    many = np.bincount(code, w)
    by = np.maximum(ends[:, None] - born[None, :], 0.0)
    times = np.unique(by)
    if len(times) > CURVE:  # seasonal time: hardly two alike; the curve is smooth
        times = np.linspace(0.0, times[-1], CURVE)
    total = np.interp(by, times, model.expected_new(times)) @ many
    return np.diff(np.concatenate([[0.0], total]))


def track(
    model: BuyingModel, purchases: Purchases, orders: OrderTable, /, *, seen_until: datetime, until: datetime
) -> Tracking:
    """Count repeat purchases unit by unit, and set beside them what a model expected.

    Parameters
    ----------
    model : BuyingModel
    purchases : Purchases
        Read from `orders` until `seen_until`: whose purchases are counted.
    orders : OrderTable
        Also those that came later.
    seen_until, until : aware datetimes
        End of what the model was fitted to; end of the last period.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.idic.differentiate.buying import RepeatBuying
    >>> days = {"a": [1, 9, 20], "b": [2, 16], "c": [3]}
    >>> orders = OrderTable.from_frame(
    ...     {
    ...         "customer": [c for c, ds in days.items() for _ in ds], "amount": [5] * 6,
    ...         "time": [f"2026-01-{d:02d}" for ds in days.values() for d in ds],
    ...     },
    ...     currency="EUR", zone="UTC",
    ... )
    >>> split = datetime(2026, 1, 15, tzinfo=UTC)
    >>> seen = Purchases.of_orders(orders, until=split)
    >>> nbd, end = RepeatBuying(model="nbd").fit(seen), datetime(2026, 1, 29, tzinfo=UTC)
    >>> found = track(nbd, seen, orders, seen_until=split, until=end)
    >>> found.actual.tolist()
    [0.0, 1.0, 2.0, 0.0]
    """
    check_aware(seen_until, "seen_until")
    check_aware(until, "until")
    if purchases.customers is None:
        raise EmptyInput("the ids of the customers", "read the purchases from orders")
    ages = purchases.in_calendar_time()[1]
    longest = float(ages.max())
    # the age of a customer counts days to the last one seen: the day before the end
    begin = seen_until - timedelta(days=1) - timedelta(days=longest * purchases.unit_days)
    step = timedelta(days=purchases.unit_days)
    periods = int((until - begin) / step + 1e-9)
    if periods < 1 or until < seen_until:
        raise OutOfRange("until", until.isoformat(), f"{seen_until.isoformat()} or later", "the end of the last period")
    ends = np.arange(1, periods + 1, dtype=np.float64)
    born = longest - ages
    actual = []
    for k in range(periods):
        here = purchases.bought_after(orders, since=begin + k * step, until=begin + (k + 1) * step).sum()
        first = (born >= k - 1e-9) & (born < k + 1 - 1e-9)
        actual.append(float(here) - float(first.sum()))
    return Tracking(
        end=ends, expected=expected_by_period(model, purchases, ends=ends), actual=np.array(actual),
        seen_until=longest, unit=purchases.unit, title=model.title,
    )  # fmt: skip
