"""What a propensity is a propensity for: something happens within a horizon after an instant, or does not."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, TypeVar, runtime_checkable

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import OutOfRange
from crmcore.idic.differentiate.propensity.past import Past
from crmcore.metrics.columns import instant
from crmcore.tables import EventTable, OrderTable

__all__ = ["Acts", "Target", "in_window", "labels"]

Bools = NDArray[np.bool_]
T = TypeVar("T", OrderTable, EventTable)


@runtime_checkable
class Target(Protocol):
    """What is predicted about the customers of a past.

    `eligible` looks at the past alone and returns (n,) truths, one a customer of `past.customers`; `happened` counts
    rows of the horizon by customer and returns (n,) truths. `later` holds rows of the horizon only, `customer` (m,)
    their position in `past.customers`.
    """

    def eligible(self, past: Past[T], /) -> Bools:
        """(n,) whether the question makes sense for a customer."""
        ...

    def happened(self, later: OrderTable | EventTable, customer: NDArray[np.int64], /, *, n: int) -> Bools:
        """(n,) whether it happened."""
        ...


@attrs.frozen(kw_only=True)
class Acts:
    """The customer acts within the horizon (or, with `silent=True`, does not: churn without a contract).

    Parameters
    ----------
    kind : text, optional
        Of events that count; None counts all. Orders count where their amount is above 0.
    silent : truth
        Whether silence is what is predicted.
    active_within_days : days, optional
        Only customers who acted this recently are asked about: whoever left long ago is no news.

    Examples
    --------
    >>> Acts(silent=True, active_within_days=90)
    Acts(kind=None, silent=True, active_within_days=90)
    """

    kind: str | None = None
    silent: bool = False
    active_within_days: float | None = None

    def __attrs_post_init__(self) -> None:
        if self.active_within_days is not None and not self.active_within_days > 0:
            raise OutOfRange("active_within_days", self.active_within_days, "more than 0 days", "such as 90")

    def eligible(self, past: Past[T], /) -> Bools:
        """(n,) whether a customer has acted (recently enough)."""
        counts = self._counts(past.table) & (past.table.customer >= 0)
        if self.active_within_days is not None:
            counts &= past.days_since(past.table.time) <= self.active_within_days
        return np.bincount(past.table.customer[counts], minlength=len(past.customers)) > 0

    def happened(self, later: OrderTable | EventTable, customer: NDArray[np.int64], /, *, n: int) -> Bools:
        """(n,) whether a customer acted, or was silent."""
        acted = np.bincount(customer[self._counts(later)], minlength=n) > 0
        return ~acted if self.silent else acted

    def _counts(self, table: OrderTable | EventTable) -> Bools:
        if isinstance(table, OrderTable):
            return np.asarray(table.amount_minor > 0)
        return np.ones(len(table), np.bool_) if self.kind is None else table.kind.equals(self.kind)


def in_window(table: T, past: Past[T], /, *, horizon_days: float) -> tuple[T, NDArray[np.int64]]:
    """Rows of the horizon of customers who are known at its start, and their position in `past.customers`."""
    start = instant("at", past.at)
    end = start + np.timedelta64(round(horizon_days * 86_400_000_000), "us")
    to = np.full(len(table.customers) + 1, -1, np.int64)
    to[:-1] = past.customers.codes(list(table.customers.ids))
    customer = to[table.customer]
    rows = np.flatnonzero((table.time > start) & (table.time <= end) & (customer >= 0))
    return table.take(rows), customer[rows]


def labels(target: Target, table: T, past: Past[T], /, *, horizon_days: float) -> Bools:
    """(n,) what happened within the horizon to each customer of a past, as far as `table` knows."""
    later, customer = in_window(table, past, horizon_days=horizon_days)
    found = np.asarray(target.happened(later, customer, n=len(past.customers)), np.bool_)
    if found.shape != (len(past.customers),):
        hint = "return one truth a customer of the past"
        raise OutOfRange("shape of happened", found.shape, f"({len(past.customers)},)", hint)
    return found


def check_horizon(horizon_days: float, cutoff: datetime | None = None) -> None:
    """Refuse a horizon that is no length of time."""
    if not 0 < horizon_days < np.inf:
        where = "" if cutoff is None else f" at {cutoff:%Y-%m-%d}"
        raise OutOfRange("horizon_days", horizon_days, f"more than 0 days{where}", "such as 90")
