"""From a table of events to sessions: who the visitor is, what counts, what is left out and why."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import check_aware, one_of
from crmcore.errors import BadRow, BadRows
from crmcore.tables import EventTable, TextColumn
from crmcore.touchpoints.sessions.columns import has_kind, text_of_events, visitors_of
from crmcore.touchpoints.sessions.kernel import SessionCodes, session_codes
from crmcore.touchpoints.sessions.profiles import session_rule
from crmcore.touchpoints.sessions.result import Intake, Sessions
from crmcore.touchpoints.sessions.rule import SessionRule
from crmcore.zones import DAY, NAT, offsets_of, to_us, zone_of

__all__ = ["sessionize"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Duplicates = Literal["count", "drop"]
Future = Literal["refuse", "drop"]


def sessionize(
    events: EventTable,
    rule: str | SessionRule = "ga4",
    *,
    visitor: str | ArrayLike | None = None,
    zone: str | ZoneInfo | None = None,
    now: datetime | None = None,
    future: Future = "refuse",
    duplicates: Duplicates = "count",
) -> Sessions:
    """Cut events into sessions under one rule.

    Events are taken by visitor, time and row, so that the order of rows matters for equal times only.

    Parameters
    ----------
    events : EventTable
        In any order. Times are instants; the door of the table refuses naive and missing ones.
    rule : name or SessionRule
        See `PROFILES`.
    visitor : name of an attribute, (n,) codes, optional
        Whose events follow each other: such as "visitor_id", or codes from 0 with -1 for unknown. None takes the
        customer. Events of nobody known are in no session (`of_event` is -1): the intake counts them.
    zone : IANA name, optional
        Zone of midnight, in place of the rule's.
    now : aware datetime, optional
        Events after it are errors ("refuse") or in no session ("drop"), as `future` says. None asks nothing.
    duplicates : "count" or "drop"
        Rows that equal an earlier row in every column: two clicks in one second, or one click sent twice. "count"
        takes both, "drop" the first only; the intake counts them either way.

    Returns
    -------
    Sessions
        With `intake`: what was unsorted, repeated, in the future, of nobody, or outside any session.

    Raises
    ------
    UnknownName, MissingColumn
        No such rule; no such attribute.
    BadRows
        Missing times, or times after `now`.
    OutOfRange, WrongType
        Visitor codes that are not whole numbers, one a row, from -1.

    Examples
    --------
    >>> events = EventTable.from_frame({
    ...     "customer": ["ann", "ann", "ben", None],
    ...     "time": ["2026-03-01T09:00Z", "2026-03-01T09:20Z", "2026-03-01T09:10Z", "2026-03-01T09:11Z"],
    ...     "kind": ["view", "purchase", "view", "view"],
    ... })
    >>> sessions = sessionize(events, "ga4")
    >>> sessions, sessions.of_event.tolist(), sessions.engaged.tolist()
    (Sessions(2 sessions of 4 events, rule ga4), [0, 0, 1, -1], [True, False])
    """
    one_of(("refuse", "drop"), what="answer to future events")(None, None, future)
    one_of(("count", "drop"), what="answer to duplicates")(None, None, duplicates)
    known = session_rule(rule)
    if zone is not None:
        known = attrs.evolve(known, zone=zone_of(zone).key)
    who, names = visitors_of(events, visitor)
    time_us = events.time.astype(np.int64)
    _no_missing_times(time_us)
    late = _future(time_us, now, future)
    nobody = who < 0
    out = nobody | late
    codes = _codes(events, known, np.where(out, -1, who) if late.any() else who, time_us)
    again = _repeated(events, who, time_us, codes.order, out)
    if duplicates == "drop" and len(again):
        out = out.copy()
        out[again] = True
        codes = _codes(events, known, np.where(out, -1, who), time_us)
    of_event = codes.of_event()
    apart = int(((of_event < 0) & ~out).sum())
    intake = Intake(
        events=len(events),
        unsorted=int((time_us[1:] < time_us[:-1]).sum()),
        duplicates=len(again),
        future=int(late.sum()),
        nobody=int(nobody.sum()),
        outside=apart,
        dropped=int((~nobody & (of_event < 0)).sum()) - apart,
    )
    rows = codes.order[codes.first]
    return Sessions(
        events=events, rule=known, of_event=of_event, codes=codes, intake=intake,
        start=codes.start_us.view("datetime64[us]"), end=codes.end_us.view("datetime64[us]"),
        visitor=who[rows].astype(np.int32), visitors=names,
        customer=_customers(events, codes, own=visitor is None),
    )  # fmt: skip


def _no_missing_times(time_us: Ints) -> None:
    if len(time_us) and int(time_us.min()) == NAT:
        lost = np.flatnonzero(time_us == NAT)
        problem = BadRow("time", "missing", tuple(lost.tolist()))
        raise BadRows("events", (problem,), "drop the rows, or give them a time")


def _future(time_us: Ints, now: datetime | None, future: Future) -> Bools:
    """(n,) events after now."""
    if now is None:
        return np.zeros(len(time_us), np.bool_)
    check_aware(now, "now")
    late: Bools = time_us > to_us(now, "now")
    if future == "refuse" and late.any():
        problem = BadRow("time", f"after now = {now.isoformat()}", tuple(np.flatnonzero(late).tolist()))
        raise BadRows("events", (problem,), "repair the clock or the zone of the source, or say future='drop'")
    return late


def _codes(events: EventTable, rule: SessionRule, who: NDArray[np.int32], time_us: Ints) -> SessionCodes:
    """Sessions of coded rows."""
    counted = None
    if rule.keep_alive:
        alive = has_kind(events.kind, rule.keep_alive)
        counted = ~alive if alive.any() else None
    if rule.given_id is not None:
        return _given(who, text_of_events(events, rule.given_id), time_us, counted)
    day = None
    if rule.midnight and len(time_us):
        day = (time_us + offsets_of(events.time, rule.zone)) // DAY
    columns = {
        name: None if column is None else text_of_events(events, column).codes
        for name, column in (("campaign", rule.campaign), ("referrer", rule.referrer))
    }
    return session_codes(
        who, time_us, timeout_s=rule.timeout_s, boundary=rule.boundary,
        single_event_timeout_s=rule.single_event_timeout_s, max_length_s=rule.max_length_s,
        local_day=day, counted=counted, **columns,
    )  # fmt: skip


def _given(who: NDArray[np.int32], given: TextColumn, time_us: Ints, counted: Bools | None) -> SessionCodes:
    """Sessions that the tracker numbered: one for each visitor and id, in the order of visitor and start."""
    size = len(given.values) + 1
    pair = np.where((who < 0) | (given.codes < 0), -1, who.astype(np.int64) * size + given.codes)
    made = session_codes(pair, time_us, timeout_s=None, counted=counted)
    rows = made.order[made.first]
    order = np.lexsort((rows, made.start_us, who[rows]))
    parts = {name: getattr(made, name)[order] for name in ("first", "stop", "start_us", "end_us", "events")}
    return SessionCodes(order=made.order, **parts, causes=np.full(len(made), 128, np.uint8))


def _repeated(events: EventTable, who: NDArray[np.int32], time_us: Ints, order: Ints, out: Bools) -> Ints:
    """Rows that equal an earlier one in every column."""
    at = time_us[order]
    place = np.flatnonzero(at[1:] == at[:-1])
    place = place[who[order[place + 1]] == who[order[place]]]
    if not len(place):
        return np.zeros(0, np.int64)
    rows = np.unique(np.concatenate([order[place + 1], order[place]]))
    rows = rows[~out[rows]]
    texts = (events.channel, events.touchpoint, events.kind, events.direction, events.reference)
    columns: list[NDArray[np.integer]] = [who, events.customer, events.amount_minor]
    columns += [c.codes for c in (*texts, *events.attributes.values())]
    key = _dense(time_us[rows])
    for column in columns:
        cells = _dense(column[rows])
        key = _dense(key * (int(cells.max(initial=0)) + 1) + cells)
    first = np.unique(key, return_index=True)[1]
    return np.delete(rows, first)


def _dense(values: NDArray[np.integer]) -> Ints:
    """(n,) rank of each value among the distinct ones."""
    found: Ints = np.unique(values, return_inverse=True)[1].astype(np.int64)
    return found


def _customers(events: EventTable, codes: SessionCodes, *, own: bool) -> NDArray[np.int32]:
    """(m,) customer of each session: the last known one among its events, -1 where there is none."""
    if own:
        return events.customer[codes.order[codes.first]]
    sorted_ = events.customer[codes.order]
    last = np.maximum.accumulate(np.where(sorted_ >= 0, np.arange(len(sorted_)), -1))
    if not len(codes):
        return np.zeros(0, np.int32)
    place = last[codes.stop - 1]
    return np.where(place >= codes.first, sorted_[place], -1).astype(np.int32)
