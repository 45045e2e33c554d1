"""The door of journeys: events in any order and any grain, and what was known at a given time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._frames import MISSING_WORDS, read_frame
from crmcore.errors import MissingColumn, OutOfRange
from crmcore.metrics.columns import cells_of, instant, instants
from crmcore.tables import CustomerIndex, EventTable, TextColumn
from crmcore.tables._door import Door
from crmcore.touchpoints.journeys.table import Journeys

__all__ = ["journey_order", "journeys"]

Ints = NDArray[np.int64]


def journey_order(journey: NDArray[np.integer], time: Ints, /) -> Ints:
    """Order of rows by journey, then time, then row.

    Parameters
    ----------
    journey : (n,) codes from 0
    time : (n,) any integers

    Examples
    --------
    >>> journey_order(np.array([1, 0, 1, 0]), np.array([5, 9, 5, 2])).tolist()
    [3, 1, 0, 2]
    """
    n = len(time)
    who = journey.astype(np.int64, copy=False)
    if n < 2:
        return np.arange(n)
    later, next_one = time[1:] >= time[:-1], who[1:] >= who[:-1]
    if (next_one & (later | (who[1:] != who[:-1]))).all():
        return np.arange(n)
    bits = (n - 1).bit_length()
    by_time = None if later.all() else np.argsort(time, kind="stable")
    if (int(who.max()) + 1).bit_length() + bits > 63:
        return np.lexsort((time, who))
    # one integer for journey and place in time: a plain sort is several times faster than a stable sort of two keys
    key = np.sort(((who if by_time is None else who[by_time]) << bits) | np.arange(n))
    place = key & ((1 << bits) - 1)
    return place if by_time is None else by_time[place]


def journeys(
    events: EventTable | Any,
    *,
    grain: str | TextColumn | ArrayLike = "customer",
    step: str | None = None,
    time: str = "time",
    customer: str = "customer",
    arrival: str | ArrayLike | None = None,
    as_of: datetime | np.datetime64 | None = None,
    zone: str | ZoneInfo | None = None,
    customers: CustomerIndex | None = None,
    missing: Iterable[str] = MISSING_WORDS,
) -> Journeys:
    """Put events in the order in which each journey lived them.

    Rows may come in any order; rows of one journey at one instant keep their order. Rows without a journey or a step
    are left out and counted in `left_out`; rows without a time are refused.

    Parameters
    ----------
    events : EventTable, or any frame, dict of columns, list of dicts
    grain : name of a column, or a column
        What one journey is: "customer", "session", "case", "account", any column, or codes such as session numbers
        (n,), where -1 is none. In an `EventTable`, "case" is the reference and other names are attributes.
    step : name of a column
        What happened. None takes "step" in a frame, and in an `EventTable` the touchpoint, or the kind where no row
        has a touchpoint.
    time, customer : names of columns
        Of a frame. The customer may be absent where it is not the grain.
    arrival : name of a column, or (n,) instants
        When each row became known (a store that sends its receipts at night). Missing = at once.
    as_of : aware datetime
        Use only what had arrived and happened by then. None uses all.
    zone, customers, missing
        As of `EventTable.from_frame`.

    Raises
    ------
    MissingColumn, NaiveDatetime, BadRows
        What cannot be read, all bad rows at once.

    Examples
    --------
    >>> walks = journeys({
    ...     "customer": ["b", "a", "b", None], "step": ["buy", "ad", "ad", "ad"],
    ...     "time": ["2026-03-02T09:00Z", "2026-03-01T09:00Z", "2026-03-01T10:00Z", "2026-03-01T10:00Z"],
    ... })
    >>> [w.steps for w in walks], dict(walks.left_out)
    ([('ad',), ('ad', 'buy')], {'no customer': 1})
    """
    read = _table if isinstance(events, EventTable) else _frame
    source = read(
        events, grain=grain, step=step, time=time, customer=customer, arrival=arrival, zone=zone, customers=customers,
        missing=missing,
    )  # fmt: skip
    who, what, when, whose, index, known, backend = source
    name = grain if isinstance(grain, str) else "journey"
    reasons = {f"no {name}": who.codes < 0, "no step": what.codes < 0}
    if as_of is not None:
        until = instant("as_of", as_of).astype(np.int64)
        reasons |= {"arrived later": known > until, "happens later": when > until}
    return _built(who, what, when, whose, index, reasons=reasons, grain=name, backend=backend)


_Source = tuple[TextColumn, TextColumn, Ints, NDArray[np.int32], CustomerIndex, Ints, str | None]


def _frame(events: Any, *, grain: Any, step: str | None, arrival: Any, customers: Any, **named: Any) -> _Source:
    door = Door(read_frame(events, missing=named["missing"]), "journeys", zone=named["zone"])
    n = len(door)
    customer = named["customer"]
    if door.has(customer, "customer"):
        whose, index = door.customers(customer, customers)
    elif grain == "customer" if isinstance(grain, str) else False:
        raise MissingColumn(customer, door.frame.columns)
    else:
        whose, index = np.full(n, -1, np.int32), customers or CustomerIndex(())
    named_step = door.text("step" if step is None else step)
    when = door.times(named["time"], required=True).astype(np.int64)
    known = when
    if isinstance(arrival, str):
        known = _known(door.times(arrival, required=False), when)
    elif arrival is not None:
        known = _known(instants("arrival", arrival, missing_ok=True), when)
    who = _grain(grain, n, lambda name: door.text(customer if name == "customer" else name))
    door.close()
    return who, named_step, when, whose, index, known, door.frame.backend


def _table(events: EventTable, *, grain: Any, step: str | None, arrival: Any, **_: Any) -> _Source:
    def column(name: str) -> TextColumn:
        if name == "customer":
            return TextColumn(events.customer, events.customers.ids)
        own = {"case": events.reference, "reference": events.reference, "touchpoint": events.touchpoint}
        own |= {"kind": events.kind, "channel": events.channel, **events.attributes}
        if name not in own:
            raise MissingColumn(name, tuple(own), "the events")
        return own[name]

    if step is None:
        step = "touchpoint" if (events.touchpoint.codes >= 0).any() else "kind"
    when = events.time.astype(np.int64)
    known = when
    if arrival is not None:
        if isinstance(arrival, str):
            door = Door(read_frame({arrival: column(arrival).to_list()}), "journeys")
            given = door.times(arrival, required=False)
            door.close()
        else:
            given = instants("arrival", arrival, missing_ok=True)
        known = _known(given, when)
    who = _grain(grain, len(events), column)
    return who, column(step), when, events.customer, events.customers, known, events.backend


def _known(arrival: NDArray[np.datetime64], when: Ints) -> Ints:
    if len(arrival) != len(when):
        raise OutOfRange("len(arrival)", len(arrival), str(len(when)), "give one instant a row")
    return np.where(np.isnat(arrival), when, arrival.astype(np.int64))


def _grain(grain: Any, n: int, column: Any) -> TextColumn:
    if isinstance(grain, str):
        found: TextColumn = column(grain)
        return found
    if isinstance(grain, TextColumn):
        found = grain
    else:
        cells = cells_of("grain", grain)
        if cells.dtype.kind in "iu":
            values, codes = np.unique(cells, return_inverse=True)
            wide = len(str(values[-1])) if len(values) else 1
            names = tuple(f"{v:0{wide}d}" for v in values[values >= 0])
            found = TextColumn(np.maximum(codes - int((values < 0).sum()), -1).astype(np.int32), names)
        else:
            found = TextColumn(*read_frame({"grain": cells.tolist()}).text("grain"))
    if len(found) != n:
        raise OutOfRange("len(grain)", len(found), f"{n}, one a row", "give each row its journey, -1 or None for none")
    return found


def _built(
    who: TextColumn,
    what: TextColumn,
    when: Ints,
    whose: NDArray[np.int32],
    index: CustomerIndex,
    *,
    reasons: dict[str, NDArray[np.bool_]],
    grain: str,
    backend: str | None,
) -> Journeys:
    lost = np.zeros(len(when), np.bool_)
    left_out: dict[str, int] = {}
    for reason, rows in reasons.items():
        fresh = rows & ~lost
        lost |= rows
        if fresh.any():
            left_out[reason] = int(fresh.sum())
    kept = np.flatnonzero(~lost) if lost.any() else None
    codes, words, times, people = who.codes, what.codes, when, whose
    if kept is not None:
        codes, words, times, people = codes[kept], words[kept], times[kept], people[kept]
    journey, ids = _sorted_codes(codes, who.values)
    step, steps = _sorted_codes(words, what.values)
    order = journey_order(journey, times)
    start = np.concatenate([[0], np.cumsum(np.bincount(journey, minlength=len(ids)))])
    return Journeys(
        start=start,
        step=step[order],
        time=times[order],
        row=order if kept is None else kept[order],
        customer=_one_customer(people[order], start),
        steps=steps,
        id=ids,
        customers=index,
        grain=grain,
        left_out=left_out,
        backend=backend,
    )


def _sorted_codes(codes: NDArray[np.int32], values: tuple[str, ...]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Codes of the values in use, in their sorted order, so that shuffled rows give the same ones."""
    used = np.flatnonzero(np.bincount(codes, minlength=len(values)))
    order = sorted(used.tolist(), key=values.__getitem__)
    to = np.zeros(len(values), np.int32)
    to[order] = np.arange(len(order), dtype=np.int32)
    return to[codes], tuple(values[i] for i in order)


def _one_customer(whose: NDArray[np.int32], start: Ints) -> NDArray[np.int32]:
    """The one customer whom the rows of each journey name, -1 where nobody or several."""
    if not len(whose):
        return np.full(len(start) - 1, -1, np.int32)
    top = np.maximum.reduceat(whose, start[:-1])
    unknown = np.iinfo(np.int32).max
    low = np.minimum.reduceat(np.where(whose < 0, unknown, whose), start[:-1])
    return np.where((low == top), top, -1).astype(np.int32)
