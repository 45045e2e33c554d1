"""At which touchpoints customers are recognised."""

from __future__ import annotations

import numpy as np

from crmcore.errors import EmptyInput, UnknownName
from crmcore.metrics.estimate_tables import EstimateTable
from crmcore.metrics.proportions import Counts
from crmcore.tables import EventTable, TextColumn

__all__ = ["recognition_rates"]


def recognition_rates(events: EventTable, /, *, by: str = "touchpoint", level: float = 0.95) -> EstimateTable:
    """Share of events at each touchpoint whose customer is known, with Wilson's interval.

    Parameters
    ----------
    events : EventTable
        A customer code of -1 is a visitor whom nobody knows.
    by : text
        "touchpoint", "channel", "kind", or an attribute; rows without it are "(unknown)".
    level : share
        Coverage aimed at.

    Returns
    -------
    EstimateTable
        In sorted order; events are taken as independent, so that a few frequent visitors make it look surer than it is.

    Raises
    ------
    EmptyInput, UnknownName

    Examples
    --------
    >>> visits = EventTable.from_frame({
    ...     "customer": ["c1"] * 80 + [None] * 20, "time": ["2026-03-01T10:00Z"] * 100, "touchpoint": ["store"] * 100,
    ... })
    >>> print(recognition_rates(visits)["store"])
    0.8 [0.711, 0.867] (95 %, n = 100, wilson)
    """
    if not len(events):
        raise EmptyInput("events", "pass at least one event")
    known = {"touchpoint": events.touchpoint, "channel": events.channel, "kind": events.kind, **events.attributes}
    if by not in known:
        raise UnknownName("column of events", by, tuple(known))
    column: TextColumn = known[by]
    codes = column.codes.astype(np.intp) + 1
    names = ("(unknown)", *column.values)
    n = np.bincount(codes, minlength=len(names))
    k = np.bincount(codes, weights=events.customer >= 0, minlength=len(names)).astype(int)
    order = sorted((name, int(k[i]), int(n[i])) for i, name in enumerate(names) if n[i])
    return EstimateTable(
        labels=tuple(name for name, _, _ in order),
        estimates=tuple(
            Counts(a, b).estimate(level=level, rule="recognised events / events", small_sample_ok=True)
            for _, a, b in order
        ),
        what=by,
        about=f"share of events whose customer is known, by {by}",
        percent=True,
    )
