"""Before, during or after the purchase: from the touchpoint where it tells, else from time and orders."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.errors import OutOfRange, WrongType
from crmcore.metrics.scalars import above
from crmcore.tables import EventTable, OrderTable
from crmcore.touchpoints.catalogue.entries import Catalogue
from crmcore.touchpoints.catalogue.kinds import Phase
from crmcore.touchpoints.catalogue.well_known import standard

__all__ = ["UNKNOWN_PHASE", "phase_codes", "phases"]

UNKNOWN_PHASE = -1
_ORDER = tuple(Phase)
_BEFORE, _DURING, _AFTER = range(3)


def phase_codes(
    customer: NDArray[Any],
    time: NDArray[np.datetime64],
    order_customer: NDArray[Any],
    order_time: NDArray[np.datetime64],
    /,
    *,
    during_minutes: float,
    after_days: float,
) -> NDArray[np.int8]:
    """Phase of each touch from the orders of the same customer.

    Parameters
    ----------
    customer, time : (n,)
        Codes (-1 is unknown) and instants of the touches.
    order_customer, order_time : (m,)
        Codes and instants of the orders.
    during_minutes : minutes
        A touch at most so long before an order, or at its instant, is part of buying.
    after_days : days
        A touch at most so long after an order is after it; later ones are before the next.

    Returns
    -------
    (n,) codes
        0 before, 1 during, 2 after, -1 for touches of unknown customers.

    Examples
    --------
    >>> minute = np.datetime64("2026-03-01T12:00", "us") + np.array([-90, -5, 0, 60]) * np.timedelta64(1, "m")
    >>> who = np.zeros(4, np.int32)
    >>> phase_codes(who, minute, who[:1], minute[2:3], during_minutes=30, after_days=30).tolist()
    [0, 1, 1, 2]
    """
    known = order_customer >= 0
    who, when = order_customer[known], order_time[known].astype("datetime64[us]").astype(np.int64)
    order = np.lexsort((when, who))
    who, when = who[order].astype(np.int64), when[order]
    at = time.astype("datetime64[us]").astype(np.int64)
    # one sorted line of (customer, instant) ranks lets both neighbours be found by bisection
    bought, touched = _ranks(who, when, customer.astype(np.int64), at)
    next_ = np.searchsorted(bought, touched, side="left")
    last = np.searchsorted(bought, touched, side="right") - 1
    to_next = _gap(next_, who, when, customer, at, sign=1)
    since_last = _gap(last, who, when, customer, at, sign=-1)
    codes = np.full(len(at), _BEFORE, np.int8)
    codes[since_last <= after_days * 86_400e6] = _AFTER
    codes[(to_next <= during_minutes * 60e6)] = _DURING
    codes[customer < 0] = UNKNOWN_PHASE
    return codes


def _ranks(
    who: NDArray[np.int64], when: NDArray[np.int64], customer: NDArray[np.int64], at: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Dense ranks of (customer, instant) pairs of orders and touches; equal pairs have equal ranks."""
    both_who, both_when = np.concatenate([who, customer]), np.concatenate([when, at])
    order = np.lexsort((both_when, both_who))
    new = np.ones(len(order), np.int64)
    a, b = both_who[order], both_when[order]
    new[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1])
    rank = np.empty(len(order), np.int64)
    rank[order] = np.cumsum(new)
    return rank[: len(who)], rank[len(who) :]


def _gap(
    at_order: NDArray[np.intp],
    who: NDArray[np.int64],
    when: NDArray[np.int64],
    customer: NDArray[Any],
    at: NDArray[np.int64],
    *,
    sign: int,
) -> NDArray[np.float64]:
    """Microseconds between a touch and an order of the same customer, infinite where there is none."""
    inside = (at_order >= 0) & (at_order < len(who))
    row = np.clip(at_order, 0, max(len(who) - 1, 0))
    gap = np.full(len(at), np.inf)
    same = inside if not len(who) else inside & (who[row] == customer)
    gap[same] = sign * (when[row[same]] - at[same])
    return gap


def phases(
    events: EventTable,
    orders: OrderTable,
    /,
    *,
    catalogue: Catalogue | None = None,
    during_minutes: float = 30,
    after_days: float = 30,
) -> list[Phase | None]:
    """Whether each touch came before, during or after a purchase.

    The touchpoint decides where it can only be met in one phase (an advertisement is before, a checkout during,
    packaging after). For all others time decides: from `during_minutes` before an order to its instant is during, up to
    `after_days` after one is after, everything else is before. A touch between two orders is after the first until
    `after_days` are over, then before the second.

    Parameters
    ----------
    events, orders
        Over one `CustomerIndex`; a refund (negative amount) is no purchase.
    catalogue : Catalogue, optional
        None takes `standard()`; a touchpoint that it does not list leaves the decision to time.
    during_minutes, after_days : numbers of at least 0

    Returns
    -------
    list of n phases
        None where neither the touchpoint nor the customer is known.

    Raises
    ------
    WrongType
        The two tables have different customers.

    Examples
    --------
    >>> orders = OrderTable.from_frame(
    ...     {"customer": ["c"], "time": ["2026-03-02T12:00Z"], "amount": [9]}, currency="EUR"
    ... )
    >>> events = EventTable.from_frame({
    ...     "customer": ["c", "c", "c"], "touchpoint": ["review", "Facebook ad", "checkout"],
    ...     "time": ["2026-03-09T08:00Z", "2026-03-03T08:00Z", "2026-03-02T11:55Z"],
    ... }, customers=orders.customers)
    >>> [phase.value for phase in phases(events, orders)]
    ['after', 'before', 'during']
    """
    if events.customers is not orders.customers and events.customers.ids != orders.customers.ids:
        hint = "read the second with customers= of the first: EventTable.from_frame(..., customers=orders.customers)"
        raise WrongType("orders", "another index of customers", "the index of the events", hint)
    for name, value in (("during_minutes", during_minutes), ("after_days", after_days)):
        above(name, value, least=0, allowed="0 or more", hint="0 leaves the phase out")
    if len(orders) and np.isnat(orders.time).any():
        raise OutOfRange("orders.time", "NaT", "instants", "drop orders without a time")
    bought = orders.amount_minor >= 0
    codes = phase_codes(
        events.customer,
        events.time,
        orders.customer[bought],
        orders.time[bought],
        during_minutes=during_minutes,
        after_days=after_days,
    )
    own = [e.phase if e else None for e in (catalogue or standard()).classify(events.touchpoint).of_value]
    fixed = np.array([UNKNOWN_PHASE if p is None else _ORDER.index(p) for p in own] + [UNKNOWN_PHASE], np.int8)
    told = fixed[events.touchpoint.codes]
    words = np.array([*_ORDER, None], object)
    return list(words[np.where(told >= 0, told, codes)])
