"""Measures of events for every customer: one pass and one `bincount` per kind and window."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from crmcore.rules.fact_table import Cells, FactTable, MoneyColumn, cells_of
from crmcore.rules.kinds import DAY_US, NUMBER, TIME, Kind, money_kind
from crmcore.rules.latest_events import Chosen, latest_cells
from crmcore.rules.nodes import EventMeasure, Measure
from crmcore.rules.sequence_columns import has_neighbour, switch_counts
from crmcore.rules.sequences import Follows, Side, Switches
from crmcore.tables import EventTable, TextColumn

__all__ = ["EventRows", "chosen_rows", "followed", "measured", "switched", "window_rows"]

_UNTIMED = (Measure.COUNT, Measure.DAYS_SINCE_LAST, Measure.DAYS_SINCE_FIRST)
Floats = NDArray[np.float64]


class EventRows:
    """Some rows of an event table as facts: what `where` asks about."""

    def __init__(
        self, table: EventTable, rows: NDArray[np.intp], facts: FactTable, customer: NDArray[np.int32]
    ) -> None:
        self.table = table
        self.rows = rows
        self.facts = facts  # of everybody, where the other events of the same customers are
        self.customer = customer

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def time_us(self) -> NDArray[np.int64]:
        """(n,) instants in microseconds."""
        found: NDArray[np.int64] = self.table.time.view(np.int64)[self.rows]
        return found

    @cached_property
    def columns(self) -> Mapping[str, Cells]:
        """Parts of the events by name; they are cut when they are asked for."""
        return _Parts(self)


class _Parts(Mapping[str, Cells]):
    """Lazy columns of event rows: attributes go before channel and its like, kind, time and amount before all."""

    def __init__(self, of: EventRows) -> None:
        self._of = of

    def __iter__(self) -> Iterator[str]:
        table = self._of.table
        return iter(dict.fromkeys(("kind", "time", "amount", *_TEXTS, *table.attributes)))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __getitem__(self, name: str) -> Cells:
        table, rows = self._of.table, self._of.rows
        if name == "time":
            return Cells(table.time[rows].astype(np.int64).astype(np.float64), TIME)
        if name == "amount":
            if table.currency is None:
                return Cells(np.array(np.nan), None)
            return cells_of(MoneyColumn(table.amount_minor[rows], table.currency), name)
        column: TextColumn | None = table.kind if name == "kind" else table.attributes.get(name)
        if column is None and name in _TEXTS:
            column = getattr(table, name)
        if column is None:
            raise KeyError(name)
        return cells_of(column.take(rows), name)


_TEXTS = ("channel", "touchpoint", "direction", "reference")


def window_rows(
    kind: TextColumn,
    customer: NDArray[np.int32],
    time_us: NDArray[np.int64],
    /,
    *,
    event: str,
    first: float,
    last: float,
) -> NDArray[np.intp]:
    """Rows of events of one kind, of known customers, with first < time <= last, in table order.

    Parameters
    ----------
    kind, customer, time_us : (n,) columns of an event table
    event : kind to keep
    first, last : ends of the window in microseconds since 1970 UTC; infinite ends keep all

    Examples
    --------
    >>> kinds = TextColumn.of(["order", "view", "order"])
    >>> window_rows(kinds, np.zeros(3, np.int32), np.array([5, 6, 7]), event="order", first=5, last=7).tolist()
    [2]
    """
    keep = kind.equals(event)
    if last < math.inf:
        keep &= time_us <= math.floor(last)
    if first > -math.inf:
        keep &= time_us > math.floor(first)
    rows = np.flatnonzero(keep)
    strange = customer[rows] < 0
    return rows[~strange] if strange.any() else rows


def measured(
    node: EventMeasure, table: FactTable | EventRows, now_us: float, where: Callable[[EventRows], NDArray[np.bool_]]
) -> Cells:
    """(n customers,) measure of the events of each customer; unknown where no events are known."""
    if isinstance(table, EventRows):  # of the event's customer, as of now
        return measured(node, table.facts, now_us, where).take(table.customer.astype(np.intp))
    if table.events is None:
        return Cells(np.array(np.nan), NUMBER if node.measure in _UNTIMED else None)
    last = now_us - node.before_days * DAY_US
    first = -math.inf if node.within_days is None else now_us - node.within_days * DAY_US
    fold, chosen = _Fold(len(table)), []
    for found in chosen_rows(table, node.event, first, last, None if node.where is None else where):
        if node.measure is Measure.LATEST:
            part = found.columns.get(node.of, Cells(np.array(np.nan), None))
            chosen.append(Chosen(found.customer, found.time_us, part))
        else:
            fold.add(node, found.table, found.rows, found.customer)
    if node.measure is Measure.LATEST:
        return latest_cells(chosen, n_customers=len(table)) if chosen else Cells(np.array(np.nan), None)
    return Cells(fold.result(node, now_us), _kind(node, table))


def chosen_rows(
    facts: FactTable, event: str, first: float, last: float, where: Callable[[EventRows], NDArray[np.bool_]] | None
) -> Iterator[EventRows]:
    """Rows of each event table of one kind, in a window, of which `where` is true."""
    for events, customer in zip(facts.events or (), facts._codes, strict=True):
        time_us = events.time.view(np.int64)
        rows = window_rows(events.kind, customer, time_us, event=event, first=first, last=last)
        if where is not None and len(rows):
            rows = rows[where(EventRows(events, rows, facts, customer[rows]))]
        yield EventRows(events, rows, facts, customer[rows])


def followed(
    node: Follows, rows: EventRows, now_us: float, where: Callable[[EventRows], NDArray[np.bool_]] | None
) -> NDArray[np.bool_]:
    """Whether each event has another one after it, or before it."""
    found = list(chosen_rows(rows.facts, node.event, -math.inf, now_us, where))
    if not found:
        return np.zeros(len(rows), np.bool_)
    return has_neighbour(
        rows.customer.astype(np.int64),
        rows.time_us,
        np.concatenate([f.customer for f in found]).astype(np.int64),
        np.concatenate([f.time_us for f in found]),
        within_us=math.inf if node.within_days is None else node.within_days * DAY_US,
        after=node.side is Side.AFTER,
    )


def switched(
    node: Switches,
    table: FactTable | EventRows,
    now_us: float,
    where: Callable[[EventRows], NDArray[np.bool_]] | None,
) -> Cells:
    """(n customers,) switches of each; unknown where no events are known."""
    if isinstance(table, EventRows):
        return switched(node, table.facts, now_us, where).take(table.customer.astype(np.intp))
    if table.events is None:
        return Cells(np.array(np.nan), NUMBER)
    last = now_us - node.before_days * DAY_US
    first = -math.inf if node.within_days is None else now_us - node.within_days * DAY_US
    found = [f for kind in node.events for f in chosen_rows(table, kind, first, last, where)]
    if not found:
        return Cells(np.zeros(len(table)), NUMBER)
    states, known = zip(*(_states(f, node.of) for f in found), strict=True)
    keep = np.concatenate(known)
    counts = switch_counts(
        np.concatenate([f.customer for f in found]).astype(np.int64)[keep],
        np.concatenate([f.time_us for f in found])[keep],
        np.concatenate(states)[keep],
        n_customers=len(table),
    )
    return Cells(counts, NUMBER)


def _states(rows: EventRows, name: str) -> tuple[NDArray[np.str_], NDArray[np.bool_]]:
    """A part of each event as text, and whether it is known."""
    cells = rows.columns.get(name, Cells(np.array(np.nan), None))
    if cells.words is not None:
        words = np.array([*(str(word) for word in cells.words), ""], np.str_)
        return words[cells.data], cells.known
    data = np.broadcast_to(cells.data, len(rows))
    return np.array([str(float(v)) for v in data.tolist()], np.str_), data == data


def _kind(node: EventMeasure, table: FactTable) -> Kind | None:
    if node.measure in _UNTIMED:
        return NUMBER
    if node.of == "amount":
        return None if table.currency is None else money_kind(table.currency)
    return NUMBER


class _Fold:
    """What is kept per customer while event tables pass."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.count = np.zeros(n, np.int64)
        self.total = np.zeros(n)
        self.missing = np.zeros(n, np.bool_)
        self.low = np.full(n, np.inf)
        self.high = np.full(n, -np.inf)

    def add(self, node: EventMeasure, events: EventTable, rows: NDArray[np.intp], customer: NDArray[np.int32]) -> None:
        """Fold the chosen rows of one table."""
        self.count += np.bincount(customer, minlength=self.n)
        if node.measure is Measure.COUNT:
            return
        values = _values(node, events, rows)
        gaps = values != values
        if gaps.any():
            self.missing[customer[gaps]] = True
            values = np.where(gaps, 0.0, values)
        if node.measure in (Measure.TOTAL, Measure.AVERAGE):
            self.total += np.bincount(customer, weights=values, minlength=self.n)
        elif node.measure in (Measure.LARGEST, Measure.DAYS_SINCE_LAST):
            np.maximum.at(self.high, customer, values)
        else:
            np.minimum.at(self.low, customer, values)

    def result(self, node: EventMeasure, now_us: float) -> Floats:
        """Measure of each customer, NaN where unknown."""
        if node.measure is Measure.COUNT:
            return self.count.astype(np.float64)
        with np.errstate(all="ignore"):
            found: Floats = {
                Measure.TOTAL: self.total,
                Measure.AVERAGE: self.total / self.count,
                Measure.LARGEST: self.high,
                Measure.SMALLEST: self.low,
                Measure.DAYS_SINCE_LAST: (now_us - self.high) / DAY_US,
                Measure.DAYS_SINCE_FIRST: (now_us - self.low) / DAY_US,
            }[node.measure]
        gone = self.missing if node.measure is Measure.TOTAL else self.missing | (self.count == 0)
        return np.where(gone, np.nan, found)


def _values(node: EventMeasure, events: EventTable, rows: NDArray[np.intp]) -> Floats:
    if node.measure in _UNTIMED:
        return events.time.view(np.int64)[rows].astype(np.float64)
    if node.of == "amount":
        return cells_of(MoneyColumn(events.amount_minor[rows], events.currency or ""), node.of).data
    column = events.attributes.get(node.of)
    return np.full(len(rows), np.nan) if column is None else column.take(rows).numbers()
