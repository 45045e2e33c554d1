"""Facts of a whole population as columns, over one index of customers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import listed
from crmcore.errors import CurrencyMismatch, OutOfRange, UnknownName, WrongType
from crmcore.rules.facts import Event, Facts
from crmcore.rules.kinds import (
    DURATION,
    FLAG,
    NUMBER,
    TAGS,
    TEXT,
    TIME,
    Kind,
    Scalar,
    Sort,
    money_kind,
    read_value,
    written,
)
from crmcore.tables import CustomerIndex, EventTable, TextColumn
from crmcore.values import Money

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

__all__ = ["Cells", "FactTable", "MoneyColumn", "cells_of", "check_table"]

NO_AMOUNT = int(np.iinfo(np.int64).min)


@attrs.frozen(eq=False)
class MoneyColumn:
    """Amounts of one currency in minor units; `numpy.iinfo(int64).min` is missing, as in the tables.

    Examples
    --------
    >>> MoneyColumn(np.array([1250, 900]), "THB").currency
    'THB'
    """

    amount_minor: NDArray[np.int64]
    currency: str


@attrs.frozen(eq=False, repr=False)
class Cells:
    """A column as the engine holds it: numbers with NaN for unknown, or codes into `words` with -1 for unknown.

    A constant is an array without a dimension.
    """

    data: NDArray[Any]
    kind: Kind | None
    words: tuple[Scalar, ...] | None = None

    def __repr__(self) -> str:
        return f"Cells({self.data.size} of {self.kind or 'nothing known'})"

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether each value is known."""
        found: NDArray[np.bool_] = self.data >= 0 if self.words is not None else self.data == self.data
        return found

    def take(self, rows: NDArray[np.intp]) -> Cells:
        """Select rows; a constant stays one."""
        return self if self.data.ndim == 0 else Cells(self.data[rows], self.kind, self.words)

    def scalar(self, row: int) -> Scalar | None:
        """Value of one row, None where it is unknown."""
        cell = self.data if self.data.ndim == 0 else self.data[row]
        if self.words is not None:
            return self.words[int(cell)] if cell >= 0 else None
        return None if cell != cell else float(cell)


Column = NDArray[Any] | TextColumn | MoneyColumn | Sequence[object] | Cells


def cells_of(value: Column, name: str) -> Cells:
    """Column of whatever a caller gives: an array, a column of the tables, or a list of plain values.

    Raises
    ------
    WrongType
        Values of several kinds, or of a kind that conditions do not know.

    Examples
    --------
    >>> cells_of([1, None, 2.5], "age").data.tolist()
    [1.0, nan, 2.5]
    """
    if isinstance(value, Cells):
        return value
    if isinstance(value, TextColumn):
        return _text(value)
    if isinstance(value, MoneyColumn):
        return Cells(_amounts(value.amount_minor), money_kind(value.currency))
    if isinstance(value, np.ndarray) and value.dtype.kind not in "OUSTV":
        return _array(value, name)
    if isinstance(value, np.ndarray):
        return _listed(value.tolist(), name)
    given: object = value
    if isinstance(given, str) or not isinstance(given, Iterable):
        hint = "give one cell per customer: a list, an array, a TextColumn or a MoneyColumn"
        raise WrongType(f"column {name!r}", f"a {type(given).__name__}", "a column of facts", hint)
    return _listed(list(value), name)


def _amounts(amount_minor: NDArray[np.int64]) -> NDArray[np.float64]:
    whole = np.asarray(amount_minor, np.int64)
    return _locked(np.where(whole == NO_AMOUNT, np.nan, whole.astype(np.float64)))


def _locked(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view


def _text(column: TextColumn) -> Cells:
    """Empty text is unknown, and equal words are one word."""
    if "" not in column.values and len(set(column.values)) == len(column.values):
        return Cells(column.codes, TEXT, column.values)
    words = tuple(dict.fromkeys(v for v in column.values if v))
    position = {w: i for i, w in enumerate(words)}
    to = np.array([*(position.get(v, -1) for v in column.values), -1], np.int32)
    return Cells(_locked(to[column.codes]), TEXT, words)


def _array(array: NDArray[Any], name: str) -> Cells:
    if array.dtype.kind in "Mm":
        whole = array.astype(f"{array.dtype.kind}8[us]").astype(np.int64)
        return Cells(_amounts(whole), TIME if array.dtype.kind == "M" else DURATION)
    if array.dtype.kind == "b":
        return Cells(_locked(array.astype(np.float64)), FLAG)
    if array.dtype.kind in "iuf":
        return Cells(_locked(np.asarray(array, np.float64)), NUMBER)
    hint = "give numbers, bools, datetime64, timedelta64, a TextColumn, a MoneyColumn or a list"
    raise WrongType(f"column {name!r}", f"an array of {array.dtype}", "a column of facts", hint)


def _listed(values: Sequence[object], name: str) -> Cells:
    read = [read_value(v, name) for v in values]
    kinds = list(dict.fromkeys(k for _, k in read if k is not None))
    if len(kinds) > 1:
        if kinds[0].sort is kinds[1].sort is Sort.MONEY:
            raise CurrencyMismatch(kinds[0].unit or "", kinds[1].unit or "")
        got = f"a list of {' and '.join(str(k) for k in kinds)}"
        raise WrongType(f"column {name!r}", got, "values of one kind", "convert them, and leave None where unknown")
    kind = kinds[0] if kinds else None
    if kind is not None and kind in (TEXT, TAGS):
        return _encoded([v for v, _ in read], kind)
    return Cells(_locked(np.array([np.nan if v is None else v for v, _ in read], np.float64)), kind)


def _encoded(values: Sequence[Scalar | None], kind: Kind) -> Cells:
    seen: dict[Scalar | None, int] = {None: -1}
    codes = np.fromiter((seen.setdefault(v, len(seen) - 1) for v in values), np.int32, len(values))
    return Cells(_locked(codes), kind, tuple(v for v in seen if v is not None))


def _columns(value: Mapping[str, Column]) -> dict[str, Cells]:
    given: object = value
    if not isinstance(given, Mapping):
        hint = "give columns by name: {'age': [17, None]}; FactTable.from_frame reads a frame"
        raise WrongType("columns", f"a {type(given).__name__}", "a mapping of names to columns", hint)
    return {name: cells_of(column, name) for name, column in value.items()}


def _tables(value: EventTable | Iterable[EventTable] | None) -> tuple[EventTable, ...] | None:
    if value is None:
        return None
    if isinstance(value, EventTable):
        return (value,)
    return listed(value, "events", EventTable, what="event tables", hint="EventTable.from_frame reads a frame")


def _index(value: CustomerIndex) -> CustomerIndex:
    given: object = value
    if isinstance(given, CustomerIndex):
        return value
    hint = "CustomerIndex.of(['c1', 'c2']); FactTable.from_frame reads index and columns of a frame"
    raise WrongType("customers", f"a {type(given).__name__}", "a CustomerIndex", hint)


def check_table(value: object) -> None:
    """Refuse what is no table of facts."""
    if not isinstance(value, FactTable):
        hint = "read a frame with FactTable.from_frame(frame, customer='id')"
        raise WrongType("table", f"a {type(value).__name__}", "a FactTable", hint)


@attrs.frozen(eq=False, repr=False, slots=False)
class FactTable:
    """Facts of every customer of an index: row i of every column is customer i.

    Parameters
    ----------
    customers
        The population.
    columns
        One per fact: arrays (NaN, NaT = unknown), `TextColumn`, `MoneyColumn`, or lists of plain values and None.
    events
        One or several event tables of these customers; None = nobody looked, so counts are unknown.

    Raises
    ------
    OutOfRange, WrongType, CurrencyMismatch
        Columns of another length or of mixed kinds; event tables of two currencies.

    Examples
    --------
    >>> table = FactTable(CustomerIndex.of(["a", "b"]), {"age": np.array([17.0, np.nan]), "tier": ["gold", None]})
    >>> table, dict(table[0].fields)
    (FactTable(2 customers, columns ['age', 'tier'], no events known), {'age': 17.0, 'tier': 'gold'})
    """

    customers: CustomerIndex = attrs.field(converter=_index)
    columns: Mapping[str, Cells] = attrs.field(converter=_columns, factory=dict)
    events: tuple[EventTable, ...] | None = attrs.field(converter=_tables, default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        n = len(self)
        for name, cells in self.columns.items():
            if cells.data.shape != (n,):
                hint = "give every column one cell per customer, in the order of the index"
                raise OutOfRange(f"column {name!r}", f"shape {cells.data.shape}", f"({n},)", hint)
        found = sorted({t.currency for t in self.events or () if t.currency is not None})
        if len(found) > 1:
            raise CurrencyMismatch(found[0], found[1])

    def __len__(self) -> int:
        return len(self.customers)

    def __repr__(self) -> str:
        happened = "no events known" if self.events is None else f"{sum(map(len, self.events))} events"
        return f"FactTable({len(self)} customers, columns {list(self.columns)}, {happened})"

    @property
    def currency(self) -> str | None:
        """Currency of the amounts of events."""
        return next((t.currency for t in self.events or () if t.currency is not None), None)

    @cached_property
    def _codes(self) -> tuple[NDArray[np.int32], ...]:
        """Customer of every event of each table, as a code of this index; -1 = nobody here."""
        made = []
        for table in self.events or ():
            codes = table.customer
            if table.customers is not self.customers and table.customers.ids != self.customers.ids:
                to = np.append(self.customers.codes(table.customers.ids), np.int32(-1))
                codes = to[codes]
            made.append(codes)
        return tuple(made)

    @cached_property
    def _by_customer(self) -> tuple[tuple[NDArray[np.intp], NDArray[np.int64]], ...]:
        """Rows of each event table in the order of their customers, and where each customer begins."""
        made = []
        for codes in self._codes:
            order = np.argsort(codes, kind="stable")
            made.append((order, np.searchsorted(codes[order], np.arange(len(self) + 1))))
        return tuple(made)

    def __getitem__(self, row: int) -> Facts:
        """Facts of one customer by row."""
        if not -len(self) <= row < len(self):
            raise OutOfRange("row", row, f"0 to {len(self) - 1}", "ask by id: table.of('c1')")
        row = row % len(self)
        fields = {
            name: written(value, cells.kind)
            for name, cells in self.columns.items()
            if (value := cells.scalar(row)) is not None
        }
        events: list[Event] | None = None if self.events is None else []
        for table, (order, starts) in zip(self.events or (), self._by_customer, strict=True):
            for i in order[starts[row] : starts[row + 1]]:
                events.append(Event.of(table[int(i)]))  # type: ignore[union-attr]
        return Facts(fields, events=events, subject=self.customers[row], currency=self.currency)

    def of(self, customer: str) -> Facts:
        """Facts of one customer by id.

        Raises
        ------
        UnknownName
            The index does not know the id; the nearest is proposed.
        """
        code = self.customers.code(customer)
        if code < 0:
            raise UnknownName("customer", str(customer), self.customers.ids[:10_000])
        return self[code]

    def with_columns(self, **columns: Column) -> FactTable:
        """The same population with some columns set."""
        return attrs.evolve(self, columns={**self.columns, **columns})

    @classmethod
    def of_facts(cls, rows: Iterable[Facts | Mapping[str, object]]) -> FactTable:
        """Columns of facts held one by one; their subjects become the index, or row numbers where they have none.

        Events are known to the table where one of the subjects knows its own.

        Examples
        --------
        >>> FactTable.of_facts([{"age": 17}, {"tier": "gold"}])
        FactTable(2 customers, columns ['age', 'tier'], no events known)
        """
        hint = "pass one Facts, or one dict of fields, per customer"
        given = listed(rows, "rows", (Facts, Mapping), what="facts", hint=hint)
        found = [f if isinstance(f, Facts) else Facts(f) for f in given]
        width = len(str(len(found)))
        ids = [f.subject or f"row {i:0{width}}" for i, f in enumerate(found)]
        index = CustomerIndex(tuple(ids))
        names = dict.fromkeys(name for f in found for name in f.fields)
        columns = {name: cells_of([f.fields.get(name) for f in found], name) for name in names}
        if all(f.events is None for f in found):
            return cls(index, columns)
        return cls(index, columns, events=_event_table(found, ids, index))

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        customer: str = "customer",
        columns: Mapping[str, str] | None = None,
        currency: str | None = None,
        events: EventTable | Iterable[EventTable] | None = None,
        zone: str | ZoneInfo | None = None,
    ) -> FactTable:
        """Read facts from any frame, one row per customer.

        Parameters
        ----------
        frame
            Any frame, a dict of columns, or a list of dicts.
        customer
            Column of ids; each once.
        columns
            What each column holds, by name: "number", "money", "time", "text" or "flag"; None reads all columns as
            what their cells are.
        currency
            Of the "money" columns, whose cells are in major units (12.5).
        events
            Event tables.
        zone
            Zone in which times without offset were written.

        Raises
        ------
        MissingColumn, BadRows, DuplicateIds
            What cannot be read, all bad rows at once.
        """
        from crmcore.rules.reading import read_facts

        index, cells = read_facts(frame, customer=customer, columns=columns, currency=currency, zone=zone)
        return cls(index, cells, events=events)


def _event_table(listed: Sequence[Facts], ids: Sequence[str], index: CustomerIndex) -> EventTable:
    from crmcore.values import Interaction

    rows = []
    for facts, subject in zip(listed, ids, strict=True):
        for event in facts.events or ():
            if event.amount is not None and not isinstance(event.amount, Money):
                hint = "amounts of a table are Money; keep other numbers in an attribute"
                raise WrongType("event.amount", f"a {type(event.amount).__name__}", "Money or None", hint)
            rows.append(
                Interaction(
                    customer=subject,
                    time=event.time,
                    kind=event.kind,
                    amount=event.amount,
                    attributes={k: _as_text(v) for k, v in event.attributes.items() if v is not None},
                )
            )
    return EventTable.of(rows, customers=index)


def _as_text(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return str(value / timedelta(days=1)) if isinstance(value, timedelta) else str(value)
