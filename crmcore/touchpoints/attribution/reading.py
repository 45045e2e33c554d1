"""From events to paths: what each customer touched before each conversion, and journeys that led to none."""

from __future__ import annotations

from datetime import datetime

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import check_aware, html_table
from crmcore.errors import EmptyInput, MissingColumn, OutOfRange, WrongType
from crmcore.metrics.columns import instant, refuse
from crmcore.tables import EventTable, TextColumn
from crmcore.touchpoints.attribution.paths import PathCounts

__all__ = ["PathReading", "read_paths"]

Ints = NDArray[np.int64]
DAY_US = 86_400_000_000


@attrs.frozen(kw_only=True, eq=False, repr=False)
class PathReading:
    """Paths that were read, and what was left out; nothing is lost silently.

    Attributes
    ----------
    paths : PathCounts
        One row a journey, with the days of each touch before its end.
    customer : (m,) code of the customer of each path
    untouched : conversions before which nothing was touched within the look-back
    unknown : events of nobody who is known: they make no path
    unnamed : events without a channel that are no conversion
    later : events after `now`
    pending : journeys without conversion whose last touch is so young that one may still come
    """

    paths: PathCounts
    customer: Ints
    untouched: int
    unknown: int
    unnamed: int
    later: int
    pending: int

    def __str__(self) -> str:
        left = {k: getattr(self, k) for k in ("untouched", "unknown", "unnamed", "later", "pending")}
        told = ", ".join(f"{n:,} {k}" for k, n in left.items() if n)
        return f"{self.paths!r}" + (f"; left out: {told}" if told else "")

    def __repr__(self) -> str:
        return f"PathReading({self})"

    def _repr_html_(self) -> str:
        rows = [{"what": k, "count": getattr(self, k)} for k in ("untouched", "unknown", "unnamed", "later", "pending")]
        return html_table(rows, caption=repr(self.paths))


def read_paths(
    events: EventTable, /, *, conversion: str = "purchase", channel: str = "channel", lookback_days: float = 90.0,
    now: datetime | None = None,
) -> PathReading:  # fmt: skip
    """Read what was touched before each conversion.

    The events of a customer, in order of time (rows of one instant in their order), are cut after each conversion and
    wherever nothing happens for longer than the look-back. What ends in a conversion is a path that converted; what
    does not is a null, unless it ended less than the look-back before `now`: then it is pending and left out.

    Parameters
    ----------
    events : EventTable
        Touches and conversions; `kind` names the conversions, and `amount` their value (1 each where there is none).
    conversion : kind
    channel : {"channel", "touchpoint"} or an attribute of the events
        What is credited.
    lookback_days : days
        Touches longer before the end of their path take no part.
    now : aware datetime, optional
        How far the log reaches; None takes its last event.

    Returns
    -------
    PathReading

    Raises
    ------
    EmptyInput
        No event, or no path.
    MissingColumn
        The events have no such attribute.

    Examples
    --------
    >>> events = EventTable.from_frame({
    ...     "customer": ["a", "a", "a", "b"], "kind": ["view", "view", "purchase", "view"],
    ...     "channel": ["search", "e-mail", None, "search"],
    ...     "time": ["2026-01-01", "2026-01-03", "2026-01-03", "2026-01-01"],
    ... }, zone="UTC")
    >>> from datetime import UTC
    >>> read = read_paths(events, now=datetime(2026, 12, 31, tzinfo=UTC))
    >>> read.paths, read.paths.path(0)
    (PathCounts(2 paths of 2 channels, 1 conversions, 1 nulls), ('search', 'e-mail'))
    """
    if not isinstance(events, EventTable):
        raise WrongType("events", f"a {type(events).__name__}", "an EventTable", "EventTable.from_frame(frame)")
    if not len(events):
        raise EmptyInput("events", "pass at least one")
    if not 0 < lookback_days < 36_500:
        raise OutOfRange("lookback_days", lookback_days, "above 0 days, at most a century", "30 and 90 are usual")
    names, won = _column(events, channel), events.kind.equals(conversion)
    time = events.time.astype("datetime64[us]").view(np.int64)
    if now is not None:
        check_aware(now, "now")
    end = int(time.max()) if now is None else int(instant("now", now).astype("datetime64[us]").astype(np.int64))
    known, named, past = events.customer >= 0, (names.codes >= 0) | won, time <= end
    rows = np.flatnonzero(known & named & past)
    rows = rows[np.lexsort((time[rows], events.customer[rows]))]
    window = int(lookback_days * DAY_US)
    journey, cut = _cut(events.customer[rows], time[rows], won[rows], window)
    if not len(rows):
        raise EmptyInput("touches", "none has a customer and a channel, or all are later than now")
    last = np.append(np.flatnonzero(cut[1:]), len(rows) - 1)
    ends, converts = time[rows][last], won[rows][last]
    money = np.where(events.has_amount, events.amount_minor, 0)[rows][last]
    minor = bool(events.has_amount[won].any()) if won.any() else False
    refuse("events", "a conversion brings 0 or more; leave refunds out", amount=(converts & (money < 0), "below 0"))
    touch = ~won[rows] & (ends[journey] - time[rows] <= window)
    size = np.bincount(journey[touch], minlength=len(last))
    young = ~converts & (end - ends < window)
    keep = (size > 0) & ~young
    if not keep.any():
        raise EmptyInput("paths", "no conversion has a touch before it, and no journey is old enough to have failed")
    use = touch & keep[journey]
    value = np.where(converts, money / 100.0 if minor else 1.0, 0.0)[keep]
    paths = PathCounts.of_codes(
        names.codes[rows][use], np.concatenate([[0], np.cumsum(size[keep])]), channels=names.values,
        conversions=converts[keep].astype(np.float64), nulls=(~converts[keep]).astype(np.float64), value=value,
        days_before=(ends[journey] - time[rows])[use] / DAY_US,
    )  # fmt: skip
    return PathReading(
        paths=paths, customer=events.customer[rows][last][keep].astype(np.int64),
        untouched=int((converts & (size == 0)).sum()), unknown=int((~known).sum()), unnamed=int((known & ~named).sum()),
        later=int((known & named & ~past).sum()), pending=int((young & (size > 0)).sum()),
    )  # fmt: skip


def _column(events: EventTable, channel: str) -> TextColumn:
    if channel in ("channel", "touchpoint"):
        found: TextColumn = getattr(events, channel)
        return found
    if channel not in events.attributes:
        raise MissingColumn(channel, ("channel", "touchpoint", *events.attributes), "the events")
    return events.attributes[channel]


def _cut(
    customer: NDArray[np.int32], time: Ints, won: NDArray[np.bool_], window: int
) -> tuple[Ints, NDArray[np.bool_]]:
    """Journey of each row, and where a new one begins: with a customer, after a conversion, after a long silence."""
    cut = np.ones(len(time), np.bool_)
    cut[1:] = (customer[1:] != customer[:-1]) | won[:-1] | (time[1:] - time[:-1] > window)
    return np.cumsum(cut) - 1, cut
